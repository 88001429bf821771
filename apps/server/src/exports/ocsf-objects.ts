import { isIP } from "node:net";
import type { RuntimeContainer, RuntimeProcess } from "@bulwark/model";

/** Version of the Open Cybersecurity Schema Framework that records follow. */
const OCSF_VERSION = "1.5.0";
const MAX_ANCESTORS = 16;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An object of OCSF: members that have no value are left out of JSON. */
export type OcsfObject = Readonly<Record<string, unknown>>;

/** Where something was seen. */
export interface OcsfPlace {
  readonly id: string;
  /** Null for what was asked of an API server. */
  readonly nodeId: number | null;
  readonly hostname: string;
}

/** Profiles of what every record tells: where it was seen, and in which container. */
export function profilesOf(hasContainer: boolean, isControl: boolean): readonly string[] {
  return ["host", ...(hasContainer ? ["container"] : []), ...(isControl ? ["security_control"] : [])];
}

export function metadataObject(id: string, code: string, profiles: readonly string[]): OcsfObject {
  return {
    version: OCSF_VERSION,
    product: { name: "Bulwark", vendor_name: "Bulwark" },
    uid: id,
    event_code: code,
    profiles,
  };
}

/** The node; `container` is told here when no process carries it. */
export function deviceObject({ nodeId, hostname }: Omit<OcsfPlace, "id">, container?: OcsfObject): OcsfObject {
  return {
    type_id: 1,
    type: "Server",
    uid: nodeId === null ? undefined : String(nodeId),
    hostname: hostname === "" ? undefined : hostname,
    os: { name: "Linux", type_id: 200, type: "Linux" },
    container,
  };
}

/** What a container is; an image is told by its digest, or by its name where that is all there is. */
export function containerObject(
  container: Pick<RuntimeContainer, "id" | "name" | "image" | "imageDigest" | "runtime" | "podUid"> & {
    readonly labels?: Readonly<Record<string, string>>;
  },
): OcsfObject {
  const { id, name, image, imageDigest, runtime, podUid, labels = {} } = container;
  const uid = imageDigest === "" ? image : imageDigest;
  return {
    uid: id,
    name: orNone(name),
    runtime: orNone(runtime),
    // Static pods have a hash for an id, which the schema does not take.
    pod_uuid: UUID.test(podUid) ? podUid : undefined,
    image: uid === "" ? undefined : { uid, name: orNone(image) },
    tags: Object.entries(labels).map(([key, value]) => ({ name: key, value })),
  };
}

/** A process, its parent, and those above it as `ancestry`. */
export function processObject(process: RuntimeProcess, container?: OcsfObject): OcsfObject {
  return {
    ...ownProcess(process),
    container,
    namespace_pid: container === undefined || process.namespacePid === 0 ? undefined : process.namespacePid,
    parent_process: process.parent === null ? undefined : ownProcess(process.parent),
    ancestry: process.parent === null ? undefined : ancestryOf(process.parent),
  };
}

function ownProcess(process: RuntimeProcess): OcsfObject {
  const { pid, name, exe, cwd, uid, userName, exeDigest, exeDeleted } = process;
  return {
    pid,
    name: orNone(name),
    cmd_line: orNone(process.arguments.join(" ")),
    working_directory: orNone(cwd),
    user: { uid: String(uid), name: orNone(userName) },
    file:
      exe === ""
        ? undefined
        : {
            ...fileObject(exe, 1),
            is_deleted: exeDeleted ? true : undefined,
            hashes: exeDigest === "" ? undefined : [{ algorithm_id: 3, algorithm: "SHA-256", value: exeDigest }],
          },
  };
}

function ancestryOf(process: RuntimeProcess): readonly OcsfObject[] {
  const found: OcsfObject[] = [];
  for (let at: RuntimeProcess | null = process; at !== null && found.length < MAX_ANCESTORS; at = at.parent) {
    found.push({ pid: at.pid, name: orNone(at.name), path: orNone(at.exe), cmd_line: orNone(at.arguments.join(" ")) });
  }
  return found;
}

/** @param typeId 0 unknown, 1 regular file, 2 folder, 7 symbolic link */
export function fileObject(path: string, typeId: number): OcsfObject {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { name: name === "" ? path || "unknown" : name, path: orNone(path), type_id: typeId };
}

/** One end of a connection; undefined where nothing is known of it. A Unix socket has a name in place of an address. */
export function endpointObject(address: string, port: number): OcsfObject | undefined {
  if (address === "") return undefined;
  return isIP(address) === 0 ? { name: address } : { ip: address, port: port === 0 ? undefined : port };
}

export function orNone(text: string): string | undefined {
  return text === "" ? undefined : text;
}
