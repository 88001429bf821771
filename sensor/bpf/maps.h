// Maps that all families share: the way out, the counters, what the policy selects.
#pragma once
#include "event.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} ring SEC(".maps");

// Programs on tracepoints run with preemption off, one at a time on a processor: slot 0 is theirs. The list of processes has its own,
// and programs on functions and security hooks, which may be interrupted, take one that is free.
#define SLOT_TRACEPOINTS 0
#define SLOT_LIST 1
#define SLOT_FREE 2
#define SLOTS 5

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	// The sensor makes room for the others where such programs can be loaded.
	__uint(max_entries, SLOTS);
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
#define WRITE_BIT (1ull << 62)
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
// The programs on packets are attached there: questions for names are seen without more ado.
#define CGROUP_PACKETS 4

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
	u32 packets_on_demand; // programs on packets are attached where names are asked for, and not before
	u64 default_blocks; // of containers that the sensor does not know yet
	u64 host_blocks;
	u64 drifted_blocks;
	u64 memory_blocks;
	u64 socket_blocks;
	u64 connect_blocks;
	u64 read_blocks; // of files, refused in the kernel
	u64 write_blocks;
	u32 refuses_calls; // whether security hooks do
	u32 watches_roots; // the sensor wants to know of a container's root before its first program
	u64 flow_ns; // connections that were told of before that are told of again
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct settings);
} settings SEC(".maps");

// What was found out about files' paths, per processor: opened again, they need no walk. An entry holds for as long as nothing moved
// (the generation) and its parts are what they were.
#define VERDICTS 1024

struct verdict {
	u64 entry;
	u64 parent;
	u64 name; // hash and length
	u64 inode;
	u64 mount;
	u64 root_entry;
	u64 root_mount;
	u64 generation;
	u64 types; // scratch.found_types
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICTS);
	__type(key, u32);
	__type(value, struct verdict);
} verdicts SEC(".maps");

// Raised with every rename and mount; and, in a place of its own, by the sensor with every policy and every second.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
} generation SEC(".maps");

// The cgroup that a processor saw last, for as long as the sensor has told nothing new: most calls come from where the last one did.
struct last_cgroup {
	u64 cgroup;
	u64 told;
	u64 inside;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct last_cgroup);
} last_cgroups SEC(".maps");

static __always_inline u64 current_generation(void)
{
	u32 zero = 0, one = 1;
	u64 *moved = bpf_map_lookup_elem(&generation, &zero);
	u64 *told = bpf_map_lookup_elem(&generation, &one);
	return moved && told ? *moved + *told : 0;
}

static __always_inline void something_moved(void)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&generation, &zero);
	if (value)
		__sync_fetch_and_add(value, 1);
}

static __always_inline void count(enum count what, u32 type)
{
	u32 zero = 0;
	struct counts *counts = bpf_map_lookup_elem(&counters, &zero);
	if (counts)
		counts->by_type[what * TYPES + (type & (TYPES - 1))] += 1;
}

// The same losses by whose they are, as far as there is room.
struct loss_key {
	u64 cgroup;
	u32 what;
	u32 type;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct loss_key);
	__type(value, u64);
} losses SEC(".maps");

static __always_inline void count_loss(enum count what, struct record *record)
{
	struct loss_key key = { .cgroup = record->cgroup, .what = what, .type = record->type };
	u64 one = 1, *known = bpf_map_lookup_elem(&losses, &key);
	if (known)
		__sync_fetch_and_add(known, 1);
	else
		bpf_map_update_elem(&losses, &key, &one, BPF_NOEXIST);
	count(what, record->type);
}

static __always_inline struct settings *current_settings(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline struct scratch *scratch_at(u32 slot)
{
	return bpf_map_lookup_elem(&scratches, &slot);
}

static __always_inline struct scratch *current_scratch(void)
{
	return scratch_at(SLOT_TRACEPOINTS);
}

// A slot for a program that may be interrupted by another one; NULL when there is none.
static __always_inline struct scratch *take_scratch(void)
{
	for (u32 slot = SLOT_FREE; slot < SLOTS; slot++) {
		struct scratch *scratch = scratch_at(slot);
		if (scratch && __sync_val_compare_and_swap(&scratch->taken, 0, 1) == 0) {
			scratch->slot = slot;
			return scratch;
		}
	}
	return NULL;
}

static __always_inline void leave_scratch(struct scratch *scratch)
{
	scratch->taken = 0;
}

static __always_inline u32 selection_of(u32 type)
{
	u32 key = type & (TYPES - 1);
	u32 *value = bpf_map_lookup_elem(&selections, &key);
	return value ? *value : 0;
}
