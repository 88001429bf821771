// The kernel's types, as far as the programs read them. Offsets are relocated when the program is loaded (CO-RE), so
// that only names matter here, not layout.
#pragma once

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u16 __sum16;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef __s32 s32;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
typedef struct { int counter; } atomic_t;

struct qstr { u64 hash_len; u32 len; const unsigned char *name; };
struct super_block { u32 s_dev; unsigned long s_magic; };
struct inode { u16 i_mode; struct super_block *i_sb; unsigned long i_ino; u32 i_nlink; u32 i_rdev; kuid_t i_uid; };
struct dentry { struct dentry *d_parent; struct qstr d_name; struct inode *d_inode; struct super_block *d_sb; };
struct vfsmount { struct dentry *mnt_root; struct super_block *mnt_sb; int mnt_flags; };
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; };
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file { u32 f_mode; u32 f_flags; struct inode *f_inode; struct path f_path; void *private_data; };
struct fdtable { unsigned int max_fds; struct file **fd; };
struct files_struct { struct fdtable *fdt; };
struct fs_struct { struct path root; struct path pwd; };
struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};
struct kernel_cap { u64 val; };
struct cred { kuid_t uid; kgid_t gid; kuid_t suid; kuid_t euid; kgid_t egid; struct kernel_cap cap_effective; };
struct kernfs_node { u64 id; };
struct cgroup_root { int hierarchy_id; };
struct cgroup { int level; struct kernfs_node *kn; struct cgroup_root *root; };
struct cgroup_subsys_state { struct cgroup *cgroup; };
struct css_set { struct cgroup_subsys_state *subsys[4]; struct cgroup *dfl_cgrp; };
enum cgroup_subsys_id { memory_cgrp_id = 3 };
struct upid { int nr; };
struct pid { unsigned int level; struct upid numbers[1]; };
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };
struct tty_driver { int major; int minor_start; };
struct tty_struct { struct tty_driver *driver; int index; };
struct signal_struct { atomic_t live; int group_exit_code; struct pid *pids[4]; struct tty_struct *tty; };
struct thread_info { u32 status; };
struct task_struct {
	struct thread_info thread_info;
	struct mm_struct *mm;
	int exit_code;
	u32 flags;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	kuid_t loginuid;
	struct css_set *cgroups;
};
struct linux_binprm { struct file *file; const char *filename; const char *interp; };

struct in6_addr { u8 bytes[16]; };
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	u8 skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};
struct sock { struct sock_common __sk_common; u16 sk_protocol; u16 sk_type; };
struct socket { short type; struct sock *sk; };
struct inet_sock { __be32 inet_saddr; __be16 inet_sport; };
struct tcp_sock { u64 bytes_received; u64 bytes_sent; u64 bytes_retrans; };
struct unix_address { int len; };
struct unix_sock { struct unix_address *addr; struct sock *peer; };
struct io_kiocb { u8 opcode; };

#if defined(__TARGET_ARCH_x86)
struct pt_regs { unsigned long di, si, dx, r10, r8, r9, bx, cx, bp, orig_ax; };
#else
struct pt_regs { unsigned long long regs[31]; unsigned long long orig_x0; int syscallno; };
#endif

#pragma clang attribute pop

// Layout of the user's ABI, fixed.
struct unix_name { u16 family; char path[108]; };

#define READ(source, ...) BPF_CORE_READ(source, __VA_ARGS__)
