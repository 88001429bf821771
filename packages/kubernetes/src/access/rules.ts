import type { Json, KubeObject } from "../objects/kube-object.ts";
import { mapAt, mapsAt, textAt, textsAt } from "../objects/read.ts";

/** One rule of a role (Kubernetes API, rbac.authorization.k8s.io/v1 PolicyRule). */
export interface AccessRule {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: all. */
  readonly names: readonly string[];
}

/** A rule where it holds for somebody, and by which objects. */
export interface Grant {
  readonly rule: AccessRule;
  /** Empty: everywhere. */
  readonly namespace: string;
  /** `ClusterRole view` */
  readonly role: string;
  /** `RoleBinding shop/viewers` */
  readonly binding: string;
}

/** Who may do what, by subject: `serviceaccount shop/cart`, `user jane`, `group system:masters`. */
export type Access = ReadonlyMap<string, readonly Grant[]>;

const KINDS: Readonly<Record<string, string>> = { ServiceAccount: "serviceaccount", User: "user", Group: "group" };

/** The name under which a service account is found in `Access`. */
export function serviceAccount(namespace: string, name: string): string {
  return `serviceaccount ${namespace}/${name}`;
}

/** The groups that every service account belongs to (Kubernetes documentation, "Using RBAC Authorization"). */
export function groupsOf(namespace: string): readonly string[] {
  return ["group system:serviceaccounts", `group system:serviceaccounts:${namespace}`, "group system:authenticated"];
}

/**
 * Works out what bindings grant. Bindings of roles that are not there grant nothing.
 *
 * @param objects roles and bindings among whatever else
 */
export function readAccess(objects: readonly KubeObject[]): Access {
  const roles = new Map<string, readonly AccessRule[]>();
  for (const { kind, namespace, name, document } of objects) {
    if (kind === "ClusterRole") roles.set(`ClusterRole /${name}`, rulesOf(document));
    if (kind === "Role") roles.set(`Role ${namespace}/${name}`, rulesOf(document));
  }
  const access = new Map<string, Grant[]>();
  for (const binding of objects) {
    const isWide = binding.kind === "ClusterRoleBinding";
    if (!isWide && binding.kind !== "RoleBinding") continue;
    const reference = mapAt(binding.document, "roleRef");
    const [kind, name] = [textAt(reference, "kind"), textAt(reference, "name")];
    const place = kind === "Role" ? binding.namespace : "";
    const namespace = isWide ? "" : binding.namespace;
    const label = isWide ? `ClusterRoleBinding ${binding.name}` : `RoleBinding ${binding.namespace}/${binding.name}`;
    const role = kind === "Role" ? `Role ${place}/${name}` : `ClusterRole ${name}`;
    const grants = (roles.get(`${kind} ${place}/${name}`) ?? []).map(
      (rule): Grant => ({ rule, namespace, role, binding: label }),
    );
    for (const subject of mapsAt(binding.document, "subjects")) {
      const key = subjectKey(subject, binding.namespace);
      if (key === undefined || grants.length === 0) continue;
      const all = access.get(key);
      if (all === undefined) access.set(key, [...grants]);
      else all.push(...grants);
    }
  }
  return access;
}

function rulesOf(role: Json): readonly AccessRule[] {
  return mapsAt(role, "rules").map((rule) => ({
    verbs: textsAt(rule, "verbs"),
    groups: textsAt(rule, "apiGroups"),
    resources: textsAt(rule, "resources"),
    names: textsAt(rule, "resourceNames"),
  }));
}

function subjectKey(subject: Json, namespace: string): string | undefined {
  const kind = KINDS[textAt(subject, "kind")];
  const name = textAt(subject, "name");
  if (kind === undefined || name === "") return undefined;
  return kind === "serviceaccount"
    ? serviceAccount(textAt(subject, "namespace") || namespace, name)
    : `${kind} ${name}`;
}

/** What is asked for: a verb on a resource, `pods/exec` for a part of one. */
export interface Wanted {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** Whether a rule allows something for all objects of the kind; one that names objects does not. */
export function allows(rule: AccessRule, { verb, group, resource }: Wanted): boolean {
  if (rule.names.length > 0) return false;
  const has = (list: readonly string[], value: string) => list.includes(value) || list.includes("*");
  const [main = "", part] = resource.split("/");
  const isResource =
    has(rule.resources, resource) || (part !== undefined && rule.resources.includes(`*/${part}`) && main !== "");
  return isResource && has(rule.verbs, verb) && has(rule.groups, group);
}

/** Whether a rule allows everything there is. */
export function allowsAll(rule: AccessRule): boolean {
  return rule.names.length === 0 && [rule.verbs, rule.groups, rule.resources].every((list) => list.includes("*"));
}
