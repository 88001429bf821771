import { bareCapability, NODE_PLACES, NODE_PLACES_AS_WHOLE } from "@bulwark/model";
import type { Json } from "../objects/kube-object.ts";
import { containersOf } from "../objects/pod-template.ts";
import { isTrueAt, mapAt, mapsAt, numberAt, textAt, textsAt } from "../objects/read.ts";

/** What about a container lets whoever is in it come to its node. */
export interface Escape {
  /** Stable: `privileged`, `host-path`, `runtime-socket`, `host-pid`, `capability`, `unmasked-proc`. */
  readonly means: string;
  readonly container: string;
  /** `CAP_SYS_ADMIN`, `/var/run/docker.sock`; empty where the means says it all. */
  readonly detail: string;
}

/** Capabilities that give the node by themselves: to mount its disks, load modules, open files by handle, reach its memory. */
const STRONG: readonly string[] = ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"];
/** Those that do so for who sees the node's processes. */
const STRONG_WITH_PROCESSES: readonly string[] = ["SYS_PTRACE"];
const SOCKET = /(?:^|\/)(?:docker|containerd|crio|podman|cri-dockerd|dockershim)\.sock$/;
/** All ways out of a pod's containers. The list is empty for a pod that is held by nothing but its image's flaws. */
export function findEscapes(spec: Json): readonly Escape[] {
  const volumes = hostPaths(spec);
  const seesProcesses = isTrueAt(spec, "hostPID");
  return containersOf(spec).flatMap(({ container }) => {
    const name = textAt(container, "name");
    const way = (means: string, detail = ""): Escape => ({ means, container: name, detail });
    const context = mapAt(container, "securityContext");
    if (isTrueAt(context, "privileged")) return [way("privileged")];
    const added = textsAt(context, "capabilities", "add").map(bareCapability);
    const strong = added.filter(
      (each) => STRONG.includes(each) || (seesProcesses && STRONG_WITH_PROCESSES.includes(each)),
    );
    return [
      ...strong.map((each) => way("capability", each === "ALL" ? "all" : `CAP_${each}`)),
      ...mounts(container, volumes).map(({ path, isSocket }) => way(isSocket ? "runtime-socket" : "host-path", path)),
      ...(seesProcesses && mayBeRoot(spec, context) ? [way("host-pid")] : []),
      ...(textAt(context, "procMount") === "Unmasked" && mayBeRoot(spec, context) ? [way("unmasked-proc")] : []),
    ];
  });
}

function hostPaths(spec: Json): ReadonlyMap<string, string> {
  const paths = mapsAt(spec, "volumes").map((volume) => [
    textAt(volume, "name"),
    textAt(volume, "hostPath", "path"),
  ]) as [string, string][];
  return new Map(paths.filter(([, path]) => path !== ""));
}

/** Of what is mounted of the node, what leads to it: sockets of runtimes, and sensitive directories that can be written to. */
function mounts(container: Json, volumes: ReadonlyMap<string, string>) {
  return mapsAt(container, "volumeMounts").flatMap((mount) => {
    const volume = volumes.get(textAt(mount, "name"));
    if (volume === undefined) return [];
    const path = normal(`${volume}/${textAt(mount, "subPath")}`);
    // A socket that is mounted for reading is written to all the same.
    if (SOCKET.test(path)) return [{ path, isSocket: true }];
    const leads = !isTrueAt(mount, "readOnly") && isSensitive(path);
    return leads || isBelowSockets(path) ? [{ path, isSocket: !leads }] : [];
  });
}

/** Whether it is such a directory, or lies below one of which every part leads to the node. */
function isSensitive(path: string): boolean {
  if (NODE_PLACES_AS_WHOLE.includes(path)) return true;
  return NODE_PLACES.some((place) => path === place || path.startsWith(`${place}/`));
}

/** Directories in which runtimes keep their sockets give these even where nothing can be written. */
function isBelowSockets(path: string): boolean {
  return ["/run", "/var/run", "/run/containerd", "/var/run/containerd", "/run/docker", "/run/crio", "/"].includes(path);
}

/** Without doubled and closing slashes, `.` and `..`. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function mayBeRoot(spec: Json, context: Json): boolean {
  const user = numberAt(context, "runAsUser") ?? numberAt(spec, "securityContext", "runAsUser");
  if (user !== undefined) return user === 0;
  return !isTrueAt(context, "runAsNonRoot") && !isTrueAt(spec, "securityContext", "runAsNonRoot");
}
