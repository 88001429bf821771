import type { RuntimeEventType } from "@bulwark/model";
import { RUNTIME_EVENT_TYPES } from "@bulwark/model";
import { SYSTEM_CALLS } from "./system-calls.ts";

/** What a name that a rule gives to `evt.type` stands for among our events. */
export interface TypeMeaning {
  readonly types: readonly RuntimeEventType[];
  /** For `syscall` events: the call's own name, which `detail` holds. Empty when the type alone says it. */
  readonly call: string;
}

/** Calls that do the same come as one event: a rule may name any of them. */
const ALIASES: Readonly<Record<string, RuntimeEventType>> = {
  execveat: "execve",
  fork: "clone",
  vfork: "clone",
  clone3: "clone",
  exit: "procexit",
  exit_group: "procexit",
  renameat: "rename",
  renameat2: "rename",
  linkat: "link",
  symlinkat: "symlink",
  mkdirat: "mkdir",
  mknodat: "mknod",
  fchmod: "chmod",
  fchmodat: "chmod",
  fchmodat2: "chmod",
  fchown: "chown",
  lchown: "chown",
  fchownat: "chown",
  ftruncate: "truncate",
  umount2: "umount",
  accept4: "accept",
  sendmsg: "sendto",
  sendmmsg: "sendto",
  dup2: "dup",
  dup3: "dup",
  setresuid: "setuid",
  setreuid: "setuid",
  setfsuid: "setuid",
  setresgid: "setgid",
  setregid: "setgid",
  setfsgid: "setgid",
  kexec_file_load: "kexec_load",
  fsetxattr: "setxattr",
  lsetxattr: "setxattr",
  tkill: "kill",
  tgkill: "kill",
  pidfd_send_signal: "kill",
  pwrite: "write",
  pwrite64: "write",
  writev: "write",
  pwritev: "write",
  adjtimex: "settimeofday",
  clock_settime: "settimeofday",
  clock_adjtime: "settimeofday",
};

/** An open that makes the file comes as a creation, and an unlinkat of a directory as its removal. */
const SEVERAL: Readonly<Record<string, readonly RuntimeEventType[]>> = {
  open: ["open", "creat"],
  openat: ["open", "creat"],
  openat2: ["open", "creat"],
  unlinkat: ["unlink", "rmdir"],
};

const TYPES: ReadonlySet<string> = new Set(RUNTIME_EVENT_TYPES);

/** Every event of theirs costs more than it tells: a node makes millions of them in a second. */
const TOO_MANY = new Set(
  (
    "read readv pread64 preadv preadv2 pwritev2 close poll ppoll select pselect6 epoll_wait epoll_pwait epoll_ctl futex " +
    "lseek fstat stat lstat newfstatat statx access faccessat faccessat2 mmap munmap brk madvise ioctl fcntl getpid " +
    "gettid getuid geteuid getgid getegid clock_gettime gettimeofday time nanosleep clock_nanosleep sched_yield " +
    "rt_sigaction rt_sigprocmask rt_sigreturn recvfrom recvmsg recvmmsg getdents getdents64 sendfile splice pipe pipe2 " +
    "wait4 waitid getcwd chdir fchdir readlink readlinkat shutdown getsockopt setsockopt socketpair"
  ).split(" "),
);
/** Events of Falco itself and of its other drivers. */
const NOT_CALLS = new Set(
  "switch pluginevent asyncevent signaldeliver page_fault drop scapevent notification infra tracer groupadded groupdeleted useradded userdeleted".split(
    " ",
  ),
);

/**
 * What a rule means by a name of `evt.type`.
 *
 * @returns the event, or why no event of ours is ever one, or undefined when there is nothing of that name
 * @example meaningOf("openat"); // { types: ["open", "creat"], call: "" }
 */
export function meaningOf(name: string): TypeMeaning | { readonly why: string } | undefined {
  const several = Object.hasOwn(SEVERAL, name) ? SEVERAL[name] : undefined;
  if (several !== undefined) return { types: several, call: "" };
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
  if (alias !== undefined) return { types: [alias], call: "" };
  if (TYPES.has(name) && name !== "syscall") return { types: [name as RuntimeEventType], call: "" };
  if (TOO_MANY.has(name)) return { why: `${name} happens too often to be captured` };
  if (NOT_CALLS.has(name)) return { why: `${name} is an event of other engines` };
  // Work that was handed in through a ring comes under the name of the call that it stands for.
  if (SYSTEM_CALLS.has(name) || /^io_uring:[a-z0-9_]+$/.test(name)) return { types: ["syscall"], call: name };
  return undefined;
}
