import {
  type Access,
  type AccessRule,
  allows,
  allowsAll,
  type Grant,
  groupsOf,
  serviceAccount,
  type Wanted,
} from "./rules.ts";

/** What somebody who holds a grant can come to. */
export type Power =
  /** The whole cluster, in one step. */
  | "cluster-admin"
  /** Pods of any kind, and with them the tokens and, where nothing forbids it, the nodes of a namespace. */
  | "make-pods"
  /** Commands in running pods. */
  | "enter-pods"
  /** All secrets of a namespace. */
  | "read-secrets"
  /** Tokens of the service accounts of a namespace. */
  | "make-tokens"
  /** Commands in all pods of all nodes, past admission and audit. */
  | "reach-kubelets";

/** A power where it holds, and what grants it. */
export interface HeldPower {
  readonly power: Power;
  /** Empty: in all namespaces. */
  readonly namespace: string;
  readonly by: Grant;
  /** What the rule allows, as people say it: `create pods`. */
  readonly what: string;
}

const RBAC = "rbac.authorization.k8s.io";
const ADMISSION = "admissionregistration.k8s.io";
const want = (verb: string, group: string, resource: string): Wanted => ({ verb, group, resource });

/** What makes pods by a template, and how one gets a template of one's own into it. */
const MAKERS = [
  ...["deployments", "replicasets", "statefulsets", "daemonsets"].map((resource) => ["apps", resource] as const),
  ...["jobs", "cronjobs"].map((resource) => ["batch", resource] as const),
  ["", "replicationcontrollers"] as const,
];
const CHANGES = ["create", "update", "patch"];

/** Verbs on resources that are worth a power in the namespace where they are granted. */
const NAMESPACED: readonly (readonly [Power, Wanted])[] = [
  ["make-pods", want("create", "", "pods")],
  ...MAKERS.flatMap(([group, resource]) =>
    CHANGES.map((verb): readonly [Power, Wanted] => ["make-pods", want(verb, group, resource)]),
  ),
  ["make-pods", want("patch", "", "pods/ephemeralcontainers")],
  ["enter-pods", want("create", "", "pods/exec")],
  ["enter-pods", want("create", "", "pods/attach")],
  ["read-secrets", want("list", "", "secrets")],
  ["read-secrets", want("get", "", "secrets")],
  ["read-secrets", want("watch", "", "secrets")],
  ["make-tokens", want("create", "", "serviceaccounts/token")],
];

/** The same, where they are granted everywhere. */
const WIDE: readonly (readonly [Power, Wanted])[] = [
  ["cluster-admin", want("bind", RBAC, "clusterroles")],
  ["cluster-admin", want("escalate", RBAC, "clusterroles")],
  ["cluster-admin", want("impersonate", "", "users")],
  ["cluster-admin", want("impersonate", "", "groups")],
  ["cluster-admin", want("impersonate", "", "serviceaccounts")],
  ["cluster-admin", want("create", ADMISSION, "mutatingwebhookconfigurations")],
  ["cluster-admin", want("patch", ADMISSION, "mutatingwebhookconfigurations")],
  ["reach-kubelets", want("get", "", "nodes/proxy")],
  ["reach-kubelets", want("create", "", "nodes/proxy")],
];

/** What a service account can come to through what is granted to it and to the groups that it is in. */
export function powersOf(access: Access, namespace: string, name: string): readonly HeldPower[] {
  const subjects = [serviceAccount(namespace, name), ...groupsOf(namespace)];
  const held = new Map<string, HeldPower>();
  for (const subject of subjects) {
    for (const grant of access.get(subject) ?? []) {
      for (const power of powersOfGrant(grant)) {
        const key = `${power.power} ${power.namespace}`;
        if (!held.has(key)) held.set(key, power);
      }
    }
  }
  // What holds everywhere need not be said of single namespaces.
  return [...held.values()].filter(({ power, namespace: place }) => place === "" || !held.has(`${power} `));
}

function powersOfGrant(grant: Grant): readonly HeldPower[] {
  const { rule, namespace } = grant;
  const isWide = namespace === "";
  if (isWide && allowsAll(rule)) return [{ power: "cluster-admin", namespace, by: grant, what: "everything" }];
  const table = isWide ? [...WIDE, ...NAMESPACED] : NAMESPACED;
  return table.flatMap(([power, wanted]) =>
    allows(rule, wanted) ? [{ power, namespace, by: grant, what: said(wanted, rule) }] : [],
  );
}

function said({ verb, resource }: Wanted, rule: AccessRule): string {
  return rule.verbs.includes("*") ? `everything on ${resource}` : `${verb} ${resource}`;
}
