// Programs on cgroups: peers of datagrams, names that are asked for, connections that are refused.
#pragma once
#include "name.h"

// Peers that a process has sent to lately: only the first datagram to each is news.
struct peer_key {
	u64 start_ns;
	u32 pid;
	u16 port;
	u16 family;
	u8 address[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct peer_key);
	__type(value, u64);
} peers SEC(".maps");

#define PEER_NEWS_NS 60000000000ull

// Networks that blocks close and keep open. Keys: version and address; values: blocks.
struct network_key {
	u32 bits;
	u8 family;
	u8 reserved[3];
	u8 address[16];
};

struct network_value {
	u64 closed;
	u64 open;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2048);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct network_key);
	__type(value, struct network_value);
} networks SEC(".maps");

// Blocks by port; port 0 holds those that close every port.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, u32);
	__type(value, u64);
} blocked_ports SEC(".maps");

// Sockets that speak DNS, by cookie: packets that come in do so in nobody's name.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct owner);
} askers SEC(".maps");

struct network_record {
	struct record record;
	struct socket_body body;
	u16 empty;
	u16 asked;
	u32 end;
};

// The first question is taken from the call that sends it, while the sensor attaches the programs on packets.
static __always_inline void announce_question(struct network_record *out)
{
	u32 zero = 0, thread = out->record.tid;
	struct wanted *wanted = bpf_map_lookup_elem(&wanted_calls, &zero);
	if (!wanted)
		return;
	bpf_map_update_elem(&asking, &thread, &out->record.time_ns, BPF_ANY);
	for (u32 i = 0; i < sizeof(SENDING_CALLS) / sizeof(SENDING_CALLS[0]); i++)
		wanted->calls[SENDING_CALLS[i]] |= WANTED_NATIVE;
	u32 type = out->record.type;
	out->record.type = NAMES_ASKED;
	if (bpf_ringbuf_output(&ring, out, sizeof(*out) - 4, wake_flags(true)))
		count(LOST, DNS);
	out->record.type = type;
}

static __always_inline u64 closed_by(u16 family, const u8 *address, u16 port)
{
	struct network_key key = { .bits = 32 + 128, .family = family };
	__builtin_memcpy(key.address, address, 16);
	struct network_value *network = bpf_map_lookup_elem(&networks, &key);
	if (!network)
		return 0;
	u32 wanted = port, every = 0;
	u64 *one = bpf_map_lookup_elem(&blocked_ports, &wanted);
	u64 *all = bpf_map_lookup_elem(&blocked_ports, &every);
	u64 ports = (one ? *one : 0) | (all ? *all : 0);
	return network->closed & ~network->open & ports;
}

static __always_inline void fill_network(struct network_record *out, u16 family, const u8 *address, u16 port, u16 protocol)
{
	out->record.used = sizeof(struct socket_body) + 4;
	out->body.family = family;
	out->body.protocol = protocol;
	out->body.type = protocol == UDP ? SOCK_DGRAM : SOCK_STREAM;
	out->body.remote_port = port;
	__builtin_memcpy(out->body.remote, address, 16);
}

static __always_inline int address_used(struct bpf_sock_addr *ctx, u16 family, bool datagram)
{
	u8 address[16] = {};
	u16 port = bpf_ntohs(ctx->user_port);
	if (family == AF_INET) {
		*(u32 *)address = ctx->user_ip4;
	} else {
		((u32 *)address)[0] = ctx->user_ip6[0];
		((u32 *)address)[1] = ctx->user_ip6[1];
		((u32 *)address)[2] = ctx->user_ip6[2];
		((u32 *)address)[3] = ctx->user_ip6[3];
	}
	struct settings *settings = current_settings();
	if (!settings)
		return 1;
	// Nearly every connection: nothing forbids it, and the calls' own programs tell of it.
	if (!datagram && !settings->connect_blocks && port != DNS_PORT)
		return 1;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct network_record out = {};
	describe(&out.record, SENDTO, task);
	fill_network(&out, family, address, port, ctx->protocol);
	u64 here = blocks_of(&out.record, settings);
	u64 hit = here ? here & closed_by(family, address, port) : 0;
	if (hit) {
		out.record.type = NETWORK_BLOCKED;
		out.record.bits = hit;
		out.record.result = -1;
		if (bpf_ringbuf_output(&ring, &out, sizeof(out) - 4, wake_flags(true)))
			count(LOST, BLOCKED);
		return 0;
	}
	if (port == DNS_PORT) {
		struct owner asker = {
			.start_ns = out.record.start_ns, .cgroup = out.record.cgroup, .pid = out.record.pid, .uid = out.record.uid,
		};
		u64 cookie = bpf_get_socket_cookie(ctx);
		bpf_map_update_elem(&askers, &cookie, &asker, BPF_ANY);
		struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &out.record.cgroup);
		if (settings->packets_on_demand && out.record.flags & IN_CONTAINER && !(state && state->flags & CGROUP_PACKETS))
			announce_question(&out);
	}
	if (!datagram)
		return 1;
	count(SEEN, SENDTO);
	u32 selection = selection_of(SENDTO);
	struct peer_key key = { .start_ns = out.record.start_ns, .pid = out.record.pid, .port = port, .family = family };
	__builtin_memcpy(key.address, address, 16);
	u64 *last = bpf_map_lookup_elem(&peers, &key);
	if (!selected_here(selection, &out.record) || (last && out.record.time_ns - *last < PEER_NEWS_NS)) {
		count(FILTERED, SENDTO);
		return 1;
	}
	bpf_map_update_elem(&peers, &key, &out.record.time_ns, BPF_ANY);
	if (!within_rate(&out.record))
		count_loss(SAMPLED, &out.record);
	else if (bpf_ringbuf_output(&ring, &out, sizeof(out) - 4, wake_flags(false)))
		count_loss(LOST, &out.record);
	return 1;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	return address_used(ctx, AF_INET, false);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	return address_used(ctx, AF_INET6, false);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	return address_used(ctx, AF_INET, true);
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *ctx)
{
	return address_used(ctx, AF_INET6, true);
}

