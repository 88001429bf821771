import { BREAK_GLASS_ANNOTATION } from "../admission/bundle.ts";
import type { Json } from "./kube-object.ts";
import { containersOf, podTemplateOf } from "./pod-template.ts";
import { mapAt, mapsAt, textAt } from "./read.ts";

/** Of one label's or annotation's value; what is longer is cut. */
const MAX_VALUE = 1_024;
/** Of one object. */
const MAX_ANNOTATIONS = 100;
/** Annotations that hold the whole object, values of variables among it. */
const WHOLE_OBJECT = /last-applied-configuration$|^kubectl\.kubernetes\.io\/last-applied|helm\.sh\/manifest/;
/** Annotations that are secrets. */
const SECRET: ReadonlySet<string> = new Set([BREAK_GLASS_ANNOTATION]);
/** Where pods hold what nobody judges but what may be secret: headers of probes, commands of hooks. */
const PROBES = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

/** Kinds that stand between pods and what somebody deployed. */
const PASSING: ReadonlySet<string> = new Set(["ReplicaSet", "Job"]);
/** How arguments lose what is secret in them. */
export type Redact = (words: readonly string[]) => readonly string[];

/**
 * An object without what Bulwark does not read. Values of environment variables, of secrets and of config maps never remain;
 * arguments go through `redact`.
 */
export function pruneObject(kind: string, object: Json, redact: Redact): Json {
  const metadata = pruneMetadata(mapAt(object, "metadata"));
  // Secrets and config maps are known by name alone.
  if (kind === "Secret") return { metadata, type: textAt(object, "type") };
  if (kind === "ConfigMap") return { metadata };
  if (kind === "Node")
    return { metadata, spec: mapAt(object, "spec"), status: pruneNodeStatus(mapAt(object, "status")) };
  // Of what another object makes, that object says how; these only lead from pods to it.
  if (PASSING.has(kind) && mapsAt(metadata, "ownerReferences").length > 0) return { metadata };
  const { apiVersion: _, kind: __, metadata: ___, ...rest } = object;
  const pruned = { ...rest, metadata, ...(kind === "Pod" ? { status: prunePodStatus(mapAt(object, "status")) } : {}) };
  const template = podTemplateOf(kind, pruned);
  if (template === undefined) return pruned;
  const spec = pruneSpec(template.spec, redact);
  const replaced = replaceAt(pruned, template.path, spec);
  if (kind === "Pod") return replaced;
  const { status: ____, ...told } = replaced;
  return replaceAt(told, [...template.path.slice(0, -1), "metadata"], pruneMetadata(template.metadata));
}

function pruneMetadata(metadata: Json): Json {
  const { managedFields: _, selfLink: __, resourceVersion: ___, ...rest } = metadata;
  const annotations = Object.entries(mapAt(metadata, "annotations"))
    .filter(([name]) => !WHOLE_OBJECT.test(name) && !SECRET.has(name))
    .slice(0, MAX_ANNOTATIONS);
  return {
    ...rest,
    ...("labels" in metadata ? { labels: cut(Object.entries(mapAt(metadata, "labels"))) } : {}),
    ...(annotations.length === 0 ? { annotations: {} } : { annotations: cut(annotations) }),
  };
}

function cut(entries: readonly (readonly [string, unknown])[]): Json {
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value).slice(0, MAX_VALUE)]));
}

function pruneSpec(spec: Json, redact: Redact): Json {
  const lists: Record<string, Json[]> = {};
  for (const { list, container } of containersOf(spec)) {
    const kept = lists[list] ?? [];
    lists[list] = kept;
    kept.push(pruneContainer(container, redact));
  }
  return { ...spec, ...lists };
}

function pruneContainer(container: Json, redact: Redact): Json {
  const pruned: Record<string, unknown> = { ...container };
  for (const probe of PROBES) delete pruned[probe];
  if ("env" in container) {
    pruned.env = mapsAt(container, "env").map(({ name, valueFrom }) => ({
      name,
      ...(valueFrom === undefined ? {} : { valueFrom }),
    }));
  }
  for (const words of ["command", "args"]) {
    const given = container[words];
    if (Array.isArray(given)) pruned[words] = redact(given.map(String));
  }
  return pruned;
}

function pruneNodeStatus({ addresses, nodeInfo, capacity, conditions, daemonEndpoints }: Json): Json {
  const states = mapsAt({ conditions }, "conditions").map(({ type, status }) => ({ type, status }));
  return { addresses, nodeInfo, capacity, daemonEndpoints, conditions: states };
}

function prunePodStatus(status: Json): Json {
  const { phase, podIP, podIPs, hostIP, startTime, reason, qosClass } = status;
  const statuses = (list: string) =>
    mapsAt(status, list).map(({ name, image, imageID, containerID, ready, restartCount, started, state }) => ({
      ...{ name, image, imageID, containerID, ready, restartCount, started },
      state: Object.keys(mapAt({ state }, "state"))[0] ?? "",
    }));
  return {
    ...{ phase, podIP, podIPs, hostIP, startTime, reason, qosClass },
    containerStatuses: statuses("containerStatuses"),
    initContainerStatuses: statuses("initContainerStatuses"),
    ephemeralContainerStatuses: statuses("ephemeralContainerStatuses"),
  };
}

function replaceAt(object: Json, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  return { ...object, [key]: replaceAt(mapAt(object, key), rest, value) };
}
