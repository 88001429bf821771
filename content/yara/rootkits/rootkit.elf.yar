rule rootkit_preload {
  meta:
    id = "rootkit-preload"
    title = "Library that hides files and processes"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1574/006/"
    attack = "T1574.006"
  strings:
    $preload = "ld.so.preload"
    $dlsym = "dlsym"
    $hook1 = "readdir64"
    $hook2 = "readdir"
    $hook3 = "fopen64"
    $hook4 = "__lxstat"
    $hook5 = "__xstat"
    $hook6 = "unlinkat"
    $hide1 = "/proc/net/tcp"
    $hide2 = "/proc/self/fd/%d"
    $hide3 = "/proc/%s/stat"
    $hide4 = "/proc/%s/cmdline"
    $hide5 = "%d (%[^)]s"
    $hide6 = "HIDE_"
  condition:
    uint32(0) == 0x464c457f and uint16(16) == 3 and filesize < 1MB and $dlsym and 1 of ($hook1, $hook2)
    and (($preload and 2 of ($hook*) and any of ($hide*)) or ($hide2 and $hide3 and $hide5))
}

rule rootkit_kernel_module {
  meta:
    id = "rootkit-kernel-module"
    title = "Kernel module that hides files and processes"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1014/"
    attack = "T1014"
  strings:
    $module = "vermagic="
    $cred1 = "prepare_creds"
    $cred2 = "commit_creds"
    $hook1 = "sys_call_table"
    $hook2 = "getdents64"
    $hook3 = "tcp4_seq_show"
    $hook4 = "sys_kill"
    $hook5 = "kallsyms_lookup_name"
    $hook6 = "ftrace_set_filter_ip"
    $hook7 = "hide_"
  condition:
    uint32(0) == 0x464c457f and uint16(16) == 1 and $module and (($cred1 and $cred2 and 2 of ($hook*)) or 4 of ($hook*))
}

rule rootkit_bpf {
  meta:
    id = "rootkit-bpf"
    title = "BPF program that changes what others read"
    severity = "critical"
    kind = "malware"
    advice = "Remove the file, find out which instruction brought it, and treat every container of the image as taken over."
    reference = "https://attack.mitre.org/techniques/T1014/"
    attack = "T1014"
  strings:
    $write = "bpf_probe_write_user"
    $call1 = "sys_exit_getdents64"
    $call2 = "sys_enter_getdents64"
    $call3 = "sys_exit_read"
    $target1 = "/etc/sudoers"
    $target2 = "/etc/shadow"
    $target3 = "pid_to_hide"
    $target4 = "NOPASSWD:ALL"
  condition:
    uint32(0) == 0x464c457f and any of ($call*) and (any of ($target3, $target4) or ($write and any of ($target*)))
}
