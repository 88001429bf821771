import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { openContainerd, whyNoContainerd } from "../test/support/containerd.ts";
import { startTestServer } from "../test/support/running-server.ts";
import { SENSOR, whyNoSensor } from "../test/support/sensor-process.ts";
import { type BenchResult, limited, smoke } from "./result.ts";

const ATTACKS = smoke ? 3 : 120;
const NAME = "bulwark-bench-alert";

/** How long it takes from what happens in a container until a page that watches alerts is told. */
export async function alertBench(work: string): Promise<readonly BenchResult[]> {
  const why = whyNoSensor() || whyNoContainerd();
  if (why !== "") {
    process.stderr.write(`the way of an alert is not measured: ${why}\n`);
    return [];
  }
  const directory = mkdtempSync(join(work, "alert-"));
  const containerd = await openContainerd(directory);
  await containerd.load("docker.io/library/bench:1");
  mkdirSync(join(directory, "server"));
  // As root, the database runs as another user, who has to come through to its files.
  for (const folder of [work, directory]) chmodSync(folder, 0o755);
  const roles = new Set(["api", "gateway", "worker"] as const);
  const server = await startTestServer(join(directory, "server/data"), {
    roles,
    gateway: { host: "127.0.0.1", port: 0 },
  });
  const { token } = await server.call<{ token: string }>("POST", "/enrolment-tokens", { name: "bench" });
  const state = join(directory, "state");
  // Not in step: the server that answers is in this process.
  await promisify(execFile)(SENSOR, ["enroll", "--server", `https://${server.running.gateway}`, "--state", state], {
    env: { ...process.env, BULWARK_ENROLMENT_TOKEN: token },
  });
  const sensor = spawn(SENSOR, ["run", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: sensor.stderr })) if (line.includes("connected")) break;
  await containerd.start("docker.io/library/bench:1", NAME);
  const delays: number[] = [];
  const stream = await server.send("GET", "/events?topics=alerts", undefined, AbortSignal.timeout(600_000));
  const told = stream.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  for (let attack = 0; attack < ATTACKS; attack++) {
    const ended = containerd.exec(NAME, "/bin/nc 127.0.0.1 9 -e /bin/sh");
    for (;;) {
      const { value = "" } = await told.next();
      if (value.includes("event: alerts")) break;
    }
    const heard = Date.now();
    const { items } = await server.call<{ items: { lastAt: string }[] }>("GET", `/alerts?text=${NAME}&limit=5`);
    delays.push(heard - Math.max(...items.map(({ lastAt }) => Date.parse(lastAt))));
    await ended;
  }
  const memory =
    Number(/VmRSS:\s+(\d+)/.exec(execFileSync("cat", [`/proc/${sensor.pid}/status`]).toString())?.[1]) / 1_024;
  await containerd.remove(NAME);
  const gone = once(sensor, "exit");
  sensor.kill("SIGTERM");
  await gone;
  await server.close();
  await containerd.close();
  const sorted = delays.toSorted((a, b) => a - b);
  return [
    limited("attack to alert on a page that watches, median", sorted[Math.floor(sorted.length / 2)] ?? 0, "ms", 1_000),
    limited("the same, 99 of 100", sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0, "ms", 1_000),
    limited("sensor: resident memory, connected", memory, "MiB", 15),
  ];
}
