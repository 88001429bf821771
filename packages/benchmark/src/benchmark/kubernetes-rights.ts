import { type Fields, fieldsOf } from "@bulwark/model";

/**
 * What Kubernetes' own roles and bindings may do (Kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy, 1.20 to 1.37, and
 * kubeadm's). A name or a label makes none of them: the API server puts back what is missing there and leaves what somebody added, so that each
 * rule and each subject is held against these.
 */

/** Rights that checks look for, by resource; `*` is any verb. */
const WATCHED: Readonly<Record<string, string>> = {
  secrets: "get list watch",
  pods: "create",
  deployments: "create",
  daemonsets: "create",
  statefulsets: "create",
  jobs: "create",
  cronjobs: "create",
  replicasets: "create",
  "pods/exec": "create get update patch",
  "pods/attach": "create get update patch",
  "pods/ephemeralcontainers": "create get update patch",
  persistentvolumes: "create",
  "nodes/proxy": "get create",
  "certificatesigningrequests/approval": "update patch",
  validatingwebhookconfigurations: "create update patch",
  mutatingwebhookconfigurations: "create update patch",
  "serviceaccounts/token": "create",
};
/** Verbs that are watched on every resource. */
const WATCHED_VERBS = new Set(["escalate", "bind", "impersonate", "*"]);

/** Rights as `resource: verbs`; every resource of a group is `group/*`. */
type Rights = Readonly<Record<string, string>>;

const EDIT: Rights = {
  secrets: "get list watch",
  ...{ pods: "create", deployments: "create", daemonsets: "create", statefulsets: "create", replicasets: "create" },
  ...{ jobs: "create", cronjobs: "create" },
  ...{ "pods/exec": "create get update patch", "pods/attach": "create get update patch" },
  ...{ "serviceaccounts/token": "create", serviceaccounts: "impersonate" },
};
const METRICS = "get list watch";

/** Cluster roles. Those that are not here have no watched right. */
const CLUSTER_ROLES: Readonly<Record<string, Rights>> = {
  admin: EDIT,
  edit: EDIT,
  "system:aggregate-to-edit": EDIT,
  "system:node": { secrets: "get list watch", pods: "create", "serviceaccounts/token": "create" },
  "system:kubelet-api-admin": {
    ...{ "nodes/proxy": "*", "nodes/log": "*", "nodes/metrics": "*", "nodes/stats": "*", "nodes/spec": "*" },
    ...{ "nodes/configz": "*", "nodes/healthz": "*", "nodes/pods": "*" },
  },
  "system:kube-controller-manager": { secrets: "get", "*/*": "list watch", "serviceaccounts/token": "create" },
  "system:persistent-volume-provisioner": { persistentvolumes: "create" },
  "system:controller:attachdetach-controller": { secrets: "get" },
  "system:controller:certificate-controller": { "certificatesigningrequests/approval": "update" },
  "system:controller:clusterrole-aggregation-controller": { clusterroles: "escalate" },
  "system:controller:cronjob-controller": { jobs: "create" },
  "system:controller:daemon-set-controller": { pods: "create" },
  "system:controller:deployment-controller": { replicasets: "create" },
  "system:controller:expand-controller": { secrets: "get" },
  "system:controller:generic-garbage-collector": { "*/*": "delete get list patch update watch" },
  "system:controller:horizontal-pod-autoscaler": {
    "custom.metrics.k8s.io/*": METRICS,
    "external.metrics.k8s.io/*": METRICS,
  },
  "system:controller:job-controller": { pods: "create" },
  "system:controller:namespace-controller": { "*/*": "delete deletecollection get list watch" },
  "system:controller:persistent-volume-binder": { persistentvolumes: "create", pods: "create", secrets: "get" },
  "system:controller:replicaset-controller": { pods: "create" },
  "system:controller:replication-controller": { pods: "create" },
  "system:controller:resourcequota-controller": { "*/*": "list watch" },
  "system:controller:statefulset-controller": { pods: "create" },
};
/** The role that is everything: whatever it holds it held already. */
const EVERYTHING = "cluster-admin";
/** Roles of kube-system. */
const SYSTEM_ROLES: Readonly<Record<string, Rights>> = {
  "system:controller:bootstrap-signer": { secrets: "get list watch" },
  "system:controller:token-cleaner": { secrets: "get list watch" },
};

