// The record that leaves the kernel, and the names of its parts. src/kernel/record.rs reads the same layout.
#pragma once
#include "kernel.h"

// Values of the wire contract's EventType; those from 100 on stay between the kernel half and the sensor.
enum event_type {
	EXECVE = 1, CLONE = 2, PROCEXIT = 3, OPEN = 4, CREAT = 5, UNLINK = 7, RMDIR = 11,
	PIVOT_ROOT = 22, SETUID = 38, SETGID = 39, CAPSET = 40, PRCTL = 41, KILL = 42, MPROTECT = 52,
	CONNECT = 60, ACCEPT = 61, LISTEN = 62, BIND = 63, SOCKET = 64, SENDTO = 65, DNS = 66, FLOW = 67, DUP = 68, WRITE = 69,
	BLOCKED = 81,
	CGROUP_MADE = 100, CGROUP_GONE = 101, IO_URING = 102, NETWORK_BLOCKED = 103, NAMES_ASKED = 104, FILE_REFUSED = 105, EXEC_REFUSED = 106, ROOT_MADE = 107,
	TYPES = 128,
};

#define DATA_MAX 16384
#define PATH_SIZE 4096
#define NAME_SIZE 256
// A path deeper than this is cut at its beginning and marked.
#define COMPONENTS_MAX 64
#define ARGUMENTS_MAX 12288

// Bits of record.flags
#define IN_CONTAINER 1
#define PATH_CUT 2
#define UPPER_LAYER 4
#define IN_MEMORY 8
#define DELETED 16
#define WRITABLE 32
#define SCRIPT 64
#define COMPAT 128
#define FROM_ITERATOR 256
#define ABOUT_READ 512

// What is known of every event. Texts follow: u16 length and as many bytes, in an order that the type fixes.
struct record {
	u32 type;
	u32 flags;
	u64 time_ns; // since boot
	u64 start_ns; // of the process, since boot
	u64 cgroup;
	u32 pid;
	u32 tid;
	u32 uid;
	u32 euid;
	s64 result;
	u64 bits; // flags of the call
	s64 argument;
	u64 inode; // of SETUID, SETGID and CAPSET: the effective capabilities afterwards
	u32 mode;
	s32 fd;
	u32 device;
	u32 target;
	u16 call; // number in the sensor's table of calls
	u16 kind; // Stdio
	u32 used; // bytes of data
	char comm[16]; // of the process, not of the thread
};

// In front of the texts of EXECVE and of the list of processes.
struct process_body {
	u64 parent_start_ns;
	u64 capabilities;
	u64 exe_inode;
	u32 parent_pid;
	u32 namespace_pid;
	u32 gid;
	u32 login_uid;
	u32 session_id;
	u32 group_id;
	u32 tty;
	u32 arguments_cut;
	u8 stdio[4];
	char comm[16];
	u32 reserved;
};

// In front of the texts of CLONE.
struct fork_body {
	u64 child_start_ns;
	u64 child_cgroup;
	u32 child_pid;
	u32 namespace_pid;
	u64 parent_start_ns;
	u32 parent_pid;
	u32 reserved;
};

// In front of the texts of socket events.
struct socket_body {
	u8 local[16];
	u8 remote[16];
	u16 local_port;
	u16 remote_port;
	u16 family;
	u16 protocol;
	u16 type;
	u16 reserved[3];
	u64 sent;
	u64 received;
};

struct scratch {
	struct record record;
	char data[DATA_MAX + PATH_SIZE + NAME_SIZE];
	char path[PATH_SIZE + NAME_SIZE];
	u32 path_start;
	u32 path_state;
	u64 found_types; // of the path, by look_up_path
	u64 found_blocks;
	u64 arguments[8];
	u32 slot; // of this one
	u32 taken;
	// Copies of a file and its entry: one read of many bytes costs what one of eight does.
	u8 file[192];
	u8 entry[96];
};
