import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import { ARGUMENT_TYPES, allArguments, argumentGetter } from "./arguments.ts";
import { FILE_TYPES, SOCKET_TYPES } from "./descriptor.ts";
import { type Field, field, fieldWith, textOrNone } from "./field.ts";
import { capabilityNames, resultName } from "./flags.ts";

const OPENS: readonly RuntimeEventType[] = ["open", "creat", "open_by_handle_at"];
const O_ACCESS = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_TMPFILE = 0o20000000;
const EXECUTABLE = 0o111;
const US_PER_S = 1_000_000;

/** `creat` opens for writing whatever its flags say; truncating is writing too. */
function opensForWriting(event: RuntimeEvent): boolean {
  return event.type === "creat" || (event.flags & O_ACCESS) !== 0 || (event.flags & O_TRUNC) !== 0;
}

function opensForReading(event: RuntimeEvent): boolean {
  return event.type === "creat" ? (event.flags & O_ACCESS) === 2 : (event.flags & O_ACCESS) !== 1;
}

function creates(event: RuntimeEvent): boolean {
  return event.type === "creat" || (event.flags & O_CREAT) !== 0 || (event.flags & O_TMPFILE) === O_TMPFILE;
}

function iso(timeUs: number): string {
  const seconds = Math.floor(timeUs / US_PER_S);
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 19);
}

function fraction(timeUs: number): string {
  return `${String(((timeUs % US_PER_S) + US_PER_S) % US_PER_S).padStart(6, "0")}000`;
}

const CATEGORIES: Readonly<Record<string, readonly RuntimeEventType[]>> = {
  file: [...FILE_TYPES, "rename", "unlink", "link", "symlink", "mkdir", "rmdir", "chmod", "chown", "truncate", "mknod"],
  net: SOCKET_TYPES,
  process: ["execve", "clone", "procexit", "setns", "unshare", "ptrace", "kill"],
  user: ["setuid", "setgid"],
  memory: ["mprotect", "memfd_create", "userfaultfd"],
};
const CATEGORY_OF = new Map(
  Object.entries(CATEGORIES).flatMap(([name, types]) => types.map((type) => [type, name] as const)),
);

/** The type as Falco names it: a call that has no type of its own goes by its name. */
function typeName(event: RuntimeEvent): string {
  return event.type === "syscall" && event.detail !== "" ? event.detail : event.type;
}

const opens = { types: OPENS } as const;

