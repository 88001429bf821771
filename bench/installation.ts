import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type ServerUnderTest, startTestServer, until } from "../test/support/running-server.ts";
import { SENSOR } from "../test/support/sensor-process.ts";

/** A sensor that runs. */
interface StartedSensor {
  readonly pid: number;
  stop(): Promise<void>;
}

/** A server with its gateway, and a node that is enrolled with it. */
export interface Installation {
  readonly directory: string;
  readonly server: ServerUnderTest;
  /** Starts the node's sensor and waits for a line of what it says. */
  startSensor(line: "ready" | "connected"): Promise<StartedSensor>;
  /** Waits until the node has the policy that the shipped rules compile to; it keeps to it without a server too. */
  untilPolicy(): Promise<unknown>;
}

export async function openInstallation(work: string): Promise<Installation> {
  const directory = mkdtempSync(join(work, "installation-"));
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
  const words = ["enroll", "--server", `https://${server.running.gateway}`, "--state", state];
  // Not in step: the server that answers is in this process.
  await promisify(execFile)(SENSOR, words, { env: { ...process.env, BULWARK_ENROLMENT_TOKEN: token } });
  return {
    directory,
    server,
    async startSensor(line) {
      const sensor = spawn(SENSOR, ["run", "--state", state], { stdio: ["ignore", "ignore", "pipe"] });
      for await (const said of createInterface({ input: sensor.stderr })) if (said.includes(line)) break;
      return {
        pid: sensor.pid ?? 0,
        async stop() {
          const ended = once(sensor, "exit");
          sensor.kill("SIGTERM");
          await ended;
        },
      };
    },
    untilPolicy: () =>
      until("the policy", async () => {
        const { items } = await server.call<{
          items: { health: { policyRevision?: number } | null; policyRevision: number }[];
        }>("GET", "/nodes");
        return (items[0]?.policyRevision ?? 0) > 0;
      }),
  };
}

/** proc(5), /proc/PID/status. */
export function residentMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(execFileSync("cat", [`/proc/${pid}/status`]).toString())?.[1]) / 1_024;
}
