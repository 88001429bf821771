// Cgroups come and go: the first thing that is known of a container, before any of its programs runs.
#pragma once
#include "path.h"

static __always_inline int cgroup_changed(u64 *ctx, u32 type)
{
	struct cgroup *cgroup = (void *)ctx[0];
	if (!cgroup_v1 && READ(cgroup, root, hierarchy_id) != 0)
		return 0;
	struct scratch *scratch = current_scratch();
	if (!scratch)
		return 0;
	describe(&scratch->record, type, (void *)bpf_get_current_task());
	scratch->record.inode = READ(cgroup, kn, id);
	put_string(scratch->slot, ctx[1], 0);
	send(scratch, true);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int cgroup_made(u64 *ctx)
{
	return cgroup_changed(ctx, CGROUP_MADE);
}

SEC("tp_btf/cgroup_rmdir")
int cgroup_gone(u64 *ctx)
{
	return cgroup_changed(ctx, CGROUP_GONE);
}

SEC("tp_btf/cgroup_attach_task")
int cgroup_joined(u64 *ctx)
{
	struct cgroup *cgroup = (void *)ctx[0];
	struct task_struct *task = (void *)ctx[2];
	u32 one = 1, number = READ(task, tgid), level;
	if (!cgroup_v1 && READ(cgroup, root, hierarchy_id) != 0)
		return 0;
	// Only the host's word counts: a container that may write to its cgroups must not free itself of its blocks.
	namespace_pid((void *)bpf_get_current_task(), &level);
	if (level == 0)
		bpf_map_update_elem(&joining, &number, &one, BPF_ANY);
	return 0;
}

// Work that goes around system calls: the operation's number is the argument.
SEC("tp_btf/io_uring_submit_req")
int ring_request(u64 *ctx)
{
	struct io_kiocb *request = (void *)ctx[0];
	u32 operation = READ(request, opcode);
	// Reads, writes, polls and time-outs on what is open already are no news.
	u64 wanted = 1ull << 9 | 1ull << 10 | 1ull << 13 | 1ull << 16 | 1ull << 18 | 1ull << 28 | 1ull << 35 | 1ull << 36 |
		1ull << 37 | 1ull << 38 | 1ull << 39 | 1ull << 45;
	if (operation > 63 || !(wanted >> operation & 1))
		return 0;
	// The name changes when the work is done; the sensor, which raises it every second, catches up with that.
	if (operation == 35)
		something_moved();
	struct scratch *scratch = current_scratch();
	if (!scratch || !selection_of(55))
		return 0;
	describe(&scratch->record, IO_URING, (void *)bpf_get_current_task());
	scratch->record.argument = operation;
	count(SEEN, IO_URING);
	offer(scratch);
	return 0;
}
