import type { RuntimeEventType } from "@bulwark/model";
import { parseNetwork } from "../compile/network.ts";
import type { Plan, Planner } from "../compile/plan.ts";
import { meaningOf } from "../event-types.ts";
import type { Check, Resolved } from "../language/condition.ts";
import type { Rule, RuleSet } from "../rule-set.ts";
import { distinctPatterns, pathBounds } from "./path-bounds.ts";
import type { BlockAction, Blockability, PathPattern } from "./policy.ts";
import { assumeOpen } from "./selections.ts";

/** Calls that a node can refuse by their name. */
const CALLS: ReadonlySet<RuntimeEventType> = new Set([
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
  "open_by_handle_at",
  "swapon",
  "reboot",
  "settimeofday",
  "add_key",
  "modify_ldt",
  "ioperm",
  "fsopen",
  "move_mount",
  "syscall",
]);
const FILES: readonly RuntimeEventType[] = ["open", "creat"];

/** What one event type takes, alternative by alternative. */
type Attempt = readonly (BlockAction | string)[];

/**
 * What a node has to refuse so that what a rule tells of cannot happen. Nothing is refused that the rule does not match:
 * a block that took more would break what the rule lets pass. Alternatives that cannot be refused stay alerts, and
 * `besides` says which.
 *
 * @returns the blocks, or why there are none in words for the person who wants to switch it on
 */
export function blockFor(set: RuleSet, rule: Rule): Blockability {
  if (rule.detector !== "") return { why: "it judges many events together, and a node decides on each one" };
  const plans = rule.plans.filter(({ inContainer }) => inContainer);
  if (plans.length === 0) return { why: "it is about the host, and only containers are blocked" };
  const attempts = plans.flatMap((plan) => blocksOf(plan, set.planner));
  const actions = attempts.filter((attempt) => typeof attempt !== "string");
  const besides = [...new Set(attempts.filter((attempt) => typeof attempt === "string"))];
  return actions.length === 0 ? { why: besides.join("; ") } : { blocks: mergedActions(actions), besides };
}

function blocksOf(plan: Plan, planner: Planner): Attempt {
  const { type, condition } = plan;
  if (FILES.includes(type)) return fileBlocks(plan, planner);
  if (type === "execve") return alternatives(condition).map(execBlock);
  if (type === "connect" || type === "sendto") return alternatives(condition).map(connectBlock);
  if (CALLS.has(type)) return [syscallBlock(type, condition)];
  return [`a node cannot refuse ${type}`];
}

/** What says that the call went well: what is refused never does. */
function isAboutSuccess(item: Resolved): boolean {
  if (item.kind !== "check" || item.left.kind !== "field") return false;
  const { left, operator, values } = item;
  const value = values[0]?.text ?? "";
  if (left.name === "evt.failed") return operator === "=" && value === "false";
  if (left.name === "evt.rawres") return operator.startsWith(">");
  return left.name === "evt.res" && operator === "=" && value === "SUCCESS";
}

/** Beyond it a rule is left as it is. */
const MAX_ALTERNATIVES = 64;

/** The alternatives of a condition; each is a row of checks that must all hold. */
function alternatives(condition: Resolved): readonly (readonly Resolved[])[] {
  if (condition.kind === "or") return condition.items.flatMap(alternatives);
  const items = (condition.kind === "and" ? condition.items : [condition]).filter((item) => !isAboutSuccess(item));
  const choice = items.find((item) => item.kind === "or");
  if (choice?.kind !== "or") return [items];
  const others = items.filter((item) => item !== choice);
  const rows = alternatives(choice).flatMap((row) => alternatives({ kind: "and", items: [...others, ...row] }));
  return rows.length > MAX_ALTERNATIVES ? [items] : rows;
}

const EMPTY_EXEC = { kind: "exec", names: [], paths: [], drifted: false, inMemory: false, socketStdio: false } as const;

function execBlock(items: readonly Resolved[]): BlockAction | string {
  const rest = items.filter((item) => !isStdioSocket(item, "proc.stdin") && !isStdioSocket(item, "proc.stdout"));
  if (rest.length === 0 && items.length === 2) return { ...EMPTY_EXEC, socketStdio: true };
  const [only] = items;
  if (items.length === 1 && only !== undefined) return execBlockOf(only);
  return "programs are blocked by one property each: name, path, drift, memory or a socket as input and output";
}

