import { spawn } from "node:child_process";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BenchResult, limited, smoke } from "./result.ts";

const PER_SECOND = 500;
const SECONDS = smoke ? 1 : 20;
const WARM_UP = smoke ? 100 : 2_000;
const CONNECTIONS = 32;
const BODY_BYTES = 10 * 1024;
const LIMIT_P99_MS = 10;
/** What a replica may hold. */
const LIMIT_MIB = 330;

/** Reviews of 10 KB at a steady rate over TLS from this process to another: times count from when a review was due. */
export async function admissionBench(): Promise<readonly BenchResult[]> {
  const worker = spawn(process.execPath, [join(import.meta.dirname, "admission-worker.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]();
  const read = async () => JSON.parse((await lines.next()).value ?? "{}");
  const { port, name, ca } = await read();
  const used = async () => {
    worker.stdin.write("\n");
    return read();
  };
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ca, servername: name });
  const ask = (at: number) => {
    const body = reviewOf(at);
    return new Promise<void>((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const asked = request(
        { host: "127.0.0.1", port, path: "/validate?timeout=10s", method: "POST", agent, headers },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part: string) => {
            text += part;
          });
          answer.on("end", () =>
            text.includes('"allowed":true')
              ? resolve()
              : reject(new Error(`${answer.statusCode} ${text.slice(0, 300)}`)),
          );
        },
      );
      asked.on("error", reject);
      asked.end(body);
    });
  };
  for (let at = 0; at < WARM_UP; at += CONNECTIONS)
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, each) => ask(at + each)));
  const before = await used();
  const times = await steady(ask);
  const after = await used();
  const most = await closed(ask);
  const cpuMs = (after.cpuMs - before.cpuMs) / times.length;
  worker.stdin.end();
  agent.destroy();
  const p99 = times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Number.NaN;
  const p50 = times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.5)] ?? Number.NaN;
  return [
    limited(`admission: 99th percentile at ${PER_SECOND} reviews/s, 100 policies`, p99, "ms", LIMIT_P99_MS),
    limited("the same, 50th percentile", p50, "ms", LIMIT_P99_MS),
    limited("processor time of a review", cpuMs, "ms", 1_000 / PER_SECOND),
    limited("a review as fast as one replica and this process can", 1_000 / most, "ms", 1_000 / PER_SECOND),
    limited("memory of the replica afterwards", after.rssMib, "MiB", LIMIT_MIB),
  ];
}

/** Milliseconds from when each review was due until it was answered: one that waits for another counts as late. */
async function steady(ask: (at: number) => Promise<void>): Promise<readonly number[]> {
  const count = PER_SECOND * SECONDS;
  const began = performance.now();
  const times: number[] = [];
  const open: Promise<void>[] = [];
  for (let at = 0; at < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) / 1_000) * PER_SECOND) + 1);
    for (; at < due; at++) {
      const dueAt = began + (at * 1_000) / PER_SECOND;
      open.push(ask(at).then(() => void times.push(performance.now() - dueAt)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(open);
  return times;
}

/** Reviews a second with every connection always busy. */
async function closed(ask: (at: number) => Promise<void>): Promise<number> {
  const began = performance.now();
  const untilMs = began + (SECONDS * 1_000) / 4;
  let done = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < untilMs) await ask(done++);
    }),
  );
  return done / ((performance.now() - began) / 1_000);
}

/** A pod as a careful team writes it, of one of 200 images. */
function reviewOf(at: number): string {
  const securityContext = {
    ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, runAsUser: 1000 },
    ...{ capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } },
  };
  const container = (name: string) => ({
    ...{ name, image: `registry.example/team-${at % 20}/app-${at % 10}:1.4`, securityContext },
    resources: { limits: { memory: "256Mi", cpu: "500m" }, requests: { cpu: "50m" } },
    ports: [{ containerPort: 8080 }],
    env: Array.from({ length: 10 }, (_, each) => ({ name: `SETTING_${each}`, value: "some value" })),
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
  });
  const spec = {
    ...{ containers: [container("app"), container("proxy")], initContainers: [container("prepare")] },
    ...{ volumes: [{ name: "tmp", emptyDir: {} }], automountServiceAccountToken: false, serviceAccountName: "app" },
  };
  const object = {
    ...{ apiVersion: "v1", kind: "Pod", spec },
    metadata: { generateName: "app-7d4f9c-", labels: { app: `app-${at % 10}` }, annotations: { note: "" } },
  };
  const made = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      ...{
        uid: `uid-${at}`,
        kind: { group: "", version: "v1", kind: "Pod" },
        operation: "CREATE",
        object,
        oldObject: null,
      },
      ...{
        namespace: `team-${at % 20}`,
        userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller" },
      },
    },
  };
  object.metadata.annotations.note = "x".repeat(Math.max(0, BODY_BYTES - JSON.stringify(made).length));
  return JSON.stringify(made);
}
