// The bodies of hook.h on tracepoints that hand over the same things: kernels that refuse programs on functions and security hooks
// before they look at them verify them so. For tests; what they answer has no effect here.
#include "hook.h"

SEC("tp_btf/sys_exit")
int check_call_returned(u64 *ctx)
{
	struct scratch *scratch = take_scratch();
	if (!scratch)
		return 0;
	look_closer(scratch, (void *)ctx[0], ctx[1], number_of((void *)ctx[0]) & (COMPAT_CALLS - 1), WANTED_NATIVE);
	leave_scratch(scratch);
	return 0;
}

SEC("tp_btf/file_check_and_advance_wb_err")
int check_file_refused(u64 *ctx)
{
	return refuse_file((void *)ctx[0]) & 0;
}

SEC("tp_btf/sched_process_exec")
int check_program_refused(u64 *ctx)
{
	return refuse_program((void *)ctx[2]) & 0;
}

SEC("tp_btf/task_rename")
int check_call_refused(u64 *ctx)
{
	return refuse_call(0) & 0;
}

char LICENSE[] SEC("license") = "GPL";
