// Names that are asked for, as calls send them: the first question of a container whose packets are not looked at yet.
#pragma once
#include "socket.h"

#define UDP 17
#define DNS_PORT 53
#define DNS_MAX 512
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
// A resolver sends its questions right after it has said where to.
#define ASKING_NS 1000000000ull

// DNS: body, payload as it was sent. What of it is a message is the sensor's business.
struct dns_record {
	struct record record;
	struct socket_body body;
	u16 length;
	u8 payload[DNS_MAX];
};

// Threads that are about to ask for a name, and since when.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} asking SEC(".maps");

// What the second argument of a sending call is; in `call.mode`.
enum sent { SENT_BYTES, SENT_PARTS, SENT_MESSAGE, SENT_MESSAGES };

// struct iovec, struct user_msghdr as far as its parts, and the size of struct mmsghdr.
struct user_part {
	u64 base;
	u64 length;
};
#define PARTS_AT 16
#define MESSAGE_SIZE 64

static __always_inline void send_question(struct task_struct *task, struct socket_body *body, struct user_part *part, u64 cgroup)
{
	struct dns_record *dns = bpf_ringbuf_reserve(&ring, sizeof(*dns), 0);
	if (!dns) {
		count(LOST, DNS);
		return;
	}
	describe_typed(&dns->record, DNS, task, cgroup, true);
	dns->body = *body;
	u32 length = part->length > DNS_MAX ? DNS_MAX : part->length;
	asm volatile("" : "+r"(length));
	if (length == 0 || length > DNS_MAX || bpf_probe_read_user(dns->payload, length, (void *)part->base)) {
		bpf_ringbuf_discard(dns, BPF_RB_NO_WAKEUP);
		return;
	}
	count(SEEN, DNS);
	dns->length = length;
	dns->record.used = sizeof(dns->body) + 2 + length;
	bpf_ringbuf_submit(dns, BPF_RB_NO_WAKEUP);
}

// A call that sent something, by a thread that may be asking.
static __always_inline void question_sent(struct task_struct *task, struct call *call, u64 *arguments, s64 result, u64 cgroup)
{
	u32 thread = task->pid;
	if (result <= 0)
		return;
	u64 *since = bpf_map_lookup_elem(&asking, &thread);
	if (!since)
		return;
	struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &cgroup);
	if (bpf_ktime_get_boot_ns() - *since > ASKING_NS || (state && state->flags & CGROUP_PACKETS)) {
		bpf_map_delete_elem(&asking, &thread);
		return;
	}
	struct sock *sock = sock_of(task, arguments[0]);
	if (!sock)
		return;
	struct socket_body body = {};
	read_socket(sock, &body);
	// Where a datagram goes that says so itself was seen by the program that noted this thread.
	if (body.protocol == UDP ? body.remote_port && body.remote_port != DNS_PORT : body.protocol != IPPROTO_TCP || body.remote_port != DNS_PORT)
		return;
	body.remote_port = DNS_PORT;
	u32 messages = call->mode == SENT_MESSAGES ? result : 1;
	for (u32 i = 0; i < 2 && i < messages; i++) {
		struct user_part part = { .base = arguments[1], .length = arguments[2] };
		u64 parts = arguments[1];
		if (call->mode >= SENT_MESSAGE && bpf_probe_read_user(&parts, sizeof(parts), (void *)parts + i * MESSAGE_SIZE + PARTS_AT))
			return;
		if (call->mode != SENT_BYTES && bpf_probe_read_user(&part, sizeof(part), (void *)parts))
			return;
		// The length in front of a message over TCP, RFC 1035 section 4.2.2.
		if (call->mode != SENT_BYTES && part.length == 2 && bpf_probe_read_user(&part, sizeof(part), (void *)parts + sizeof(part)))
			return;
		if (part.length > 2)
			send_question(task, &body, &part, cgroup);
	}
}
