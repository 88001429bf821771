import type { RuntimeProcess } from "@bulwark/model";
import { type Field, field, fieldWith, type Getter, INDEX, remembered, textOrNone } from "./field.ts";
import { capabilityNames } from "./flags.ts";

/** A lineage is cut here; a node's table of processes ends by itself long before. */
const MAX_ANCESTORS = 64;
/** Of a command line, for comparisons: what follows is not looked at. */
const MAX_COMMAND_LENGTH = 64 * 1024;

type OfProcess<Result> = (process: RuntimeProcess) => Result | undefined;

const argumentsOf = remembered((process: RuntimeProcess) =>
  process.arguments.slice(1).join(" ").slice(0, MAX_COMMAND_LENGTH),
);
const commandLine = remembered((process: RuntimeProcess) => {
  const words = argumentsOf(process);
  return words === "" ? process.name : `${process.name} ${words}`;
});
const parentCommandLine = remembered((process: RuntimeProcess) => {
  const words = process.arguments.slice(1).join(" ").slice(0, MAX_COMMAND_LENGTH);
  return words === "" ? process.name : `${process.name} ${words}`;
});
const ancestorsOf = remembered((process: RuntimeProcess): readonly RuntimeProcess[] => {
  const found: RuntimeProcess[] = [];
  for (let at = process.parent; at !== null && found.length < MAX_ANCESTORS; at = at.parent) found.push(at);
  return found;
});

/** The parents of a process, nearest first, without itself. */
export function ancestors(process: RuntimeProcess): readonly RuntimeProcess[] {
  return ancestorsOf(process);
}

/** `proc.cmdline`: name and arguments, not argv[0], for that is whatever the caller liked. */
export function commandLineOf(process: RuntimeProcess): string {
  return commandLine(process);
}

function of<Result extends string | number | boolean>(read: OfProcess<Result>): Getter {
  return ({ process }) => (process === null ? undefined : read(process));
}

function ofParent<Result extends string | number>(read: OfProcess<Result>): Getter {
  return ({ process }) => (process === null || process.parent === null ? undefined : read(process.parent));
}

/** With an index one ancestor, 0 being the process itself; without one all ancestors. */
function ofAncestors(read: OfProcess<string>): (argument: string | null) => Getter {
  const all = remembered((process: RuntimeProcess): readonly string[] =>
    ancestors(process).flatMap((ancestor) => read(ancestor) ?? []),
  );
  return (argument) => {
    if (argument === null) return ({ process }) => (process === null ? undefined : all(process));
    const index = Number(argument);
    if (index === 0) return of(read);
    if (index === 1) return ofParent(read);
    return ({ process }) => {
      const ancestor = process === null ? undefined : ancestors(process)[index - 1];
      return ancestor === undefined ? undefined : read(ancestor);
    };
  };
}

/** The leader itself when it still lives, else the eldest ancestor of the same session or group. */
function leader(idOf: (process: RuntimeProcess) => number): (process: RuntimeProcess) => RuntimeProcess | undefined {
  return (process) => {
    const same = [process, ...ancestors(process)].filter((candidate) => idOf(candidate) === idOf(process));
    return same.find((candidate) => candidate.pid === idOf(process)) ?? same.at(-1);
  };
}

const sessionLeader = leader((process) => process.sessionId);
const groupLeader = leader((process) => process.groupLeaderPid);

const argvZero: OfProcess<string> = (process) => process.arguments[0] ?? process.exe;
const exePath: OfProcess<string> = (process) => textOrNone(process.exe);
const name: OfProcess<string> = (process) => textOrNone(process.name);

function leaderFields(prefix: string, what: string, find: (process: RuntimeProcess) => RuntimeProcess | undefined) {
  const get = (read: OfProcess<string>) =>
    of((process) => {
      const found = find(process);
      return found === undefined ? undefined : read(found);
    });
  return [
    field(`${prefix}.exe`, "text", `argv[0] of the ${what}`, get(argvZero), { cost: 6 }),
    field(`${prefix}.exepath`, "text", `path of the executable of the ${what}`, get(exePath), { cost: 6 }),
    field(prefix === "proc.sid" ? "proc.sname" : `${prefix}.name`, "text", `name of the ${what}`, get(name), {
      cost: 6,
    }),
  ];
}

