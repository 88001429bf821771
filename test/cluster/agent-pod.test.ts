import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { bulwark } from "../support/cli.ts";
import { type ServerUnderTest, startTestServer } from "../support/running-server.ts";
import type { KubernetesObject } from "./api-client.ts";
import { writeBusyboxArchive } from "./pod-image.ts";
import { writeServerArchive } from "./server-image.ts";
import { type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const IMAGE = "docker.io/library/bulwark:tests";
const BUSYBOX = "docker.io/library/tests-busybox:1";
const POLICY = join(import.meta.dirname, "../../deploy/kubernetes/audit/policy.yaml");
const AUDIT_TOKEN = "only-the-api-server-knows-it";
const NAMESPACE = "bulwark-agent";
const PATIENCE = { timeout: 90_000, interval: 200 };
const why = whyNoCluster();

interface Shown {
  readonly state: string;
  readonly pods: number;
  readonly replicas: readonly {
    readonly roles: readonly string[];
    readonly health: { readonly missing: readonly string[] } | null;
  }[];
}

describe.skipIf(why !== "")(`the agent as pods of a real cluster${why === "" ? "" : ` (${why})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-agent-pod-"));
  let cluster: Cluster;
  let server: ServerUnderTest;
  let id: number;
  let service: Server | undefined;
  const open: Socket[] = [];
  let reached = "";
  /** The API server must know where audit events go before there is a pod that takes them. */
  const relay = createServer((near) => forward(near));

  beforeAll(async () => {
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const { port } = relay.address() as AddressInfo;
    const policy = parse(readFileSync(POLICY, "utf8")) as object;
    cluster = await startCluster({ audit: { policy, url: `https://127.0.0.1:${port}/audit`, token: AUDIT_TOKEN } });
    const busybox = join(directory, "busybox.tar");
    writeBusyboxArchive(busybox);
    await cluster.loadImage(busybox, BUSYBOX);
    const archive = join(directory, "server.tar");
    writeServerArchive(archive);
    [server] = await Promise.all([
      startTestServer(join(directory, "data"), {
        roles: new Set(["api", "gateway", "worker"]),
        // Pods reach the machine by the node's address.
        gateway: { host: cluster.address, port: 0 },
      }),
      cluster.loadImage(archive, IMAGE),
    ]);
  });
  afterAll(async () => {
    closeService();
    relay.close();
    await cluster?.close();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const pods = async () => {
    const { body } = await cluster.request("GET", `/api/v1/namespaces/${NAMESPACE}/pods`);
    return body.items as readonly (KubernetesObject & { readonly status: { readonly podIP: string } })[];
  };

  test("joins by the manifest alone, without any right but those of the manifest", async () => {
    const scopes = ["admin:read", "admin:write", "runtime:read"];
    const { token } = await server.call<{ token: string }>("POST", "/tokens", { name: "cli", scopes });
    const access = { BULWARK_SERVER: server.url, BULWARK_TOKEN: token };
    const words = [
      "cluster",
      "join",
      "harbour",
      "--gateway",
      server.running.gateway,
      "--image",
      IMAGE,
      "--grade",
      "critical",
    ];
    const { status, stdout: manifest, stderr } = await bulwark(directory, words, access);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^The cluster harbour may join until 2/)]);
    const listed = await bulwark(directory, ["cluster", "list", "--format", "json"], access);
    id = JSON.parse(listed.stdout)[0].id;
    const secret = { name: "bulwark-audit-token", namespace: NAMESPACE };
    await cluster.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
      { apiVersion: "v1", kind: "Secret", metadata: secret, stringData: { token: AUDIT_TOKEN } },
    );
    expect(
      await cluster.kubectl(["apply", "--server-side", "--force-conflicts", "--filename", "-"], manifest),
    ).toMatchObject({ code: 0 });
    const deployment = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/bulwark-agent`;
    const ready = ({ status }: KubernetesObject) => (status as { readonly readyReplicas?: number }).readyReplicas === 2;
    await cluster.until(deployment, ready, PATIENCE.timeout).catch(async (error) => {
      throw new Error(
        `${error.message}\n${(await cluster.kubectl(["logs", "--namespace", NAMESPACE, "deployment/bulwark-agent"])).stdout}`,
      );
    });
    const shown = () => server.call<Shown>("GET", `/clusters/${id}`);
    await expect.poll(async () => (await shown()).state, PATIENCE).toBe("live");
    await expect.poll(async () => (await shown()).pods, PATIENCE).toBeGreaterThanOrEqual(2);
    const { replicas } = await shown();
    expect(replicas.map(({ roles }) => roles.toSorted())).toEqual([
      ["admission", "agent"],
      ["admission", "agent"],
    ]);
    expect(replicas.flatMap(({ health }) => health?.missing ?? [])).toEqual([]);
    expect((await bulwark(directory, ["cluster", "list"], access)).stdout).toMatch(/harbour +live +v1\.36\./);
  });

  test("answers the API server under a certificate that it made itself", async () => {
    const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulwark-admission";
    const trusted = ({ webhooks }: KubernetesObject) =>
      ((webhooks as readonly { clientConfig: { caBundle?: string } }[])[0]?.clientConfig.caBundle ?? "") !== "";
    await cluster.until(path, trusted);
    await forwardService();
    // With "Fail" nothing starts that nobody answered for.
    const answers = (policy: string) => {
      const patch = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: policy }];
      return cluster.request("PATCH", path, patch, { "content-type": "application/json-patch+json" });
    };
    await answers("Fail");
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "asked", namespace: "default" },
      spec: { containers: [{ name: "a", image: IMAGE }] },
    };
    await expect
      .poll(
        async () => (await cluster.request("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)).status,
        PATIENCE,
      )
      .toBe(201);
    closeService();
    await expect
      .poll(
        async () => (await cluster.request("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)).status,
        PATIENCE,
      )
      .toBe(500);
    await answers("Ignore");
  });

  test("a command that is run in a pod becomes an alert with the pod's workload and whose it is", async () => {
    const labels = { app: "cart" };
    const containers = [{ name: "cart", image: BUSYBOX }];
    const spec = { terminationGracePeriodSeconds: 0, containers };
    const annotations = { "example.com/owner": "cart crew" };
    await cluster.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "cart", namespace: "shop", annotations } },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      },
    );
    const deployment = "/apis/apps/v1/namespaces/shop/deployments/cart";
    await cluster.until(
      deployment,
      ({ status }) => (status as { readonly readyReplicas?: number }).readyReplicas === 1,
    );
    const workloads = async () => (await server.call<{ items: unknown[] }>("GET", "/workloads?namespace=shop")).items;
    await expect.poll(workloads, PATIENCE).toMatchObject([{ name: "cart", owner: { name: "cart crew" } }]);
    reached = (await pods())[0]!.status.podIP;
    expect(await cluster.kubectl(["exec", "--namespace", "shop", "deployment/cart", "--", "id", "-u"])).toMatchObject({
      stdout: "0\n",
    });
    const rule = "Command run in a pod through the API";
    const alerts = async () => (await server.call<{ items: { rule: string }[] }>("GET", "/alerts?limit=200")).items;
    await expect
      .poll(async () => (await alerts()).filter((each) => each.rule === rule), PATIENCE)
      .toMatchObject([
        { cluster: { name: "harbour" }, workload: { name: "cart" }, owner: { name: "cart crew" }, namespace: "shop" },
      ]);
  });

  test("goes on when the replica that leads is killed", async () => {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/bulwark-agent`;
    const holder = ({ spec }: KubernetesObject) => (spec as { readonly holderIdentity: string }).holderIdentity;
    const before = holder((await cluster.request("GET", lease)).body as KubernetesObject);
    expect((await pods()).map(({ metadata }) => metadata.name)).toContain(before);
    await cluster.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${before}`);
    await cluster.until(lease, (held) => holder(held) !== before && holder(held) !== "");
  });

  function forward(near: Socket): void {
    if (reached === "") return void near.destroy();
    const far = connect(8443, reached);
    near.pipe(far).pipe(near);
    open.push(near, far);
    for (const end of [near, far]) end.on("error", () => [near, far].map((each) => each.destroy()));
  }

  function closeService(): void {
    service?.close();
    for (const socket of open.splice(0)) socket.destroy();
  }

  /** What kube-proxy does, which is not part of the cluster: the service's address leads to its pods. */
  async function forwardService(): Promise<void> {
    const { body } = await cluster.request("GET", `/api/v1/namespaces/${NAMESPACE}/services/bulwark-admission`);
    const { clusterIP } = body.spec as { readonly clusterIP: string };
    const bridge = `bulwark-t${cluster.node.slice("node-".length)}`;
    execFileSync("ip", ["address", "add", `${clusterIP}/32`, "dev", bridge]);
    const [pod] = await pods();
    reached = pod!.status.podIP;
    service = createServer(forward);
    await new Promise<void>((resolve) => service!.listen(443, clusterIP, resolve));
  }
});
