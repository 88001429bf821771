import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import type { NamedEvent } from "../address-book.ts";
import { type Field, field, type Getter, textOrNone } from "./field.ts";

/** Events about an opened file. Calls that take a path only fill `fs.path.*`, as in Falco. */
export const FILE_TYPES: readonly RuntimeEventType[] = ["open", "creat", "open_by_handle_at", "write"];
export const SOCKET_TYPES: readonly RuntimeEventType[] = [
  "connect",
  "accept",
  "listen",
  "bind",
  "socket",
  "sendto",
  "dns",
  "flow",
];
const ALL: readonly RuntimeEventType[] = [...FILE_TYPES, ...SOCKET_TYPES, "dup", "memfd_create"];
const ADDRESSED: readonly RuntimeEventType[] = [...SOCKET_TYPES, "dup"];
/** The process is the one that was, or waits to be, connected to. */
const SERVING: ReadonlySet<string> = new Set(["accept", "listen", "bind"]);
const UNIX = 1;
const O_DIRECTORY = 0o200000;

const isFile: ReadonlySet<string> = new Set(FILE_TYPES);

function typeOf(event: RuntimeEvent): string | undefined {
  if (isFile.has(event.type)) return (event.flags & O_DIRECTORY) !== 0 ? "directory" : "file";
  if (event.type === "memfd_create") return "memfd";
  if (event.type === "dup" && event.fdKind !== "socket") {
    return { file: "file", terminal: "file", null: "file", pipe: "pipe" }[event.fdKind as string];
  }
  if (event.family === 4) return "ipv4";
  if (event.family === 6) return "ipv6";
  return event.family === UNIX ? "unix" : undefined;
}

const CHARACTERS: Readonly<Record<string, string>> = {
  file: "f",
  directory: "d",
  ipv4: "4",
  ipv6: "6",
  unix: "u",
  pipe: "p",
  memfd: "m",
};

/** The path of a file; of a connection its two ends, the client's first. */
function nameOf(event: RuntimeEvent): string | undefined {
  if (isFile.has(event.type)) return textOrNone(event.path);
  if (event.type === "memfd_create") return textOrNone(event.path === "" ? event.detail : event.path);
  if (event.family !== 4 && event.family !== 6) return textOrNone(event.remoteAddress || event.path);
  const local = `${event.localAddress}:${event.localPort}`;
  if (event.type === "listen" || event.type === "bind") return local;
  const remote = `${event.remoteAddress}:${event.remotePort}`;
  return SERVING.has(event.type) ? `${remote}->${local}` : `${local}->${remote}`;
}

const localAddress: Getter = ({ localAddress: address }) => textOrNone(address);
const remoteAddress: Getter = (event) => (event.family === UNIX ? undefined : textOrNone(event.remoteAddress));
const localPort: Getter = (event) => (event.localAddress === "" && event.localPort === 0 ? undefined : event.localPort);
const remotePort: Getter = (event) =>
  event.remoteAddress === "" && event.remotePort === 0 ? undefined : event.remotePort;
const server = (serving: Getter, otherwise: Getter): Getter => {
  return (event) => (SERVING.has(event.type) ? serving(event) : otherwise(event));
};
const either = (first: Getter, second: Getter): Getter => {
  return (event) => {
    const values = [first(event), second(event)].filter((value) => value !== undefined);
    return values.length === 0 ? undefined : values.map(String);
  };
};

/** The detector knows it from answers of DNS; an event by itself does not. */
const remoteName: Getter = (event: NamedEvent) => event.remoteName;
const nothing: Getter = () => undefined;

function directoryOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return undefined;
  return slash === 0 ? "/" : path.slice(0, slash);
}

const inFiles = { types: FILE_TYPES } as const;
const addressed = { types: ADDRESSED, cost: 2 } as const;
const compared = { types: ADDRESSED, cost: 5 } as const;
const everywhere = { types: ALL } as const;

