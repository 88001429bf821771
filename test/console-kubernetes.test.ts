import { randomUUID } from "node:crypto";
import { enroll, newRequest } from "@bulwark/server/agent";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, openStream } from "../apps/server/src/agent/gateway-client.ts";
import { WATCHED } from "../apps/server/src/agent/kinds.ts";
import { type ConsoleBench, openConsoleBench, settled, type Window } from "./support/console-bench.ts";

/** Clusters in a browser before the real server, told of by an agent's stream. */

const SLOW_MS = 240_000;
const RBAC = "rbac.authorization.k8s.io";
const LABELS = { app: "door" };
const POLICIES = "/admission?tab=policies&policy=no-privileged";
const PAGES = [
  "/clusters",
  "/clusters/1",
  "/clusters/1?tab=exposure",
  "/clusters/1?tab=paths",
  "/clusters/1?tab=about",
  "/workloads/1",
  "/impact",
  "/impact?cause=service-account&id=1/shop/robot",
  "/admission",
  "/admission?tab=policies",
  "/admission?tab=brakes",
  "/admission?tab=exceptions",
  "/admission?tab=grants",
  "/benchmarks",
  "/benchmarks?tab=results",
  "/benchmarks?tab=compliance",
  "/benchmarks?tab=fixes",
  "/benchmarks?tab=components",
  "/benchmarks?tab=rules",
];

