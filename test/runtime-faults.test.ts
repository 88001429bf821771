import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { temporaryDirectory } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Containerd, openContainerd, whyNoContainerd } from "./support/containerd.ts";
import { freePort } from "./support/free-port.ts";
import { type ApiClient, logIn, PASSWORD, until } from "./support/running-server.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor() || whyNoContainerd();
if (why !== "") console.warn(`no server is killed under a storm of events: ${why}`);

const BULWARK = join(import.meta.dirname, "../bin/bulwark");
const STORM = 2_000;
const NAME = `storm-${process.pid}`;

describe.skipIf(why !== "")("a storm of events", () => {
  const directory = temporaryDirectory();
  const opened: (() => unknown)[] = [() => directory.remove()];
  let containerd: Containerd;
  let ports: readonly [number, number];
  let server: ChildProcess;
  let api: ApiClient;

  beforeAll(async () => {
    chmodSync(directory.path, 0o755);
    containerd = await openContainerd(directory.path);
    opened.push(containerd.close, () => containerd.remove(NAME));
    await containerd.load("docker.io/library/storm:1");
    ports = [await freePort(), await freePort()];
    server = await startServer();
    opened.push(() => end(server));
    api = await logIn(`http://127.0.0.1:${ports[0]}`);
    const { token } = await api.call<{ token: string }>("POST", "/enrolment-tokens", { name: "storm" });
    const state = join(directory.path, "sensor");
    const words = ["enroll", "--server", `https://127.0.0.1:${ports[1]}`, "--state", state];
    await promisify(execFile)(SENSOR, words, { env: { ...process.env, BULWARK_ENROLMENT_TOKEN: token } });
    const sensor = spawn(SENSOR, ["run", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
    opened.push(() => end(sensor));
    for await (const line of createInterface({ input: sensor.stderr })) if (line.includes("connected")) break;
  });
  afterAll(async () => {
    for (const close of opened.toReversed()) await close();
  });

  function startServer(): Promise<ChildProcess> {
    const words = ["up", "--data", join(directory.path, "data"), "--no-host-scan"];
    const places = ["--listen", `127.0.0.1:${ports[0]}`, "--gateway", `127.0.0.1:${ports[1]}`];
    const env = { ...process.env, BULWARK_ADMIN_PASSWORD: PASSWORD };
    const child = spawn(BULWARK, [...words, ...places], { env, stdio: ["ignore", "pipe", "inherit"] });
    return new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
      createInterface({ input: child.stdout }).on("line", (line) => line.includes("is up") && resolve(child));
    });
  }

  /** Programs of the storm that are stored, repeats counted. */
  async function stored(since: string): Promise<number> {
    let sum = 0;
    let cursor = "";
    do {
      const query = `since=${encodeURIComponent(since)}&types=execve&text=${encodeURIComponent("/bin/true")}&limit=500${cursor}`;
      const page = await api.call<{ items: { name: string; containerName: string; count: number }[]; next?: string }>(
        "GET",
        `/runtime-events?${query}`,
      );
      const own = page.items.filter(({ name, containerName }) => name === "true" && containerName === NAME);
      sum += own.reduce((total, { count }) => total + count, 0);
      cursor = page.next === undefined ? "" : `&cursor=${encodeURIComponent(page.next)}`;
    } while (cursor !== "");
    return sum;
  }

  test("outlives the server's sudden death: every program is stored, and none twice", async () => {
    await containerd.start("docker.io/library/storm:1", NAME);
    const since = new Date().toISOString();
    const loop = `i=0; while [ $i -lt ${STORM} ]; do /bin/true; i=$((i+1)); done`;
    const storm = containerd.exec(NAME, loop);
    await until("the storm's beginning", async () => (await stored(since)) > 50);
    const killed = once(server, "exit");
    server.kill("SIGKILL");
    await killed;
    server = await startServer();
    api = await logIn(`http://127.0.0.1:${ports[0]}`);
    expect(await storm).toContain("exit 0");
    await until("all of it", async () => (await stored(since)) >= STORM);
    const { items } = await api.call<{ items: { id: number }[] }>("GET", "/nodes");
    // Whatever else happens on a busy machine may be lost, and is counted; of the storm nothing is.
    const { health } = await api.call<{ health: { lost: Readonly<Record<string, number>> } }>(
      "GET",
      `/nodes/${items[0]?.id}`,
    );
    expect([await stored(since), health.lost.execve ?? 0]).toEqual([STORM, 0]);
  });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