/** Falco's `fd.*`. */
export const DESCRIPTOR_FIELDS: readonly Field[] = [
  field(
    "fd.num",
    "number",
    "number of the descriptor, -1 when the call failed; of a dup the number that it was put on",
    (event) => (event.type === "dup" ? event.targetFd : event.result < 0 && isFile.has(event.type) ? -1 : event.fd),
    everywhere,
  ),
  field("fd.type", "text", "file, directory, ipv4, ipv6, unix, pipe or memfd", typeOf, everywhere),
  field(
    "fd.typechar",
    "text",
    "the type as one character: f d 4 6 u p m",
    (event) => CHARACTERS[typeOf(event) ?? ""],
    everywhere,
  ),
  field(
    "fd.types",
    "list",
    "the type as a list",
    (event) => {
      const type = typeOf(event);
      return type === undefined ? undefined : [type];
    },
    everywhere,
  ),
  field("fd.name", "text", "path of a file, or both ends of a connection", nameOf, {
    types: ALL,
    cost: 2,
    getterFor: (type) => (isFile.has(type) ? (event) => textOrNone(event.path) : nameOf),
  }),
  field("fd.nameraw", "text", "path of a file, as the kernel opened it", (event) => textOrNone(event.path), inFiles),
  field("fd.directory", "text", "directory of a file", (event) => directoryOf(event.path), { ...inFiles, cost: 2 }),
  field(
    "fd.filename",
    "text",
    "name of a file without its directory",
    (event) => textOrNone(event.path.slice(event.path.lastIndexOf("/") + 1)),
    { ...inFiles, cost: 2 },
  ),
  field("fd.ino", "number", "inode of a file", (event) => event.inode, inFiles),
  field("fd.dev", "number", "device that holds a file, or that is the file", (event) => event.device, inFiles),
  field("fd.dev.major", "number", "its major number", (event) => Math.floor(event.device / 2 ** 20), inFiles),
  field("fd.dev.minor", "number", "its minor number", (event) => event.device % 2 ** 20, inFiles),
  field(
    "fd.uid",
    "text",
    "number of the descriptor and of the thread",
    (event) => `${event.fd}${event.threadId}`,
    everywhere,
  ),
  field(
    "fd.containername",
    "text",
    "container and name",
    (event) => `${event.container?.id ?? ""}:${nameOf(event) ?? ""}`,
    { ...everywhere, cost: 3 },
  ),
  field(
    "fd.containerdirectory",
    "text",
    "container and directory",
    (event) => `${event.container?.id ?? ""}:${directoryOf(event.path) ?? ""}`,
    { ...inFiles, cost: 3 },
  ),
  field("fd.ip", "addresses", "either address of a connection", either(localAddress, remoteAddress), compared),
  field("fd.lip", "addresses", "local address", localAddress, addressed),
  field("fd.rip", "addresses", "remote address", remoteAddress, addressed),
  field("fd.cip", "addresses", "the client's address", server(remoteAddress, localAddress), addressed),
  field("fd.sip", "addresses", "the server's address", server(localAddress, remoteAddress), addressed),
  field(
    "fd.net",
    "addresses",
    "either address, to compare with networks",
    either(localAddress, remoteAddress),
    compared,
  ),
  field("fd.lnet", "addresses", "local address, to compare with networks", localAddress, addressed),
  field("fd.rnet", "addresses", "remote address, to compare with networks", remoteAddress, addressed),
  field(
    "fd.cnet",
    "addresses",
    "the client's address, to compare with networks",
    server(remoteAddress, localAddress),
    addressed,
  ),
  field(
    "fd.snet",
    "addresses",
    "the server's address, to compare with networks",
    server(localAddress, remoteAddress),
    addressed,
  ),
  field(
    "fd.rip.name",
    "text",
    "name under which the container had asked for the remote address",
    remoteName,
    addressed,
  ),
  field(
    "fd.cip.name",
    "text",
    "the same of the client's address, where the client is remote",
    server(remoteName, nothing),
    addressed,
  ),
  field(
    "fd.sip.name",
    "text",
    "the same of the server's address, where the server is remote",
    server(nothing, remoteName),
    addressed,
  ),
  field("fd.port", "ports", "either port of a connection", either(localPort, remotePort), compared),
  field("fd.lport", "number", "local port", localPort, addressed),
  field("fd.rport", "number", "remote port", remotePort, addressed),
  field("fd.cport", "number", "the client's port", server(remotePort, localPort), addressed),
  field("fd.sport", "number", "the server's port", server(localPort, remotePort), addressed),
  field("fd.l4proto", "text", "tcp, udp, icmp, raw or unix", (event) => textOrNone(event.protocol), addressed),
  field(
    "fd.sockfamily",
    "text",
    "ip or unix",
    ({ family }) => (family === 4 || family === 6 ? "ip" : family === UNIX ? "unix" : undefined),
    addressed,
  ),
  field("fd.is_server", "boolean", "the process is the server's end", (event) => SERVING.has(event.type), addressed),
  field(
    "fd.connected",
    "boolean",
    "the socket is connected; a datagram's is not",
    (event) => event.type !== "sendto" && event.type !== "dns",
    addressed,
  ),
  field(
    "fd.name_changed",
    "boolean",
    "the peer is a new one: always, for only such datagrams are told",
    () => true,
    addressed,
  ),
  field(
    "fd.is_upper_layer",
    "boolean",
    "the file lies in the container's writable layer",
    (event) => event.upperLayer,
    { ...inFiles, ours: true },
  ),
];

const ONE_PATH: readonly RuntimeEventType[] = [
  "open",
  "creat",
  "open_by_handle_at",
  "write",
  "unlink",
  "rmdir",
  "mkdir",
  "chmod",
  "chown",
  "truncate",
  "mknod",
  "chroot",
  "umount",
  "setxattr",
  "swapon",
];
const TWO_PATHS: readonly RuntimeEventType[] = ["rename", "link", "symlink", "mount", "move_mount", "pivot_root"];

const onePath: Getter = (event) => textOrNone(event.path);
const source: Getter = (event) => textOrNone(event.path);
const target: Getter = (event) => textOrNone(event.newPath);

/** Falco's `fs.path.*`. The kernel's own path is the only one that is told, so that the raw forms are the same. */
export const PATH_FIELDS: readonly Field[] = [
  field("fs.path.name", "text", "path that the call works on", onePath, { types: ONE_PATH }),
  field("fs.path.nameraw", "text", "the same", onePath, { types: ONE_PATH }),
  field("fs.path.source", "text", "first path of a call that takes two; of a symlink what it points to", source, {
    types: TWO_PATHS,
  }),
  field("fs.path.sourceraw", "text", "the same", source, { types: TWO_PATHS }),
  field("fs.path.target", "text", "second path of a call that takes two: what comes into being", target, {
    types: TWO_PATHS,
  }),
  field("fs.path.targetraw", "text", "the same", target, { types: TWO_PATHS }),
];
