// Events of files.
#pragma once
#include "socket.h"

#define O_ACCMODE 3
#define O_CREAT 0100
#define O_TRUNC 01000
#define AT_FDCWD -100
#define FMODE_WRITE 2
// Set by the kernel on the open that made the file.
#define FMODE_CREATED 0x100000

// Whether the policy takes this file event; `scratch` holds the path that the kernel used.
static __always_inline bool path_selected(struct scratch *scratch, u32 selection, u32 type, bool read)
{
	if (!read && (selection & (SELECT_EVERY_PATH | SELECT_UNDECIDED)))
		return true;
	if (read && (selection & SELECT_EVERY_READ))
		return true;
	if (!(selection & SELECT_PATHS))
		return false;
	look_up_path(scratch->slot);
	return scratch->found_types & (read ? READ_BIT : 1ull << (type & 63));
}

// A part of what was copied to `copy` from `source`; read by itself where a kernel has it further back.
#define PART(type, copy, source, field)                                                                  \
	({                                                                                               \
		typeof(((type *)0)->field) value;                                                        \
		u64 offset = bpf_core_field_offset(type, field);                                         \
		if (offset <= sizeof(copy) - sizeof(value))                                              \
			value = *(typeof(value) *)&copy[offset];                                         \
		else                                                                                     \
			bpf_probe_read_kernel(&value, sizeof(value), (void *)(source) + offset);         \
		value;                                                                                   \
	})

// What the tries say of an open file's path: from the last time it was asked for, or by a walk. Puts the path into `scratch` when it
// walks, and says whether it did.
static __always_inline bool judge_path(struct scratch *scratch, struct task_struct *task, struct file *file)
{
	struct dentry *entry = PART(struct file, scratch->file, file, f_path.dentry);
	struct fs_struct *fs = task->fs;
	bpf_probe_read_kernel(scratch->entry, sizeof(scratch->entry), entry);
	struct verdict wanted = {
		.entry = (u64)entry,
		.parent = (u64)PART(struct dentry, scratch->entry, entry, d_parent),
		.name = PART(struct dentry, scratch->entry, entry, d_name.hash_len),
		.inode = (u64)PART(struct file, scratch->file, file, f_inode),
		.mount = (u64)PART(struct file, scratch->file, file, f_path.mnt),
		.generation = current_generation(),
	};
	u32 place = ((wanted.entry >> 6) ^ (wanted.parent >> 7) ^ (wanted.mount >> 5)) & (VERDICTS - 1);
	struct verdict *known = bpf_map_lookup_elem(&verdicts, &place);
	if (!known)
		return false;
	if (known->entry == wanted.entry && known->parent == wanted.parent && known->name == wanted.name && known->inode == wanted.inode &&
	    known->mount == wanted.mount && known->root_entry == (u64)fs->root.dentry && known->root_mount == (u64)fs->root.mnt &&
	    known->generation == wanted.generation) {
		scratch->found_types = known->types;
		return false;
	}
	// Read once more, for a function of its own takes plain numbers only.
	wanted.root_entry = (u64)READ(fs, root.dentry);
	wanted.root_mount = (u64)READ(fs, root.mnt);
	walk(scratch->slot, wanted.mount, wanted.entry, wanted.root_mount, wanted.root_entry);
	look_up_path(scratch->slot);
	wanted.types = scratch->found_types;
	*known = wanted;
	return true;
}

static __always_inline void note_opened(struct record *record, struct inode *inode)
{
	record->flags |= file_flags(inode);
	record->inode = READ(inode, i_ino);
	u32 format = READ(inode, i_mode) & 0170000;
	if (format == 0020000 || format == 0060000)
		record->device = READ(inode, i_rdev);
}

// OPEN and CREAT: path. By the file that the descriptor stands for, whatever the argument said.
static __always_inline void opened(struct scratch *scratch, struct task_struct *task, struct call *call, u32 selection, s64 result,
				   u64 bits, u64 cgroup, bool inside, bool compat)
{
	struct file *file = file_of_typed(task, result);
	if (!file)
		return;
	bpf_probe_read_kernel(scratch->file, sizeof(scratch->file), file);
	u32 mode = PART(struct file, scratch->file, file, f_mode), type = call->type;
	bool read = type == OPEN && !(mode & FMODE_WRITE) && !(bits & (O_CREAT | O_TRUNC));
	u64 types = read ? READ_BIT : 1ull << (type & 63);
	if (type == OPEN && mode & FMODE_CREATED) {
		type = CREAT;
		types |= 1ull << CREAT;
	} else if (type == OPEN) {
		// The selection of what makes files is none for those that were there.
		selection = selection_of(OPEN);
	}
	bool every = read ? selection & SELECT_EVERY_READ : selection & (SELECT_EVERY_PATH | SELECT_UNDECIDED);
	bool walked = false;
	if (!every && selection & SELECT_PATHS) {
		walked = judge_path(scratch, task, file);
		every = scratch->found_types & types;
	}
	if (!every) {
		count(FILTERED, type);
		return;
	}
	struct inode *inode = PART(struct file, scratch->file, file, f_inode);
	// Directories are opened to be listed; that is a read like any other but of no interest to a rule on files.
	if (read && (READ(inode, i_mode) & 0170000) == 0040000) {
		count(FILTERED, type);
		return;
	}
	struct record *record = &scratch->record;
	describe_typed(record, type, task, cgroup, inside);
	if (!selected_here(selection, record)) {
		count(FILTERED, type);
		return;
	}
	if (!walked)
		walk_from(scratch, task, (void *)file + bpf_core_field_offset(struct file, f_path));
	if (read)
		record->flags |= ABOUT_READ;
	if (compat)
		record->flags |= COMPAT;
	record->call = call->index;
	record->result = record->fd = result;
	record->bits = bits;
	if (call->mode != NO_ARGUMENT)
		record->mode = scratch->arguments[call->mode & 7];
	note_opened(record, inode);
	put_path(scratch->slot);
	offer(scratch);
}

