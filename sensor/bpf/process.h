// Processes: exec, fork, exit, and the list of those that ran before.
#pragma once
#include "block.h"

static __always_inline u32 id_of(struct task_struct *task, enum pid_type type)
{
	struct signal_struct *signal = READ(task, signal);
	struct pid *pid = NULL;
	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)signal + bpf_core_field_offset(struct signal_struct, pids) + type * sizeof(pid));
	u32 number = 0;
	if (pid)
		bpf_probe_read_kernel(&number, sizeof(number), (void *)pid + bpf_core_field_offset(struct pid, numbers));
	return number;
}

static __always_inline void put_process_body(struct scratch *scratch, struct task_struct *task, u32 cut)
{
	struct process_body body = {};
	struct task_struct *parent = READ(task, real_parent, group_leader);
	const struct cred *cred = READ(task, cred);
	u32 level;
	body.parent_pid = READ(parent, tgid);
	body.parent_start_ns = READ(parent, start_boottime);
	body.capabilities = READ(cred, cap_effective.val);
	body.exe_inode = scratch->record.inode;
	body.namespace_pid = namespace_pid(task, &level);
	body.gid = READ(cred, gid.val);
	body.login_uid = bpf_core_field_exists(task->loginuid) ? READ(task, loginuid.val) : (u32)-1;
	body.session_id = id_of(task, PIDTYPE_SID);
	body.group_id = id_of(task, PIDTYPE_PGID);
	struct tty_struct *tty = READ(task, signal, tty);
	if (tty) {
		struct tty_driver *driver = READ(tty, driver);
		body.tty = READ(driver, major) << 8 | (READ(driver, minor_start) + READ(tty, index));
	}
	body.arguments_cut = cut;
	for (int i = 0; i < 3; i++)
		body.stdio[i] = kind_of(file_of(task, i));
	bpf_probe_read_kernel_str(body.comm, sizeof(body.comm), &task->comm);
	put(scratch, &body, sizeof(body));
}

static __always_inline void note_file(struct record *record, struct file *file, const struct cred *cred)
{
	struct inode *inode = READ(file, f_inode);
	record->flags |= file_flags(inode);
	record->inode = READ(inode, i_ino);
	record->mode = READ(inode, i_mode);
	u32 mine = READ(cred, euid.val) == READ(inode, i_uid.val) ? 0200 : 0;
	if (record->mode & (mine | 0002))
		record->flags |= WRITABLE;
}

// EXECVE: body, exe, what was asked for, interpreter, working directory, arguments.
SEC("tp_btf/sched_process_exec")
int process_exec(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct linux_binprm *program = (void *)ctx[2];
	struct scratch *scratch = current_scratch();
	if (!scratch)
		return 0;
	struct record *record = &scratch->record;
	describe(record, EXECVE, task);
	count(SEEN, EXECVE);
	// A container's first program wakes the sensor, which has to take hold of its root while it is there.
	bool first = bpf_map_delete_elem(&joining, &record->pid) == 0;
	struct mm_struct *memory = READ(task, mm);
	struct file *file = READ(memory, exe_file);
	struct path *path = (void *)file + bpf_core_field_offset(struct file, f_path);
	note_file(record, file, READ(task, cred));
	const char *filename = READ(program, filename);
	const char *interpreter = READ(program, interp);
	if (filename != interpreter)
		record->flags |= SCRIPT;
	walk_from(scratch, task, path);

	u64 hit = forbidding_blocks(scratch, task, READ(path, dentry));
	if (hit) {
		// Before the program's first instruction: a killed task does not return to user space.
		bpf_send_signal(9);
		record->bits = hit;
	}

	u64 start = READ(memory, arg_start);
	u64 length = READ(memory, arg_end) - start;
	u32 cut = length > ARGUMENTS_MAX ? length - ARGUMENTS_MAX : 0;
	put_process_body(scratch, task, cut);
	put_path(scratch->slot);
	put_string(scratch->slot, (u64)filename, 0);
	if (filename != interpreter)
		put_string(scratch->slot, (u64)interpreter, 0);
	else
		put_nothing(scratch);
	struct fs_struct *fs = READ(task, fs);
	walk_from(scratch, task, (void *)fs + bpf_core_field_offset(struct fs_struct, pwd));
	put_path(scratch->slot);
	put_user_bytes(scratch->slot, start, length > ARGUMENTS_MAX ? ARGUMENTS_MAX : length);
	send(scratch, hit != 0 || first);
	return 0;
}

