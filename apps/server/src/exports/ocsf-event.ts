import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import {
  containerObject,
  deviceObject,
  endpointObject,
  fileObject,
  metadataObject,
  type OcsfObject,
  type OcsfPlace,
  orNone,
  processObject,
  profilesOf,
} from "./ocsf-objects.ts";

const OTHER = 99;
/** A connection that does not block is under way, not refused (connect(2), EINPROGRESS). */
const EINPROGRESS = -115;

/** A class of OCSF with the activity, and the members that only it has. */
interface Classed {
  readonly classUid: number;
  readonly activityId: number;
  readonly members: OcsfObject;
}

type Classify = (event: RuntimeEvent, place: OcsfPlace) => Classed;

/**
 * An event in the terms of the Open Cybersecurity Schema Framework: Process, File System, Network, DNS, Memory, Kernel and
 * Kernel Extension Activity; what has no class there is a Base Event. What has no member is under `unmapped`.
 *
 * @example eventOcsf(event, { id: "7-0", nodeId: 3, hostname: "node-1" }).class_uid === 1007
 */
export function eventOcsf(event: RuntimeEvent, place: OcsfPlace): OcsfObject {
  const { classUid, activityId, members } = (CLASSES[event.type] ?? kernelCall)(event, place);
  const container = event.container === null ? undefined : containerObject(event.container);
  const isBlocked = event.type === "blocked";
  const isFailure = event.result < 0 && event.type !== "procexit";
  return {
    class_uid: classUid,
    category_uid: Math.floor(classUid / 1_000),
    activity_id: activityId,
    type_uid: classUid * 100 + activityId,
    time: Math.floor(event.timeUs / 1_000),
    severity_id: event.type === "tamper" ? 4 : isBlocked ? 3 : 1,
    status_id: isFailure || isBlocked ? 2 : 1,
    status_code: isFailure ? String(event.result) : undefined,
    count: event.count,
    metadata: metadataObject(place.id, event.type, profilesOf(container !== undefined, isBlocked)),
    device: deviceObject(place, event.process === null ? container : undefined),
    actor: actorOf(event, container),
    ...(isBlocked ? { action_id: 2, disposition_id: 2 } : {}),
    ...members,
    unmapped: unmappedOf(event),
  };
}

/** Who did it; a start of a program is its parent's doing. */
function actorOf({ process, type }: RuntimeEvent, container: OcsfObject | undefined): OcsfObject {
  if (process === null) return { app_name: "unknown" };
  const isStart = type === "execve" && process.parent !== null;
  return { process: processObject(isStart ? (process.parent ?? process) : process, container) };
}

const process =
  (activityId: number): Classify =>
  (event) => {
    const { process, container, threadId, result } = event;
    const inside = container === null ? undefined : containerObject(container);
    const own = process === null ? { pid: threadId } : processObject(process, inside);
    const exit = event.type === "procexit" ? { exit_code: result } : {};
    return { classUid: 1007, activityId, members: { process: own, ...exit } };
  };

/** What one process does to another. */
const onProcess =
  (activityId: number): Classify =>
  (event) => {
    const pid = event.targetPid > 0 ? event.targetPid : (event.process?.pid ?? event.threadId);
    return { classUid: 1007, activityId, members: { process: { pid } } };
  };

const file =
  (activityId: number, typeId = 0): Classify =>
  (event) => {
    const { path, newPath, detail } = event;
    const result = newPath === "" ? {} : { file_result: fileObject(newPath, typeId) };
    return { classUid: 1001, activityId, members: { file: fileObject(path || detail, typeId), ...result } };
  };

