import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type HttpsReceiver, startHttpsReceiver } from "./https-receiver.ts";
import { writeBusyboxArchive } from "./pod-image.ts";
import { type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const IMAGE = "docker.io/library/tests-busybox:1";

interface SeenEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string; readonly subresource?: string };
}

const pod = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "default" },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "main", image: IMAGE }] },
});

const whyNot = whyNoCluster();
if (whyNot !== "") console.warn(`skipped: ${whyNot}`);

describe.skipIf(whyNot !== "")("a cluster with a node", () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-cluster-test-"));
  const events: SeenEvent[] = [];
  const reviewed: string[] = [];
  let receiver: HttpsReceiver;
  let cluster: Cluster;

  beforeAll(async () => {
    receiver = await startHttpsReceiver((path, document) => {
      if (path.startsWith("/audit")) {
        events.push(...(document.items as readonly SeenEvent[]));
        return {};
      }
      const { uid, name } = document.request as { readonly uid: string; readonly name: string };
      reviewed.push(name);
      const allowed = name !== "forbidden";
      return { ...document, request: undefined, response: { uid, allowed, status: { message: "not this one" } } };
    });
    const policy = { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: "Metadata" }] };
    cluster = await startCluster({ audit: { policy, url: `${receiver.url}/audit`, ca: receiver.ca } });
    const archive = join(directory, "busybox.tar");
    writeBusyboxArchive(archive);
    await cluster.loadImage(archive, IMAGE);
  });
  afterAll(async () => {
    await cluster?.close();
    await receiver?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test("has a node that is ready, of the pinned version", async () => {
    const { body } = await cluster.request("GET", `/api/v1/nodes/${cluster.node}`);
    expect(body.status).toMatchObject({ nodeInfo: { kubeletVersion: expect.stringMatching(/^v1\.36\./) } });
    expect((await cluster.kubectl(["get", "nodes"])).stdout).toMatch(/node-\d+ +Ready/);
  });

  test("runs a pod from a local image, and commands in it", async () => {
    await cluster.apply(pod("first"));
    const running = await cluster.running("default", "first");
    expect(running.status).toMatchObject({ podIP: expect.stringMatching(/^10\.214\./) });
    expect(await cluster.exec("default", "first", ["id", "-u"])).toEqual({ stdout: "0\n", stderr: "", code: 0 });
    expect((await cluster.exec("default", "first", ["sh", "-c", "echo odd >&2; exit 3"])).code).toBe(3);
    const seen = () =>
      events.find(({ objectRef, stage }) => objectRef?.subresource === "exec" && stage === "ResponseComplete");
    await vi.waitFor(() => expect(seen()).toMatchObject({ verb: "get", user: { username: "admin" } }), 30_000);
  });

  test("lets pods reach the API server by the address that Kubernetes tells them", async () => {
    await cluster.apply(pod("caller"));
    await cluster.running("default", "caller");
    const call = "cat /var/run/secrets/kubernetes.io/serviceaccount/token; nc $KUBERNETES_SERVICE_HOST 443 </dev/null";
    const { stdout, code } = await cluster.exec("default", "caller", ["sh", "-c", call]);
    expect(code).toBe(0);
    const answer = await cluster.as({ token: stdout.trim() }).request("GET", "/api/v1/namespaces/default/pods");
    expect(answer.status).toBe(403);
    expect((await cluster.as({ token: "forged" }).request("GET", "/api/v1/pods")).status).toBe(401);
  });

  test("starts the pods of a deployment", async () => {
    const template = { metadata: { labels: { app: "web" } }, spec: pod("web").spec };
    const spec = { replicas: 2, selector: { matchLabels: { app: "web" } }, template };
    const metadata = { name: "web", namespace: "default" };
    await cluster.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
    const ready = (status: unknown) => (status as { readonly readyReplicas?: number }).readyReplicas === 2;
    await cluster.until("/apis/apps/v1/namespaces/default/deployments/web", ({ status }) => ready(status));
  });

  test("asks an admission webhook", async () => {
    const webhook = {
      name: "tests.bulwark.dev",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      failurePolicy: "Fail",
      clientConfig: { url: `${receiver.url}/validate`, caBundle: Buffer.from(receiver.ca).toString("base64") },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
    };
    const kind = "ValidatingWebhookConfiguration";
    const metadata = { name: "tests" };
    await cluster.apply({ apiVersion: "admissionregistration.k8s.io/v1", kind, metadata, webhooks: [webhook] });
    const configMap = (name: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "default" },
    });
    await vi.waitFor(async () => {
      await expect(cluster.apply(configMap("forbidden"))).rejects.toThrow("not this one");
    }, 30_000);
    await cluster.apply(configMap("allowed"));
    expect(reviewed).toContain("allowed");
    await cluster.remove("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/tests");
  });

  test("leaves nothing behind: no bridge, no control group, no process, no file", async () => {
    const { directory: folder, node } = cluster;
    const number = node.slice("node-".length);
    expect(existsSync(`/sys/class/net/bulwark-t${number}`)).toBe(true);
    await cluster.close();
    expect(existsSync(`/sys/class/net/bulwark-t${number}`)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    const groups = readdirSync("/sys/fs/cgroup").flatMap((name) => readdirSync(join("/sys/fs/cgroup", name)));
    expect(groups).not.toContain(`bulwark-cluster-${number}`);
    expect(processesWith(folder)).toEqual([]);
  });
});

function processesWith(word: string): readonly string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => commandOf(pid))
    .filter((command) => command.includes(word));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
