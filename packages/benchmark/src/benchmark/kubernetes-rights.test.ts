import { expect, test } from "vitest";
import { foreignRules, grants, isOwnBinding } from "./kubernetes-rights.ts";

const role = (name: string, ...rules: readonly object[]) => ({ kind: "ClusterRole", namespace: "", name, rules });
const rule = (group: string, resource: string, ...verbs: readonly string[]) => ({
  ...{ apiGroups: [group], resources: [resource], verbs },
});

test("a name of Kubernetes' own covers what Kubernetes put there, and nothing that was added", () => {
  const own = rule("", "secrets", "get", "list", "watch");
  const added = rule("", "secrets", "get", "delete", "*");
  const exec = rule("", "pods/exec", "create");
  expect(foreignRules(role("system:node", own, added, exec))).toEqual([added, exec]);
  expect(foreignRules(role("system:mine", own))).toEqual([own]);
  expect(foreignRules({ ...role("system:node", own), kind: "Role", namespace: "shop" })).toEqual([own]);
  expect(foreignRules(role("cluster-admin", rule("*", "*", "*")))).toEqual([]);
});

test("every resource of one group is not every resource of all", () => {
  const metrics = rule("custom.metrics.k8s.io", "*", "get", "list", "watch");
  const all = rule("*", "*", "get");
  expect(foreignRules(role("system:controller:horizontal-pod-autoscaler", metrics, all))).toEqual([all]);
  expect(foreignRules(role("system:controller:resourcequota-controller", rule("*", "*", "list", "watch")))).toEqual([]);
  const part = rule("*", "*/exec", "create");
  expect(foreignRules(role("system:node", part))).toEqual([part]);
});

test("names that objects inherit are no roles and no bindings", () => {
  const read = rule("", "secrets", "get");
  for (const name of ["constructor", "__proto__", "toString"]) {
    expect(foreignRules(role(name, read))).toEqual([read]);
    expect(isOwnBinding({ kind: "ClusterRoleBinding", name })).toBe(false);
  }
  expect(foreignRules({ kind: "ClusterRole", name: "x", rules: "none" })).toEqual([]);
});

test("a binding is Kubernetes' own with its own role and its own subjects alone", () => {
  const masters = { kind: "Group", name: "system:masters" };
  const admin = {
    kind: "ClusterRoleBinding",
    namespace: "",
    name: "cluster-admin",
    roleRef: { name: "cluster-admin" },
  };
  expect(isOwnBinding({ ...admin, subjects: [masters] })).toBe(true);
  expect(isOwnBinding({ ...admin, subjects: [masters, { kind: "User", name: "me" }] })).toBe(false);
  expect(isOwnBinding({ ...admin, kind: "RoleBinding", namespace: "shop", subjects: [masters] })).toBe(false);
  expect(isOwnBinding({ ...admin, subjects: [masters], roleRef: { kind: "Role", name: "cluster-admin" } })).toBe(false);
});

test("a rule grants what it names, by stars too, in its own group", () => {
  const may = (given: object) => grants(given, "", ["pods/exec"], ["create"]);
  expect([rule("", "pods/exec", "create"), rule("*", "*", "*"), rule("", "*/exec", "create")].map(may)).toEqual([
    ...[true, true, true],
  ]);
  expect([rule("apps", "*", "*"), rule("", "pods", "create"), rule("", "pods/exec", "list"), {}].map(may)).toEqual([
    ...[false, false, false, false],
  ]);
});
