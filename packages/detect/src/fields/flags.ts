import { LINUX_CAPABILITIES } from "@bulwark/model";

/** A bit, or several that belong together, and its name. Names are those of the kernel's headers. */
type Names = readonly (readonly [number, string])[];

/** 2^32 and above do not survive JavaScript's bit operators, so that bits are taken by division. */
function hasBits(value: number, bits: number): boolean {
  if (bits < 2 ** 31) return (((value % 2 ** 32) | 0) & bits) === bits;
  return Math.floor(value / bits) % 2 === 1;
}

/** Values that are kept with their text; programs use few. */
const MAX_KEPT = 1024;
const kept = new Map<Names, Map<number, string>>();

function named(value: number, names: Names): string {
  const known = kept.get(names) ?? new Map<number, string>();
  kept.set(names, known);
  const before = known.get(value);
  if (before !== undefined) return before;
  const text = spelled(value, names);
  if (known.size < MAX_KEPT) known.set(value, text);
  return text;
}

function spelled(value: number, names: Names): string {
  return names
    .filter(([bits]) => hasBits(value, bits))
    .map(([, name]) => name)
    .join("|");
}

const OPEN: Names = [
  [0o100, "O_CREAT"],
  [0o200, "O_EXCL"],
  [0o400, "O_NOCTTY"],
  [0o1000, "O_TRUNC"],
  [0o2000, "O_APPEND"],
  [0o4000, "O_NONBLOCK"],
  [0o10000, "O_DSYNC"],
  [0o40000, "O_DIRECT"],
  [0o100000, "O_LARGEFILE"],
  [0o200000, "O_DIRECTORY"],
  [0o400000, "O_NOFOLLOW"],
  [0o1000000, "O_NOATIME"],
  [0o2000000, "O_CLOEXEC"],
  [0o4010000, "O_SYNC"],
  [0o10000000, "O_PATH"],
  [0o20200000, "O_TMPFILE"],
];
const CLONE: Names = [
  [0x100, "CLONE_VM"],
  [0x200, "CLONE_FS"],
  [0x400, "CLONE_FILES"],
  [0x800, "CLONE_SIGHAND"],
  [0x2000, "CLONE_PTRACE"],
  [0x4000, "CLONE_VFORK"],
  [0x8000, "CLONE_PARENT"],
  [0x10000, "CLONE_THREAD"],
  [0x20000, "CLONE_NEWNS"],
  [0x40000, "CLONE_SYSVSEM"],
  [0x80, "CLONE_NEWTIME"],
  [0x2000000, "CLONE_NEWCGROUP"],
  [0x4000000, "CLONE_NEWUTS"],
  [0x8000000, "CLONE_NEWIPC"],
  [0x10000000, "CLONE_NEWUSER"],
  [0x20000000, "CLONE_NEWPID"],
  [0x40000000, "CLONE_NEWNET"],
];
const MOUNT: Names = [
  [1, "RDONLY"],
  [2, "NOSUID"],
  [4, "NODEV"],
  [8, "NOEXEC"],
  [16, "SYNCHRONOUS"],
  [32, "REMOUNT"],
  [1024, "NOATIME"],
  [4096, "BIND"],
  [8192, "MOVE"],
  [16384, "REC"],
  [1 << 17, "UNBINDABLE"],
  [1 << 18, "PRIVATE"],
  [1 << 19, "SLAVE"],
  [1 << 20, "SHARED"],
];
const MODE: Names = [
  [0o4000, "S_ISUID"],
  [0o2000, "S_ISGID"],
  [0o1000, "S_ISVTX"],
  [0o400, "S_IRUSR"],
  [0o200, "S_IWUSR"],
  [0o100, "S_IXUSR"],
  [0o040, "S_IRGRP"],
  [0o020, "S_IWGRP"],
  [0o010, "S_IXGRP"],
  [0o004, "S_IROTH"],
  [0o002, "S_IWOTH"],
  [0o001, "S_IXOTH"],
];
/** inode(7): by the upper four bits of a mode. */
const KINDS: Readonly<Record<number, string>> = {
  1: "S_IFIFO",
  2: "S_IFCHR",
  4: "S_IFDIR",
  6: "S_IFBLK",
  8: "S_IFREG",
  12: "S_IFSOCK",
};
const PROTECTION: Names = [
  [1, "PROT_READ"],
  [2, "PROT_WRITE"],
  [4, "PROT_EXEC"],
];
const ACCESS = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"];

const CAPABILITIES = LINUX_CAPABILITIES.map((name, bit) => [2 ** bit, name] as const);

/** open(2): the access mode first, as text joined by `|`. */
export function openFlags(flags: number): string {
  const rest = named(flags, OPEN);
  const access = ACCESS[flags & 3] ?? "";
  return rest === "" ? access : `${access}|${rest}`;
}

