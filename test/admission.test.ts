import { mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, contentOf, startRegistry, type TestRegistry } from "@bulwark/image/testing";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AgentRoles, startAgentRoles } from "../apps/server/src/agent/start-agent-role.ts";
import { zipOf } from "../packages/ecosystems/src/testing/zip-writer.ts";
import type { KubernetesObject } from "./cluster/api-client.ts";
import { type Cluster, startCluster, whyNoCluster } from "./cluster/start-cluster.ts";
import { type ServerUnderTest, startTestServer } from "./support/running-server.ts";

/** Endpoints of a service may not be on the loopback device. */
const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;
const why = address === undefined ? "this machine has no address but loopback" : whyNoCluster(false);
const log = pino({ level: process.env.BULWARK_TEST_LOG ?? "silent" });
const directory = mkdtempSync(join(tmpdir(), "bulwark-admission-"));
const PATIENCE = { timeout: 40_000, interval: 100 };
const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n';
const application = (version: string) =>
  buildImage({
    layers: [
      { files: { "etc/os-release": OS }, createdBy: "ADD rootfs.tar /" },
      {
        files: {
          [`srv/log4j-core-${version}.jar`]: zipOf({
            "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties": `version=${version}\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n`,
          }),
        },
        createdBy: `COPY log4j-core-${version}.jar /srv`,
      },
    ],
  });