const anyAncestor = { argument: "optional", ...INDEX, cost: 8 } as const;

/** Falco's `proc.*` and `thread.*`, as far as the sensor's events fill them, and ours. */
export const PROCESS_FIELDS: readonly Field[] = [
  field("proc.name", "text", "name of the process (comm, at most 15 bytes)", of(name)),
  field("proc.pname", "text", "name of the parent", ofParent(name)),
  fieldWith(
    "proc.aname",
    "ancestors",
    "name of an ancestor: proc.aname[2] is the parent's parent; without an index any of them",
    ofAncestors(name),
    anyAncestor,
  ),
  field("proc.exe", "text", "argv[0], which the caller may choose", of(argvZero)),
  field("proc.pexe", "text", "argv[0] of the parent", ofParent(argvZero)),
  fieldWith("proc.aexe", "ancestors", "argv[0] of an ancestor", ofAncestors(argvZero), anyAncestor),
  field("proc.exepath", "text", "path of the executed file as the kernel opened it", of(exePath)),
  field("proc.pexepath", "text", "path of the parent's executable", ofParent(exePath)),
  fieldWith("proc.aexepath", "ancestors", "path of an ancestor's executable", ofAncestors(exePath), anyAncestor),
  field("proc.args", "text", "arguments without argv[0], joined by blanks", of(argumentsOf), { cost: 2 }),
  field("proc.cmdline", "text", "proc.name and proc.args", of(commandLine), { cost: 2 }),
  field("proc.pcmdline", "text", "proc.cmdline of the parent", ofParent(parentCommandLine), { cost: 2 }),
  fieldWith(
    "proc.acmdline",
    "ancestors",
    "proc.cmdline of an ancestor",
    ofAncestors((process) => {
      const words = process.arguments.slice(1).join(" ");
      return words === "" ? process.name : `${process.name} ${words}`;
    }),
    { ...anyAncestor, cost: 12 },
  ),
  field(
    "proc.exeline",
    "text",
    "argv[0] and the arguments",
    of((process) => process.arguments.join(" ")),
    { cost: 3 },
  ),
  field(
    "proc.cmdnargs",
    "number",
    "number of arguments",
    of((process) => Math.max(0, process.arguments.length - 1)),
  ),
  field(
    "proc.cmdlenargs",
    "number",
    "characters of the arguments, with those that were too many to be kept",
    of((process) => process.arguments.slice(1).reduce((sum, word) => sum + word.length, 0) + process.argumentsCut),
    { cost: 2 },
  ),
  field(
    "proc.cwd",
    "text",
    "working directory",
    of((process) => textOrNone(process.cwd)),
  ),
  field(
    "proc.tty",
    "number",
    "device number of the controlling terminal, 0 without one",
    of((process) => process.tty),
  ),
  field(
    "proc.pid",
    "number",
    "process id on the node",
    of((process) => process.pid),
  ),
  field(
    "proc.ppid",
    "number",
    "process id of the parent",
    ofParent((process) => process.pid),
  ),
  fieldWith(
    "proc.apid",
    "ancestors",
    "process id of an ancestor",
    ofAncestors((process) => String(process.pid)),
    anyAncestor,
  ),
  field(
    "proc.vpid",
    "number",
    "process id as the process itself sees it",
    of((process) => process.namespacePid),
  ),
  field(
    "proc.pvpid",
    "number",
    "the parent's id in its own namespace",
    ofParent((process) => process.namespacePid),
  ),
  field(
    "proc.sid",
    "number",
    "id of the session",
    of((process) => process.sessionId),
  ),
  ...leaderFields("proc.sid", "session's leader", sessionLeader),
  field(
    "proc.vpgid",
    "number",
    "process group as the process itself sees it",
    of((process) => groupLeader(process)?.namespacePid ?? process.groupLeaderPid),
    { cost: 6 },
  ),
  ...leaderFields("proc.vpgid", "process group's leader", groupLeader),
  field(
    "proc.pgid",
    "number",
    "process group on the node",
    of((process) => process.groupLeaderPid),
  ),
  ...leaderFields("proc.pgid", "process group's leader", groupLeader),
  field(
    "proc.is_sid_leader",
    "boolean",
    "leads its session",
    of((process) => process.pid === process.sessionId),
  ),
  field(
    "proc.is_vpgid_leader",
    "boolean",
    "leads its process group",
    of((process) => process.pid === process.groupLeaderPid),
  ),
  field(
    "proc.is_pgid_leader",
    "boolean",
    "leads its process group",
    of((process) => process.pid === process.groupLeaderPid),
  ),
  field(
    "proc.is_exe_writable",
    "boolean",
    "the process's user may write to its executable",
    of((process) => process.exeWritable),
  ),
  field(
    "proc.is_exe_upper_layer",
    "boolean",
    "the executable lies in the container's writable layer, so that no image brought it",
    of((process) => process.exeDrifted),
  ),
  field("proc.is_exe_lower_layer", "boolean", "the executable came with the image", ({ process, container }) =>
    process === null || container === null ? undefined : !process.exeDrifted && !process.exeInMemory,
  ),
  field(
    "proc.is_exe_from_memfd",
    "boolean",
    "the executable only exists in memory",
    of((process) => process.exeInMemory),
  ),
  field(
    "proc.exe_ino",
    "number",
    "inode of the executable",
    of((process) => process.exeInode),
  ),
  field("thread.tid", "number", "thread id", ({ threadId }) => threadId),
  field(
    "thread.vtid",
    "number",
    "thread id; on the node, for its own view is not captured",
    ({ threadId }) => threadId,
  ),
  field("thread.ismain", "boolean", "the thread is the process's first", ({ process, threadId }) =>
    process === null ? undefined : process.pid === threadId,
  ),
  field(
    "thread.cap_effective",
    "text",
    "effective capabilities, joined by blanks",
    of((process) => capabilityNames(process.effectiveCapabilities)),
    { cost: 10 },
  ),
];

