import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, startCluster, whyNoCluster } from "../test/cluster/start-cluster.ts";
import { type ServerUnderTest, startTestServer } from "../test/support/running-server.ts";
import { type BenchResult, limited, smoke } from "./result.ts";

const FIRST = smoke ? 50 : 5_000;
const ALL = smoke ? 100 : 20_000;
const AT_ONCE = 16;
const NAMESPACES = 20;
const SERVER = join(import.meta.dirname, "../apps/server/src/main.ts");
const LOOK_MS = 50;
/** As deploy/kubernetes/agent has it: Node takes what a machine has, not what it needs. */
const NODE_OPTIONS = "--max-semi-space-size=2 --max-old-space-size=96";

/** An agent of a real API server with many pods: how long until the server knows all of them, and what it takes. */
export async function agentBench(work: string): Promise<readonly BenchResult[]> {
  const why = whyNoCluster(false);
  if (why !== "") {
    console.log(`no agent is measured: ${why}`);
    return [];
  }
  const directory = mkdtempSync(join(work, "agent-"));
  mkdirSync(join(directory, "data"));
  // As root, the database runs as another user, who has to come through to its files.
  for (const folder of [work, directory]) chmodSync(folder, 0o755);
  const [server, cluster] = await Promise.all([
    startTestServer(join(directory, "data"), {
      roles: new Set(["api", "gateway"]),
      gateway: { host: "127.0.0.1", port: 0 },
    }),
    startCluster({ kubelet: false }),
  ]);
  try {
    await fill(cluster, 0, FIRST);
    const small = await synced(server, cluster, FIRST);
    await fill(cluster, FIRST, ALL);
    const large = await synced(server, cluster, ALL);
    const count = (pods: number) => pods.toLocaleString("en");
    return [
      limited(`agent: memory with ${count(FIRST)} pods, at most`, small.mebibytes, "MiB", 200),
      limited(`agent: memory with ${count(ALL)} pods, at most`, large.mebibytes, "MiB", 200),
      limited(`agent: ${count(ALL)} pods from an API server to the database`, large.seconds, "s", 30),
    ];
  } finally {
    await cluster.close();
    await server.close();
  }
}

/** Pods as controllers make them, which no node takes. */
async function fill(cluster: Cluster, from: number, to: number): Promise<void> {
  if (from === 0) {
    for (let n = 0; n < NAMESPACES; n++) {
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: `space-${n}` } };
      await cluster.request("POST", "/api/v1/namespaces", body);
      const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "app" } };
      await cluster.request("POST", `/api/v1/namespaces/space-${n}/serviceaccounts`, account);
    }
  }
  let next = from;
  const make = async () => {
    for (let n = next++; n < to; n = next++) {
      const { status } = await cluster.request("POST", `/api/v1/namespaces/space-${n % NAMESPACES}/pods`, pod(n));
      if (status !== 201) throw new Error(`pod ${n}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, make));
}

function pod(n: number) {
  const env = Array.from({ length: 12 }, (_, at) => ({ name: `SETTING_${at}`, value: `value ${at} of ${n}` }));
  const resources = { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } };
  const container = (name: string) => ({
    ...{ name, image: `registry.invalid/team-${n % 50}/${name}:${n % 9}`, env, resources },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
    livenessProbe: { httpGet: { path: "/healthz", port: 8080 } },
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `app-${n}`,
      labels: { app: `app-${n % 200}`, tier: "web" },
      annotations: { note: "x".repeat(200) },
    },
    spec: {
      serviceAccountName: "app",
      schedulerName: "nobody",
      containers: [container("app"), container("proxy")],
      volumes: [{ name: "data", emptyDir: {} }],
    },
  };
}

async function synced(server: ServerUnderTest, cluster: Cluster, pods: number) {
  const invited = await server.call<{ cluster: { id: number }; token: string }>("POST", "/clusters", {
    name: `with ${pods}`,
  });
  const words = ["server", "--roles", "agent", "--gateway", server.running.gateway, "--kubeconfig", cluster.kubeconfig];
  const began = performance.now();
  // The same cluster joins anew: its identity of before is another's.
  await cluster.request("DELETE", "/api/v1/namespaces/default/secrets/bulwark-agent-identity");
  const env = { ...process.env, NODE_OPTIONS, BULWARK_CLUSTER_TOKEN: invited.token, BULWARK_LOG: "error" };
  const agent = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", SERVER, ...words], {
    ...{ env, stdio: ["ignore", "inherit", "inherit"] },
  });
  try {
    const path = `/clusters/${invited.cluster.id}`;
    for (;;) {
      const { pods: known } = await server.call<{ pods: number }>("GET", path);
      if (known >= pods) break;
      if (agent.exitCode !== null) throw new Error("the agent ended");
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const seconds = (performance.now() - began) / 1_000;
    const status = readFileSync(`/proc/${agent.pid}/status`, "utf8");
    return { seconds, mebibytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024 };
  } finally {
    agent.kill();
    await new Promise((resolve) => agent.once("exit", resolve));
    await cluster.request("DELETE", "/apis/coordination.k8s.io/v1/namespaces/default/leases/bulwark-agent");
  }
}
