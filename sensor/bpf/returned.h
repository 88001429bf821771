// The one program on the return of every system call: a look into a table, and out again for nearly all of them.
#pragma once
#include "name.h"
#include "file.h"

// Ends a process that made a forbidden call. The call has returned by then; the process has not.
static __always_inline bool forbidden(struct scratch *scratch, struct call *call, struct task_struct *task, s64 result)
{
	struct settings *settings = current_settings();
	// What a security hook refused did no harm: its process may go on.
	if (!settings || (settings->refuses_calls && result == -EPERM))
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

// socketcall(2) of 32-bit programs: what is meant is a number, its arguments lie in memory. As the calls of their own that came later.
static __always_inline struct call *by_number_of_socketcall(u64 *arguments)
{
	u32 number;
	switch ((u32)arguments[0]) {
	case 1: number = 359; break; // socket
	case 2: number = 361; break; // bind
	case 3: number = 362; break; // connect
	case 4: number = 363; break; // listen
	case 5: // accept
	case 18: number = 364; break; // accept4
	default: return NULL;
	}
	u32 given[6] = {};
	bpf_probe_read_user(given, sizeof(u32) * 3, (void *)arguments[1]);
	arguments[0] = given[0];
	arguments[1] = given[1];
	arguments[2] = given[2];
	number += CALLS - COMPAT_CALLS;
	return bpf_map_lookup_elem(&calls, &number);
}

// A function of its own, so that the way out for all others needs neither stack nor registers.
static __attribute__((noinline)) int look_closer(struct scratch *scratch, struct pt_regs *registers, s64 result, u32 number, u32 how)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool compat = is_compat(task);
	if (!(how & (compat ? WANTED_COMPAT : WANTED_NATIVE)))
		return 0;
	if (compat)
		number += CALLS - COMPAT_CALLS;
	struct call *call = bpf_map_lookup_elem(&calls, &number);
	if (!call || !call->handler)
		return 0;
	if (call->moves && result >= 0)
		something_moved();
	u64 cgroup = cgroup_id_of_typed(task);
	bool inside = is_container(cgroup, task);
	if (!inside && !(how & WANTED_FROM_HOST))
		return 0;
	struct settings *settings = current_settings();
	if (!settings)
		return 0;
	if (call->type == PIVOT_ROOT && result >= 0 && inside && settings->watches_roots) {
		describe_typed(&scratch->record, ROOT_MADE, task, cgroup, inside);
		send(scratch, true);
	}
	if (call->blocks && forbidden(scratch, call, task, result))
		return 0;
	u64 *arguments = scratch->arguments;
	read_arguments(registers, compat, arguments);
	if (call->handler == HANDLER_SENT) {
		if (inside && call->mode != NO_ARGUMENT)
			question_sent(task, call, arguments, result, cgroup);
		if (call->type == WRITE)
			written(scratch, task, call, result, cgroup, inside);
		return 0;
	}
	if (call->handler == HANDLER_SOCKETCALL) {
		call = by_number_of_socketcall(arguments);
		if (!call)
			return 0;
	}
	u32 selection = selection_of(call->type);
	if (call->handler == HANDLER_OPENED && call->type == OPEN)
		selection |= selection_of(CREAT);
	// A signal to the sensor is never left out.
	bool at_sensor = call->type == KILL && (u32)arguments[call->target & 7] == settings->sensor_pid;
	if (!at_sensor && !(selection & (inside ? SELECT_CONTAINERS : SELECT_HOST)))
		return 0;
	if (call->failed_only && result >= 0)
		return 0;
	// What the sensor itself does would have it write about its writing.
	if (task->tgid == settings->sensor_pid)
		return 0;
	if (call->handler == HANDLER_DUPLICATED && (u64)result > 2)
		return 0;
	count(SEEN, call->type);
	if (result < 0 && result != -EINPROGRESS && !(selection & SELECT_FAILURES)) {
		count(FILTERED, call->type);
		return 0;
	}
	if (call->wanted && call->argument != NO_ARGUMENT) {
		u64 operation = arguments[call->argument & 7];
		if (operation > 63 || !(call->wanted >> operation & 1))
			return 0;
	}
	// Memory that is both writable and executable is the only protection worth a record.
	if (call->type == MPROTECT && (arguments[2] & 6) != 6)
		return 0;
	u64 bits = call->flags == NO_ARGUMENT ? 0 : arguments[call->flags & 7];
	if (call->handler == HANDLER_OPENED && result >= 0) {
		// Reads are nine of ten opens: where none is wanted they leave before their file is looked at.
		if (!(selection & (SELECT_EVERY_READ | SELECT_PATHS)) && call->flags != NO_ARGUMENT &&
		    !(bits & (O_ACCMODE | O_CREAT | O_TRUNC)))
			count(FILTERED, call->type);
		else
			opened(scratch, task, call, selection, result, bits, cgroup, inside, compat);
		return 0;
	}
	struct record *record = &scratch->record;
	if (call->type == ACCEPT && result >= 0 && is_over_rate(settings, cgroup)) {
		// Its end will not be told of either: nobody notes whose it is.
		record->cgroup = cgroup;
		record->type = ACCEPT;
		count_loss(SAMPLED, record);
		if (selection_of(FLOW) & (inside ? SELECT_CONTAINERS : SELECT_HOST)) {
			count(SEEN, FLOW);
			record->type = FLOW;
			count_loss(SAMPLED, record);
		}
		return 0;
	}
	describe_typed(record, call->type, task, cgroup, inside);
	if (compat)
		record->flags |= COMPAT;
	record->call = call->index;
	record->result = result;
	record->bits = bits;
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
			record->inode = task->cred->cap_effective.val;
		offer(scratch);
		break;
	case HANDLER_OPENED:
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

SEC("tp_btf/sys_exit")
int call_returned(u64 *ctx)
{
	struct pt_regs *registers = (void *)ctx[0];
	u32 number = number_of(registers), zero = 0;
	struct wanted *wanted = bpf_map_lookup_elem(&wanted_calls, &zero);
	if (!wanted || number >= COMPAT_CALLS)
		return 0;
	u8 how = wanted->calls[number];
	if (!how)
		return 0;
	struct scratch *scratch = current_scratch();
	return scratch ? look_closer(scratch, registers, ctx[1], number, how) : 0;
}