const ours = { ours: true } as const;

/** What Falco's fields cannot say of a process. */
export const OUR_PROCESS_FIELDS: readonly Field[] = [
  field(
    "proc.is_exe_deleted",
    "boolean",
    "the executable was removed before or while it ran",
    of((process) => process.exeDeleted),
    ours,
  ),
  field(
    "proc.interpreter",
    "text",
    "of a script: what runs it",
    of((process) => textOrNone(process.interpreter)),
    ours,
  ),
  field(
    "proc.exe_sha256",
    "text",
    "SHA-256 of the executable, hexadecimal",
    of((process) => textOrNone(process.exeDigest)),
    ours,
  ),
  field(
    "proc.euid",
    "number",
    "effective user id",
    of((process) => process.effectiveUid),
    ours,
  ),
  field(
    "proc.stdin",
    "text",
    "what standard input is: file, terminal, pipe, socket, null, closed",
    of((process) => process.stdin),
    ours,
  ),
  field(
    "proc.stdout",
    "text",
    "what standard output is",
    of((process) => process.stdout),
    ours,
  ),
  field(
    "proc.stderr",
    "text",
    "what standard error is",
    of((process) => process.stderr),
    ours,
  ),
  field(
    "proc.pstdin",
    "text",
    "what the parent's standard input is",
    ofParent((process) => process.stdin),
    ours,
  ),
  field(
    "proc.pstdout",
    "text",
    "what the parent's standard output is",
    ofParent((process) => process.stdout),
    ours,
  ),
  field(
    "proc.puid",
    "number",
    "user id of the parent",
    ofParent((process) => process.uid),
    ours,
  ),
];

/** Falco's `user.*` and `group.*`. */
export const USER_FIELDS: readonly Field[] = [
  field(
    "user.uid",
    "number",
    "user id",
    of((process) => process.uid),
  ),
  field(
    "user.name",
    "text",
    "user name in the container, or on the host",
    of((process) => textOrNone(process.userName)),
  ),
  field(
    "user.loginuid",
    "number",
    "user id that logged in, -1 when nobody did",
    of((process) => (process.loginUid === 0xffffffff ? -1 : process.loginUid)),
  ),
  field(
    "group.gid",
    "number",
    "group id",
    of((process) => process.gid),
  ),
];
