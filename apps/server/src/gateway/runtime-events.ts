import {
  RUNTIME_EVENT_TYPES,
  type RuntimeContainer,
  type RuntimeEvent,
  type RuntimeProcess,
  type StdioKind,
} from "@bulwark/model";
import type { Container, Event, EventBatch, Process } from "./gen/wire-types.ts";
import { EVENT_TYPES } from "./wire.ts";

const STDIO: readonly StdioKind[] = ["unknown", "closed", "file", "terminal", "pipe", "socket", "null"];
/** The end of the year 9999: what a sensor says of a later one, or of one before 1970, is no time that anybody can write. */
const LAST_US = Date.UTC(9_999, 11, 31) * 1_000;
/** A chain of parents ends here, whatever a batch says. */
const MAX_ANCESTORS = 64;

/** Name of each event type, by the wire's number. */
export const EVENT_TYPE_NAMES: readonly (RuntimeEvent["type"] | undefined)[] = namesByNumber();

/** Number of each event type, by its name. */
export function eventTypeNumber(name: RuntimeEvent["type"]): number {
  return EVENT_TYPES[name.toUpperCase() as keyof typeof EVENT_TYPES];
}

/** Adds to a container what only the server knows of it. */
export type MarkContainer = (container: RuntimeContainer) => RuntimeContainer;

/**
 * Events of a batch with what they refer to. Events of a type that this server does not know are left out of what rules see;
 * the batch keeps them.
 */
export function runtimeEvents(
  batch: EventBatch,
  mark: MarkContainer = (container) => container,
): readonly (RuntimeEvent | undefined)[] {
  const containers = batch.containers.map((container) => mark(runtimeContainer(container)));
  const processes = runtimeProcesses(batch.processes);
  return batch.events.map((event) => {
    const type = EVENT_TYPE_NAMES[event.type];
    if (type === undefined) return undefined;
    const process = processes[event.process - 1] ?? null;
    const containerIndex = event.container > 0 ? event.container : (batch.processes[event.process - 1]?.container ?? 0);
    return runtimeEvent(event, type, process, containers[containerIndex - 1] ?? null);
  });
}

function runtimeEvent(
  event: Event,
  type: RuntimeEvent["type"],
  process: RuntimeProcess | null,
  container: RuntimeContainer | null,
): RuntimeEvent {
  return {
    type,
    timeUs: timeOf(event.timeUs),
    count: Math.max(1, event.count),
    process,
    container,
    threadId: event.threadId,
    result: event.result,
    path: event.path,
    newPath: event.newPath,
    flags: event.flags,
    mode: event.mode,
    fd: event.fd,
    upperLayer: event.upperLayer,
    inode: event.inode,
    device: event.device,
    family: event.family,
    protocol: event.protocol,
    localAddress: event.localAddress,
    localPort: event.localPort,
    remoteAddress: event.remoteAddress,
    remotePort: event.remotePort,
    bytesSent: event.bytesSent,
    bytesReceived: event.bytesReceived,
    dnsName: event.dnsName,
    dnsType: event.dnsType,
    dnsAnswers: event.dnsAnswers,
    argument: event.argument,
    targetPid: event.targetPid,
    detail: event.detail,
    blockId: event.blockId,
    targetFd: event.targetFd,
    fdKind: STDIO[event.fdKind] ?? "unknown",
    oldCapabilities: event.oldCapabilities,
    oldUid: event.oldUid,
  };
}

function timeOf(us: number): number {
  return Math.min(Math.max(us, 0), LAST_US);
}

function runtimeProcesses(processes: readonly Process[]): readonly RuntimeProcess[] {
  const made = processes.map((process) => ({ ...runtimeProcess(process), parent: null as RuntimeProcess | null }));
  for (const [i, process] of made.entries()) {
    const parent = processes[i]?.parent ?? 0;
    // A parent that is its own descendant would make whoever walks upward walk for ever.
    if (parent > 0 && !isAncestor(processes, parent, i + 1)) process.parent = made[parent - 1] ?? null;
  }
  return made;
}

function isAncestor(processes: readonly Process[], of: number, ancestor: number): boolean {
  let at = of;
  for (let depth = 0; depth < MAX_ANCESTORS; depth++) {
    if (at === ancestor) return true;
    if (at === 0) return false;
    at = processes[at - 1]?.parent ?? 0;
  }
  return true;
}

/** One process, without its parent. */
function runtimeProcess(process: Process): RuntimeProcess {
  return {
    pid: process.pid,
    namespacePid: process.namespacePid,
    startUs: timeOf(process.startUs),
    parent: null,
    name: process.name,
    exe: process.exe,
    arguments: process.arguments,
    argumentsCut: process.argumentsCut,
    cwd: process.cwd,
    uid: process.uid,
    gid: process.gid,
    effectiveUid: process.effectiveUid,
    loginUid: process.loginUid,
    userName: process.userName,
    sessionId: process.sessionId,
    groupLeaderPid: process.groupLeaderPid,
    tty: process.tty,
    effectiveCapabilities: process.effectiveCapabilities,
    interpreter: process.interpreter,
    exeInMemory: process.exeInMemory,
    exeDeleted: process.exeDeleted,
    exeDrifted: process.exeDrifted,
    exeWritable: process.exeWritable,
    exeInode: process.exeInode,
    exeDigest: Buffer.from(process.exeDigest).toString("hex"),
    stdin: STDIO[process.stdin] ?? "unknown",
    stdout: STDIO[process.stdout] ?? "unknown",
    stderr: STDIO[process.stderr] ?? "unknown",
  };
}

export function runtimeContainer(container: Container): RuntimeContainer {
  return {
    id: container.id,
    runtime: container.runtime,
    runtimeNamespace: container.runtimeNamespace,
    name: container.name,
    image: container.image,
    imageDigest: container.imageDigest,
    labels: { ...container.labels },
    privileged: container.privileged,
    mounts: container.mounts.map(({ source, destination, type, writable }) => ({
      source,
      destination,
      type,
      writable,
    })),
    capabilities: container.capabilities,
    hostNetwork: container.hostNetwork,
    hostPid: container.hostPid,
    hostIpc: container.hostIpc,
    readOnlyRoot: container.readOnlyRoot,
    seccomp: container.seccomp,
    user: container.user,
    pod: container.pod,
    podUid: container.podUid,
    namespace: container.namespace,
    kubernetesContainer: container.kubernetesContainer,
    startedUs: container.startedUs,
    addresses: container.addresses,
  };
}

function namesByNumber(): (RuntimeEvent["type"] | undefined)[] {
  const known = new Set<string>(RUNTIME_EVENT_TYPES);
  const names: (RuntimeEvent["type"] | undefined)[] = [];
  for (const [name, number] of Object.entries(EVENT_TYPES)) {
    const lower = name.toLowerCase();
    if (known.has(lower)) names[number] = lower as RuntimeEvent["type"];
  }
  return names;
}
