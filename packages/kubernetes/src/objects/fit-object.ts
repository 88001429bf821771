import type { Json } from "./kube-object.ts";
import { containersOf, podTemplateOf } from "./pod-template.ts";
import { mapAt, mapsAt } from "./read.ts";

/** Of one object's JSON. etcd holds no object over 1.5 MiB, but JSON may be several times as long. */
export const MAX_OBJECT_BYTES = 2 * 1024 * 1024;

/** What of an object is kept: texts and lists up to a length, after so many of the steps. */
interface Bounds {
  readonly texts: number;
  readonly entries: number;
  readonly steps: number;
}

/** Nothing is judged by longer texts, and a control character takes six bytes of JSON. */
const USUAL: Bounds = { texts: 16 * 1024, entries: Number.POSITIVE_INFINITY, steps: 0 };
/** What goes where an object does not fit: first what nobody judges. */
const NARROWER: readonly Bounds[] = [
  { ...USUAL, steps: 1 },
  { ...USUAL, steps: 2 },
  { ...USUAL, texts: 1_024, steps: 3 },
  { texts: 1_024, entries: 1_000, steps: 3 },
  { texts: 256, entries: 100, steps: 3 },
];
const STEPS: readonly ((kind: string, object: Json) => Json)[] = [withoutAnnotations, withoutArguments, withoutDetails];
const NARROWEST: Bounds = { texts: 256, entries: 10, steps: 0 };

/** What policies, paths and benchmarks ask of a container, and of its state. */
const OF_CONTAINER = ["name", "image", "ports", "securityContext", "volumeMounts", "restartPolicy"];
const OF_STATUS = ["name", "image", "imageID", "containerID", "state"];
const STATUS_LISTS = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];

/**
 * JSON of a pruned object, in no more than {@link MAX_OBJECT_BYTES}: whoever may make objects cannot make one that is too large to be told
 * of. One that something was taken from to fit says so by `cut`.
 */
export function fitObject(kind: string, object: Json): Uint8Array {
  const whole = jsonOf(object, USUAL);
  if (whole.byteLength <= MAX_OBJECT_BYTES) return whole;
  for (const bounds of NARROWER) {
    const less = STEPS.slice(0, bounds.steps).reduce((each, step) => step(kind, each), object);
    const narrowed = jsonOf({ ...less, cut: true }, bounds);
    if (narrowed.byteLength <= MAX_OBJECT_BYTES) return narrowed;
  }
  const { uid, name, namespace, creationTimestamp, ownerReferences } = mapAt(object, "metadata");
  return jsonOf({ metadata: { uid, name, namespace, creationTimestamp, ownerReferences }, cut: true }, NARROWEST);
}

function jsonOf(object: Json, { texts, entries }: Bounds): Uint8Array {
  const bounded = (_: string, value: unknown): unknown => {
    if (typeof value === "string") return value.length > texts ? value.slice(0, texts) : value;
    if (typeof value !== "object" || value === null || entries === Number.POSITIVE_INFINITY) return value;
    if (Array.isArray(value)) return value.slice(0, entries);
    const members = Object.entries(value);
    return members.length > entries ? Object.fromEntries(members.slice(0, entries)) : value;
  };
  return new TextEncoder().encode(JSON.stringify(object, bounded));
}

function withoutAnnotations(kind: string, object: Json): Json {
  const bare = (holder: Json) => ({ ...holder, metadata: { ...mapAt(holder, "metadata"), annotations: {} } });
  const path = podTemplateOf(kind, object)?.path.slice(0, -1) ?? [];
  return path.length === 0 ? bare(object) : changeAt(bare(object), path, bare);
}

/** Ports of the node remain: they lead to the pod, and are judged. */
function withoutArguments(kind: string, object: Json): Json {
  return changeContainers(kind, object, (container) => ({
    ...container,
    ...{ command: [], args: [], env: [], envFrom: [] },
    ports: mapsAt(container, "ports").filter(({ hostPort }) => hostPort !== undefined),
  }));
}

function withoutDetails(kind: string, object: Json): Json {
  const told = changeContainers(kind, object, (container) => only(container, OF_CONTAINER));
  if (kind !== "Pod") return told;
  const status = mapAt(object, "status");
  const lists = STATUS_LISTS.map((list) => [list, mapsAt(status, list).map((each) => only(each, OF_STATUS))] as const);
  return { ...told, status: { ...status, ...Object.fromEntries(lists) } };
}

function changeContainers(kind: string, object: Json, change: (container: Json) => Json): Json {
  const template = podTemplateOf(kind, object);
  if (template === undefined) return object;
  const lists: Record<string, Json[]> = {};
  for (const { list, container } of containersOf(template.spec)) {
    const kept = lists[list] ?? [];
    lists[list] = kept;
    kept.push(change(container));
  }
  return changeAt(object, template.path, (spec) => ({ ...spec, ...lists }));
}

function only(object: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(object, name) ? [[name, object[name]]] : [])));
}

function changeAt(object: Json, path: readonly string[], change: (value: Json) => Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(object);
  return { ...object, [key]: changeAt(mapAt(object, key), rest, change) };
}
