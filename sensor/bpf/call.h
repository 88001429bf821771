// System calls, seen when they return: what they did is known then, and nothing of it can be swapped any more.
#pragma once
#include "process.h"

enum handler {
	HANDLER_NUMBERS = 1, // flags, argument and target only
	HANDLER_PATHS, // folders and paths as the caller named them
	HANDLER_OPENED, // the result is a descriptor of the file
	HANDLER_DESCRIPTOR, // an argument is a descriptor of the file
	HANDLER_SOCKET, // an argument is a descriptor of the socket
	HANDLER_ACCEPTED, // the result is one
	HANDLER_DUPLICATED,
	HANDLER_SENT, // something: perhaps a question for a name, perhaps bytes of a file
	HANDLER_SOCKETCALL, // a call on sockets, by its number and the place of its arguments
};

#define NO_ARGUMENT 7

// A row of src/kernel/calls.rs: which argument is what. NO_ARGUMENT is none.
struct call {
	u8 handler;
	u8 type;
	u8 folder;
	u8 path;
	u8 new_folder;
	u8 new_path;
	u8 flags;
	u8 mode;
	u8 argument;
	u8 target;
	u8 text;
	u8 descriptor;
	u16 index; // of the call in the sensor's table
	u8 failed_only;
	u8 moves; // names or mounts: what was found out about paths holds no longer
	u64 wanted; // of calls with an operation in `argument`: a bit for each that is looked at; 0 is all
	u64 blocks; // that forbid the call
};

#define CALLS 1024
#define COMPAT_CALLS 512

// By number; those of 32-bit programs follow at CALLS - COMPAT_CALLS.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS);
	__type(key, u32);
	__type(value, struct call);
} calls SEC(".maps");

// What of each number is worth a second look: one load tells it of nearly every call.
#define WANTED_NATIVE 1
#define WANTED_COMPAT 2
// Also of the host's processes.
#define WANTED_FROM_HOST 4

struct wanted {
	u8 calls[COMPAT_CALLS];
};

// Of HANDLER_SENT: write, sendto, sendmsg, sendmmsg, writev. Wanted only while somebody may be asking for a name.
#if defined(__TARGET_ARCH_x86)
static const u16 SENDING_CALLS[] = { 1, 44, 46, 307, 20 };
#else
static const u16 SENDING_CALLS[] = { 64, 206, 211, 269, 66 };
#endif

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wanted);
} wanted_calls SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 2

static __always_inline bool is_compat(struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

static __always_inline u32 number_of(struct pt_regs *registers)
{
	return registers->orig_ax;
}

static __always_inline void read_arguments(struct pt_regs *registers, bool compat, u64 *out)
{
	if (compat) {
		out[0] = (u32)registers->bx;
		out[1] = (u32)registers->cx;
		out[2] = (u32)registers->dx;
		out[3] = (u32)registers->si;
		out[4] = (u32)registers->di;
		out[5] = (u32)registers->bp;
		return;
	}
	out[0] = registers->di;
	out[1] = registers->si;
	out[2] = registers->dx;
	out[3] = registers->r10;
	out[4] = registers->r8;
	out[5] = registers->r9;
}
#else
static __always_inline bool is_compat(struct task_struct *task)
{
	return false;
}

static __always_inline u32 number_of(struct pt_regs *registers)
{
	return registers->syscallno;
}

static __always_inline void read_arguments(struct pt_regs *registers, bool compat, u64 *out)
{
	out[0] = registers->orig_x0;
	out[1] = registers->regs[1];
	out[2] = registers->regs[2];
	out[3] = registers->regs[3];
	out[4] = registers->regs[4];
	out[5] = registers->regs[5];
}
#endif