// CLONE: body, name.
SEC("tp_btf/sched_process_fork")
int process_fork(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct task_struct *child = (void *)ctx[1];
	if (READ(child, pid) != READ(child, tgid))
		return 0;
	struct scratch *scratch = current_scratch();
	if (!scratch)
		return 0;
	describe(&scratch->record, CLONE, task);
	count(SEEN, CLONE);
	u32 one = 1, number = READ(child, tgid);
	if (bpf_map_lookup_elem(&joining, &scratch->record.pid))
		bpf_map_update_elem(&joining, &number, &one, BPF_ANY);
	struct task_struct *parent = READ(child, real_parent, group_leader);
	u32 level;
	struct fork_body body = {
		.child_start_ns = READ(child, start_boottime),
		.child_cgroup = READ(cgroup_of(child), kn, id),
		.child_pid = READ(child, tgid),
		.parent_pid = READ(parent, tgid),
		.parent_start_ns = READ(parent, start_boottime),
	};
	body.namespace_pid = namespace_pid(child, &level);
	put(scratch, &body, sizeof(body));
	send(scratch, false);
	return 0;
}

// PROCEXIT, once for the whole process: result is the status as wait(2) gives it.
SEC("tp_btf/sched_process_exit")
int process_exit(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct signal_struct *signal = READ(task, signal);
	if (READ(signal, live.counter) > 0)
		return 0;
	struct scratch *scratch = current_scratch();
	if (!scratch)
		return 0;
	describe(&scratch->record, PROCEXIT, task);
	count(SEEN, PROCEXIT);
	bpf_map_delete_elem(&joining, &scratch->record.pid);
	scratch->record.result = READ(task, exit_code);
	send(scratch, false);
	return 0;
}

struct iterator_meta {
	void *seq;
	u64 session;
	u64 number;
};
struct task_iterator {
	struct iterator_meta *meta;
	struct task_struct *task;
};

// One record for each process that runs now, written to the iterator's file: u32 length and the record of EXECVE
// without arguments, which only the process's own address space has.
SEC("iter/task")
int list_processes(struct task_iterator *ctx)
{
	struct task_struct *task = ctx->task;
	if (!task || READ(task, pid) != READ(task, tgid))
		return 0;
	struct scratch *scratch = scratch_at(SLOT_LIST);
	if (!scratch)
		return 0;
	scratch->slot = SLOT_LIST;
	struct record *record = &scratch->record;
	describe(record, EXECVE, task);
	record->flags |= FROM_ITERATOR;
	struct mm_struct *memory = READ(task, mm);
	struct file *file = memory ? READ(memory, exe_file) : NULL;
	if (file)
		note_file(record, file, READ(task, cred));
	put_process_body(scratch, task, 0);
	if (file) {
		walk_from(scratch, task, (void *)file + bpf_core_field_offset(struct file, f_path));
		put_path(scratch->slot);
	} else {
		put_nothing(scratch);
	}
	u32 size = sizeof(struct record) + scratch->record.used;
	if (size > sizeof(struct record) + sizeof(struct process_body) + PATH_SIZE + 2)
		return 0;
	bpf_seq_write(ctx->meta->seq, &size, sizeof(size));
	bpf_seq_write(ctx->meta->seq, scratch, size);
	return 0;
}
