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
#define EPERM 1
#define EINPROGRESS 115

// Who opened a connection, and to where: what a refused connection no longer knows, and what its end belongs to.
struct owner {
	u64 start_ns;
	u64 cgroup;
	u32 pid;
	u32 uid;
	u32 flags;
	u32 reserved;
	u64 told_ns; // when its bytes were told of last
	u64 told_bytes;
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

// The same of a socket whose type the verifier knows, by plain loads.
static __always_inline void read_socket_typed(struct sock *sock, struct socket_body *body)
{
	u16 family = sock->__sk_common.skc_family;
	body->family = family;
	body->type = sock->sk_type;
	body->protocol = sock->sk_protocol;
	body->local_port = sock->__sk_common.skc_num;
	body->remote_port = bpf_ntohs(sock->__sk_common.skc_dport);
	if (family == AF_INET) {
		*(u32 *)body->local = sock->__sk_common.skc_rcv_saddr;
		*(u32 *)body->remote = sock->__sk_common.skc_daddr;
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
static __always_inline void put_socket(struct scratch *scratch, struct sock *sock, u64 where, struct socket_body *read)
{
	struct socket_body body = *read;
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
	struct file *file = file_of_typed(task, fd);
	if (kind_of(file) != STDIO_SOCKET)
		return NULL;
	struct socket *socket = READ(file, private_data);
	return READ(socket, sk);
}

static __always_inline void own(struct record *record, struct sock *sock, struct socket_body *addresses)
{
	struct owner owner = {
		.start_ns = record->start_ns, .cgroup = record->cgroup, .pid = record->pid,
		.uid = record->uid, .flags = record->flags & IN_CONTAINER, .told_ns = record->time_ns, .addresses = *addresses,
	};
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
	struct socket_body body = {};
	read_socket(sock, &body);
	if (call->handler == HANDLER_ACCEPTED && scratch->record.type == ACCEPT && body.protocol == IPPROTO_TCP)
		own(&scratch->record, sock, &body);
	u64 where = scratch->record.type == CONNECT ? scratch->arguments[call->text & 7] : 0;
	put_socket(scratch, sock, where, &body);
	if (call->text != NO_ARGUMENT)
		put_user_bytes(scratch->slot, scratch->arguments[call->text & 7], 28);
	else
		put_nothing(scratch);
	offer(scratch);
}

// FLOW: body, empty path. `open` connections are told of with what they have carried so far.
static __always_inline void tell_flow(struct owner *owner, struct socket_body *body, u64 sent, u64 received, bool open)
{
	count(SEEN, FLOW);
	struct { struct record record; struct socket_body body; u16 path; u16 asked; u32 end; } flow = {};
	flow.record.type = FLOW;
	flow.record.flags = owner->flags;
	flow.record.time_ns = bpf_ktime_get_boot_ns();
	flow.record.start_ns = owner->start_ns;
	flow.record.cgroup = owner->cgroup;
	flow.record.pid = flow.record.tid = owner->pid;
	flow.record.uid = flow.record.euid = owner->uid;
	flow.record.used = sizeof(flow.body) + 4;
	flow.record.fd = -1;
	flow.record.argument = open;
	if (!selected_here(selection_of(FLOW), &flow.record)) {
		count(FILTERED, FLOW);
		return;
	}
	flow.body = body->remote_port ? *body : owner->addresses;
	flow.body.sent = sent;
	flow.body.received = received;
	if (!within_rate(&flow.record))
		count_loss(SAMPLED, &flow.record);
	else if (bpf_ringbuf_output(&ring, &flow, sizeof(struct record) + sizeof(flow.body) + 4, wake_flags(false)))
		count_loss(LOST, &flow.record);
}

// TCP connections when they end; their owner was noted when they began.
SEC("tp_btf/inet_sock_set_state")
int socket_state(u64 *ctx)
{
	struct sock *sock = (void *)ctx[0];
	int state = ctx[2];
	if (state == TCP_SYN_SENT) {
		struct task_struct *task = bpf_get_current_task_btf();
		u64 cgroup = cgroup_id_of_typed(task);
		bool inside = is_container(cgroup, task);
		if (!((selection_of(FLOW) | selection_of(CONNECT)) & (inside ? SELECT_CONTAINERS : SELECT_HOST)))
			return 0;
		struct record record;
		struct socket_body body = {};
		describe_typed(&record, CONNECT, task, cgroup, inside);
		read_socket_typed(sock, &body);
		own(&record, sock, &body);
		return 0;
	}
	// What never came about is no flow; its addresses stay for the call that is about to say so.
	if (state != TCP_CLOSE || (int)ctx[1] == TCP_SYN_SENT)
		return 0;
	u64 key = (u64)sock;
	struct owner *owner = bpf_map_lookup_elem(&owners, &key);
	if (!owner)
		return 0;
	// A connection that nobody accepted has no owner, whatever its memory was used for before.
	u16 local_port = sock->__sk_common.skc_num, remote_port = bpf_ntohs(sock->__sk_common.skc_dport);
	if ((local_port && local_port != owner->addresses.local_port && owner->addresses.local_port) ||
	    (remote_port && remote_port != owner->addresses.remote_port)) {
		bpf_map_delete_elem(&owners, &key);
		return 0;
	}
	struct owner taken = *owner;
	bpf_map_delete_elem(&owners, &key);
	struct socket_body body = {};
	read_socket_typed(sock, &body);
	tell_flow(&taken, &body, READ((struct tcp_sock *)sock, bytes_sent) - READ((struct tcp_sock *)sock, bytes_retrans),
		  READ((struct tcp_sock *)sock, bytes_received), false);
	return 0;
}

#define TCP_LISTEN 10

// Called for each connection whose owner is known. The socket may be gone: what is read is believed when the ports still fit.
static long still_open(void *map, u64 *key, struct owner *owner, void *none)
{
	struct settings *settings = current_settings();
	struct sock *sock = (void *)*key;
	struct socket_body body = {};
	u64 now = bpf_ktime_get_boot_ns();
	if (!settings || now - owner->told_ns < settings->flow_ns)
		return 0;
	read_socket(sock, &body);
	u8 state = READ(sock, __sk_common.skc_state);
	if (body.protocol != IPPROTO_TCP || state == TCP_SYN_SENT || state == TCP_CLOSE || state == TCP_LISTEN ||
	    body.remote_port != owner->addresses.remote_port)
		return 0;
	struct tcp_sock *tcp = (void *)sock;
	u64 sent = READ(tcp, bytes_sent) - READ(tcp, bytes_retrans), received = READ(tcp, bytes_received);
	owner->told_ns = now;
	// One that carried nothing since is no news.
	if (owner->told_bytes == sent + received)
		return 0;
	owner->told_bytes = sent + received;
	tell_flow(owner, &body, sent, received, true);
	return 0;
}

// Tells of connections that are still open. The list of tasks is only what lets the sensor call this.
SEC("iter/task")
int list_flows(struct task_iterator *ctx)
{
	if (ctx->meta->number == 0)
		bpf_for_each_map_elem(&owners, still_open, NULL, 0);
	return 0;
}