static __always_inline void dns_packet(struct __sk_buff *skb, bool out)
{
	u8 head[40] = {};
	u8 version = 0;
	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return;
	u32 transport;
	u8 protocol;
	if (version >> 4 == 4) {
		if (bpf_skb_load_bytes(skb, 0, head, 20))
			return;
		transport = (head[0] & 15) * 4;
		protocol = head[9];
	} else {
		if (bpf_skb_load_bytes(skb, 0, head, 40))
			return;
		transport = 40;
		protocol = head[6];
	}
	if (protocol != UDP && protocol != IPPROTO_TCP)
		return;
	// Both begin with the ports; the length of TCP's own head is in the upper half of its thirteenth byte (RFC 9293 section 3.1).
	u8 begin[14];
	if (bpf_skb_load_bytes(skb, transport, begin, protocol == UDP ? 8 : 14))
		return;
	u16 source = begin[0] << 8 | begin[1], destination = begin[2] << 8 | begin[3];
	if (out ? destination != DNS_PORT : source != DNS_PORT)
		return;
	u32 payload = transport + (protocol == UDP ? 8 : (begin[12] >> 4) * 4);
	// Of TCP: neither handshakes nor acknowledgements.
	if (skb->len <= payload)
		return;
	count(SEEN, DNS);
	u32 selection = selection_of(DNS);
	if (!selection)
		return;
	u64 cookie = bpf_get_socket_cookie(skb);
	struct owner *owner = bpf_map_lookup_elem(&askers, &cookie);
	if (!out && !owner)
		return;
	struct dns_record *dns = bpf_ringbuf_reserve(&ring, sizeof(*dns), 0);
	if (!dns) {
		count(LOST, DNS);
		return;
	}
	__builtin_memset(dns, 0, sizeof(dns->record) + sizeof(dns->body));
	if (owner) {
		dns->record.start_ns = owner->start_ns;
		dns->record.pid = dns->record.tid = owner->pid;
		dns->record.uid = dns->record.euid = owner->uid;
		dns->record.cgroup = owner->cgroup;
	} else {
		dns->record.cgroup = bpf_skb_cgroup_id(skb);
	}
	dns->record.type = DNS;
	dns->record.time_ns = bpf_ktime_get_boot_ns();
	dns->record.fd = -1;
	dns->body.protocol = protocol;
	dns->body.type = protocol == UDP ? SOCK_DGRAM : SOCK_STREAM;
	dns->body.local_port = out ? source : destination;
	dns->body.remote_port = DNS_PORT;
	if (version >> 4 == 4) {
		dns->body.family = AF_INET;
		__builtin_memcpy(dns->body.local, out ? &head[12] : &head[16], 4);
		__builtin_memcpy(dns->body.remote, out ? &head[16] : &head[12], 4);
	} else {
		dns->body.family = AF_INET6;
		__builtin_memcpy(dns->body.local, out ? &head[8] : &head[24], 16);
		__builtin_memcpy(dns->body.remote, out ? &head[24] : &head[8], 16);
	}
	u32 length = skb->len - payload;
	if (length > DNS_MAX)
		length = DNS_MAX;
	asm volatile("" : "+r"(length));
	if (length == 0 || length > DNS_MAX || bpf_skb_load_bytes(skb, payload, dns->payload, length)) {
		bpf_ringbuf_discard(dns, BPF_RB_NO_WAKEUP);
		return;
	}
	dns->length = length;
	dns->record.used = sizeof(dns->body) + 2 + length;
	bpf_ringbuf_submit(dns, wake_flags(false));
}

SEC("cgroup_skb/egress")
int packet_out(struct __sk_buff *skb)
{
	dns_packet(skb, true);
	return 1;
}

SEC("cgroup_skb/ingress")
int packet_in(struct __sk_buff *skb)
{
	dns_packet(skb, false);
	return 1;
}
