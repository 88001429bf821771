// Whether this kernel takes programs on security hooks and on functions: asked before there is room made for them.
#include "kernel.h"

SEC("lsm/file_open")
int probe_hook(u64 *ctx)
{
	return (int)ctx[1];
}

SEC("fexit/x64_sys_call")
int probe_function(u64 *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
