// Who did it: the common part of every record, and what becomes of a record that is complete.
#pragma once
#include "maps.h"

// Set where containers are in a cgroup of version 1 only.
const volatile bool cgroup_v1 = false;

// A record that waits while the buffer is this full wakes the sensor at once.
#define WAKE_AT_BYTES (512 * 1024)
// Waiting tells of things that the sensor must answer before the container's first program runs.
#define WAKE 1

static __always_inline struct cgroup *cgroup_of(struct task_struct *task)
{
	if (!cgroup_v1)
		return READ(task, cgroups, dfl_cgrp);
	struct cgroup_subsys_state *state;
	u32 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct css_set *set = READ(task, cgroups);
	bpf_probe_read_kernel(&state, sizeof(state), (void *)&set->subsys[0] + (index & 15) * sizeof(void *));
	return READ(state, cgroup);
}

static __always_inline u32 namespace_pid(struct task_struct *task, u32 *level_out)
{
	struct pid *pid = READ(task, thread_pid);
	u32 level = READ(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	u32 size = bpf_core_type_size(struct upid);
	int number = 0;
	bpf_probe_read_kernel(&number, sizeof(number), (void *)numbers + (level & 31) * size);
	*level_out = level;
	return number;
}

// Plain loads, for a task whose type the verifier knows (of a BTF tracepoint, or the running one): a tenth of what READ costs.
static __always_inline u64 cgroup_id_of_typed(struct task_struct *task)
{
	if (!cgroup_v1)
		return task->cgroups->dfl_cgrp->kn->id;
	return READ(cgroup_of(task), kn, id);
}

// Whether a cgroup is a container's; of one that the sensor does not know yet, by the process's own pid namespace.
static __always_inline bool is_container(u64 cgroup, struct task_struct *task)
{
	u32 zero = 0, one = 1;
	struct last_cgroup *last = bpf_map_lookup_elem(&last_cgroups, &zero);
	u64 *told = bpf_map_lookup_elem(&generation, &one);
	if (last && told && last->cgroup == cgroup && last->told == *told)
		return last->inside;
	struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &cgroup);
	if (!state)
		return task->thread_pid->level != 0;
	bool inside = state->flags & CGROUP_CONTAINER;
	if (last && told) {
		last->cgroup = cgroup;
		last->told = *told;
		last->inside = inside;
	}
	return inside;
}

// Like `describe`, for a task whose type the verifier knows and whose cgroup was looked at already.
static __always_inline void describe_typed(struct record *record, u32 type, struct task_struct *task, u64 cgroup, bool inside)
{
	struct task_struct *leader = task->group_leader;
	const struct cred *cred = task->cred;
	__builtin_memset(record, 0, sizeof(*record));
	record->type = type;
	record->flags = inside ? IN_CONTAINER : 0;
	record->time_ns = bpf_ktime_get_boot_ns();
	record->start_ns = leader->start_boottime;
	record->cgroup = cgroup;
	record->pid = task->tgid;
	record->tid = task->pid;
	record->uid = cred->uid.val;
	record->euid = cred->euid.val;
	record->fd = -1;
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), &leader->comm);
}

// Fills the common part for `task` and returns what the policy selects of this type, or 0 when it selects nothing.
static __always_inline void describe(struct record *record, u32 type, struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);
	const struct cred *cred = READ(task, cred);
	__builtin_memset(record, 0, sizeof(*record));
	record->type = type;
	record->time_ns = bpf_ktime_get_boot_ns();
	record->start_ns = READ(leader, start_boottime);
	record->cgroup = READ(cgroup_of(task), kn, id);
	record->pid = READ(task, tgid);
	record->tid = READ(task, pid);
	record->uid = READ(cred, uid.val);
	record->euid = READ(cred, euid.val);
	record->fd = -1;
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), &leader->comm);
	struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &record->cgroup);
	if (state) {
		record->flags = state->flags & CGROUP_CONTAINER ? IN_CONTAINER : 0;
	} else {
		u32 level;
		namespace_pid(task, &level);
		record->flags = level ? IN_CONTAINER : 0;
	}
}

static __always_inline u64 blocks_of(struct record *record, struct settings *settings)
{
	struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &record->cgroup);
	if (state)
		return state->blocks;
	return record->flags & IN_CONTAINER ? settings->default_blocks : settings->host_blocks;
}

// The blocks that hold for a task whose type the verifier knows; none for what a runtime does to set a container up.
static __always_inline u64 blocks_here(struct settings *settings, struct task_struct *task, u64 cgroup)
{
	u32 number = task->tgid;
	struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &cgroup);
	u64 here = state ? state->blocks : task->thread_pid->level ? settings->default_blocks : settings->host_blocks;
	if (!here || number == settings->sensor_pid || bpf_map_lookup_elem(&joining, &number))
		return 0;
	return here;
}

static __always_inline bool selected_here(u32 selection, struct record *record)
{
	return selection & (record->flags & IN_CONTAINER ? SELECT_CONTAINERS : SELECT_HOST);
}

// Fairness: one container's flood costs its own events, and each that is left out is counted.
static __always_inline bool within_rate(struct record *record)
{
	struct settings *settings = current_settings();
	if (!settings)
		return true;
	if (settings->enforcement_only && record->type != BLOCKED)
		return false;
	u32 limit = settings->events_per_second;
	if (!limit)
		return true;
	u64 second = record->time_ns / 1000000000ull;
	struct rate *rate = bpf_map_lookup_elem(&rates, &record->cgroup);
	if (!rate) {
		struct rate fresh = { .second = second, .count = 1 };
		bpf_map_update_elem(&rates, &record->cgroup, &fresh, BPF_ANY);
		return true;
	}
	if (rate->second != second) {
		rate->second = second;
		rate->count = 0;
	}
	if (__sync_fetch_and_add(&rate->count, 1) < limit)
		return true;
	__sync_fetch_and_add(&rate->left_out, 1);
	return false;
}

// Whether a cgroup has had its share of this second: what would be left out anyway need not be described first.
static __always_inline bool is_over_rate(struct settings *settings, u64 cgroup)
{
	if (settings->enforcement_only)
		return true;
	if (!settings->events_per_second)
		return false;
	struct rate *rate = bpf_map_lookup_elem(&rates, &cgroup);
	return rate && rate->count >= settings->events_per_second && rate->second == bpf_ktime_get_boot_ns() / 1000000000ull;
}

static __always_inline u64 wake_flags(bool wake)
{
	if (wake || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > WAKE_AT_BYTES)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

// Hands over what `scratch` holds.
static __always_inline void send(struct scratch *scratch, bool wake)
{
	u64 used = scratch->record.used;
	if (used > DATA_MAX + PATH_SIZE)
		used = DATA_MAX + PATH_SIZE;
	if (bpf_ringbuf_output(&ring, scratch, sizeof(struct record) + used, wake_flags(wake)))
		count_loss(LOST, &scratch->record);
}

// Like `send`, for events that may be left out when their container makes too many.
static __always_inline void offer(struct scratch *scratch)
{
	if (within_rate(&scratch->record))
		send(scratch, false);
	else
		count_loss(SAMPLED, &scratch->record);
}

static __always_inline void put(struct scratch *scratch, const void *bytes, u32 length)
{
	u32 used = scratch->record.used;
	if (used >= DATA_MAX)
		return;
	bpf_probe_read_kernel(&scratch->data[used], length, bytes);
	scratch->record.used = used + length;
}
