// Events of sockets: addresses are the socket's own.
#pragma once
#include "call.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define TCP_CLOSE 7
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define IPPROTO_TCP 6
#define EINPROGRESS 115

// Who opened a connection, and to where: what a refused connection no longer knows, and what its end belongs to.
struct owner {
	u64 start_ns;
	u64 cgroup;
	u32 pid;
	u32 uid;
	u32 flags;
	u32 reserved;
	struct socket_body addresses;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct owner);
} owners SEC(".maps");

static __always_inline void read_socket(struct sock *sock, struct socket_body *body)
{
	u16 family = READ(sock, __sk_common.skc_family);
	body->family = family;
	body->type = READ(sock, sk_type);
	if (family == AF_UNIX)
		return;
	body->protocol = READ(sock, sk_protocol);
	body->local_port = READ(sock, __sk_common.skc_num);
	body->remote_port = bpf_ntohs(READ(sock, __sk_common.skc_dport));
	if (family == AF_INET) {
		*(u32 *)body->local = READ(sock, __sk_common.skc_rcv_saddr);
		*(u32 *)body->remote = READ(sock, __sk_common.skc_daddr);
	} else if (family == AF_INET6) {
		bpf_core_read(body->local, 16, &sock->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(body->remote, 16, &sock->__sk_common.skc_v6_daddr);
	}
}

// struct sockaddr_in and sockaddr_in6, as far as they say where to.
struct asked_address {
	u16 family;
	u16 port;
	u32 address4; // sockaddr_in6: flow
	u64 address6[2];
};

// Whether `owner` is about this very attempt. A socket that ended before it was connected leaves its owner behind, and the
// kernel gives its memory to the next one.
static __always_inline bool owns_attempt(struct owner *owner, struct record *record, u64 where)
{
	struct asked_address asked = {};
	if (owner->pid != record->pid || owner->start_ns != record->start_ns)
		return false;
	if (bpf_probe_read_user(&asked, 8, (void *)where) || bpf_ntohs(asked.port) != owner->addresses.remote_port)
		return false;
	if (asked.family == AF_INET)
		return owner->addresses.family == AF_INET && asked.address4 == *(u32 *)owner->addresses.remote;
	if (asked.family != AF_INET6 || bpf_probe_read_user(asked.address6, 16, (void *)where + 8))
		return false;
	u64 *remote = (u64 *)owner->addresses.remote;
	return asked.address6[0] == remote[0] && asked.address6[1] == remote[1];
}

// Body, and the path of a Unix socket's peer (its own path when it has none). `where` is the address that a call to
// connect named, 0 of anything else.
static __always_inline void put_socket(struct scratch *scratch, struct sock *sock, u64 where)
{
	struct socket_body body = {};
	read_socket(sock, &body);
	u64 key = (u64)sock;
	struct owner *owner = where && !body.remote_port ? bpf_map_lookup_elem(&owners, &key) : NULL;
	if (owner) {
		// Otherwise what the caller asked for stands: it follows the body.
		if (owns_attempt(owner, &scratch->record, where))
			body = owner->addresses;
		bpf_map_delete_elem(&owners, &key);
	}
	put(scratch, &body, sizeof(body));
	if (body.family != AF_UNIX) {
		put_nothing(scratch);
		return;
	}
	struct unix_sock *peer = (void *)READ((struct unix_sock *)sock, peer);
	struct unix_address *address = peer ? READ(peer, addr) : NULL;
	if (!address)
		address = READ((struct unix_sock *)sock, addr);
	int length = address ? READ(address, len) : 0;
	u32 used = scratch->record.used;
	if (length <= 2 || length > 110 || used >= DATA_MAX) {
		put_nothing(scratch);
		return;
	}
	u32 size = (length - 2) & 127;
	*(u16 *)&scratch->data[used] = size;
	struct unix_name *name = (void *)address + bpf_core_type_size(struct unix_address);
	bpf_probe_read_kernel(&scratch->data[used + 2], size, name->path);
	scratch->record.used = used + 2 + size;
}

static __always_inline struct sock *sock_of(struct task_struct *task, u32 fd)
{
	struct file *file = file_of(task, fd);
	if (kind_of(file) != STDIO_SOCKET)
		return NULL;
	struct socket *socket = READ(file, private_data);
	return READ(socket, sk);
}

static __always_inline void own(struct record *record, struct sock *sock, bool with_addresses)
{
	struct owner owner = {
		.start_ns = record->start_ns, .cgroup = record->cgroup, .pid = record->pid,
		.uid = record->uid, .flags = record->flags & IN_CONTAINER,
	};
	if (with_addresses)
		read_socket(sock, &owner.addresses);
	u64 key = (u64)sock;
	bpf_map_update_elem(&owners, &key, &owner, BPF_ANY);
}

// CONNECT, LISTEN, BIND, SOCKET, ACCEPT: body, Unix path, and the address that the caller asked for.
static __always_inline void by_socket(struct scratch *scratch, struct task_struct *task, u32 fd, struct call *call)
{
	struct sock *sock = sock_of(task, fd);
	if (!sock)
		return;
	scratch->record.fd = fd;
	if (call->handler == HANDLER_ACCEPTED && scratch->record.type == ACCEPT)
		own(&scratch->record, sock, false);
	u64 where = scratch->record.type == CONNECT ? scratch->arguments[call->text & 7] : 0;
	put_socket(scratch, sock, where);
	if (call->text != NO_ARGUMENT)
		put_user_bytes(scratch->arguments[call->text & 7], 28);
	else
		put_nothing(scratch);
	offer(scratch);
}

// FLOW: body, empty path. TCP connections when they end; their owner was noted when they began.
SEC("tp_btf/inet_sock_set_state")
int socket_state(u64 *ctx)
{
	struct sock *sock = (void *)ctx[0];
	int state = ctx[2];
	u64 key = (u64)sock;
	if (state == TCP_SYN_SENT) {
		struct task_struct *task = (void *)bpf_get_current_task();
		struct record record;
		describe(&record, CONNECT, task);
		own(&record, sock, true);
		return 0;
	}
	// A connection that comes in has no owner before it is accepted, whatever its memory was used for.
	if (state == TCP_SYN_RECV && (int)ctx[1] != TCP_SYN_SENT) {
		bpf_map_delete_elem(&owners, &key);
		return 0;
	}
	// What never came about is no flow; its addresses stay for the call that is about to say so.
	if (state != TCP_CLOSE || (int)ctx[1] == TCP_SYN_SENT)
		return 0;
	struct owner *owner = bpf_map_lookup_elem(&owners, &key);
	if (!owner)
		return 0;
	struct owner taken = *owner;
	bpf_map_delete_elem(&owners, &key);
	count(SEEN, FLOW);
	u32 selection = selection_of(FLOW);
	struct { struct record record; struct socket_body body; u16 path; u16 asked; u32 end; } flow = {};
	flow.record.type = FLOW;
	flow.record.flags = taken.flags;
	flow.record.time_ns = bpf_ktime_get_boot_ns();
	flow.record.start_ns = taken.start_ns;
	flow.record.cgroup = taken.cgroup;
	flow.record.pid = flow.record.tid = taken.pid;
	flow.record.uid = flow.record.euid = taken.uid;
	flow.record.used = sizeof(flow.body) + 4;
	flow.record.fd = -1;
	if (!selected_here(selection, &flow.record)) {
		count(FILTERED, FLOW);
		return 0;
	}
	read_socket(sock, &flow.body);
	if (!flow.body.remote_port)
		flow.body = taken.addresses;
	flow.body.sent = READ((struct tcp_sock *)sock, bytes_sent) - READ((struct tcp_sock *)sock, bytes_retrans);
	flow.body.received = READ((struct tcp_sock *)sock, bytes_received);
	if (bpf_ringbuf_output(&ring, &flow, sizeof(struct record) + sizeof(flow.body) + 4, wake_flags(false)))
		count(LOST, FLOW);
	return 0;
}
