import type { Json } from "./kube-object.ts";
import { mapAt, mapsAt } from "./read.ts";

/** Where the pod's metadata and spec lie in objects of each kind that makes pods (Kubernetes API, "Workload Resources"). */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ["template"],
  ReplicationController: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** What a pod is made of. */
export interface PodTemplate {
  readonly metadata: Json;
  readonly spec: Json;
  /** Members that lead to the spec: `["spec", "template", "spec"]`. */
  readonly path: readonly string[];
}

/** The kinds that are pods or make some. */
export const POD_KINDS: readonly string[] = Object.keys(PLACES);

/** The pod that an object is or makes; undefined for other kinds. */
export function podTemplateOf(kind: string, object: Json): PodTemplate | undefined {
  const place = Object.hasOwn(PLACES, kind) ? PLACES[kind] : undefined;
  if (place === undefined) return undefined;
  const template = mapAt(object, ...place);
  return { metadata: mapAt(template, "metadata"), spec: mapAt(template, "spec"), path: [...place, "spec"] };
}

export type ContainerRole = "container" | "init" | "ephemeral";

const LISTS: Readonly<Record<ContainerRole, string>> = {
  container: "containers",
  init: "initContainers",
  ephemeral: "ephemeralContainers",
};

/** All containers of a pod's spec, each with its role and its place in its list. */
export function containersOf(spec: Json): readonly {
  readonly role: ContainerRole;
  readonly list: string;
  readonly index: number;
  readonly container: Json;
}[] {
  return (Object.keys(LISTS) as ContainerRole[]).flatMap((role) =>
    mapsAt(spec, LISTS[role]).map((container, index) => ({ role, list: LISTS[role], index, container })),
  );
}