/** clone(2), unshare(2) and setns(2). */
export function cloneFlags(flags: number): string {
  return named(flags, CLONE);
}

/** mount(2), with Falco's names, which leave out `MS_`. */
export function mountFlags(flags: number): string {
  return named(flags, MOUNT);
}

/** chmod(2) and mknod(2): the kind of file where one is given, and permission bits, as text. */
export function modeFlags(mode: number): string {
  const kind = KINDS[(mode >> 12) & 0o17];
  const bits = named(mode, MODE);
  return kind === undefined ? bits : bits === "" ? kind : `${kind}|${bits}`;
}

/** mprotect(2). */
export function protectionFlags(bits: number): string {
  return named(bits, PROTECTION);
}

/** capabilities(7): names joined by a blank, as Falco writes them. */
export function capabilityNames(bits: number): string {
  return named(bits, CAPABILITIES).replaceAll("|", " ");
}

const ERRORS: Readonly<Record<number, string>> = Object.fromEntries(
  (
    "1 EPERM 2 ENOENT 3 ESRCH 4 EINTR 5 EIO 6 ENXIO 7 E2BIG 8 ENOEXEC 9 EBADF 10 ECHILD 11 EAGAIN 12 ENOMEM 13 EACCES " +
    "14 EFAULT 15 ENOTBLK 16 EBUSY 17 EEXIST 18 EXDEV 19 ENODEV 20 ENOTDIR 21 EISDIR 22 EINVAL 23 ENFILE 24 EMFILE " +
    "25 ENOTTY 26 ETXTBSY 27 EFBIG 28 ENOSPC 29 ESPIPE 30 EROFS 31 EMLINK 32 EPIPE 33 EDOM 34 ERANGE 35 EDEADLK " +
    "36 ENAMETOOLONG 38 ENOSYS 39 ENOTEMPTY 40 ELOOP 61 ENODATA 71 EPROTO 75 EOVERFLOW 88 ENOTSOCK 90 EMSGSIZE " +
    "92 ENOPROTOOPT 93 EPROTONOSUPPORT 95 EOPNOTSUPP 97 EAFNOSUPPORT 98 EADDRINUSE 99 EADDRNOTAVAIL 100 ENETDOWN " +
    "101 ENETUNREACH 104 ECONNRESET 105 ENOBUFS 106 EISCONN 107 ENOTCONN 110 ETIMEDOUT 111 ECONNREFUSED " +
    "113 EHOSTUNREACH 114 EALREADY 115 EINPROGRESS 122 EDQUOT"
  )
    .match(/\d+ \w+/g)
    ?.map((pair) => pair.split(" ")) ?? [],
);

/** errno(3): `SUCCESS`, or the error's name. */
export function resultName(result: number): string {
  return result >= 0 ? "SUCCESS" : (ERRORS[-result] ?? `E${-result}`);
}

const PTRACE: Readonly<Record<number, string>> = {
  0: "PTRACE_TRACEME",
  1: "PTRACE_PEEKTEXT",
  2: "PTRACE_PEEKDATA",
  3: "PTRACE_PEEKUSR",
  4: "PTRACE_POKETEXT",
  5: "PTRACE_POKEDATA",
  6: "PTRACE_POKEUSR",
  7: "PTRACE_CONT",
  8: "PTRACE_KILL",
  9: "PTRACE_SINGLESTEP",
  12: "PTRACE_GETREGS",
  13: "PTRACE_SETREGS",
  14: "PTRACE_GETFPREGS",
  15: "PTRACE_SETFPREGS",
  16: "PTRACE_ATTACH",
  17: "PTRACE_DETACH",
  24: "PTRACE_SYSCALL",
  16896: "PTRACE_SETOPTIONS",
  16900: "PTRACE_GETREGSET",
  16901: "PTRACE_SETREGSET",
  16902: "PTRACE_SEIZE",
  16903: "PTRACE_INTERRUPT",
};
const SIGNALS =
  "0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(
    " ",
  );

export function ptraceRequest(number: number): string {
  return PTRACE[number] ?? String(number);
}

export function signalName(number: number): string {
  return number > 0 && SIGNALS[number] !== undefined ? `SIG${SIGNALS[number]}` : String(number);
}

const BPF = ["BPF_MAP_CREATE", "BPF_MAP_LOOKUP_ELEM", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM"].concat([
  "BPF_MAP_GET_NEXT_KEY",
  "BPF_PROG_LOAD",
  "BPF_OBJ_PIN",
  "BPF_OBJ_GET",
  "BPF_PROG_ATTACH",
  "BPF_PROG_DETACH",
]);

export function bpfCommand(number: number): string {
  return BPF[number] ?? String(number);
}
