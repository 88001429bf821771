import {
  bareCapability,
  type Fields,
  fieldsOf,
  LINUX_CAPABILITIES,
  listOf,
  NODE_PLACES,
  NODE_PLACES_AS_WHOLE,
  textOf,
} from "@bulwark/model";
import { coveringFirst } from "./covering-first.ts";
import { normalPath } from "./pod-fields.ts";
import { elementsOf } from "./pod-spec.ts";

/** How much is kept: items of each list, and characters of each text. The first that is small enough is taken. */
const ROOMS: readonly Room[] = [
  { items: 128, text: 600 },
  { items: 80, text: 256 },
  { items: 80, text: 96 },
];
/** Texts of this length lose nothing that a name, a path or a reference of an image has a meaning with. */
const WHOLE_TEXT = 600;
const MAX_CONDENSED = 48 * 1024;
/** Of each list inside an item. */
const MAX_INNER = 64;
/** Of a volume, which has one (Kubernetes API, "Volume"); a patch may name the one that it takes away. */
const MAX_KINDS = 2;
/** Of capabilities that no kernel has, and runtimes refuse. */
const MAX_UNKNOWN = 8;
const MAX_SCALAR = 64;
/** Of a pod itself, without its containers and volumes. */
const POD_FLAGS = [
  "hostNetwork",
  "hostPID",
  "hostIPC",
  "serviceAccountName",
  "nodeName",
  "automountServiceAccountToken",
];
/** Of a security context (Kubernetes API, "SecurityContext", "PodSecurityContext"). */
const CONTEXT = [
  ...["privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsUser", "runAsGroup", "runAsNonRoot"],
  ...["procMount", "fsGroup"],
];
/** Holds what a node says of a pod that it runs by itself. */
const MIRROR = "kubernetes.io/config.mirror";

interface Room {
  readonly items: number;
  readonly text: number;
}

/** What is left of a large object. */
export interface Condensed {
  readonly object: Fields;
  /** Something that rules look at did not fit. */
  readonly isCut: boolean;
}

interface Walk extends Room {
  isCut: boolean;
}

/** Of what an object is: where its pods' specification lies, if it makes any. */
export interface ObjectPlace {
  readonly resource: string;
  readonly template: readonly string[] | undefined;
}

/**
 * A large object reduced to what rules look at, wherever in it that stands: of pods and templates each kind of container once, paths of the
 * node and flags; rules of roles, subjects of bindings. Where there is more of these than fits, what leads furthest is kept, so that who
 * makes an object large to hide a part of it hides nothing that matters; and it is told that something is missing.
 */
export function condensedObject(object: Fields, place: ObjectPlace): Condensed {
  let smallest: Condensed = { object: {}, isCut: true };
  for (const room of ROOMS) {
    const walk = { ...room, isCut: false };
    smallest = { object: condensed(object, place, walk), isCut: walk.isCut };
    if (JSON.stringify(smallest.object).length <= MAX_CONDENSED) break;
  }
  return smallest;
}

function condensed(object: Fields, { resource, template }: ObjectPlace, walk: Walk): Fields {
  const { apiVersion, kind, metadata, roleRef, rules, subjects } = object;
  const { name, namespace, annotations } = fieldsOf(metadata);
  const mirror = textOf(fieldsOf(annotations)[MIRROR]);
  const kept: Record<string, unknown> = {
    ...(apiVersion === undefined ? {} : { apiVersion: short(apiVersion, walk) }),
    ...(kind === undefined ? {} : { kind: short(kind, walk) }),
    metadata: {
      name: short(name, walk),
      namespace: short(namespace, walk),
      ...(mirror === "" ? {} : { annotations: { [MIRROR]: short(mirror, walk) } }),
    },
  };
  if (roleRef !== undefined) {
    const { name: role, kind: roleKind } = fieldsOf(roleRef);
    kept.roleRef = { name: short(role, walk), kind: short(roleKind, walk) };
  }
  // True is what a patch copies from elsewhere.
  if (subjects !== undefined)
    kept.subjects = subjects === true || most(partsOf(subjects, walk, subjectOf), traitsOfSubject, walk);
  if (rules !== undefined) kept.rules = rules === true || most(partsOf(rules, walk, ruleOf), traitsOfRule, walk);
  if (resource === "services") return { ...kept, spec: serviceOf(fieldsOf(object.spec), walk) };
  if (template === undefined) return kept;
  const spec = template.reduce<Fields>((at, key) => fieldsOf(at[key]), object);
  return Object.keys(spec).length === 0 ? kept : withSpec(kept, template, specOf(spec, walk));
}