const SYNCED = WATCHED.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`);

let bench: ConsoleBench;
let window: Window;
const ended: (() => void)[] = [];

beforeAll(async () => {
  bench = await openConsoleBench();
  window = await bench.logIn();
}, SLOW_MS);
afterAll(async () => {
  for (const end of ended) end();
  await window?.close();
  await bench?.close();
});

function object(kind: string, name: string, document: object, apiVersion = "v1", namespace = "shop") {
  const uid = `uid-${kind}-${name}`;
  const metadata = { ...(document as { metadata?: object }).metadata, uid, name, namespace };
  return { uid, apiVersion, kind, namespace, name, document: Buffer.from(JSON.stringify({ ...document, metadata })) };
}

function estate() {
  const spec = {
    serviceAccountName: "robot",
    nodeName: "node-1",
    containers: [{ name: "door", image: "shop.example/door:1", securityContext: { privileged: true } }],
  };
  const owner = { controller: true, kind: "StatefulSet", name: "door", uid: "uid-StatefulSet-door" };
  return [
    object("Namespace", "shop", {}, "v1", ""),
    object("Node", "node-1", {}, "v1", ""),
    object("ServiceAccount", "robot", {}),
    object("StatefulSet", "door", { spec: { template: { metadata: { labels: LABELS }, spec } } }, "apps/v1"),
    object("Pod", "door-0", {
      metadata: { labels: LABELS, ownerReferences: [owner] },
      spec,
      status: { phase: "Running" },
    }),
    object("Service", "door", { spec: { type: "LoadBalancer", selector: LABELS, ports: [{ port: 443 }] } }),
    object(
      "ClusterRole",
      "cluster-admin",
      { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] },
      `${RBAC}/v1`,
      "",
    ),
    object(
      ...(["ClusterRoleBinding", "robot"] as const),
      {
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "cluster-admin" },
        subjects: [{ kind: "ServiceAccount", namespace: "shop", name: "robot" }],
      },
      ...([`${RBAC}/v1`, ""] as const),
    ),
  ];
}

/** Joins as an agent does, and tells of a cluster with one workload that everything leads to. */
async function join(token: string): Promise<void> {
  const [host = "", port = ""] = bench.gateway.split(":");
  const gateway = { host, port: Number(port) };
  const cluster = { kubernetesUid: randomUUID(), version: "v1.36.3", agentVersion: "test", replica: "one" };
  const { key, request } = await newRequest();
  const { certificate, authority } = await enroll(gateway, token, { certificateRequest: request, cluster });
  const client = openGateway(gateway, { key, certificate, authority });
  const stream = openStream(client);
  ended.push(() => {
    stream.cancel();
    client.close();
  });
  const stored = new Promise<void>((resolve, reject) => {
    stream.on("data", ({ acknowledgement }) => acknowledgement !== null && resolve());
    stream.on("error", reject);
  });
  stream.write({ hello: { cluster, roles: ["agent"] } });
  stream.write({ objects: { epoch: "1", sequence: 1, changed: estate(), synced: SYNCED } });
  await stored;
}

test(
  "a cluster is invited, joins, and shows what runs, what reaches it and where that leads",
  async () => {
    const { page } = window;
    await page.goto("/clusters");
    await settled(page);
    await page.click("button:has-text('Invite a cluster')");
    await page.fill(".ant-modal #name", "harbour");
    await page.click(".ant-modal .ant-btn-primary");
    await page.waitForSelector("text=bulwark cluster join 'harbour'");
    const { token } = await bench.call<{ token: string }>(window, "POST", "/clusters/1/token", {});
    await join(token);
    await page.goto("/clusters");
    await page.click(".data-table a:has-text('harbour')");
    await page.waitForSelector(".data-table :text('shop/door')");
    await page.goto("/clusters/1?tab=paths");
    await page.waitForSelector("text=shop: StatefulSet door");
    await bench.picture(window, "cluster-paths");
    for (const path of PAGES) {
      await page.goto(path);
      await settled(page);
      expect(await page.locator(".ant-alert-error").count(), path).toBe(0);
    }
    expect(window.complaints).toEqual([]);
  },
  SLOW_MS,
);

test(
  "a policy is enforced in one namespace of a cluster, and does as elsewhere again",
  async () => {
    const { page } = window;
    await page.goto(POLICIES);
    await settled(page);
    const drawer = page.locator(".ant-drawer");
    await drawer.locator("button:has-text('Set here')").click();
    await drawer.locator("text=A cluster, a namespace, or both").waitFor();
    await drawer.locator(".cluster-choice").click();
    await page.click(".ant-select-item-option:has-text('harbour')");
    await drawer.locator("input#namespace").fill("No such name!");
    await drawer.locator("button:has-text('Set here')").click();
    await drawer.locator("text=The name of a namespace, without patterns").waitFor();
    await drawer.locator("input#namespace").fill("shop");
    await drawer.locator("form .ant-segmented-item:has-text('Deny')").click();
    await drawer.locator("button:has-text('Set here')").click();
    const row = drawer.locator("tr:has-text('shop')");
    await row.locator(".ant-segmented-item-selected:has-text('Deny')").waitFor();
    await bench.picture(window, "place-modes");
    const modes = async () => {
      const { items } = await bench.call<{
        items: { name: string; modes: { cluster: { name: string } | null; namespace: string; mode: string }[] }[];
      }>(window, "GET", "/admission/policies");
      return items
        .find(({ name }) => name === "no-privileged")
        ?.modes.map(({ cluster, namespace, mode }) => [cluster?.name ?? "", namespace, mode]);
    };
    expect(await modes()).toEqual([["harbour", "shop", "enforce"]]);
    await row.locator("button:has-text('As elsewhere')").click();
    await drawer.locator("text=It does the same everywhere.").waitFor();
    expect(await modes()).toEqual([]);
    expect(window.complaints).toEqual([]);
  },
  SLOW_MS,
);

test(
  "the brake is pulled and released, and glass is broken",
  async () => {
    const { page } = window;
    await page.goto("/admission?tab=brakes");
    await settled(page);
    await page.click("button:has-text('Pull the brake')");
    await page.fill(".ant-modal #pattern", "CVE-2021-44228");
    await page.fill(".ant-modal #reason", "exploited now");
    await page.click(".ant-modal .ant-btn-primary");
    await page.waitForSelector("text=The emergency brake is on");
    await page.click(".data-table button:has-text('Release')");
    await page.waitForSelector("text=The emergency brake is on", { state: "detached" });
    await page.goto("/admission?tab=grants");
    await settled(page);
    await page.click("button:has-text('Break glass')");
    await page.fill(".ant-modal #namespace", "shop");
    await page.fill(".ant-modal #reason", "an outage");
    await page.click(".ant-modal .ant-btn-primary");
    await page.waitForSelector("text=bulwark.dev/break-glass");
    expect(window.complaints).toEqual([]);
  },
  SLOW_MS,
);

test(
  "a benchmark of the cluster is run, and its score and results are shown",
  async () => {
    const { page } = window;
    await page.goto("/benchmarks");
    await settled(page);
    await page.click("button:has-text('Run')");
    await page.waitForSelector(".ant-modal");
    await page.click(".ant-modal .ant-btn-primary");
    await page.waitForSelector(".data-table :text('harbour')");
    await page.goto("/benchmarks?tab=results");
    await page.waitForSelector(".data-table tbody tr");
    await bench.picture(window, "benchmark-results");
    expect(window.complaints).toEqual([]);
  },
  SLOW_MS,
);
