import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeconfigAccess, type RunningAgent, startAgent } from "@bulwark/server/agent";
import { enterEpoch } from "@bulwark/store";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster, whyNoCluster } from "./cluster/start-cluster.ts";
import { type ServerUnderTest, startTestServer } from "./support/running-server.ts";

const why = whyNoCluster(false);
const log = pino({ level: process.env.BULWARK_TEST_LOG ?? "silent" });
const directory = mkdtempSync(join(tmpdir(), "bulwark-agent-"));
const PATIENCE = { timeout: 30_000, interval: 100 };

interface Shown {
  readonly id: number;
  readonly name: string;
  readonly state: string;
  readonly synced: readonly string[];
  readonly pods: number;
  readonly replicas: readonly { readonly health: { readonly leads: boolean; readonly missing: readonly string[] } }[];
}

describe.skipIf(why !== "")(`an agent in a real cluster${why === "" ? "" : ` (${why})`}`, () => {
  let server: ServerUnderTest;
  let cluster: Cluster;
  const agents: RunningAgent[] = [];

  beforeAll(async () => {
    [server, cluster] = await Promise.all([
      startTestServer(join(directory, "data"), {
        roles: new Set(["api", "gateway", "worker"]),
        gateway: { host: "127.0.0.1", port: 0 },
      }),
      startCluster({ kubelet: false }),
    ]);
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "bulwark" } });
  });
  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await cluster?.close();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const invite = async (name: string) =>
    server.call<{ cluster: Shown; token: string }>("POST", "/clusters", { name, grade: "critical" });
  /** The token as it is mounted into every replica. */
  let mounted: string | undefined;
  const start = async (token: string | undefined, replica: string, namespace = "bulwark") => {
    mounted = token;
    const [host = "", port = ""] = server.running.gateway.split(":");
    const agent = await startAgent({
      access: { ...kubeconfigAccess(cluster.kubeconfig), namespace },
      gateway: { host, port: Number(port) },
      ...{ token: () => mounted, replica, roles: new Set(["agent" as const]), version: "test", log },
    });
    agents.push(agent);
    return agent;
  };
  const shown = (id: number) => server.call<Shown>("GET", `/clusters/${id}`);
  const objects = async (query: string) =>
    (await server.call<{ items: { name: string; document: unknown }[] }>("GET", `/cluster-objects?${query}`)).items;

  test("joins with its token, and tells of everything that is there and of every change", async () => {
    const { cluster: invited, token } = await invite("harbour");
    expect(invited.state).toBe("invited");
    const labels = { app: "cart" };
    const env = [{ name: "PASSWORD", value: "never-shown-7781" }];
    const pod = { metadata: { labels }, spec: { containers: [{ name: "cart", image: "shop.example/cart:1", env }] } };
    await cluster.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { team: "carts" } } },
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "cart", namespace: "shop" },
        spec: { replicas: 3, selector: { matchLabels: labels }, template: pod },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "key", namespace: "shop" },
        stringData: { k: "never-shown-7782" },
      },
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "map", namespace: "shop" },
        data: { k: "never-shown-7783" },
      },
    );
    await start(token, "one");
    await expect
      .poll(async () => (await shown(invited.id)).synced, PATIENCE)
      .toContain("security.istio.io/v1/PeerAuthentication");
    expect((await shown(invited.id)).synced).toContain("v1/Pod");
    expect(await shown(invited.id)).toMatchObject({ state: "live", replicas: [{ health: { leads: true } }] });
    await expect.poll(async () => (await shown(invited.id)).pods, PATIENCE).toBeGreaterThanOrEqual(3);

    const { items } = await server.call<{ items: Record<string, unknown>[] }>("GET", "/workloads?namespace=shop");
    expect(items).toMatchObject([{ kind: "Deployment", name: "cart", cluster: "harbour" }]);
    const pods = await server.call<{ items: { containers: unknown[] }[] }>("GET", `/pods?workloadId=${items[0]!.id}`);
    expect(pods.items).toHaveLength(3);
    expect(pods.items[0]!.containers).toMatchObject([{ name: "cart", image: "shop.example/cart:1", imageId: null }]);

    const told = JSON.stringify([
      ...(await objects("namespace=shop&limit=200")),
      ...(await objects("kind=Deployment")),
    ]);
    expect(told).toContain('"name":"PASSWORD"');
    expect(told).not.toContain("never-shown");

    await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "late", namespace: "shop" } });
    await expect.poll(async () => (await objects("kind=ConfigMap&text=late")).length, PATIENCE).toBe(1);
    await cluster.remove("/api/v1/namespaces/shop/configmaps/late");
    await expect.poll(async () => (await objects("kind=ConfigMap&text=late")).length, PATIENCE).toBe(0);
  });

  test("says whose each workload is, what reaches it and where it leads", async () => {
    const labels = { app: "door" };
    const spec = {
      serviceAccountName: "robot",
      containers: [{ name: "door", image: "shop.example/door:1", securityContext: { privileged: true } }],
    };
    const subjects = [{ kind: "ServiceAccount", namespace: "shop", name: "robot" }];
    await cluster.apply(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot", namespace: "shop" } },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: "robot" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
        subjects,
      },
      {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "door", namespace: "shop", annotations: { "example.com/owner": "door keepers" } },
        spec: { serviceName: "door", selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "door", namespace: "shop" },
        spec: { type: "NodePort", selector: labels, ports: [{ port: 80 }] },
      },
    );
    const workloads = async () =>
      (await server.call<{ items: Record<string, unknown>[] }>("GET", "/workloads?namespace=shop&text=door")).items;
    await expect.poll(async () => (await workloads())[0]?.worstPath, PATIENCE).toBe("critical");
    expect(await workloads()).toMatchObject([
      {
        owner: { name: "door keepers", from: "example.com/owner" },
        grade: "critical",
        serviceAccount: "robot",
        exposure: [{ how: "node-port", via: ["Service shop/door"] }],
        images: [{ image: "shop.example/door:1", imageId: null, containers: 1 }],
      },
    ]);
    const { items } = await server.call<{ items: { target: string; steps: { name: string }[] }[] }>(
      "GET",
      "/attack-paths",
    );
    expect(items.map(({ target }) => target)).toContain("cluster-admin");
    const way = items.find(({ target }) => target === "cluster-admin")!.steps.map(({ name }) => name);
    expect(way).toEqual(["outside", "StatefulSet shop/door", "shop/robot", "everything everywhere", "cluster-admin"]);

    const impact = await server.call("GET", "/impact?cause=service-account&id=1/shop/robot");
    const { name = "" } = await server.call<{ name?: string }>("GET", "/clusters/1");
    const byName = `${encodeURIComponent(name)}/shop/robot`;
    expect(await server.call("GET", `/impact?cause=service-account&id=${byName}`)).toEqual(impact);
    await expect(server.call("GET", "/impact?cause=image&id=hub/none:1")).rejects.toThrow(
      "there is no image hub/none:1",
    );
    expect(impact).toMatchObject({
      ...{ clusters: 1, workloads: 1, exposed: 1, containers: 1 },
      owners: [{ name: "door keepers", workloads: 1, exposed: 1 }],
    });
    // What was deployed by nobody who is named is its namespace's.
    const carts = await server.call<{ items: unknown[] }>("GET", "/workloads?namespace=shop&text=cart");
    expect(carts.items).toMatchObject([{ owner: { name: "carts", from: "namespace team" }, exposure: [], pods: 3 }]);
  });

  test("of two replicas one tells; the other goes on when it ends", async () => {
    const [first] = agents;
    const second = await start(undefined, "two");
    await expect.poll(() => second.isConnected, PATIENCE).toBe(true);
    expect([first!.leads, second.leads]).toEqual([true, false]);
    await first!.close();
    agents.shift();
    await expect.poll(() => second.leads, PATIENCE).toBe(true);
    await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "after", namespace: "shop" } });
    await expect.poll(async () => (await objects("kind=ConfigMap&text=after")).length, PATIENCE).toBe(1);
    // What was there before is there once.
    expect(await objects("kind=Deployment&text=cart")).toHaveLength(1);
  });

  test("objects that went while nobody watched are gone afterwards", async () => {
    await agents.pop()!.close();
    await cluster.remove("/api/v1/namespaces/shop/configmaps/after");
    await start(undefined, "three");
    await expect.poll(async () => (await objects("kind=ConfigMap&text=after")).length, PATIENCE).toBe(0);
    expect(await objects("kind=Deployment&text=cart")).toHaveLength(1);
  });

  test("a leader whose epoch is behind, such as that of a cluster that was set back, tells of everything anew", async () => {
    const listed = await server.call<{ items: Shown[] }>("GET", "/clusters");
    const { id } = listed.items.find(({ name }) => name === "harbour")!;
    await server.running.store.tenant(1, (db) => enterEpoch(db, id, "0".repeat(10) + "9".repeat(10), new Date()));
    expect((await shown(id)).synced).toEqual([]);
    await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "anew", namespace: "shop" } });
    await expect.poll(async () => (await objects("kind=ConfigMap&text=anew")).length, PATIENCE).toBe(1);
    await expect.poll(async () => (await shown(id)).synced, PATIENCE).toContain("v1/Pod");
    expect(await objects("kind=Deployment&text=cart")).toHaveLength(1);
  });

  test("a token works once, and not for another cluster", async () => {
    const { cluster: other, token } = await invite("other");
    const listed = await server.call<{ items: Shown[] }>("GET", "/clusters");
    const harbour = listed.items.find(({ name }) => name === "harbour")!;
    const again = await server.call<{ token: string }>("POST", `/clusters/${harbour.id}/token`, {});
    const tried = await import("@bulwark/server/agent").then(({ enroll, newRequest }) => ({ enroll, newRequest }));
    const [host = "", port = ""] = server.running.gateway.split(":");
    const gateway = { host, port: Number(port) };
    const request = async (kubernetesUid: string) => ({
      certificateRequest: (await tried.newRequest()).request,
      cluster: { kubernetesUid },
    });
    await expect(tried.enroll(gateway, again.token, await request("another-cluster"))).rejects.toThrow(
      /another cluster/,
    );
    await tried.enroll(gateway, token, await request("another-cluster"));
    await expect(tried.enroll(gateway, token, await request("a-third"))).rejects.toThrow(/another cluster/);
    const [secret = ""] = token.split(".");
    await expect(tried.enroll(gateway, `${secret}.${"0".repeat(64)}`, await request("x"))).rejects.toThrow(
      /not the one that the token is for/,
    );
    expect((await shown(other.id)).state).toBe("live");
  });

  test("a cluster that is taken out is heard no more", async () => {
    const listed = await server.call<{ items: Shown[] }>("GET", "/clusters");
    const { id } = listed.items.find(({ name }) => name === "harbour")!;
    const [agent] = agents;
    await server.send("DELETE", `/clusters/${id}`);
    await expect.poll(() => agent!.isConnected, PATIENCE).toBe(false);
    expect((await server.send("GET", `/clusters/${id}`)).status).toBe(404);
    expect(await objects("kind=Deployment&text=cart")).toHaveLength(0);
  });

  test("and joins again when it is invited, though its old certificate is in time", async () => {
    const { cluster: again, token } = await invite("harbour");
    mounted = token;
    await expect.poll(async () => (await shown(again.id)).synced, PATIENCE).toContain("v1/Pod");
    expect(await objects("kind=Deployment&text=cart")).toHaveLength(1);
    expect(await shown(again.id)).toMatchObject({ state: "live", replicas: [{ replica: "three" }] });
  });
});