function withSpec(object: Record<string, unknown>, path: readonly string[], spec: Fields): Fields {
  return { ...object, ...path.reduceRight<Fields>((inner, name) => ({ [name]: inner }), spec) };
}

function specOf(spec: Fields, walk: Walk): Fields {
  const flags = POD_FLAGS.flatMap((name) => (spec[name] === undefined ? [] : [[name, scalar(spec[name])] as const]));
  const containers = [spec.containers, spec.initContainers, spec.ephemeralContainers].flatMap((list) =>
    partsOf(list, walk, containerOf),
  );
  return {
    ...Object.fromEntries(flags),
    ...(spec.securityContext === undefined ? {} : { securityContext: contextOf(fieldsOf(spec.securityContext), walk) }),
    containers: most(containers, traitsOfContainer, walk),
    volumes: most(partsOf(spec.volumes, walk, volumeOf), traitsOfVolume, walk),
  };
}

function containerOf(container: unknown, walk: Walk): Fields {
  const { image, securityContext, ports } = fieldsOf(container);
  const taken = elementsOf(ports).flatMap((port) => fieldsOf(port).hostPort ?? []);
  const hostPorts = [...new Set(taken.map(scalar))];
  if (hostPorts.length > MAX_INNER) walk.isCut = true;
  return {
    image: short(image, walk),
    ...(securityContext === undefined ? {} : { securityContext: contextOf(fieldsOf(securityContext), walk) }),
    ...(hostPorts.length === 0 ? {} : { ports: hostPorts.slice(0, MAX_INNER).map((hostPort) => ({ hostPort })) }),
  };
}

function contextOf(context: Fields, walk: Walk): Fields {
  const scalars = CONTEXT.flatMap((name) => (context[name] === undefined ? [] : [[name, scalar(context[name])]]));
  const { capabilities, supplementalGroups } = context;
  const groups = listOf(supplementalGroups).map(scalar);
  if (groups.length > MAX_INNER) walk.isCut = true;
  const added = namesOfCapabilities(fieldsOf(capabilities).add);
  return {
    ...Object.fromEntries(scalars),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups.slice(0, MAX_INNER) }),
    ...(added.length === 0 ? {} : { capabilities: { add: added } }),
  };
}

const CAPABILITIES: ReadonlySet<string> = new Set(["ALL", ...LINUX_CAPABILITIES.map((name) => name.slice(4))]);

/** All that kernels know, and some of the others. */
function namesOfCapabilities(list: unknown): readonly string[] {
  const names = [...new Set(listOf(list).map((name) => bareCapability(textOf(name)).slice(0, MAX_SCALAR)))];
  const unknown = names.filter((name) => !CAPABILITIES.has(name));
  return [...names.filter((name) => CAPABILITIES.has(name)), ...unknown.slice(0, MAX_UNKNOWN)];
}

function traitsOfContainer({ securityContext, ports }: Fields): readonly string[] {
  const context = fieldsOf(securityContext);
  const flags = ["privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem"].map(
    (name) => `${name}=${context[name] === true}`,
  );
  const asRoot = ["runAsUser", "runAsGroup"].filter((name) => context[name] === 0);
  const added = listOf(fieldsOf(context.capabilities).add).map(textOf);
  return [
    ...flags,
    ...asRoot,
    ...added.filter((name) => CAPABILITIES.has(name)),
    ...(context.procMount === undefined || context.procMount === "Default" ? [] : ["procMount"]),
    ...(ports === undefined ? [] : ["hostPort"]),
  ];
}

function volumeOf(volume: unknown, walk: Walk): Fields {
  const given = fieldsOf(volume);
  const { hostPath, flexVolume } = given;
  const path = textOf(fieldsOf(hostPath).path);
  const driver = textOf(fieldsOf(flexVolume).driver);
  const kinds = Object.keys(given)
    .filter((key) => key !== "name" && key !== "hostPath" && key !== "flexVolume")
    .slice(0, MAX_KINDS);
  return {
    // Cut only after it was made plain: `/./././etc` is no other path than `/etc`.
    ...(path === "" ? {} : { hostPath: { path: short(normalPath(path), walk) } }),
    ...(driver === "" ? {} : { flexVolume: { driver: short(driver, walk) } }),
    ...Object.fromEntries(kinds.map((kind) => [kind.slice(0, MAX_SCALAR), {}])),
  };
}

