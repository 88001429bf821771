/**
 * What a sensor saw: the wire contract (proto/bulwark/sensor/v1/sensor.proto) with references resolved, so that a rule
 * reads `event.process.parent` instead of looking anything up. Fields mean what the contract says they mean.
 */
export interface RuntimeEvent {
  readonly type: RuntimeEventType;
  /** Wall clock, microseconds since 1970. */
  readonly timeUs: number;
  /** How many identical events this one stands for, at least 1. */
  readonly count: number;
  readonly process: RuntimeProcess | null;
  /** Null on the host itself. */
  readonly container: RuntimeContainer | null;
  readonly threadId: number;
  /** Of the system call: negative is an errno. */
  readonly result: number;
  /** The file as the kernel opened it; empty where the event has none. */
  readonly path: string;
  readonly newPath: string;
  readonly flags: number;
  readonly mode: number;
  readonly fd: number;
  readonly upperLayer: boolean;
  readonly inode: number;
  readonly device: number;
  /** 4 or 6; 1 is a Unix socket; 0 where there is no address. */
  readonly family: number;
  readonly protocol: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly dnsName: string;
  readonly dnsType: string;
  readonly dnsAnswers: readonly string[];
  readonly argument: number;
  readonly targetPid: number;
  readonly detail: string;
  readonly blockId: string;
  readonly targetFd: number;
  readonly fdKind: StdioKind;
  readonly oldCapabilities: number;
  readonly oldUid: number;
}

/** Names are those of Falco's event types where it has one; the wire's names in lower case. */
export const RUNTIME_EVENT_TYPES = [
  "execve",
  "clone",
  "procexit",
  "open",
  "creat",
  "rename",
  "unlink",
  "link",
  "symlink",
  "mkdir",
  "rmdir",
  "chmod",
  "chown",
  "truncate",
  "mknod",
  "mount",
  "umount",
  "pivot_root",
  "unshare",
  "setns",
  "ptrace",
  "process_vm_writev",
  "init_module",
  "finit_module",
  "delete_module",
  "bpf",
  "kexec_load",
  "perf_event_open",
  "keyctl",
  "userfaultfd",
  "io_uring_setup",
  "chroot",
  "memfd_create",
  "setuid",
  "setgid",
  "capset",
  "prctl",
  "kill",
  "setxattr",
  "open_by_handle_at",
  "personality",
  "swapon",
  "reboot",
  "settimeofday",
  "add_key",
  "modify_ldt",
  "ioperm",
  "mprotect",
  "fsopen",
  "move_mount",
  "syscall",
  "connect",
  "accept",
  "listen",
  "bind",
  "socket",
  "sendto",
  "dns",
  "flow",
  "dup",
  "write",
  "container",
  "blocked",
  "tamper",
] as const;

export type RuntimeEventType = (typeof RUNTIME_EVENT_TYPES)[number];

export type StdioKind = "unknown" | "closed" | "file" | "terminal" | "pipe" | "socket" | "null";

export interface RuntimeProcess {
  readonly pid: number;
  readonly namespacePid: number;
  /** Boot-time microseconds; with `pid` one process for as long as the node runs. */
  readonly startUs: number;
  /** Null when it is unknown or has ended before the sensor looked. */
  readonly parent: RuntimeProcess | null;
  readonly name: string;
  readonly exe: string;
  readonly arguments: readonly string[];
  readonly argumentsCut: number;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly effectiveUid: number;
  /** 4294967295 when nobody logged in. */
  readonly loginUid: number;
  readonly userName: string;
  readonly sessionId: number;
  readonly groupLeaderPid: number;
  readonly tty: number;
  readonly effectiveCapabilities: number;
  readonly interpreter: string;
  readonly exeInMemory: boolean;
  readonly exeDeleted: boolean;
  readonly exeDrifted: boolean;
  readonly exeWritable: boolean;
  readonly exeInode: number;
  /** SHA-256 in lower-case hexadecimal; empty when it was not asked for. */
  readonly exeDigest: string;
  readonly stdin: StdioKind;
  readonly stdout: StdioKind;
  readonly stderr: StdioKind;
}

export interface RuntimeMount {
  readonly source: string;
  readonly destination: string;
  readonly type: string;
  readonly writable: boolean;
}

export interface RuntimeContainer {
  readonly id: string;
  readonly runtime: string;
  readonly runtimeNamespace: string;
  readonly name: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly privileged: boolean;
  readonly mounts: readonly RuntimeMount[];
  readonly capabilities: number;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly readOnlyRoot: boolean;
  readonly seccomp: boolean;
  readonly user: string;
  readonly pod: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly kubernetesContainer: string;
  readonly startedUs: number;
  readonly addresses: readonly string[];
  /** Whether others than its node can reach a port of it. Told by the server, which knows the ports; sensors leave it out. */
  readonly exposed?: boolean;
  /** Whether no connected registry has its image. Told by the server, too. */
  readonly selfBuilt?: boolean;
}
