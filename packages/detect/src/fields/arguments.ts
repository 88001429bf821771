import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import { type Getter, textOrNone, type Value } from "./field.ts";
import {
  bpfCommand,
  capabilityNames,
  cloneFlags,
  modeFlags,
  mountFlags,
  openFlags,
  protectionFlags,
  ptraceRequest,
  resultName,
  signalName,
} from "./flags.ts";

type Read = (event: RuntimeEvent) => Value | undefined;
/** In Falco's order, so that `evt.arg[1]` is the second; several names where calls of one kind name it differently. */
type Arguments = readonly (readonly [names: string, read: Read | null])[];

const res: readonly [string, Read] = ["res", (event) => resultName(event.result)];
const path: Read = (event) => textOrNone(event.path);
const newPath: Read = (event) => textOrNone(event.newPath);
const fd: Read = (event) => event.fd;
const number: Read = (event) => event.argument;
/** AF_* by what the sensor says of a socket: a number for addresses, a word for the rest. */
const FAMILIES: Readonly<Record<string, string>> = {
  1: "AF_UNIX",
  4: "AF_INET",
  6: "AF_INET6",
  key: "AF_KEY",
  netlink: "AF_NETLINK",
  packet: "AF_PACKET",
  bluetooth: "AF_BLUETOOTH",
  alg: "AF_ALG",
  vsock: "AF_VSOCK",
  xdp: "AF_XDP",
};

function familyName({ family, detail }: RuntimeEvent): string | undefined {
  return FAMILIES[family === 0 ? detail : family];
}

const remote: Read = (event) =>
  event.family === 4 || event.family === 6
    ? `${event.remoteAddress}:${event.remotePort}`
    : textOrNone(event.remoteAddress);
const tuple: Read = (event) =>
  event.family === 4 || event.family === 6
    ? `${event.localAddress}:${event.localPort}->${event.remoteAddress}:${event.remotePort}`
    : textOrNone(event.remoteAddress);

/** uid 0 is told as a name too, as Falco resolves it. */
const userArgument: Read = ({ argument }) => (argument === 0 ? ["0", "root"] : String(argument));

function exeFlags({ process }: RuntimeEvent): string | undefined {
  if (process === null) return undefined;
  const flags = [
    process.exeWritable ? "EXE_WRITABLE" : "",
    process.exeDrifted ? "EXE_UPPER_LAYER" : "",
    process.exeInMemory ? "EXE_FROM_MEMFD" : "",
    process.exeDrifted || process.exeInMemory ? "" : "EXE_LOWER_LAYER",
  ];
  return flags.filter((flag) => flag !== "").join("|");
}

const OPEN: Arguments = [
  ["fd", fd],
  ["name path filename", path],
  ["flags", (event) => openFlags(event.flags)],
  ["mode", (event) => modeFlags(event.mode)],
  ["dev", (event) => event.device],
  ["ino", (event) => event.inode],
];
const ONE_PATH: Arguments = [res, ["path name filename pathname", path]];
const TWO_PATHS: Arguments = [res, ["oldpath", path], ["newpath", newPath]];

