// Maps that all families share: the way out, the counters, what the policy selects.
#pragma once
#include "event.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} ring SEC(".maps");

// Programs on scheduler and system-call tracepoints run with preemption off: one at a time on a processor.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

enum count { SEEN, FILTERED, LOST, SAMPLED, COUNTS };

// All in one value, so that reading them is one call.
struct counts {
	u64 by_type[COUNTS * TYPES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counts);
} counters SEC(".maps");

// What the policy takes of a type of event.
#define SELECT_CONTAINERS 1
#define SELECT_HOST 2
#define SELECT_FAILURES 4
#define SELECT_EVERY_PATH 8
#define SELECT_EVERY_READ 16
#define SELECT_PATHS 32
// Patterns that only the sensor can judge, such as "contains".
#define SELECT_UNDECIDED 64

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TYPES);
	__type(key, u32);
	__type(value, u32);
} selections SEC(".maps");

// Bit t: paths of events of type t; the bits of the block policy lie in `blocks`.
#define READ_BIT (1ull << 63)
#define TRIE_BYTES 128

struct path_key {
	u32 bits;
	u8 bytes[TRIE_BYTES];
};

struct path_value {
	u64 types;
	u64 blocks;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct path_key);
	__type(value, struct path_value);
} path_prefixes SEC(".maps");

// Keys are reversed paths.
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct path_key);
	__type(value, struct path_value);
} path_suffixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct path_key);
} path_keys SEC(".maps");

#define CGROUP_CONTAINER 1
#define CGROUP_HOST 2

// What the sensor has found out about a cgroup: whose it is, and which blocks hold there.
struct cgroup_state {
	u32 flags;
	u32 reserved;
	u64 blocks;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct cgroup_state);
} cgroups SEC(".maps");

// Events of this second, per container; what goes beyond the limit is counted, not sent.
struct rate {
	u64 second;
	u32 count;
	u32 left_out;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct rate);
} rates SEC(".maps");

// Processes that the host moved into a container's cgroup and that have executed nothing since: the runtime at its work.
// No block holds for the calls that set a container up.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} joining SEC(".maps");

// Written by the sensor while it runs.
struct settings {
	u32 events_per_second; // per container; 0 is no limit
	u32 enforcement_only;
	u32 sensor_pid;
	u32 reserved;
	u64 default_blocks; // of containers that the sensor does not know yet
	u64 host_blocks;
	u64 drifted_blocks;
	u64 memory_blocks;
	u64 socket_blocks;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct settings);
} settings SEC(".maps");

static __always_inline void count(enum count what, u32 type)
{
	u32 zero = 0;
	struct counts *counts = bpf_map_lookup_elem(&counters, &zero);
	if (counts)
		counts->by_type[what * TYPES + (type & (TYPES - 1))] += 1;
}

static __always_inline struct settings *current_settings(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline struct scratch *current_scratch(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline u32 selection_of(u32 type)
{
	u32 key = type & (TYPES - 1);
	u32 *value = bpf_map_lookup_elem(&selections, &key);
	return value ? *value : 0;
}
