// A container without a network: packets pass to and from the networks that are excepted, and no others.
// Loaded once per isolated container and attached to its cgroup, where it stays when the sensor ends.
#include "kernel.h"

#define AF_INET 2
#define AF_INET6 10

struct network_key {
	u32 bits;
	u8 address[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct network_key);
	__type(value, u32);
} excepted4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct network_key);
	__type(value, u32);
} excepted6 SEC(".maps");

static __always_inline int passes(struct __sk_buff *skb, u32 at4, u32 at6)
{
	struct network_key key = {};
	u8 version;
	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return 0;
	if (version >> 4 == 4) {
		key.bits = 32;
		if (bpf_skb_load_bytes(skb, at4, key.address, 4))
			return 0;
		return bpf_map_lookup_elem(&excepted4, &key) != NULL;
	}
	if (version >> 4 != 6)
		return 0;
	key.bits = 128;
	if (bpf_skb_load_bytes(skb, at6, key.address, 16))
		return 0;
	return bpf_map_lookup_elem(&excepted6, &key) != NULL;
}

// Offsets of source and destination, RFC 791 section 3.1 and RFC 8200 section 3.
SEC("cgroup_skb/egress")
int bulwark_iso_out(struct __sk_buff *skb)
{
	return passes(skb, 16, 24);
}

SEC("cgroup_skb/ingress")
int bulwark_iso_in(struct __sk_buff *skb)
{
	return passes(skb, 12, 8);
}

char LICENSE[] SEC("license") = "GPL";