/** Falco's `evt.*`. `evt.type` and `evt.dir` are compared by the compiler, which knows the names of calls. */
export const EVENT_FIELDS: readonly Field[] = [
  field(
    "evt.type",
    "text",
    "name of the event; a rule may name any call that comes as it (openat, execveat, dup3)",
    typeName,
  ),
  field("syscall.type", "text", "the same, unset for events that are no system call", (event) =>
    ["container", "flow", "dns", "blocked", "tamper", "procexit"].includes(event.type) ? undefined : typeName(event),
  ),
  field("evt.dir", "text", "every comparison holds: an event here is call and completion in one", () => "<"),
  field("evt.num", "number", "a number that grows, at least 1", (event) => Math.max(1, event.timeUs)),
  field(
    "evt.time",
    "text",
    "time of day with nanoseconds (UTC)",
    ({ timeUs }) => `${iso(timeUs).slice(11)}.${fraction(timeUs)}`,
    { cost: 5 },
  ),
  field("evt.time.s", "text", "time of day (UTC)", ({ timeUs }) => iso(timeUs).slice(11), { cost: 5 }),
  field(
    "evt.time.iso8601",
    "text",
    "date and time (ISO 8601, UTC)",
    ({ timeUs }) => `${iso(timeUs)}.${fraction(timeUs)}+0000`,
    { cost: 5 },
  ),
  field(
    "evt.datetime",
    "text",
    "date and time with nanoseconds (UTC)",
    ({ timeUs }) => `${iso(timeUs).replace("T", " ")}.${fraction(timeUs)}`,
    { cost: 5 },
  ),
  field("evt.datetime.s", "text", "date and time (UTC)", ({ timeUs }) => iso(timeUs).replace("T", " "), { cost: 5 }),
  field("evt.rawtime", "number", "nanoseconds since 1970, exact to the microsecond", ({ timeUs }) => timeUs * 1000),
  field("evt.rawtime.s", "number", "seconds since 1970", ({ timeUs }) => Math.floor(timeUs / US_PER_S)),
  field("evt.rawtime.ns", "number", "nanoseconds of the second", ({ timeUs }) => (timeUs % US_PER_S) * 1000),
  field("evt.source", "text", "always syscall", () => "syscall"),
  field("evt.is_async", "boolean", "always false", () => false),
  field(
    "evt.category",
    "text",
    "file, net, process, user, memory or other",
    (event) => CATEGORY_OF.get(event.type) ?? "other",
  ),
  field("evt.args", "text", "all arguments, name=value", allArguments, { cost: 10 }),
  field("evt.info", "text", "all arguments, name=value", allArguments, { cost: 10 }),
  fieldWith(
    "evt.arg",
    "text",
    "an argument, by name (evt.arg.flags) or number (evt.arg[0])",
    (argument) => argumentGetter(argument ?? ""),
    {
      argument: "required",
      argumentForm: "an argument's name or number",
      cost: 6,
    },
  ),
  fieldWith("evt.rawarg", "text", "an argument; the same as evt.arg", (argument) => argumentGetter(argument ?? ""), {
    argument: "required",
    argumentForm: "an argument's name",
    cost: 6,
  }),
  field("evt.res", "text", "SUCCESS, or the error's name", (event) => resultName(event.result), { cost: 2 }),
  field("evt.rawres", "number", "what the call returned, negative for an error", (event) => event.result),
  field("evt.failed", "boolean", "the call failed", (event) => event.result < 0),
  field("evt.count", "number", "how many identical events this one stands for", (event) => event.count),
  field("evt.count.error", "number", "1 for calls that failed", (event) => (event.result < 0 ? 1 : 0)),
  field("evt.is_io", "boolean", "bytes are written", (event) => event.type === "write" || event.type === "sendto"),
  field(
    "evt.is_io_write",
    "boolean",
    "bytes are written",
    (event) => event.type === "write" || event.type === "sendto",
  ),
  field("evt.is_io_read", "boolean", "always false: reading is not captured", () => false),
  field("evt.is_open_read", "boolean", "a file is opened for reading", opensForReading, opens),
  field("evt.is_open_write", "boolean", "a file is opened for writing, or truncated", opensForWriting, opens),
  field("evt.is_open_create", "boolean", "a file may be created", creates, opens),
  field(
    "evt.is_open_exec",
    "boolean",
    "a file is created that may be executed",
    (event) => creates(event) && (event.mode & EXECUTABLE) !== 0,
    opens,
  ),
  field("evt.abspath", "text", "path of the call", (event) => textOrNone(event.path)),
  field("evt.abspath.src", "text", "first path of a call that takes two", (event) => textOrNone(event.path)),
  field("evt.abspath.dst", "text", "second path of a call that takes two", (event) => textOrNone(event.newPath)),
];

const ours = { ours: true } as const;
const withAddresses = { ours: true, types: SOCKET_TYPES } as const;
const dns = { ours: true, types: ["dns"] } as const;

/** What Falco's fields cannot say of an event. */
export const OUR_EVENT_FIELDS: readonly Field[] = [
  field("evt.target.pid", "number", "process that is traced, signalled or entered", (event) => event.targetPid, ours),
  field("evt.old_uid", "number", "user id before", (event) => event.oldUid, {
    ...ours,
    types: ["execve", "setuid", "capset"],
  }),
  field(
    "evt.new_caps",
    "text",
    "effective capabilities that the process has now and had not before, joined by blanks",
    ({ process, oldCapabilities }) => {
      if (process === null) return undefined;
      const before = new Set(capabilityNames(oldCapabilities).split(" "));
      return capabilityNames(process.effectiveCapabilities)
        .split(" ")
        .filter((name) => !before.has(name))
        .join(" ");
    },
    { ...ours, types: ["execve", "setuid", "capset"], cost: 20 },
  ),
  field(
    "evt.detail",
    "text",
    "what the sensor adds: type of a mount, state of a container, name of a module",
    (event) => textOrNone(event.detail),
    ours,
  ),
  field("evt.block_id", "text", "block of the policy that refused it", (event) => textOrNone(event.blockId), {
    ...ours,
    types: ["blocked"],
  }),
  field("evt.bytes_sent", "number", "bytes sent over the connection", (event) => event.bytesSent, withAddresses),
  field(
    "evt.bytes_received",
    "number",
    "bytes received over the connection",
    (event) => event.bytesReceived,
    withAddresses,
  ),
  field("dns.name", "text", "name that was asked for", (event) => textOrNone(event.dnsName), dns),
  field("dns.type", "text", "type of the question: A, AAAA, TXT", (event) => textOrNone(event.dnsType), dns),
  field("dns.answers", "list", "addresses and names that were answered", (event) => event.dnsAnswers, dns),
];

/** The event types that fill an argument; undefined when no event has one of that name. */
export function argumentTypes(argument: string): readonly RuntimeEventType[] | null | undefined {
  return argument === "res" || /^\d+$/.test(argument) ? null : ARGUMENT_TYPES.get(argument);
}
