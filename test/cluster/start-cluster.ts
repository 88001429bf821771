import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Answer, type ApiClient, type Credentials, createApiClient, type KubernetesObject } from "./api-client.ts";

const run = promisify(execFile);
const BUILT = join(import.meta.dirname, "../../.cache/cluster");
export const CLUSTER_PROGRAM = join(BUILT, "bulwark-cluster");
const KUBECTL_LIMIT_MS = 120_000;
const POLL_MS = 50;
const UNTIL_LIMIT_MS = 60_000;

export interface ClusterOptions {
  /** Where its files are kept; a new folder that goes with the cluster when not told. */
  readonly directory?: string;
  /** `false` starts no node: much quicker, needs no root, and pods stay pending. */
  readonly kubelet?: boolean;
  /**
   * A backend for audit events: the policy (audit.k8s.io/v1 Policy) and where they are sent, with the CA (PEM) of that server (any
   * without it), and the bearer token that is shown.
   */
  readonly audit?: { readonly policy: object; readonly url: string; readonly ca?: string; readonly token?: string };
  /** Further flags of kube-apiserver, such as `--enable-admission-plugins=NodeRestriction,PodSecurity`. */
  readonly apiServerFlags?: readonly string[];
}

/** What a command in a pod wrote. */
interface Executed {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** A real Kubernetes cluster of one node on this machine, with its administrator's rights. */
export interface Cluster {
  readonly directory: string;
  readonly kubeconfig: string;
  /** `https://10.215.7.1:443`: reached from this machine and from pods. */
  readonly server: string;
  /** PEM of the cluster's CA. */
  readonly ca: string;
  /** Empty without kubelet. */
  readonly node: string;
  /** The node's address, which pods see as their gateway; empty without kubelet. */
  readonly address: string;
  /** The socket of its containerd; empty without kubelet. */
  readonly containerd: string;
  /** One request, like `kubectl get --raw`. @example request("GET", "/api/v1/namespaces/default/pods") */
  readonly request: ApiClient["request"];
  /** The same with other credentials. @example as({ token }).request("GET", "/api/v1/secrets") */
  as(credentials: Credentials): ApiClient;
  /** Server-side apply, in the order given. @returns what the server made of them; throws with its message when it refuses one */
  apply(...objects: readonly KubernetesObject[]): Promise<readonly KubernetesObject[]>;
  /** Deletes an object at once, without grace. */
  remove(path: string): Promise<void>;
  /** Asks for an object until it is as wanted. @returns the object; throws after a minute with its last state */
  until(path: string, wanted: (object: KubernetesObject) => boolean, limitMs?: number): Promise<KubernetesObject>;
  /** Waits until a pod of this namespace runs and is ready. */
  running(namespace: string, pod: string): Promise<KubernetesObject>;
  /** The real kubectl. Its failure is no exception: look at `code`. */
  kubectl(words: readonly string[], input?: string): Promise<Executed>;
  exec(namespace: string, pod: string, command: readonly string[]): Promise<Executed>;
  /** Gives the node an image from an OCI archive, under this name. */
  loadImage(archive: string, name: string): Promise<void>;
  close(): Promise<void>;
}

/** Why no cluster can be started here; empty when it can. `kubelet` says whether pods must run. */
export function whyNoCluster(kubelet = true): string {
  if (!existsSync(CLUSTER_PROGRAM)) return "the cluster of the tests is not built: `make cluster` does it and needs Go";
  if (!kubelet) return "";
  if (process.getuid?.() !== 0) return "a node runs as root";
  const needed = ["/usr/bin/containerd", "/usr/bin/ctr", "/usr/sbin/runc", "/usr/lib/cni/bridge", "/sbin/ip"];
  const missing = needed.find((file) => !existsSync(file));
  return missing === undefined ? "" : `${missing} is not installed`;
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler, and containerd and kubelet as its node, and waits until
 * the node is ready. All of it ends with this process.
 *
 * @example const cluster = await startCluster({ kubelet: false });
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const kubelet = options.kubelet ?? true;
  const why = whyNoCluster(kubelet);
  if (why !== "") throw new Error(why);
  const own = options.directory === undefined;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "bulwark-cluster-"));
  mkdirSync(directory, { recursive: true });
  const words = ["up", "--directory", directory, ...(kubelet ? ["--pause", join(BUILT, "pause")] : ["--no-kubelet"])];
  for (const flag of options.apiServerFlags ?? []) words.push("--api-server-flag", flag);
  if (options.audit !== undefined) words.push(...auditFlags(directory, options.audit));
  const child = spawn(CLUSTER_PROGRAM, words, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async () => {
    child.stdin.end();
    await ended;
    if (own) rmSync(directory, { recursive: true, force: true });
  };
  try {
    const { api, node } = await readiness(child, kubelet);
    return { ...clusterOf(directory, api, node), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ApiReady {
  readonly kubeconfig: string;
  readonly server: string;
}

interface NodeReady {
  readonly node: string;
  readonly address: string;
  readonly containerd: string;
}

/** Reads the lines in which the program tells how far it is. */
async function readiness(
  child: ReturnType<typeof spawn>,
  kubelet: boolean,
): Promise<{ readonly api: ApiReady; readonly node: NodeReady }> {
  let complaint = "";
  child.stderr!.on("data", (text) => {
    complaint += String(text);
  });
  let api: ApiReady | undefined;
  for await (const line of createInterface({ input: child.stdout! })) {
    const told = JSON.parse(line) as { readonly ready: string } & ApiReady & NodeReady;
    if (told.ready === "api") api = told;
    if (api !== undefined && told.ready === "node") return { api, node: told };
    if (api !== undefined && !kubelet) return { api, node: { node: "", address: "", containerd: "" } };
  }
  throw new Error(`the cluster did not start: ${complaint}`);
}

function clusterOf(directory: string, api: ApiReady, node: NodeReady): Omit<Cluster, "close"> {
  const pem = (name: string) => readFileSync(join(directory, "pki", name), "utf8");
  const ca = pem("ca.crt");
  const as = (credentials: Credentials) => createApiClient(api.server, ca, credentials);
  const admin = as({ cert: pem("admin.crt"), key: pem("admin.key") });
  const kubectl = async (words: readonly string[], input = "") => {
    const all = ["kubectl", "--kubeconfig", api.kubeconfig, ...words];
    const ended = run(CLUSTER_PROGRAM, all, { timeout: KUBECTL_LIMIT_MS, maxBuffer: 64 << 20 });
    ended.child.stdin?.end(input);
    return ended.then(
      ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
      ({ stdout = "", stderr = "", code = 1 }: Partial<Executed>) => ({ stdout, stderr, code }),
    );
  };
  const until: Cluster["until"] = (path, wanted, limitMs = UNTIL_LIMIT_MS) => ask(admin, path, wanted, limitMs);
  return {
    directory,
    ...api,
    ...node,
    ca,
    as,
    request: admin.request,
    apply: admin.apply,
    until,
    kubectl,
    running: (namespace, pod) => until(`/api/v1/namespaces/${namespace}/pods/${pod}`, isReady),
    remove: async (path) => {
      await admin.request("DELETE", `${path}?gracePeriodSeconds=0`);
    },
    exec: (namespace, pod, command) => kubectl(["exec", "--namespace", namespace, pod, "--", ...command]),
    loadImage: async (archive, name) => {
      const words = ["--address", node.containerd, "--namespace", "k8s.io", "images", "import"];
      await run("ctr", [...words, "--index-name", name, archive]);
    },
  };
}

async function ask(
  client: ApiClient,
  path: string,
  wanted: (object: KubernetesObject) => boolean,
  limitMs: number,
): Promise<KubernetesObject> {
  const end = Date.now() + limitMs;
  for (;;) {
    const { status, body } = (await client.request("GET", path)) as Answer<KubernetesObject>;
    if (status === 200 && wanted(body)) return body;
    if (Date.now() > end) throw new Error(`${path} is not as wanted: ${status} ${JSON.stringify(body)}`);
    await sleep(POLL_MS);
  }
}

function isReady(pod: KubernetesObject): boolean {
  const conditions = (pod.status as { readonly conditions?: readonly Readonly<Record<string, string>>[] } | undefined)
    ?.conditions;
  return conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Audit events go to the receiver as they come (kube-apiserver's webhook backend). */
function auditFlags(
  directory: string,
  { policy, url, ca, token = "" }: NonNullable<ClusterOptions["audit"]>,
): readonly string[] {
  const file = (name: string, content: object) => {
    writeFileSync(join(directory, name), JSON.stringify(content));
    return join(directory, name);
  };
  const trust =
    ca === undefined
      ? { "insecure-skip-tls-verify": true }
      : { "certificate-authority-data": Buffer.from(ca).toString("base64") };
  const webhook = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "receiver", cluster: { server: url, ...trust } }],
    users: token === "" ? [] : [{ name: "api-server", user: { token } }],
    contexts: [{ name: "receiver", context: { cluster: "receiver", user: token === "" ? "" : "api-server" } }],
    "current-context": "receiver",
  };
  return ["--audit-policy", file("audit-policy.json", policy), "--audit-webhook", file("audit-webhook.json", webhook)];
}