/** Where nodes keep what leads further than the pod, and where what pods on it do leaves its traces. */
const TOLD_PLACES: readonly string[] = [
  ...NODE_PLACES,
  ...["/home", "/mnt", "/opt", "/var/log", "/run/docker.sock", "/run/crio", "/var/run/docker.sock", "/var/run/crio"],
];
/** Of these the whole is dangerous, and not each thing in it. */
const WHOLE_PLACES: ReadonlySet<string> = new Set([...NODE_PLACES_AS_WHOLE, ...TOLD_PLACES]);

function traitsOfVolume({ hostPath }: Fields): readonly string[] {
  const path = textOf(fieldsOf(hostPath).path);
  return [
    ...(WHOLE_PLACES.has(path) ? [path] : []),
    ...TOLD_PLACES.filter((place) => path === place || path.startsWith(`${place}/`)).map((place) => `${place}/`),
  ];
}

function serviceOf({ type, ports }: Fields, walk: Walk): Fields {
  const numbers = [...new Set(elementsOf(ports).map((port) => scalar(fieldsOf(port).port)))];
  if (numbers.length > MAX_INNER) walk.isCut = true;
  return { type: short(type, walk), ports: numbers.slice(0, MAX_INNER).map((port) => ({ port })) };
}

const RULE_LISTS = ["verbs", "resources", "apiGroups", "nonResourceURLs", "resourceNames"];
const WIDE = /^(?:\*|escalate|bind|impersonate|secrets|pods\/exec|nodes\/proxy|serviceaccounts\/token)$/;

function ruleOf(rule: unknown, walk: Walk): Fields {
  const given = fieldsOf(rule);
  return Object.fromEntries(
    RULE_LISTS.flatMap((key) => (given[key] === undefined ? [] : [[key, words(given[key], walk)]])),
  );
}

/** Words that open much come first. */
function words(list: unknown, walk: Walk): readonly string[] {
  const all = [...new Set(listOf(list).map((word) => short(word, walk)))];
  if (all.length > MAX_INNER) walk.isCut = true;
  return [...all.filter((word) => WIDE.test(word)), ...all.filter((word) => !WIDE.test(word))].slice(0, MAX_INNER);
}

function traitsOfRule(rule: Fields): readonly string[] {
  return ["verbs", "resources"].flatMap((key) =>
    listOf(rule[key])
      .map(textOf)
      .filter((word) => WIDE.test(word))
      .map((word) => `${key} ${word}`),
  );
}

function subjectOf(subject: unknown, walk: Walk): Fields {
  const { kind, namespace, name } = fieldsOf(subject);
  return {
    kind: short(kind, walk),
    name: short(name, walk),
    ...(namespace === undefined ? {} : { namespace: short(namespace, walk) }),
  };
}

/** Everybody, or those who may do everything. */
const EVERYBODY: ReadonlySet<string> = new Set(
  ["anonymous", "unauthenticated", "authenticated", "serviceaccounts", "masters", "nodes"].map(
    (name) => `system:${name}`,
  ),
);

function traitsOfSubject({ kind, name }: Fields): readonly string[] {
  return EVERYBODY.has(textOf(name)) && (kind === "User" || kind === "Group") ? [`${kind} ${name}`] : [];
}

function partsOf(list: unknown, walk: Walk, read: (item: unknown, walk: Walk) => Fields): readonly Fields[] {
  return elementsOf(list).map((item) => read(item, walk));
}

function most(items: readonly Fields[], traitsOf: (item: Fields) => readonly string[], walk: Walk): readonly Fields[] {
  const { kept, left } = coveringFirst(items, traitsOf, walk.items);
  if (left > 0) walk.isCut = true;
  return kept;
}

function short(value: unknown, walk: Walk): string {
  const text = textOf(value);
  if (text.length > walk.text && walk.text < WHOLE_TEXT) walk.isCut = true;
  return text.slice(0, walk.text);
}

function scalar(value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, MAX_SCALAR);
  return typeof value === "object" ? null : value;
}
