import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { podTemplateOf } from "../objects/pod-template.ts";
import { isSame } from "./document.ts";
import type { AdmissionRequest } from "./review.ts";

const GROUPS: ReadonlySet<string> = new Set(["", "apps", "batch", "extensions"]);
/** Subresources whose review holds the whole pod (Kubernetes API, Pod v1). */
const POD_SUBRESOURCES: ReadonlySet<string> = new Set(["", "ephemeralcontainers", "resize"]);

export type ContainerType = "container" | "init" | "ephemeral" | "volume";

/** One container of a pod, or an image that it mounts as a volume. */
export interface PodContainer {
  readonly name: string;
  /** As written; empty where it is left out. */
  readonly image: string;
  readonly type: ContainerType;
  /** JSON Pointer to the image's reference inside the object (RFC 6901). */
  readonly imagePath: string;
  /** JSON Pointer to the container. */
  readonly path: string;
  /** Its specification, as expressions see it. */
  readonly seen: unknown;
  /** What an update did not touch need not be judged again. */
  readonly isChanged: boolean;
  /** Another image than before, or none was before; whatever else changed. */
  readonly isImageChanged: boolean;
}

/** The pod that an object is, or makes. */
export interface Pod {
  /** JSON Pointer to what holds `metadata` and `spec`; empty for a pod itself. */
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Fields;
  /** `metadata` and `spec` as expressions see them. */
  readonly seen: { readonly metadata: unknown; readonly spec: unknown };
  readonly containers: readonly PodContainer[];
  /** Something of it that matters changed, or it is new. */
  readonly isChanged: boolean;
}

/**
 * The pod in the object of a request: of pods and of everything that makes pods. Undefined for objects without one, and for
 * subresources that leave the pod as it is. An object that is being deleted is looked at like any other.
 */
export function podOf(request: AdmissionRequest): Pod | undefined {
  const { kind, subResource, object, oldObject } = request;
  if (object === null || !GROUPS.has(kind.group)) return undefined;
  const path = podTemplateOf(kind.kind, object)?.path.slice(0, -1);
  if (path === undefined) return undefined;
  if (kind.kind === "Pod" ? !POD_SUBRESOURCES.has(subResource) : subResource !== "") return undefined;
  const holder = follow(object, path);
  const old = oldObject === null ? undefined : follow(oldObject, path);
  const seen = followSeen(request.seenObject, path);
  const spec = fieldsOf(holder.spec);
  const metadata = fieldsOf(holder.metadata);
  const oldMetadata = fieldsOf(old?.metadata);
  const isTemplate = path.length > 0;
  const isSameSpec = old !== undefined && isSame(holder.spec, old.spec);
  const isRelabelled = !isSame(metadata.labels, oldMetadata.labels);
  // New annotations of a template make new pods; those of a pod that runs are its controller's own business.
  const isAnnotated = isTemplate && !isSame(metadata.annotations, oldMetadata.annotations);
  const isAllChanged = old === undefined || isRelabelled || isTemplate;
  const pointer = path.map((step) => `/${step}`).join("");
  return {
    ...{ path: pointer, spec, labels: textsOf(metadata.labels), annotations: textsOf(metadata.annotations) },
    seen: { metadata: member(seen, "metadata") ?? {}, spec: member(seen, "spec") ?? {} },
    containers: containersOf(spec, member(seen, "spec"), `${pointer}/spec`, {
      spec: fieldsOf(old?.spec),
      isAllChanged,
    }),
    isChanged: old === undefined || !isSameSpec || isRelabelled || isAnnotated,
  };
}

const LISTS: readonly (readonly [string, ContainerType])[] = [
  ["initContainers", "init"],
  ["containers", "container"],
  ["ephemeralContainers", "ephemeral"],
];

interface Before {
  readonly spec: Fields;
  /** All containers count as changed, such as those of a relabelled pod: labels choose policies. */
  readonly isAllChanged: boolean;
}

function containersOf(spec: Fields, seen: unknown, pointer: string, old: Before): readonly PodContainer[] {
  const found: PodContainer[] = [];
  for (const [list, type] of LISTS) {
    const seenList = listOf(member(seen, list));
    const before = namedOf(old.spec[list]);
    for (const [at, each] of listOf(spec[list]).entries()) {
      const { name, image } = fieldsOf(each);
      const path = `${pointer}/${list}/${at}`;
      found.push({
        ...{ name: textOf(name), image: textOf(image), type, path, imagePath: `${path}/image` },
        seen: seenList[at] ?? {},
        isChanged: old.isAllChanged || !isSame(each, before.get(textOf(name))),
        isImageChanged: textOf(image) !== textOf(fieldsOf(before.get(textOf(name))).image),
      });
    }
  }
  const before = namedOf(old.spec.volumes);
  for (const [at, each] of listOf(spec.volumes).entries()) {
    const { name, image } = fieldsOf(each);
    const reference = textOf(fieldsOf(image).reference);
    if (reference === "") continue;
    const path = `${pointer}/volumes/${at}`;
    const named = { name: textOf(name), image: reference };
    const oldVolume = before.get(named.name);
    found.push({
      ...{ ...named, type: "volume", path, imagePath: `${path}/image/reference`, seen: named },
      isChanged: old.isAllChanged || !isSame(each, oldVolume),
      isImageChanged: reference !== textOf(fieldsOf(fieldsOf(oldVolume).image).reference),
    });
  }
  return found;
}

function namedOf(list: unknown): ReadonlyMap<string, unknown> {
  return new Map(listOf(list).map((each) => [textOf(fieldsOf(each).name), each]));
}

function follow(object: Fields, path: readonly string[]): Fields {
  return path.reduce((at, step) => fieldsOf(at[step]), object);
}

function followSeen(object: unknown, path: readonly string[]): unknown {
  return path.reduce((at: unknown, step) => member(at, step), object);
}

/** A member of what expressions see, where some objects are maps. */
function member(value: unknown, key: string): unknown {
  if (value instanceof Map) return value.get(key);
  const fields = fieldsOf(value);
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, text]) => [key, textOf(text)]));
}
