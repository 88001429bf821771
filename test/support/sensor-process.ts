import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BlockAction, EventSelection } from "@bulwark/detect";
import type { RuntimeEvent } from "@bulwark/model";

const BUILT = join(import.meta.dirname, "../../sensor/target/release/bulwark-sensor");

/** The sensor's program: of BULWARK_SENSOR, else where it is built. */
export const SENSOR: string = process.env.BULWARK_SENSOR ?? BUILT;

/** Why the sensor cannot run here; empty when it can. */
export function whyNoSensor(): string {
  if (process.getuid?.() !== 0) return "the sensor is run as root";
  if (!existsSync(SENSOR)) return `${SENSOR} is not built`;
  return existsSync("/sys/kernel/btf/vmlinux") ? "" : "this kernel tells no types (BTF)";
}

/** What a sensor is told to capture, and to refuse in containers of these names. */
export interface SensorPolicy {
  readonly selections: readonly EventSelection[];
  readonly blocks: readonly {
    readonly rule: string;
    readonly action: BlockAction;
    readonly containerNames: readonly string[];
  }[];
}

export interface RunningSensor {
  readonly close: () => Promise<void>;
}

/**
 * Starts the sensor with a policy and waits until it sees.
 *
 * @param folder where the policy is written
 * @param seen is called with each event in its order
 */
export async function startSensor(
  folder: string,
  { selections, blocks }: SensorPolicy,
  seen: (event: RuntimeEvent) => void,
): Promise<RunningSensor> {
  const policy = join(folder, "policy.json");
  const wire = blocks.map(({ rule, action: { kind, ...what }, containerNames }, at) => {
    return { id: `${at}`, rule, scope: { containerNames }, [kind]: what };
  });
  writeFileSync(policy, JSON.stringify({ selections, blocks: wire }));
  const sensor = spawn(SENSOR, ["run", "--output", "-", "--policy", policy], { stdio: ["ignore", "pipe", "pipe"] });
  createInterface({ input: sensor.stdout }).on("line", (line) => seen(JSON.parse(line)));
  await ready(sensor);
  return {
    close: async () => {
      const ended = once(sensor, "exit");
      sensor.kill("SIGTERM");
      await ended;
    },
  };
}

function ready(sensor: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    sensor.once("exit", (code) => reject(new Error(`the sensor ended with ${code}: ${said.join("\n")}`)));
    if (sensor.stderr === null) throw new Error("the sensor's messages are not read");
    createInterface({ input: sensor.stderr }).on("line", (line) => {
      said.push(line);
      if (line.includes("ready")) resolve();
    });
  });
}
