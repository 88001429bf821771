import { expect, test } from "vitest";
import type { Json, KubeObject } from "../objects/kube-object.ts";
import { findAttackPaths, type PathWorkload } from "./attack-paths.ts";

const RBAC = "rbac.authorization.k8s.io/v1";

function object(kind: string, namespace: string, name: string, document: Json = {}): KubeObject {
  return { uid: `${kind}/${namespace}/${name}`, apiVersion: RBAC, kind, namespace, name, document };
}

function workload(name: string, spec: Json, over: Partial<PathWorkload> = {}): PathWorkload {
  return { ...{ uid: name, kind: "Deployment", namespace: "shop", name, spec, nodes: ["n1"], exposure: [] }, ...over };
}

const container = (over: Json = {}) => [{ name: "main", image: "x", ...over }];
const privileged = {
  containers: container({ securityContext: { privileged: true } }),
  automountServiceAccountToken: false,
};
const plain = { containers: container(), automountServiceAccountToken: false };

function bound(role: string, rules: readonly Json[], account = "robot"): readonly KubeObject[] {
  return [
    object("ServiceAccount", "shop", account),
    object("ClusterRole", "", role, { rules }),
    object("ClusterRoleBinding", "", role, {
      roleRef: { kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", namespace: "shop", name: account }],
    }),
  ];
}
const rule = (verb: string, resource: string, group = "") => ({
  verbs: [verb],
  apiGroups: [group],
  resources: [resource],
});

test("a container without rights and without a token leads nowhere", () => {
  expect(findAttackPaths(bound("all", [rule("*", "*", "*")]), [workload("web", plain)])).toEqual([]);
});

test("a privileged container leads to its node, and is critical where it can be reached from outside", () => {
  const [inner] = findAttackPaths([], [workload("web", privileged)]);
  expect(inner).toMatchObject({ target: "node", severity: "high", isExposed: false });
  const exposure = [
    { how: "ingress", via: ["Ingress shop/web", "Service shop/web"], hosts: ["shop.example"], ports: [443] },
  ];
  const [outer] = findAttackPaths([], [workload("web", privileged, { exposure })]);
  expect(outer).toMatchObject({ target: "node", severity: "critical", isExposed: true });
  expect(outer!.steps.map(({ kind }) => kind)).toEqual(["internet", "workload", "escape", "node"]);
  expect(outer!.steps[2]!.fix).toMatch(/without privileged/);
});

test("from the node the token of another pod on it leads to cluster-admin", () => {
  const robot = workload("robot", { containers: container(), serviceAccountName: "robot" });
  const elsewhere = workload("far", privileged, { nodes: ["n2"] });
  const objects = bound("admin", [rule("*", "*", "*")]);
  const found = findAttackPaths(objects, [workload("web", privileged), robot, elsewhere]);
  const of = (uid: string) => found.filter((path) => path.workload === uid).map(({ target }) => target);
  expect(of("web")).toEqual(["node", "cluster-admin"]);
  expect(of("robot")).toEqual(["cluster-admin"]);
  expect(of("far")).toEqual(["node"]);
});

test.each([
  ["bind", "clusterroles", RBAC.split("/")[0]!, "cluster-admin"],
  ["impersonate", "users", "", "cluster-admin"],
  ["get", "nodes/proxy", "", "node"],
  ["create", "pods", "", "node"],
  ["create", "cronjobs", "batch", "node"],
  ["list", "secrets", "", "secrets"],
])("a token that may %s %s leads on", (verb, resource, group, target) => {
  const robot = workload("robot", { containers: container(), serviceAccountName: "robot" });
  const found = findAttackPaths(bound("some", [rule(verb, resource, group)]), [robot]);
  expect(found.map((path) => path.target)).toContain(target);
});

test.each([
  ["get", "pods", ""],
  ["list", "configmaps", ""],
  ["create", "pods/log", ""],
  ["get", "clusterroles", RBAC.split("/")[0]!],
])("a token that may %s %s leads nowhere", (verb, resource, group) => {
  const robot = workload("robot", { containers: container(), serviceAccountName: "robot" });
  expect(findAttackPaths(bound("some", [rule(verb, resource, group)]), [robot])).toEqual([]);
});

test("pods may not be made to ask for their node where the Pod Security Standards forbid it", () => {
  const robot = workload("robot", { containers: container(), serviceAccountName: "robot" });
  const [account, role] = bound("maker", [rule("create", "pods")]);
  const binding = object("RoleBinding", "shop", "maker", {
    roleRef: { kind: "ClusterRole", name: "maker" },
    subjects: [{ kind: "ServiceAccount", name: "robot" }],
  });
  const objects = [account!, role!, binding];
  expect(findAttackPaths(objects, [robot]).map(({ target }) => target)).toEqual(["node"]);
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const guarded = object("Namespace", "", "shop", { metadata: { labels } });
  expect(findAttackPaths([...objects, guarded], [robot])).toEqual([]);
});

test("a rule that names single objects gives none of these powers", () => {
  const robot = workload("robot", { containers: container(), serviceAccountName: "robot" });
  const objects = bound("one", [{ ...rule("get", "secrets"), resourceNames: ["mine"] }]);
  expect(findAttackPaths(objects, [robot])).toEqual([]);
});

test.each([
  ["a runtime's socket", { path: "/var/run/docker.sock" }, true, "runtime-socket /var/run/docker.sock"],
  ["the directory of sockets, read-only", { path: "/run/" }, true, "runtime-socket /run"],
  ["the root by a detour", { path: "/var/../" }, false, "host-path /"],
  ["kubelet's directory", { path: "/var/lib/kubelet" }, false, "host-path /var/lib/kubelet"],
])("%s leads to the node", (_, hostPath, readOnly, name) => {
  const spec = {
    automountServiceAccountToken: false,
    containers: container({ volumeMounts: [{ name: "v", mountPath: "/m", readOnly }] }),
    volumes: [{ name: "v", hostPath }],
  };
  const [path] = findAttackPaths([], [workload("web", spec)]);
  expect(path!.steps.find(({ kind }) => kind === "escape")!.name).toBe(name);
});

test("a file of the node that is only read leads nowhere", () => {
  const spec = {
    automountServiceAccountToken: false,
    containers: container({ volumeMounts: [{ name: "v", mountPath: "/m", readOnly: true }] }),
    volumes: [{ name: "v", hostPath: { path: "/etc" } }],
  };
  expect(findAttackPaths([], [workload("web", spec)])).toEqual([]);
});

test("what is no pod and no role at all does no harm", () => {
  const odd = [
    object("ClusterRole", "", "x", { rules: "none" }),
    object("ClusterRoleBinding", "", "x", { roleRef: null, subjects: [null, 3, { kind: "ServiceAccount" }] }),
    object("RoleBinding", "shop", "y", { subjects: { kind: "User" } }),
  ];
  const spec = { containers: [{ volumeMounts: 7, securityContext: [] }], volumes: { hostPath: "/" } };
  expect(findAttackPaths(odd, [workload("web", spec as unknown as Json)])).toEqual([]);
});
