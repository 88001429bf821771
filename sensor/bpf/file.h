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
	look_up_path();
	return scratch->found_types & (read ? READ_BIT : 1ull << (type & 63));
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
static __always_inline void opened(struct scratch *scratch, struct task_struct *task, u32 selection)
{
	struct record *record = &scratch->record;
	struct file *file = file_of(task, record->result);
	if (!file)
		return;
	struct inode *inode = READ(file, f_inode);
	u32 format = READ(inode, i_mode) & 0170000;
	// Directories are opened to be listed; that is a read like any other but of no interest to a rule on files.
	bool writes = READ(file, f_mode) & FMODE_WRITE;
	bool read = record->type == OPEN && !writes && !(record->bits & (O_CREAT | O_TRUNC));
	if (read && !(selection & (SELECT_EVERY_READ | SELECT_PATHS))) {
		count(FILTERED, record->type);
		return;
	}
	if (record->type == OPEN && READ(file, f_mode) & FMODE_CREATED)
		record->type = CREAT;
	walk_from(task, (void *)file + bpf_core_field_offset(struct file, f_path));
	if (!path_selected(scratch, selection, record->type, read) || (read && format == 0040000)) {
		count(FILTERED, record->type);
		return;
	}
	if (read)
		record->flags |= ABOUT_READ;
	record->fd = record->result;
	note_opened(record, inode);
	put_path();
	offer(scratch);
}

// Path of the file behind a descriptor.
static __always_inline void by_descriptor(struct scratch *scratch, struct task_struct *task, u32 selection, u32 fd)
{
	struct record *record = &scratch->record;
	struct file *file = file_of(task, fd);
	if (!file)
		return;
	walk_from(task, (void *)file + bpf_core_field_offset(struct file, f_path));
	if (!path_selected(scratch, selection, record->type, false)) {
		count(FILTERED, record->type);
		return;
	}
	record->fd = fd;
	note_opened(record, READ(file, f_inode));
	put_path();
	offer(scratch);
}

// The folder that a path of a call starts from: a descriptor's or the working directory.
static __always_inline void put_folder(struct scratch *scratch, struct task_struct *task, u64 fd)
{
	struct file *file = (s32)fd >= 0 ? file_of(task, fd) : NULL;
	if (file) {
		walk_from(task, (void *)file + bpf_core_field_offset(struct file, f_path));
	} else {
		struct fs_struct *fs = READ(task, fs);
		walk_from(task, (void *)fs + bpf_core_field_offset(struct fs_struct, pwd));
	}
	put_path();
}

// Folder, path, folder, path, text. The kernel keeps no name of what was renamed or removed; the sensor resolves what
// the caller named, after the fact.
static __always_inline void by_paths(struct scratch *scratch, struct task_struct *task, struct call *call)
{
	u64 *arguments = scratch->arguments;
	if (call->path != NO_ARGUMENT) {
		put_folder(scratch, task, call->folder == NO_ARGUMENT ? AT_FDCWD : arguments[call->folder & 7]);
		put_string(arguments[call->path & 7], 1);
	} else {
		put_nothing(scratch);
		put_nothing(scratch);
	}
	if (call->new_path != NO_ARGUMENT) {
		put_folder(scratch, task, call->new_folder == NO_ARGUMENT ? AT_FDCWD : arguments[call->new_folder & 7]);
		put_string(arguments[call->new_path & 7], 1);
	} else {
		put_nothing(scratch);
		put_nothing(scratch);
	}
	if (call->text != NO_ARGUMENT)
		put_string(arguments[call->text & 7], 1);
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
		put_socket(scratch, READ(socket, sk), 0);
	}
	offer(scratch);
}
