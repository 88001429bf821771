// The one program on the return of every system call: a look into a table, and out again for nearly all of them.
#pragma once
#include "socket.h"
#include "file.h"

// Ends a process that made a forbidden call. The call has returned by then; the process has not.
static __always_inline bool forbidden(struct call *call, struct task_struct *task, s64 result)
{
	struct settings *settings = current_settings();
	struct scratch *scratch = current_scratch();
	if (!settings || !scratch)
		return false;
	struct record *record = &scratch->record;
	describe(record, BLOCKED, task);
	u64 hit = blocks_of(record, settings) & call->blocks;
	if (!hit || record->pid == settings->sensor_pid || bpf_map_lookup_elem(&joining, &record->pid))
		return false;
	bpf_send_signal(9);
	record->bits = hit;
	record->call = call->index;
	record->result = result;
	count(SEEN, BLOCKED);
	send(scratch, true);
	return true;
}

SEC("tp_btf/sys_exit")
int call_returned(u64 *ctx)
{
	struct pt_regs *registers = (void *)ctx[0];
	s64 result = ctx[1];
	u32 number = number_of(registers);
	struct task_struct *task = (void *)bpf_get_current_task();
	bool compat = is_compat(task);
	if (number >= (compat ? COMPAT_CALLS : CALLS - COMPAT_CALLS))
		return 0;
	if (compat)
		number += CALLS - COMPAT_CALLS;
	struct call *call = bpf_map_lookup_elem(&calls, &number);
	if (!call || !call->handler)
		return 0;
	if (call->blocks && forbidden(call, task, result))
		return 0;
	u32 selection = selection_of(call->type);
	// A call that must not be seen costs no more than this.
	if (!selection)
		return 0;
	if (call->failed_only && result >= 0)
		return 0;
	struct scratch *scratch = current_scratch();
	struct settings *settings = current_settings();
	// What the sensor itself does would have it write about its writing.
	if (!scratch || !settings || READ(task, tgid) == settings->sensor_pid)
		return 0;
	if (call->handler == HANDLER_DUPLICATED && (u64)result > 2)
		return 0;
	count(SEEN, call->type);
	if (result < 0 && result != -EINPROGRESS && !(selection & SELECT_FAILURES)) {
		count(FILTERED, call->type);
		return 0;
	}
	struct record *record = &scratch->record;
	u64 *arguments = scratch->arguments;
	read_arguments(registers, compat, arguments);
	if (call->wanted && call->argument != NO_ARGUMENT) {
		u64 operation = arguments[call->argument & 7];
		if (operation > 63 || !(call->wanted >> operation & 1))
			return 0;
	}
	// Memory that is both writable and executable is the only protection worth a record.
	if (call->type == MPROTECT && (arguments[2] & 6) != 6)
		return 0;
	// Reads are nine of ten opens: they leave before anything is described.
	if (call->handler == HANDLER_OPENED && result >= 0 && !(selection & (SELECT_EVERY_READ | SELECT_PATHS)) &&
	    call->flags != NO_ARGUMENT && !(arguments[call->flags & 7] & (O_ACCMODE | O_CREAT | O_TRUNC))) {
		count(FILTERED, call->type);
		return 0;
	}
	describe(record, call->type, task);
	if (!selected_here(selection, record)) {
		count(FILTERED, call->type);
		return 0;
	}
	if (compat)
		record->flags |= COMPAT;
	record->call = call->index;
	record->result = result;
	if (call->flags != NO_ARGUMENT)
		record->bits = arguments[call->flags & 7];
	if (call->mode != NO_ARGUMENT)
		record->mode = arguments[call->mode & 7];
	if (call->argument != NO_ARGUMENT)
		record->argument = (s32)arguments[call->argument & 7];
	if (call->target != NO_ARGUMENT)
		record->target = arguments[call->target & 7];
	u32 descriptor = arguments[call->descriptor & 7];
	switch (call->handler) {
	case HANDLER_NUMBERS:
		if (record->type == SETUID || record->type == SETGID || record->type == CAPSET)
			record->inode = READ(task, cred, cap_effective.val);
		offer(scratch);
		break;
	case HANDLER_OPENED:
		if (result >= 0)
			opened(scratch, task, selection);
		else
			by_paths(scratch, task, call);
		break;
	case HANDLER_PATHS:
		by_paths(scratch, task, call);
		break;
	case HANDLER_DESCRIPTOR:
		by_descriptor(scratch, task, selection, descriptor);
		break;
	case HANDLER_SOCKET:
		by_socket(scratch, task, descriptor, call);
		break;
	case HANDLER_ACCEPTED:
		by_socket(scratch, task, result, call);
		break;
	case HANDLER_DUPLICATED:
		duplicated(scratch, task, descriptor);
		break;
	}
	return 0;
}
