// Where the kernel takes programs on its functions and security hooks (BPF LSM, fexit): the same events without a tracepoint on every
// call, and refusals with EPERM before anything is done. Programs here may be interrupted by each other.
#pragma once
#include "returned.h"

#define PF_KTHREAD 0x200000
#define O_WRITES (O_ACCMODE | O_TRUNC)

// x64_sys_call(registers, number) and ia32_sys_call: every call of either width passes through one of them.
static __always_inline int function_returned(u64 *ctx)
{
	struct pt_regs *registers = (void *)ctx[0];
	u32 number = number_of(registers), zero = 0;
	struct wanted *wanted = bpf_map_lookup_elem(&wanted_calls, &zero);
	if (!wanted || number >= COMPAT_CALLS)
		return 0;
	u8 how = wanted->calls[number];
	if (!how)
		return 0;
	struct scratch *scratch = take_scratch();
	if (!scratch) {
		count(LOST, 55);
		return 0;
	}
	look_closer(scratch, registers, ctx[2], number, how);
	leave_scratch(scratch);
	return 0;
}

SEC("fexit/x64_sys_call")
int native_call_returned(u64 *ctx)
{
	return function_returned(ctx);
}

SEC("fexit/ia32_sys_call")
int compat_call_returned(u64 *ctx)
{
	return function_returned(ctx);
}

// Tells of a refusal: BLOCKED, with the path that `walk` left where there is one.
static __always_inline void tell_refusal(struct scratch *scratch, struct task_struct *task, u32 type, u64 hit, u64 cgroup, u32 call)
{
	struct record *record = &scratch->record;
	struct cgroup_state *state = bpf_map_lookup_elem(&cgroups, &cgroup);
	bool inside = state ? state->flags & CGROUP_CONTAINER : task->thread_pid->level != 0;
	describe_typed(record, type, task, cgroup, inside);
	record->bits = hit;
	record->result = -EPERM;
	record->call = call;
	if (type != BLOCKED)
		put_path(scratch->slot);
	count(SEEN, BLOCKED);
	send(scratch, true);
}

static __always_inline int refuse_file(struct file *file)
{
	struct settings *settings = current_settings();
	if (!settings)
		return 0;
	bool writes = file->f_mode & FMODE_WRITE || file->f_flags & O_WRITES;
	u64 of_files = writes ? settings->write_blocks : settings->read_blocks;
	if (!of_files)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cgroup = cgroup_id_of_typed(task);
	u64 here = blocks_here(settings, task, cgroup) & of_files;
	if (!here)
		return 0;
	struct scratch *scratch = take_scratch();
	if (!scratch) {
		count(LOST, BLOCKED);
		return 0;
	}
	walk_from(scratch, task, &file->f_path);
	look_up_path(scratch->slot);
	u64 hit = scratch->found_blocks & here;
	if (hit)
		tell_refusal(scratch, task, FILE_REFUSED, hit, cgroup, 0);
	leave_scratch(scratch);
	return hit ? -EPERM : 0;
}

static __always_inline int refuse_program(struct linux_binprm *program)
{
	struct settings *settings = current_settings();
	if (!settings)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *scratch = take_scratch();
	if (!scratch) {
		count(LOST, BLOCKED);
		return 0;
	}
	u64 cgroup = cgroup_id_of_typed(task);
	struct file *file = program->file;
	describe_typed(&scratch->record, EXEC_REFUSED, task, cgroup, task->thread_pid->level != 0);
	note_file(&scratch->record, file, task->cred);
	walk_from(scratch, task, &file->f_path);
	u64 hit = forbidding_blocks(scratch, task, READ(file, f_path.dentry));
	if (hit)
		tell_refusal(scratch, task, EXEC_REFUSED, hit, cgroup, 0);
	leave_scratch(scratch);
	return hit ? -EPERM : 0;
}

// A call that a block forbids, from whichever hook it comes through first.
static __always_inline int refuse_call(int before)
{
	struct settings *settings = current_settings();
	struct task_struct *task = bpf_get_current_task_btf();
	if (before || !settings || task->flags & PF_KTHREAD)
		return before;
	struct pt_regs *registers = (void *)bpf_task_pt_regs(task);
	u32 number = number_of(registers);
	if (number >= COMPAT_CALLS)
		return 0;
	if (is_compat(task))
		number += CALLS - COMPAT_CALLS;
	struct call *call = bpf_map_lookup_elem(&calls, &number);
	if (!call || !call->blocks)
		return 0;
	u64 cgroup = cgroup_id_of_typed(task);
	u64 hit = blocks_here(settings, task, cgroup) & call->blocks;
	if (!hit)
		return 0;
	struct scratch *scratch = take_scratch();
	if (!scratch) {
		count(LOST, BLOCKED);
		return -EPERM;
	}
	tell_refusal(scratch, task, BLOCKED, hit, cgroup, call->index);
	leave_scratch(scratch);
	return -EPERM;
}

SEC("lsm/file_open")
int file_refused(u64 *ctx)
{
	int before = ctx[1];
	return before ? before : refuse_file((void *)ctx[0]);
}

SEC("lsm/bprm_check_security")
int program_refused(u64 *ctx)
{
	int before = ctx[1];
	return before ? before : refuse_program((void *)ctx[0]);
}

// Hooks that forbidden calls come through before they do anything; `arguments` is how many the hook has, behind which is what programs
// before this one said.
#define HOOK(hook, arguments)                                 \
	SEC("lsm/" #hook)                                     \
	int hook##_refused(u64 *ctx)                          \
	{                                                     \
		return refuse_call((int)ctx[arguments]);      \
	}

HOOK(capable, 4)
HOOK(sb_mount, 5)
HOOK(sb_umount, 2)
HOOK(sb_pivotroot, 2)
HOOK(move_mount, 2)
HOOK(path_chroot, 1)
HOOK(path_mknod, 4)
HOOK(ptrace_access_check, 2)
HOOK(userns_create, 1)
HOOK(kernel_load_data, 2)
HOOK(kernel_read_file, 3)
HOOK(inode_init_security_anon, 3)
HOOK(task_kill, 4)
HOOK(task_prctl, 5)
HOOK(settime, 2)
HOOK(syslog, 1)