// WRITE: path; bits are the bytes. Of files and devices only: what goes to sockets and pipes is told otherwise.
static __always_inline void written(struct scratch *scratch, struct task_struct *task, struct call *call, s64 result, u64 cgroup, bool inside)
{
	u32 selection = selection_of(WRITE);
	if (result <= 0 || !(selection & (inside ? SELECT_CONTAINERS : SELECT_HOST)))
		return;
	u32 descriptor = scratch->arguments[0];
	struct file *file = file_of_typed(task, descriptor);
	if (!file)
		return;
	bpf_probe_read_kernel(scratch->file, sizeof(scratch->file), file);
	struct inode *inode = PART(struct file, scratch->file, file, f_inode);
	u32 format = READ(inode, i_mode) & 0170000;
	if (format != 0100000 && format != 0060000 && (format != 0020000 || kind_of(file) != STDIO_FILE))
		return;
	count(SEEN, WRITE);
	bool every = selection & (SELECT_EVERY_PATH | SELECT_UNDECIDED), walked = false;
	if (!every && selection & SELECT_PATHS) {
		walked = judge_path(scratch, task, file);
		every = scratch->found_types & WRITE_BIT;
	}
	if (!every) {
		count(FILTERED, WRITE);
		return;
	}
	struct record *record = &scratch->record;
	describe_typed(record, WRITE, task, cgroup, inside);
	if (!walked)
		walk_from(scratch, task, (void *)file + bpf_core_field_offset(struct file, f_path));
	record->call = call->index;
	record->result = record->bits = result;
	record->fd = descriptor;
	note_opened(record, inode);
	put_path(scratch->slot);
	offer(scratch);
}

// Path of the file behind a descriptor.
static __always_inline void by_descriptor(struct scratch *scratch, struct task_struct *task, u32 selection, u32 fd)
{
	struct record *record = &scratch->record;
	struct file *file = file_of(task, fd);
	if (!file)
		return;
	walk_from(scratch, task, (void *)file + bpf_core_field_offset(struct file, f_path));
	if (!path_selected(scratch, selection, record->type, false)) {
		count(FILTERED, record->type);
		return;
	}
	record->fd = fd;
	note_opened(record, READ(file, f_inode));
	put_path(scratch->slot);
	offer(scratch);
}

// The folder that a path of a call starts from: a descriptor's or the working directory.
static __always_inline void put_folder(struct scratch *scratch, struct task_struct *task, u64 fd)
{
	struct file *file = (s32)fd >= 0 ? file_of(task, fd) : NULL;
	if (file) {
		walk_from(scratch, task, (void *)file + bpf_core_field_offset(struct file, f_path));
	} else {
		struct fs_struct *fs = READ(task, fs);
		walk_from(scratch, task, (void *)fs + bpf_core_field_offset(struct fs_struct, pwd));
	}
	put_path(scratch->slot);
}

// Folder, path, folder, path, text. The kernel keeps no name of what was renamed or removed; the sensor resolves what
// the caller named, after the fact.
static __always_inline void by_paths(struct scratch *scratch, struct task_struct *task, struct call *call)
{
	u64 *arguments = scratch->arguments;
	if (call->path != NO_ARGUMENT) {
		put_folder(scratch, task, call->folder == NO_ARGUMENT ? AT_FDCWD : arguments[call->folder & 7]);
		put_string(scratch->slot, arguments[call->path & 7], 1);
	} else {
		put_nothing(scratch);
		put_nothing(scratch);
	}
	if (call->new_path != NO_ARGUMENT) {
		put_folder(scratch, task, call->new_folder == NO_ARGUMENT ? AT_FDCWD : arguments[call->new_folder & 7]);
		put_string(scratch->slot, arguments[call->new_path & 7], 1);
	} else {
		put_nothing(scratch);
		put_nothing(scratch);
	}
	if (call->text != NO_ARGUMENT)
		put_string(scratch->slot, arguments[call->text & 7], 1);
	else
		put_nothing(scratch);
	offer(scratch);
}

// DUP: a pipe's or socket's descriptor onto 0, 1 or 2.
static __always_inline void duplicated(struct scratch *scratch, struct task_struct *task, u32 source)
{
	struct record *record = &scratch->record;
	if ((u64)record->result > 2)
		return;
	struct file *file = file_of(task, record->result);
	u8 kind = kind_of(file);
	if (kind != STDIO_SOCKET && kind != STDIO_PIPE) {
		count(FILTERED, DUP);
		return;
	}
	record->kind = kind;
	record->target = record->result;
	record->fd = source;
	if (kind == STDIO_SOCKET) {
		struct socket *socket = READ(file, private_data);
		struct sock *sock = READ(socket, sk);
		struct socket_body body = {};
		read_socket(sock, &body);
		put_socket(scratch, sock, 0, &body);
	}
	offer(scratch);
}
