import { type AuditEvent, type Fields, fieldsOf, textOf } from "@bulwark/model";
import { remembered } from "../fields/field.ts";

/** Where a resource keeps what its pods are made from. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  pods: ["spec"],
  podtemplates: ["template", "spec"],
  replicationcontrollers: ["spec", "template", "spec"],
  deployments: ["spec", "template", "spec"],
  daemonsets: ["spec", "template", "spec"],
  statefulsets: ["spec", "template", "spec"],
  replicasets: ["spec", "template", "spec"],
  jobs: ["spec", "template", "spec"],
  cronjobs: ["spec", "jobTemplate", "spec", "template", "spec"],
};
const MAX_PATCH_DEPTH = 32;

/** Where the resource of a request keeps what pods are made from; undefined when it makes none. */
export function templatePathOf({ objectRef }: Pick<AuditEvent, "objectRef">): readonly string[] | undefined {
  const resource = objectRef?.resource ?? "";
  return Object.hasOwn(TEMPLATES, resource) ? TEMPLATES[resource] : undefined;
}

/** What a request holds: the object, or the fields that a patch sets. */
export function objectOf(request: unknown): Fields {
  return Array.isArray(request) ? patchedFields(request) : fieldsOf(request);
}

/** What was sent: the object, or the fields that a patch sets. */
const givenObject: (event: AuditEvent) => Fields = remembered(({ requestObject }: AuditEvent) =>
  objectOf(requestObject),
);

/** Whether the server tells what came of a patch. */
export function tellsResult({ verb, responseObject }: Pick<AuditEvent, "verb" | "responseObject">): boolean {
  const { kind } = fieldsOf(responseObject);
  return verb === "patch" && kind !== undefined && kind !== "Status";
}

/**
 * The object that a request is about: what was sent; of a patch what came of it, where the server tells that.
 */
export const sentObject: (event: AuditEvent) => Fields = remembered((event: AuditEvent) =>
  tellsResult(event) ? fieldsOf(event.responseObject) : givenObject(event),
);

/**
 * The role or the binding that a request makes or changes. A patch of something else of it, such as a label, gives nobody anything,
 * whatever it grants.
 */
export const grantOf: (event: AuditEvent) => Fields = remembered((event: AuditEvent) => {
  if (event.verb !== "patch" || event.requestObject === null) return sentObject(event);
  const { roleRef, subjects, rules } = givenObject(event);
  const isGiven = [roleRef, subjects, rules].some((part) => part === true || elementsOf(part).length > 0);
  return isGiven ? sentObject(event) : {};
});

/** The specification of the pods that a request makes or changes; empty for anything else. */
export const podSpecOf: (event: AuditEvent) => Fields = remembered((event: AuditEvent) => {
  const path = templatePathOf(event);
  if (path === undefined) return {};
  const specIn = (object: Fields) => path.reduce<Fields>((at, name) => fieldsOf(at[name]), object);
  // A patch of something else, such as a label, makes no pod, whatever pods there are.
  const isElsewhere = event.requestObject !== null && Object.keys(specIn(givenObject(event))).length === 0;
  return isElsewhere ? {} : specIn(sentObject(event));
});

/** All containers, those that run first and those that are put in later among them. */
export const containersOf: (event: AuditEvent) => readonly Fields[] = remembered((event: AuditEvent) => {
  const spec = podSpecOf(event);
  return [spec.containers, spec.initContainers, spec.ephemeralContainers].flatMap(elementsOf).map(fieldsOf);
});

/** Elements of a list; of a patched list those that the patch has. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : Object.values(fieldsOf(value));
}

/** What the operations of a patch (RFC 6902) put where, as one object in which lists are objects by index. */
function patchedFields(operations: readonly unknown[]): Fields {
  const root: Place = Object.create(null);
  // What a patch holds itself is copied before something is put into it, once: ten thousand operations may go to one place.
  const places = new WeakSet<object>([root]);
  let put = 0;
  for (const each of operations) {
    const { op, path, value: told } = fieldsOf(each);
    const isCopied = op === "copy" || op === "move";
    if (op !== "add" && op !== "replace" && !isCopied) continue;
    // What a copy holds is not told: it may be what switches something on.
    const value = isCopied ? true : told;
    const names = textOf(path).split("/").slice(1, MAX_PATCH_DEPTH);
    const last = names.pop();
    if (last === undefined) {
      Object.assign(root, fieldsOf(value));
      continue;
    }
    let at = root;
    for (const name of names.map(unescaped)) at = placeIn(at, name, places);
    const key = unescaped(last);
    // An element that is put into a list stands before the one that was there, and not in its place.
    const isElement = op !== "replace" && (key === "-" || (/^\d+$/.test(key) && Object.hasOwn(at, key)));
    at[isElement ? `${key}+${put++}` : key] = value;
  }
  return root;
}

type Place = Record<string, unknown>;

function placeIn(at: Place, name: string, places: WeakSet<object>): Place {
  const next = Object.hasOwn(at, name) ? at[name] : undefined;
  if (typeof next === "object" && next !== null && places.has(next)) return next as Place;
  const made: Place = Object.create(null);
  if (typeof next === "object" && next !== null) Object.assign(made, next);
  at[name] = made;
  places.add(made);
  return made;
}

/** RFC 6901, section 4. */
export function unescaped(name: string): string {
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}