describe.skipIf(why !== "")(`admission from console to API server${why === "" ? "" : ` (${why})`}`, () => {
  let server: ServerUnderTest;
  let cluster: Cluster;
  let registry: TestRegistry;
  let id: number;
  let isServerClosed = false;
  const replicas: AgentRoles[] = [];

  beforeAll(async () => {
    [server, cluster, registry] = await Promise.all([
      startTestServer(join(directory, "data"), {
        roles: new Set(["api", "gateway", "worker"]),
        gateway: { host: "127.0.0.1", port: 0 },
      }),
      // Services are reached at their endpoints: there is no kube-proxy.
      startCluster({ kubelet: false, apiServerFlags: ["--enable-aggregator-routing=true"] }),
      startRegistry(contentOf({ "shop/app:2.14": application("2.14.1"), "shop/app:2.25": application("2.25.3") })),
    ]);
    await server.call("POST", "/registries", {
      ...{ name: "own", kind: "oci", address: registry.host, plainHttp: true, allowPrivate: true, pollMinutes: 0 },
    });
    const invited = await server.call<{ cluster: { id: number }; token: string }>("POST", "/clusters", {
      name: "harbour",
    });
    id = invited.cluster.id;
    for (const replica of ["one", "two"]) {
      process.env.BULWARK_REPLICA = replica;
      replicas.push(await start(invited.token));
    }
    delete process.env.BULWARK_REPLICA;
    await cluster.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "shop", labels: { guarded: "yes" } },
    });
    await cluster.until("/api/v1/namespaces/shop/serviceaccounts/default", () => true);
    await cluster.apply(...service(), configuration("Validating", "validate"), configuration("Mutating", "mutate"));
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.close();
    await cluster?.close();
    if (!isServerClosed) await server?.close();
    await registry?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(token: string): Promise<AgentRoles> {
    const [host = "", port = ""] = server.running.gateway.split(":");
    return startAgentRoles({
      ...{
        roles: new Set(["agent", "admission"] as const),
        gateway: { host, port: Number(port) },
        token: () => token,
        version: "test",
      },
      ...{ kubeconfig: cluster.kubeconfig, listen: { host: "0.0.0.0", port: 0 }, auditToken: undefined },
      ...{ clock: () => new Date(), log },
    });
  }

  /** A service whose endpoints are the replicas in this process. */
  function service(): readonly KubernetesObject[] {
    const metadata = { name: "bulwark-admission", namespace: "default" };
    const made = {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ name: "https", port: 443, targetPort: 8443 }] },
    };
    const slices = replicas.map(({ admission }, at) => ({
      ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
      metadata: {
        name: `bulwark-admission-${at}`,
        namespace: "default",
        labels: { "kubernetes.io/service-name": "bulwark-admission" },
      },
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: "https", port: admission?.port, protocol: "TCP" }],
    }));
    return [made, ...slices];
  }

  function configuration(kind: "Validating" | "Mutating", path: string): KubernetesObject {
    const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["pods"] }];
    const clientConfig = { service: { name: "bulwark-admission", namespace: "default", path: `/${path}`, port: 443 } };
    return {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: "bulwark-admission" },
      webhooks: [
        {
          ...{
            name: `${path}.bulwark.dev`,
            sideEffects: "NoneOnDryRun",
            admissionReviewVersions: ["v1"],
            timeoutSeconds: 10,
          },
          ...{ failurePolicy: "Fail", clientConfig, rules, namespaceSelector: { matchLabels: { guarded: "yes" } } },
        },
      ],
    };
  }

  const create = async (tag: string, securityContext: object = {}) => {
    const containers = [{ name: "app", image: `${registry.host}/shop/app:${tag}`, securityContext }];
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { generateName: "web-", namespace: "shop" },
      spec: { containers },
    };
    const { status, body } = await cluster.request("POST", "/api/v1/namespaces/shop/pods", pod);
    return `${status} ${body.message ?? JSON.stringify(body.spec)}`;
  };

  test("both replicas join, and the API server asks them", async () => {
    const shown = () => server.call<{ replicas: { roles: string[] }[] }>("GET", `/clusters/${id}`);
    await expect.poll(async () => (await shown()).replicas.length, PATIENCE).toBe(2);
    for (const { admission } of replicas) await admission?.certificate?.check();
    await expect.poll(() => create("2.25"), PATIENCE).toMatch(/^201/);
    expect(replicas.reduce((sum, { admission }) => sum + (admission?.counts.answered ?? 0), 0)).toBeGreaterThan(0);
  });

  test("an image with log4shell is denied with the policy, the layer and the fix, and the fixed one starts", async () => {
    await server.call("POST", "/admission/modes", { policy: "critical-flaws", mode: "enforce" });
    await expect
      .poll(() => create("2.14"), PATIENCE)
      .toMatch(
        /^403 .*policy critical-flaws \(critical\): .*log4j-core 2\.14\.1 in layer 1 \(COPY log4j-core-2\.14\.1\.jar \/srv\): update to 2\./,
      );
    expect(await create("2.25")).toMatch(/^201/);
  });

  test("the brake reaches every replica in the cluster within 5 seconds", async () => {
    const brake = {
      kind: "package",
      pattern: "pkg:maven/org.apache.logging.log4j/log4j-core@2.25.*",
      reason: "a new flaw",
    };
    const began = performance.now();
    await server.call("POST", "/admission/brakes", brake);
    // Ten in a row are not answered by one replica alone.
    let denied = 0;
    await expect
      .poll(
        async () => {
          denied = (await create("2.25")).startsWith("403") ? denied + 1 : 0;
          return denied;
        },
        { ...PATIENCE, interval: 10 },
      )
      .toBe(10);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("decisions come to the server with their cluster, and a mode that is taken back holds at once", async () => {
    const decisions = () =>
      server.call<{ items: { verdict: string; cluster: { name: string }; user: string }[] }>(
        "GET",
        "/admission/decisions?verdict=denied",
      );
    await expect.poll(async () => (await decisions()).items.length, PATIENCE).toBeGreaterThan(0);
    expect((await decisions()).items[0]).toMatchObject({ cluster: { name: "harbour" } });
    await server.call("POST", "/admission/modes", { policy: "critical-flaws", mode: null });
    await expect.poll(() => create("2.14"), PATIENCE).toMatch(/^201/);
  });

  test("pods get the digest that was judged", async () => {
    const settings = await server.call<{ mutation: object }>("GET", "/admission/settings");
    await server.call("POST", "/admission/settings", {
      ...settings,
      mutation: { ...settings.mutation, pinDigests: true },
    });
    await expect.poll(() => create("2.14"), PATIENCE).toMatch(/shop\/app:2\.14@sha256:[a-f0-9]{64}/);
  });

  test("pods that run in a cluster are learned of, and a new path of the node is denied by the policy that was proposed", async () => {
    const namespace = "learned";
    const metadata = { name: namespace, labels: { guarded: "yes" } };
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata });
    await cluster.until(`/api/v1/namespaces/${namespace}/serviceaccounts/default`, () => true);
    const at = `/api/v1/namespaces/${namespace}/pods`;
    const make = (name: string, path: string) =>
      cluster.request("POST", at, {
        ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace } },
        spec: {
          containers: [{ name: "app", image: `${registry.host}/shop/app:2.14` }],
          volumes: [{ name: "node", hostPath: { path } }],
        },
      });
    // A name that would end the list in which it stands, if it stood in an expression.
    const odd = '/srv/"] || true || "" in ["';
    for (const [name, path] of [
      ["one", "/var/log/app"],
      ["two", odd],
    ] as const) {
      expect((await make(name, path)).status).toBe(201);
      // Nothing runs without a kubelet: what it would say is said for it.
      const running = { status: { phase: "Running" } };
      const patch = { "content-type": "application/merge-patch+json" };
      expect((await cluster.request("PATCH", `${at}/${name}/status`, running, patch)).status).toBe(200);
    }
    const { id: baseline } = await server.call<{ id: number }>("POST", "/admission/baselines", {
      cluster: id,
      namespace,
    });
    const seen = async () =>
      (await server.call<{ values: { value: string }[] }>("GET", `/admission/baselines/${baseline}`)).values.map(
        ({ value }) => value,
      );
    await expect.poll(seen, { ...PATIENCE, timeout: 90_000 }).toEqual(expect.arrayContaining(["/var/log/app", odd]));
    await server.call("POST", `/admission/baselines/${baseline}/propose`);
    const { policy } = await server.call<{ policy: string }>("POST", `/admission/baselines/${baseline}/activate`, {});
    await server.call("POST", "/admission/modes", { policy, namespace, mode: "enforce" });
    const made = async (name: string, path: string) => {
      const { status, body } = await make(name, path);
      return `${status} ${body.message}`;
    };
    let tried = 0;
    await expect
      .poll(() => made(`new-${tried++}`, "/etc"), PATIENCE)
      .toMatch(/^403 .*learned-learned-\d+ .*node \(\/etc\)/);
    expect(await made("three", "/var/log/app")).toMatch(/^201/);
    expect(await made("four", odd)).toMatch(/^201/);
  });

  test("while the server is gone, what was known still judges", async () => {
    await server.call("POST", "/admission/modes", { policy: "no-privileged", mode: "enforce" });
    await expect.poll(() => create("2.14", { privileged: true }), PATIENCE).toMatch(/^403/);
    isServerClosed = true;
    await server.close();
    expect(await create("2.14", { privileged: true })).toMatch(/^403 .*no-privileged/);
    expect(await create("2.14")).toMatch(/^201/);
  });
});