/** Bindings whose subjects checks look for: kind and name of each, without a namespace. */
const BINDINGS: readonly {
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly string[];
}[] = [
  { namespace: "", name: "cluster-admin", role: "cluster-admin", subjects: ["Group system:masters"] },
  { namespace: "", name: "system:basic-user", role: "system:basic-user", subjects: ["Group system:authenticated"] },
  { namespace: "", name: "system:discovery", role: "system:discovery", subjects: ["Group system:authenticated"] },
  {
    ...{ namespace: "", name: "system:public-info-viewer", role: "system:public-info-viewer" },
    subjects: ["Group system:authenticated", "Group system:unauthenticated"],
  },
  {
    ...{ namespace: "", name: "system:service-account-issuer-discovery" },
    ...{ role: "system:service-account-issuer-discovery", subjects: ["Group system:serviceaccounts"] },
  },
  {
    ...{ namespace: "", name: "kubeadm:cluster-admins", role: "cluster-admin" },
    subjects: ["Group kubeadm:cluster-admins"],
  },
  {
    ...{ namespace: "kube-public", name: "kubeadm:bootstrap-signer-clusterinfo" },
    ...{ role: "kubeadm:bootstrap-signer-clusterinfo", subjects: ["User system:anonymous"] },
  },
];

/**
 * Rules of a role that are not Kubernetes' own.
 *
 * @example foreignRules({ kind: "ClusterRole", name: "system:mine", rules: [rule] }); // [rule]
 */
export function foreignRules(role: Fields): readonly unknown[] {
  const rules = listOf(role.rules);
  const { kind, namespace } = role;
  const name = String(role.name);
  if (kind === "ClusterRole") {
    if (name === EVERYTHING) return [];
    const rights = Object.hasOwn(CLUSTER_ROLES, name) ? CLUSTER_ROLES[name] : undefined;
    return rights === undefined ? rules : rules.filter((rule) => !isWithin(fieldsOf(rule), rights));
  }
  const rights = namespace === "kube-system" && Object.hasOwn(SYSTEM_ROLES, name) ? SYSTEM_ROLES[name] : undefined;
  return rights === undefined ? rules : rules.filter((rule) => !isWithin(fieldsOf(rule), rights));
}

/** Whether all watched rights of a rule are among these. */
function isWithin(rule: Fields, rights: Rights): boolean {
  const [groups, resources, verbs] = [rule.apiGroups, rule.resources, rule.verbs].map(textsOf) as [
    ...[readonly string[], readonly string[], readonly string[]],
  ];
  const holds = (resource: string, verb: string) => (rights[resource] ?? "").split(" ").includes(verb);
  return resources.every((resource) => {
    const names = resource === "*" ? groups.map((group) => `${group}/*`) : [resource];
    if (names.length === 0) return false;
    return verbs.every((verb) => names.every((name) => !isWatched(resource, verb) || holds(name, verb)));
  });
}

function isWatched(resource: string, verb: string): boolean {
  if (WATCHED_VERBS.has(verb) || resource === "*") return true;
  // "*/scale" is the same part of every resource (Kubernetes documentation, "Referring to resources").
  const part = resource.startsWith("*/") ? resource.slice(1) : undefined;
  return Object.entries(WATCHED).some(
    ([name, verbs]) =>
      (name === resource || (part !== undefined && name.endsWith(part))) && verbs.split(" ").includes(verb),
  );
}

/** Whether a binding is one that Kubernetes or kubeadm makes, with nobody in it but those whom they put there. */
export function isOwnBinding(binding: Fields): boolean {
  const { kind, namespace = "", name, roleRef } = binding;
  const known = BINDINGS.find((each) => each.name === name && each.namespace === namespace);
  if (known === undefined || kind !== (known.namespace === "" ? "ClusterRoleBinding" : "RoleBinding")) return false;
  const reference = fieldsOf(roleRef);
  const roleKind = known.namespace === "" ? "ClusterRole" : "Role";
  if (reference.name !== known.role || (reference.kind ?? roleKind) !== roleKind) return false;
  const subjects = listOf(binding.subjects).map(fieldsOf);
  return subjects.every((each) => known.subjects.includes(`${String(each.kind)} ${String(each.name)}`));
}

/**
 * Whether a rule of a role lets one of these verbs be used on one of these resources of an API group. A rule that names no group, as
 * samples do, is of every one.
 *
 * @example grants({ apiGroups: ["*"], resources: ["*"], verbs: ["get"] }, "", ["secrets"], ["get"]); // true
 */
export function grants(rule: unknown, group: string, resources: readonly string[], verbs: readonly string[]): boolean {
  const { apiGroups, ...rest } = fieldsOf(rule);
  const groups = textsOf(apiGroups);
  const given = textsOf(rest.resources);
  const allowed = textsOf(rest.verbs);
  const isGroup = apiGroups === undefined || groups.includes("*") || groups.includes(group);
  const isResource = (wanted: string) => {
    const part = wanted.indexOf("/");
    return given.includes("*") || given.includes(wanted) || (part > 0 && given.includes(`*${wanted.slice(part)}`));
  };
  return (
    isGroup && (allowed.includes("*") || verbs.some((verb) => allowed.includes(verb))) && resources.some(isResource)
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((each) => typeof each === "string");
}