/** What `evt.arg` gives, by event type. Types that are not here have `res` only. */
const ARGUMENTS: Partial<Readonly<Record<RuntimeEventType, Arguments>>> = {
  execve: [
    res,
    ["exe", (event) => event.process?.arguments[0]],
    ["args", (event) => event.process?.arguments.slice(1).join(" ")],
    ["tid", (event) => event.threadId],
    ["pid", (event) => event.process?.pid],
    ["ptid", (event) => event.process?.parent?.pid],
    ["cwd", (event) => event.process?.cwd],
    ["comm", (event) => event.process?.name],
    ["tty", (event) => event.process?.tty],
    ["loginuid", (event) => event.process?.loginUid],
    ["flags", exeFlags],
    ["cap_effective", (event) => capabilityNames(event.process?.effectiveCapabilities ?? 0)],
    ["exe_ino", (event) => event.process?.exeInode],
    ["uid", (event) => event.process?.uid],
    ["trusted_exepath filename", (event) => textOrNone(event.process?.exe)],
    ["pgid", (event) => event.process?.groupLeaderPid],
    ["gid", (event) => event.process?.gid],
  ],
  clone: [res, ["flags", (event) => cloneFlags(event.flags)], ["exe", (event) => event.process?.arguments[0]]],
  open: OPEN,
  open_by_handle_at: [
    ["fd", fd],
    ["mountfd", null],
    ["flags", (event) => openFlags(event.flags)],
    ["path name", path],
  ],
  creat: [
    ["fd", fd],
    ["name path", path],
    ["mode", (event) => modeFlags(event.mode)],
  ],
  rename: TWO_PATHS,
  link: TWO_PATHS,
  symlink: [res, ["target", path], ["linkpath", newPath]],
  unlink: ONE_PATH,
  rmdir: ONE_PATH,
  mkdir: [res, ["path name", path], ["mode", (event) => modeFlags(event.mode)]],
  chmod: [res, ["filename path name", path], ["mode", (event) => modeFlags(event.mode)]],
  chown: [res, ["path pathname filename", path], ["uid", userArgument]],
  truncate: ONE_PATH,
  chroot: ONE_PATH,
  setxattr: [res, ["path name", path], ["attribute", (event) => textOrNone(event.detail)]],
  swapon: ONE_PATH,
  mknod: [res, ["path", path], ["mode", (event) => modeFlags(event.mode)], ["dev", (event) => event.device]],
  mount: [
    res,
    ["dev", path],
    ["dir", newPath],
    ["type", (event) => textOrNone(event.detail)],
    ["flags", (event) => mountFlags(event.flags)],
  ],
  move_mount: [res, ["from_path", path], ["to_path", newPath]],
  fsopen: [res, ["type fsname", (event) => textOrNone(event.detail)]],
  umount: [res, ["name path", path], ["flags", (event) => String(event.flags)]],
  pivot_root: [res, ["new_root", path], ["put_old", newPath]],
  unshare: [res, ["flags", (event) => cloneFlags(event.flags)]],
  setns: [res, ["fd", fd], ["nstype", (event) => cloneFlags(event.flags === 0 ? event.argument : event.flags)]],
  ptrace: [res, ["request", (event) => ptraceRequest(event.argument)], ["pid", (event) => event.targetPid]],
  process_vm_writev: [res, ["pid", (event) => event.targetPid]],
  kill: [res, ["pid", (event) => event.targetPid], ["sig", (event) => signalName(event.argument)]],
  bpf: [
    ["fd", fd],
    ["cmd", (event) => bpfCommand(event.argument)],
  ],
  init_module: [res, ["name", (event) => textOrNone(event.detail)]],
  finit_module: [res, ["fd", fd], ["path", path], ["name", (event) => textOrNone(event.detail)]],
  delete_module: [res, ["name", (event) => textOrNone(event.detail)]],
  memfd_create: [
    ["fd", fd],
    ["name", (event) => textOrNone(event.path === "" ? event.detail : event.path)],
  ],
  setuid: [res, ["uid ruid euid", userArgument]],
  setgid: [res, ["gid rgid egid", userArgument]],
  capset: [res, ["cap_effective", (event) => capabilityNames(event.process?.effectiveCapabilities ?? 0)]],
  prctl: [res, ["option", number]],
  personality: [res, ["persona", number]],
  keyctl: [res, ["operation", number]],
  mprotect: [res, ["prot", (event) => protectionFlags(event.argument)]],
  connect: [res, ["tuple", tuple], ["fd", fd], ["addr", remote]],
  accept: [
    ["fd", fd],
    ["tuple", tuple],
  ],
  bind: [res, ["addr", (event) => `${event.localAddress}:${event.localPort}`], ["fd", fd]],
  listen: [res, ["fd", fd]],
  // Older rules count from the call's own first argument, newer ones from the descriptor that it gave.
  socket: [
    ["fd", (event) => [String(event.fd), familyName(event) ?? ""]],
    ["domain", familyName],
    ["type", number],
    ["proto", (event) => textOrNone(event.protocol)],
  ],
  write: [res, ["data", null], ["fd", fd], ["size", (event) => event.bytesSent]],
  sendto: [res, ["data", null], ["fd", fd], ["size", (event) => event.bytesSent], ["tuple", tuple], ["addr", remote]],
  dup: [res, ["oldfd fd", fd], ["newfd", (event) => event.targetFd]],
  procexit: [
    ["status", (event) => event.result],
    ["ret", (event) => event.result],
  ],
  userfaultfd: [res, ["flags", (event) => event.flags]],
  io_uring_setup: [res, ["flags", (event) => event.flags]],
};

/** Every name that `evt.arg` can be asked for, and the types whose events have it. */
export const ARGUMENT_TYPES: ReadonlyMap<string, readonly RuntimeEventType[]> = namesByType();

function namesByType(): ReadonlyMap<string, readonly RuntimeEventType[]> {
  const found = new Map<string, RuntimeEventType[]>();
  for (const [type, list] of Object.entries(ARGUMENTS)) {
    for (const [names, read] of list) {
      for (const name of read === null ? [] : names.split(" ")) {
        found.set(name, [...(found.get(name) ?? []), type as RuntimeEventType]);
      }
    }
  }
  return found;
}

/** Reads an argument by its name or its number. */
export function argumentGetter(argument: string): Getter {
  const byType = new Map<string, Read>();
  for (const [type, list] of Object.entries(ARGUMENTS)) {
    const entry = /^\d+$/.test(argument)
      ? list[Number(argument)]
      : list.find(([names]) => names.split(" ").includes(argument));
    if (entry?.[1] != null) byType.set(type, entry[1]);
  }
  if (argument === "res") return (event) => (byType.get(event.type) ?? res[1])(event);
  return (event) => byType.get(event.type)?.(event);
}

/** All arguments as `name=value`, joined by blanks. */
export function allArguments(event: RuntimeEvent): string {
  return (ARGUMENTS[event.type] ?? [res])
    .flatMap(([names, read]) => {
      const value = read?.(event);
      return value === undefined ? [] : [`${names.split(" ", 1)[0]}=${typeof value === "object" ? value[0] : value}`];
    })
    .join(" ");
}