const network =
  (activityId: number, directionId: number): Classify =>
  (event, place) => {
    const isFailure = event.result < 0 && event.result !== EINPROGRESS && activityId === 1;
    const local = endpointObject(event.localAddress, event.localPort);
    const remote = endpointObject(event.remoteAddress, event.remotePort);
    const [source, destination] = directionId === 1 ? [remote, local] : [local, remote];
    const here = source === undefined && destination === undefined ? { uid: String(place.nodeId) } : source;
    const bytes = event.bytesSent + event.bytesReceived;
    return {
      classUid: 4001,
      activityId: isFailure ? 4 : activityId,
      members: {
        src_endpoint: here,
        dst_endpoint: destination,
        connection_info: {
          direction_id: directionId,
          protocol_name: orNone(event.protocol),
          protocol_ver_id: event.family === 4 || event.family === 6 ? event.family : undefined,
        },
        traffic: bytes === 0 ? undefined : { bytes, bytes_in: event.bytesReceived, bytes_out: event.bytesSent },
      },
    };
  };

const dns: Classify = (event, place) => {
  const remote = endpointObject(event.remoteAddress, event.remotePort);
  const local = endpointObject(event.localAddress, event.localPort) ?? { uid: String(place.nodeId) };
  const answers = event.dnsAnswers.map((rdata) => ({ rdata, type: orNone(event.dnsType) }));
  return {
    classUid: 4003,
    activityId: answers.length === 0 ? 1 : 2,
    members: {
      query: { hostname: event.dnsName || ".", type: orNone(event.dnsType) },
      answers: answers.length === 0 ? undefined : answers,
      src_endpoint: local,
      dst_endpoint: remote,
    },
  };
};

const driver =
  (activityId: number): Classify =>
  ({ path, detail }) => ({
    classUid: 1002,
    activityId,
    members: { driver: { file: fileObject(path || detail, 1) } },
  });

const memory: Classify = (event, place) => ({ ...process(2)(event, place), classUid: 1004 });

/** System calls that no class is made for. (Kernel Activity, "Invoke".) */
const kernelCall: Classify = ({ type, path }) => ({
  classUid: 1003,
  activityId: 4,
  members: { kernel: { name: type, type_id: 2, type: "System Call", system_call: type, path: orNone(path) } },
});

const base: Classify = ({ type, detail }) => ({
  classUid: 0,
  activityId: OTHER,
  members: { activity_name: type, message: orNone(detail) },
});

/** What a node refused is of the class of what was tried. */
const blocked: Classify = (event, place) => {
  if (event.remoteAddress !== "") return network(5, 2)(event, place);
  return event.path === "" ? process(1)(event, place) : file(14)(event, place);
};

const CLASSES: Readonly<Partial<Record<RuntimeEventType, Classify>>> = {
  execve: process(1),
  clone: process(1),
  procexit: process(2),
  setuid: process(5),
  ptrace: onProcess(4),
  process_vm_writev: onProcess(4),
  kill: onProcess(OTHER),
  open: file(14),
  open_by_handle_at: file(14),
  creat: file(1, 1),
  mknod: file(1),
  link: file(1),
  symlink: file(1, 7),
  mkdir: file(1, 2),
  memfd_create: file(1, 1),
  rename: file(5),
  unlink: file(4),
  rmdir: file(4, 2),
  write: file(3),
  truncate: file(3),
  chmod: file(7),
  chown: file(7),
  setxattr: file(6),
  mount: file(12),
  move_mount: file(12),
  umount: file(13),
  init_module: driver(1),
  finit_module: driver(1),
  delete_module: driver(2),
  mprotect: memory,
  connect: network(1, 2),
  accept: network(1, 1),
  listen: network(7, 1),
  sendto: network(6, 2),
  flow: network(6, 0),
  dns,
  container: base,
  tamper: base,
  blocked,
};

/** What has no place in OCSF; zeros and empty texts say nothing. */
function unmappedOf(event: RuntimeEvent): OcsfObject | undefined {
  const { flags, mode, fd, upperLayer, argument, detail, blockId, process } = event;
  const told = { flags, mode, fd, upper_layer: upperLayer, argument, detail, block_id: blockId };
  const drifted = process?.exeDrifted === true ? { exe_drifted: true } : {};
  const inMemory = process?.exeInMemory === true ? { exe_in_memory: true } : {};
  const kept = Object.entries({ ...told, ...drifted, ...inMemory }).filter(([, value]) => Boolean(value));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
