import { judge } from "@bulwark/benchmark/benchmark";
import { pruneObject } from "@bulwark/kubernetes";
import type { StoredObject } from "@bulwark/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pathOf, WATCHED } from "../../apps/server/src/agent/kinds.ts";
import { clusterFacts } from "../../apps/server/src/benchmarks/cluster-facts.ts";
import { benchmarkContent } from "../../apps/server/src/benchmarks/content.ts";
import { type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const NOT_FOUND = 404;
const whyNot = whyNoCluster(false);
if (whyNot !== "") console.warn(`skipped: ${whyNot}`);

interface Listed {
  readonly items?: readonly {
    readonly metadata: { readonly uid: string; readonly name: string; readonly namespace?: string };
  }[];
}

describe.skipIf(whyNot !== "")("the objects of a real cluster under a benchmark", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ kubelet: false });
  });
  afterAll(async () => cluster?.close());

  /** What an agent would have told of, judged. */
  async function judged() {
    const objects: StoredObject[] = [];
    const synced = new Set<string>();
    for (const watched of WATCHED) {
      const { status, body } = await cluster.request("GET", pathOf(watched));
      if (status === NOT_FOUND) continue;
      synced.add(`${watched.apiVersion}/${watched.kind}`);
      for (const item of (body as Listed).items ?? []) {
        const { uid, name, namespace = "" } = item.metadata;
        const document = pruneObject(watched.kind, item, (words) => words);
        const times = { id: objects.length + 1, clusterId: 1, firstSeen: "", seenAt: "" };
        objects.push({ ...times, uid, apiVersion: watched.apiVersion, kind: watched.kind, namespace, name, document });
      }
    }
    const results = judge(benchmarkContent().checks, { cluster: clusterFacts(objects, [...synced]) });
    return new Map(results.map((result) => [result.check, result]));
  }

  test("a cluster as it comes gave nobody more than it must, and has no mesh", async () => {
    const results = await judged();
    const rights = [...results.values()].filter(
      ({ check }) => check.startsWith("rbac-") && check !== "rbac-default-token",
    );
    expect(
      rights
        .filter(({ outcome }) => outcome === "fail")
        .map(({ check, places }) => [check, places.map(({ name }) => name)]),
    ).toEqual([]);
    expect([...results.values()].filter(({ outcome }) => outcome === "undetermined")).toEqual([]);
    expect(results.get("istio-mtls-off")?.outcome).toBe("not-applicable");
  });

  test("what is carelessly made is named", async () => {
    const template = {
      metadata: { labels: { app: "bad" } },
      spec: { hostPID: true, containers: [{ name: "a", image: "shop:latest", securityContext: { privileged: true } }] },
    };
    const rule = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
    const subjects = [{ kind: "ServiceAccount", name: "default", namespace: "default" }];
    const rbac = "rbac.authorization.k8s.io/v1";
    await cluster.apply(
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "bad", namespace: "default" },
        spec: { selector: { matchLabels: { app: "bad" } }, template },
      },
      { apiVersion: rbac, kind: "ClusterRole", metadata: { name: "everything" }, rules: [rule] },
      {
        apiVersion: rbac,
        kind: "ClusterRoleBinding",
        metadata: { name: "careless" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
        subjects,
      },
    );
    const { body: space } = await cluster.request("GET", "/api/v1/namespaces/default");
    const { uid } = (space as { metadata: { uid: string } }).metadata;
    // What calls itself Kubernetes' own, and what was added to what is.
    const label = { "kubernetes.io/bootstrapping": "rbac-defaults" };
    const escalate = { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["escalate"] };
    await cluster.apply(
      { apiVersion: rbac, kind: "ClusterRole", metadata: { name: "system:mine", labels: label }, rules: [rule] },
      { apiVersion: rbac, kind: "ClusterRole", metadata: { name: "system:basic-user" }, rules: [escalate] },
      {
        apiVersion: rbac,
        kind: "RoleBinding",
        metadata: { name: "system:public-info-viewer", namespace: "default" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:unauthenticated" }],
      },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "stray",
          namespace: "default",
          ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name: "default", uid, controller: true }],
        },
        spec: { hostPID: true, containers: [{ name: "a", image: "shop:1" }] },
      },
    );
    const results = await judged();
    for (const [check, name] of [
      ["rbac-wildcard", "system:mine"],
      ["rbac-escalate", "system:basic-user"],
      ["rbac-anonymous", "system:public-info-viewer"],
      ["workload-host-pid", "stray"],
      ["workload-privileged", "bad"],
      ["workload-host-pid", "bad"],
      ["workload-latest", "bad"],
      ["workload-limits", "bad"],
      ["rbac-wildcard", "everything"],
      ["rbac-cluster-admin", "careless"],
      ["rbac-default-account-bound", "careless"],
    ] as const) {
      expect(
        results.get(check)?.places.map((place) => place.name),
        check,
      ).toContain(name);
    }
  });
});