function execBlockOf(item: Resolved): BlockAction | string {
  if (item.kind !== "check" || item.left.kind !== "field" || item.right !== null) return unblockable(item);
  const { left, operator, values } = item;
  const texts = values.map(({ text }) => text);
  const isTrue = operator === "=" && texts[0]?.toLowerCase() === "true";
  if (left.name === "proc.is_exe_upper_layer" && isTrue) return { ...EMPTY_EXEC, drifted: true };
  if (left.name === "proc.is_exe_from_memfd" && isTrue) return { ...EMPTY_EXEC, inMemory: true };
  if (left.name === "proc.name" && (operator === "=" || operator === "in")) return { ...EMPTY_EXEC, names: texts };
  if (left.name === "proc.exepath") {
    const paths = pathBounds({ ...item, left: { ...left, name: "fd.name" } });
    if (paths !== undefined && isExact(item)) return { ...EMPTY_EXEC, paths };
  }
  return unblockable(item);
}

function isStdioSocket(item: Resolved, field: string): boolean {
  return (
    item.kind === "check" &&
    item.left.kind === "field" &&
    item.left.name === field &&
    item.operator === "=" &&
    item.values[0]?.text === "socket"
  );
}

/** Whether a pattern takes just what the check takes. */
function isExact({ operator, values }: Check): boolean {
  if (operator === "glob") return values.every(({ text }) => /^[^*?[\\]*\*?$/.test(text));
  // A prefix of /etc would also take /etcetera; the node's own prefixes end where these do.
  return operator !== "pmatch";
}

/** A node knows by itself whether a file is opened to be read or to be written, so that each is asked on its own. */
function fileBlocks(plan: Plan, planner: Planner): Attempt {
  const ways = plan.type === "open" ? [true, false] : [true];
  return ways.flatMap((writes) => {
    const left = planner.simplify(plan.condition, plan, (check) => assumeOpen(check, writes));
    if (left.kind === "constant" && !left.value) return [];
    return alternatives(left).map((items) => fileBlock(items, writes));
  });
}

function fileBlock(items: readonly Resolved[], writes: boolean): BlockAction | string {
  const rest = items.filter((item) => !isAboutOpening(item));
  const left = rest.length === 1 ? rest[0] : undefined;
  if (left === undefined) return "files are blocked by their path alone, and the rule asks for more";
  const patterns = exactPaths(left);
  if (typeof patterns === "string") return patterns;
  return { kind: "file", paths: patterns, reads: !writes, writes };
}

/** What every open of a file meets. */
function isAboutOpening(item: Resolved): boolean {
  if (item.kind !== "check" || item.left.kind !== "field") return false;
  const { name } = item.left;
  return (name === "fd.typechar" && item.values[0]?.text === "f") || (name === "fd.num" && item.operator === ">=");
}

function exactPaths(item: Resolved): readonly PathPattern[] | string {
  if (item.kind === "or") {
    const all: PathPattern[] = [];
    for (const part of item.items) {
      const patterns = exactPaths(part);
      if (typeof patterns === "string") return patterns;
      all.push(...patterns);
    }
    return distinctPatterns(all);
  }
  if (item.kind !== "check" || !isExact(item)) return unblockable(item);
  if (item.left.kind === "field" && ["fd.directory", "fd.filename"].includes(item.left.name)) return unblockable(item);
  return pathBounds(item) ?? unblockable(item);
}

const INTERNET = ["ipv4", "ipv6"];

function connectBlock(items: readonly Resolved[]): BlockAction | string {
  const networks: string[] = [];
  const ports: number[] = [];
  const except: string[] = [];
  for (const item of items) {
    const check = item.kind === "not" ? item.item : item;
    if (check.kind !== "check" || check.left.kind !== "field" || check.right !== null) return unblockable(item);
    const negated = (item.kind === "not") !== (check.operator === "!=");
    const texts = check.values.map(({ text }) => text);
    const { name } = check.left;
    if (!["=", "!=", "in"].includes(check.operator)) return unblockable(item);
    const isAddress = ["fd.sip", "fd.rip", "fd.snet", "fd.rnet"].includes(name);
    // A node only looks at connections over TCP and UDP.
    const isGiven =
      (name === "fd.l4proto" && texts[0] === "tcp") ||
      (name === "fd.type" && INTERNET.every((kind) => texts.includes(kind)));
    if (isAddress && texts.every((text) => parseNetwork(text) !== undefined))
      (negated ? except : networks).push(...texts);
    else if ((name === "fd.rport" || name === "fd.sport") && !negated) ports.push(...texts.map(Number));
    else if (!isGiven || negated) return unblockable(item);
  }
  if (networks.length + ports.length + except.length === 0) return "it would block every connection";
  return { kind: "connect", networks, ports, except };
}

function syscallBlock(type: RuntimeEventType, condition: Resolved): BlockAction | string {
  if (type !== "syscall") {
    const always = condition.kind === "constant" && condition.value;
    return always
      ? { kind: "syscall", calls: [type] }
      : "calls are blocked by their name alone, and the rule asks for more";
  }
  if (condition.kind !== "check" || condition.left.kind !== "field" || condition.left.name !== "evt.type") {
    return unblockable(condition);
  }
  const calls = condition.values.flatMap(({ text }) => {
    const meaning = meaningOf(text);
    return meaning !== undefined && "call" in meaning && meaning.call !== "" ? [meaning.call] : [];
  });
  // What is handed in through a ring is no call; making the ring is.
  const refusable = calls.filter((call) => !call.includes(":"));
  return refusable.length === 0
    ? "a node cannot refuse single work of io_uring"
    : { kind: "syscall", calls: refusable };
}

function unblockable(item: Resolved): string {
  if (item.kind === "check" && item.left.kind === "field") return `a node cannot decide on ${item.left.name} by itself`;
  return item.kind === "not"
    ? "a node cannot decide on what the rule leaves out"
    : "a node cannot decide on all that the rule asks";
}

/** One block where several can be said as one: any part of an exec block is enough, and so is any path of a file block. */
function mergedActions(actions: readonly BlockAction[]): readonly BlockAction[] {
  const calls = actions.flatMap((action) => (action.kind === "syscall" ? action.calls : []));
  const connects = actions.filter((action) => action.kind === "connect");
  const distinct = [...new Map(connects.map((action) => [JSON.stringify(action), action])).values()];
  return [
    ...mergedExec(actions),
    ...mergedFiles(actions),
    ...distinct,
    ...(calls.length === 0 ? [] : [{ kind: "syscall", calls: [...new Set(calls)] } as const]),
  ];
}

function mergedExec(actions: readonly BlockAction[]): readonly BlockAction[] {
  const execs = actions.filter((action) => action.kind === "exec");
  if (execs.length === 0) return [];
  const any = (part: "drifted" | "inMemory" | "socketStdio") => execs.some((action) => action[part]);
  return [
    {
      kind: "exec",
      names: [...new Set(execs.flatMap(({ names }) => names))],
      paths: distinctPatterns(execs.flatMap(({ paths }) => paths)),
      drifted: any("drifted"),
      inMemory: any("inMemory"),
      socketStdio: any("socketStdio"),
    },
  ];
}

/** Paths that are neither to be read nor written, those only to be read, those only to be written. */
function mergedFiles(actions: readonly BlockAction[]): readonly BlockAction[] {
  const files = actions.filter((action) => action.kind === "file");
  const byPath = new Map<string, { readonly pattern: PathPattern; reads: boolean; writes: boolean }>();
  for (const { paths, reads, writes } of files) {
    for (const pattern of paths) {
      const key = `${pattern.kind} ${pattern.value}`;
      const entry = byPath.get(key) ?? { pattern, reads: false, writes: false };
      byPath.set(key, { pattern, reads: entry.reads || reads, writes: entry.writes || writes });
    }
  }
  const groups = Map.groupBy(byPath.values(), ({ reads, writes }) => `${reads} ${writes}`);
  return [...groups.values()].map((entries) => ({
    kind: "file",
    paths: entries.map(({ pattern }) => pattern),
    reads: entries.some(({ reads }) => reads),
    writes: entries.some(({ writes }) => writes),
  }));
}
