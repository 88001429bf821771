import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildImage, ociArchive } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { zipOf } from "../../packages/ecosystems/src/testing/zip-writer.ts";
import { type RealRegistry, startRealRegistry } from "../support/real-registry.ts";
import { type ServerUnderTest, startTestServer } from "../support/running-server.ts";
import type { KubernetesObject } from "./api-client.ts";
import { type HttpsReceiver, startHttpsReceiver } from "./https-receiver.ts";
import { busyboxLayer } from "./pod-image.ts";
import { writeServerArchive } from "./server-image.ts";
import { type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const SERVER_IMAGE = "docker.io/library/bulwark:tests";
const AGENT = "bulwark-agent";
const AUDIT_TOKEN = "a token of the audit webhook";
const POLICY = join(import.meta.dirname, "../../deploy/kubernetes/audit/policy.yaml");
const run = promisify(execFile);
const PATIENCE = { timeout: 90_000, interval: 200 };
const why = whyNoCluster();
if (why !== "") console.warn(`the platform is not tried in a real cluster: ${why}`);

interface Alert {
  readonly rule: string;
  readonly pod: string;
  readonly owner: { readonly name: string } | null;
  readonly workload: { readonly name: string } | null;
  readonly cluster: { readonly name: string } | null;
}

/** All parts together, as people use them: real registry, real cluster with its agent's pods, real server. */
describe.skipIf(why !== "")("the platform in a real cluster", () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-platform-"));
  const waiting: unknown[] = [];
  const open: Socket[] = [];
  const digests = new Map<string, string>();
  let registry: RealRegistry;
  let receiver: HttpsReceiver;
  let cluster: Cluster;
  let server: ServerUnderTest;
  let service: Server | undefined;
  let agent = "";

  beforeAll(async () => {
    registry = await startRealRegistry(join(directory, "registry"));
    // The service's address is not known before there is an API server, which wants to know it when it starts.
    receiver = await startHttpsReceiver((_, document) => {
      waiting.push(document);
      void forwardAudit();
      return {};
    });
    const policy = parse(readFileSync(POLICY, "utf8")) as object;
    cluster = await startCluster({ audit: { policy, url: receiver.url, ca: receiver.ca } });
    const archive = join(directory, "server.tar");
    writeServerArchive(archive);
    await cluster.loadImage(archive, SERVER_IMAGE);
    server = await startTestServer(join(directory, "data"), {
      roles: new Set(["api", "gateway", "worker"]),
      gateway: { host: cluster.address, port: 0 },
    });
    for (const version of ["2.14.1", "2.25.0"]) await publish(version);
    await server.call("POST", "/registries", {
      ...{ name: "own", kind: "oci", address: registry.host, plainHttp: true, allowPrivate: true, pollMinutes: 0 },
    });
  });
  afterAll(async () => {
    service?.close();
    for (const socket of open) socket.destroy();
    await cluster?.close();
    await server?.close();
    await receiver?.close();
    await registry?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const shop = (version: string) => `${registry.host}/shop/app:${version}`;
  const pod = (name: string, version: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels: { app: name, team: "checkout" } },
    spec: { containers: [{ name: "app", image: shop(version), imagePullPolicy: "IfNotPresent" }] },
  });

  test("a cluster joins by its manifest, and its API server asks about what is to start", async () => {
    await cluster.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: AGENT } },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "bulwark-audit-token", namespace: AGENT },
        stringData: { token: AUDIT_TOKEN },
      },
    );
    const { cluster: invited } = await server.call<{ cluster: { id: number } }>("POST", "/clusters", {
      name: "harbour",
    });
    const { manifest } = await server.call<{ manifest: string }>("POST", `/clusters/${invited.id}/manifest`, {
      gateway: server.running.gateway,
      image: SERVER_IMAGE,
    });
    expect(await cluster.kubectl(["apply", "--filename", "-"], manifest)).toMatchObject({ code: 0 });
    const deployment = `/apis/apps/v1/namespaces/${AGENT}/deployments/bulwark-agent`;
    const ready = ({ status }: KubernetesObject) => (status as { readonly readyReplicas?: number }).readyReplicas === 2;
    await cluster.until(deployment, ready, PATIENCE.timeout);
    await forwardService();
    const shown = () => server.call<{ state: string; synced: string[] }>("GET", `/clusters/${invited.id}`);
    await expect.poll(async () => (await shown()).synced, PATIENCE).toContain("v1/Pod");
    const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulwark-admission";
    const patch = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }];
    await cluster.request("PATCH", path, patch, { "content-type": "application/json-patch+json" });
    await server.call("POST", "/admission/modes", { policy: "critical-flaws", mode: "enforce" });
  });

  test("an image with log4shell is denied: the message names the policy, the layer and the fix", async () => {
    const denied = async () => {
      const { status, body } = await cluster.request(
        "POST",
        "/api/v1/namespaces/shop/pods?dryRun=All",
        pod("old", "2.14.1"),
      );
      return `${status} ${String(body.message)}`;
    };
    await expect
      .poll(denied, PATIENCE)
      .toMatch(
        /^403 .*policy critical-flaws .*log4j-core 2\.14\.1 in layer 1 \(COPY log4j-core-2\.14\.1\.jar \/srv\): update to 2\.\d+/,
      );
    expect((await cluster.request("GET", "/api/v1/namespaces/shop/pods/old")).status).toBe(404);
    await expect.poll(decisions, PATIENCE).toMatchObject([{ name: "old", namespace: "shop" }]);
  });

  test("the fixed image starts", async () => {
    expect((await cluster.request("POST", "/api/v1/namespaces/shop/pods", pod("web", "2.25.0"))).status).toBe(201);
    await cluster.running("shop", "web");
    const told = async () =>
      (
        await server.call<{
          items: { phase: string; containers: { imageId: number | null; critical: number | null }[] }[];
        }>("GET", "/pods?namespace=shop")
      ).items;
    // What runs is the image that was scanned: pod, image and findings are one.
    await expect
      .poll(told, PATIENCE)
      .toMatchObject([
        { containers: [{ name: "app", imageDigest: digests.get("2.25.0"), imageId: expect.any(Number), critical: 0 }] },
      ]);
  });

  test("an exec into its pod raises an alert that says whose pod it is", async () => {
    const workloads = async () =>
      (await server.call<{ items: { owner: { name: string } | null }[] }>("GET", "/workloads?namespace=shop")).items;
    await expect.poll(async () => (await workloads())[0]?.owner?.name, PATIENCE).toBe("checkout");
    expect(await cluster.exec("shop", "web", ["id"])).toMatchObject({ code: 0 });
    const alerts = async () => (await server.call<{ items: Alert[] }>("GET", "/alerts?limit=200")).items;
    await expect
      .poll(async () => (await alerts()).filter(({ pod: of }) => of === "web"), PATIENCE)
      .toMatchObject([
        { cluster: { name: "harbour" }, workload: { name: "web" }, owner: { name: "checkout" }, pod: "web" },
      ]);
  });

  async function decisions(): Promise<readonly unknown[]> {
    return (await server.call<{ items: unknown[] }>("GET", "/admission/decisions?verdict=denied")).items;
  }

  /** Pushed to the registry, and pulled from it onto the node, whose kubelet would speak to no plain registry. */
  async function publish(version: string): Promise<void> {
    const properties = `version=${version}\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n`;
    const jar = zipOf({ "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties": properties });
    const file = `srv/log4j-core-${version}.jar`;
    const config = { Env: ["PATH=/bin"], Cmd: ["/bin/sleep", "100000"] };
    const layers = [
      { createdBy: "ADD busybox /", ...busyboxLayer() },
      { createdBy: `COPY log4j-core-${version}.jar /srv`, files: { [file]: jar } },
    ];
    const archive = join(directory, `app-${version}.tar`);
    const image = buildImage({ layers, config });
    digests.set(version, image.manifest.digest);
    writeFileSync(archive, ociArchive(image));
    await run("skopeo", [
      "copy",
      "-q",
      "--dest-tls-verify=false",
      `oci-archive:${archive}`,
      `docker://${shop(version)}`,
    ]);
    const images = (...words: string[]) =>
      run("ctr", ["--address", cluster.containerd, "--namespace", "k8s.io", "images", ...words]);
    await images("pull", "--plain-http", shop(version));
    // Under its digest too, as kubelet's own pull leaves it.
    await images("tag", shop(version), `${registry.host}/shop/app@${image.manifest.digest}`);
  }

  /** What kube-proxy does, which is not part of the cluster: the service's address leads to one of its pods. */
  async function forwardService(): Promise<void> {
    const { body } = await cluster.request("GET", `/api/v1/namespaces/${AGENT}/services/bulwark-admission`);
    const { clusterIP } = body.spec as { readonly clusterIP: string };
    const { body: list } = await cluster.request("GET", `/api/v1/namespaces/${AGENT}/pods`);
    const [first] = list.items as readonly { readonly status: { readonly podIP: string } }[];
    agent = first!.status.podIP;
    execFileSync("ip", ["address", "add", `${clusterIP}/32`, "dev", `bulwark-t${cluster.node.slice("node-".length)}`]);
    service = createServer((near) => {
      const far = connect(8443, agent);
      near.pipe(far).pipe(near);
      open.push(near, far);
      for (const end of [near, far]) end.on("error", () => [near, far].map((each) => each.destroy()));
    });
    await new Promise<void>((resolve) => service!.listen(443, clusterIP, resolve));
    await forwardAudit();
  }

  /** Passes on what the API server told, as it told it. */
  async function forwardAudit(): Promise<void> {
    if (agent === "") return;
    for (const document of waiting.splice(0)) {
      const body = JSON.stringify(document);
      const headers = { authorization: `Bearer ${AUDIT_TOKEN}`, "content-type": "application/json" };
      const path = { host: agent, port: 8443, path: "/audit", method: "POST", headers, rejectUnauthorized: false };
      const status = await new Promise<number>((resolve) => {
        const sent = request(path, (answer) => {
          answer.resume();
          answer.once("end", () => resolve(answer.statusCode ?? 0));
        });
        sent.once("error", () => resolve(0));
        sent.end(body);
      });
      // Not there for now: it goes with the next.
      if (status !== 200) waiting.push(document);
    }
  }
});
