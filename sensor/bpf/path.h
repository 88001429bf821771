// Paths and texts. Functions that are verified by themselves take numbers and find the scratch on their own.
#pragma once
#include "task.h"

#define TMPFS_MAGIC 0x01021994
#define OVERLAYFS_MAGIC 0x794c7630

// Writes the path of (mount, entry) as seen from (root_mount, root_entry) to the end of scratch.path.
// Returns its length; scratch.path_start says where it begins.
__attribute__((noinline)) int walk(u32 slot, u64 mount_address, u64 entry_address, u64 root_mount, u64 root_entry)
{
	struct scratch *scratch = scratch_at(slot);
	if (!scratch)
		return 0;
	struct vfsmount *mount = (void *)mount_address;
	struct dentry *entry = (void *)entry_address;
	// Kept in the map and not in a register: the verifier then sees every turn of the loop as the same.
	scratch->path_start = PATH_SIZE;
	scratch->path_state = PATH_CUT;
	for (int i = 0; i < COMPONENTS_MAX; i++) {
		if ((u64)entry == root_entry && (u64)mount == root_mount) {
			scratch->path_state = 0;
			break;
		}
		struct dentry *parent = READ(entry, d_parent);
		if (entry == READ(mount, mnt_root)) {
			struct mount *whole = (void *)mount - bpf_core_field_offset(struct mount, mnt);
			struct mount *above = READ(whole, mnt_parent);
			if (above == whole) {
				scratch->path_state = 0;
				break;
			}
			entry = READ(whole, mnt_mountpoint);
			mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		u32 length = READ(entry, d_name.len);
		const unsigned char *name = READ(entry, d_name.name);
		length &= NAME_SIZE - 1;
		u32 position = scratch->path_start;
		if (position < length + 1 || position > PATH_SIZE)
			break;
		position -= length;
		scratch->path_start = position;
		bpf_probe_read_kernel(&scratch->path[position & (PATH_SIZE - 1)], length, name);
		if (entry == parent) {
			// Files without a folder, such as memfd:name.
			scratch->path_state = 0;
			break;
		}
		position -= 1;
		scratch->path_start = position;
		scratch->path[position & (PATH_SIZE - 1)] = '/';
		entry = parent;
	}
	if (scratch->path_start >= PATH_SIZE) {
		scratch->path_start = PATH_SIZE - 1;
		scratch->path[PATH_SIZE - 1] = '/';
	}
	return PATH_SIZE - scratch->path_start;
}

static __always_inline int walk_from(struct scratch *scratch, struct task_struct *task, struct path *path)
{
	struct fs_struct *fs = READ(task, fs);
	return walk(scratch->slot, (u64)READ(path, mnt), (u64)READ(path, dentry), (u64)READ(fs, root.mnt), (u64)READ(fs, root.dentry));
}

// Appends what `walk` left.
__attribute__((noinline)) int put_path(u32 slot)
{
	struct scratch *scratch = scratch_at(slot);
	if (!scratch)
		return 0;
	u32 used = scratch->record.used;
	u32 start = scratch->path_start;
	if (used >= DATA_MAX || start >= PATH_SIZE)
		return 0;
	u32 length = PATH_SIZE - start;
	if (length > PATH_SIZE)
		return 0;
	*(u16 *)&scratch->data[used] = length;
	bpf_probe_read_kernel(&scratch->data[used + 2], length, &scratch->path[start]);
	scratch->record.used = used + 2 + length;
	scratch->record.flags |= scratch->path_state;
	return length;
}

// Appends a string; `from_user` says whose memory `address` is in. Without its final zero.
__attribute__((noinline)) int put_string(u32 slot, u64 address, u32 from_user)
{
	struct scratch *scratch = scratch_at(slot);
	if (!scratch)
		return 0;
	u32 used = scratch->record.used;
	if (used >= DATA_MAX)
		return 0;
	long length = 0;
	if (address && from_user)
		length = bpf_probe_read_user_str(&scratch->data[used + 2], PATH_SIZE, (void *)address);
	else if (address)
		length = bpf_probe_read_kernel_str(&scratch->data[used + 2], PATH_SIZE, (void *)address);
	length = length > 0 && length <= PATH_SIZE ? length - 1 : 0;
	*(u16 *)&scratch->data[used] = length;
	scratch->record.used = used + 2 + length;
	return length;
}

// Appends up to `size` bytes of the process's own memory.
__attribute__((noinline)) int put_user_bytes(u32 slot, u64 address, u32 size)
{
	struct scratch *scratch = scratch_at(slot);
	if (!scratch)
		return 0;
	u32 used = scratch->record.used;
	if (used >= DATA_MAX - ARGUMENTS_MAX)
		return 0;
	if (size > ARGUMENTS_MAX)
		size = ARGUMENTS_MAX;
	if (bpf_probe_read_user(&scratch->data[used + 2], size, (void *)address))
		size = 0;
	*(u16 *)&scratch->data[used] = size;
	scratch->record.used = used + 2 + size;
	return size;
}

static __always_inline void put_nothing(struct scratch *scratch)
{
	u16 zero = 0;
	put(scratch, &zero, sizeof(zero));
}

// The kernel half of what a file is; the path is the caller's business.
static __always_inline u32 file_flags(struct inode *inode)
{
	struct super_block *super = READ(inode, i_sb);
	u64 magic = READ(super, s_magic);
	u32 flags = 0;
	if (READ(inode, i_nlink) == 0)
		flags |= magic == TMPFS_MAGIC ? IN_MEMORY | DELETED : DELETED;
	if (magic == OVERLAYFS_MAGIC) {
		// struct ovl_inode lays the upper entry right behind the inode; its type is hidden where overlay is a module.
		void *upper = NULL;
		bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
		if (upper)
			flags |= UPPER_LAYER;
	}
	return flags;
}

#define STDIO_CLOSED 1
#define STDIO_FILE 2
#define STDIO_TERMINAL 3
#define STDIO_PIPE 4
#define STDIO_SOCKET 5
#define STDIO_NULL 6

static __always_inline u8 kind_of(struct file *file)
{
	if (!file)
		return STDIO_CLOSED;
	struct inode *inode = READ(file, f_inode);
	u16 format = READ(inode, i_mode) & 0170000;
	if (format == 0140000)
		return STDIO_SOCKET;
	if (format == 0010000)
		return STDIO_PIPE;
	if (format != 0020000)
		return STDIO_FILE;
	u32 device = READ(inode, i_rdev);
	u32 major = device >> 20;
	if (device == (1 << 20 | 3))
		return STDIO_NULL;
	return major == 4 || major == 5 || (major >= 136 && major <= 143) ? STDIO_TERMINAL : STDIO_FILE;
}

// Like `file_of`, for a task whose type the verifier knows.
static __always_inline struct file *file_of_typed(struct task_struct *task, u32 fd)
{
	struct fdtable *table = task->files->fdt;
	struct file *file = NULL;
	if (fd >= table->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
	return file;
}

static __always_inline struct file *file_of(struct task_struct *task, u32 fd)
{
	struct fdtable *table = READ(task, files, fdt);
	if (!table || fd >= READ(table, max_fds))
		return NULL;
	struct file **files = READ(table, fd);
	struct file *file = NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}
