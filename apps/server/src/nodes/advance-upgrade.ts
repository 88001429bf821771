import { randomUUID } from "node:crypto";
import {
  addResponse,
  announce,
  endSensorUpgrade,
  listSensorPrograms,
  lockSensorUpgrade,
  markUpgradeNode,
  runningSensorUpgrades,
  type SensorProgram,
  type SensorUpgrade,
  type TenantQueries,
} from "@bulwark/store";

type UpgradeNode = SensorUpgrade["nodes"][number];

/** Downloading, trying and taking back take six minutes at most. */
const EXPIRES_MS = 10 * 60_000;
const UNDER_WAY: ReadonlySet<string> = new Set(["waiting", "queued", "sent"]);
const NOT_DONE: ReadonlySet<string> = new Set(["failed", "refused", "expired"]);
const PLATFORMS: Readonly<Record<string, string>> = { x86_64: "linux/amd64", aarch64: "linux/arm64" };

/** The platform of a node, as programs name theirs; empty for one that no program is made for. */
function platformOf(architecture: string): string {
  return PLATFORMS[architecture] ?? "";
}

/** Goes on with upgrades that run, once their wave has ended; with a response, with the upgrade that it belongs to. */
export async function advanceUpgrades(db: TenantQueries, now: Date, responseId?: number): Promise<void> {
  for (const id of await runningSensorUpgrades(db, responseId)) await advanceUpgrade(db, id, now);
}

/** Asks the next wave when the one before has ended; ends the upgrade when there is none, or when it stops at a failure. */
export async function advanceUpgrade(db: TenantQueries, id: number, now: Date): Promise<void> {
  const upgrade = await lockSensorUpgrade(db, id);
  if (upgrade === undefined || upgrade.nodes.some(({ state }) => UNDER_WAY.has(state))) return;
  const hasFailed = upgrade.nodes.some(({ state }) => NOT_DONE.has(state));
  if (hasFailed && upgrade.stopOnFailure && upgrade.nodes.some(({ state }) => state === "pending")) {
    await endSensorUpgrade(db, id, "stopped", now);
  } else if ((await askWave(db, upgrade, now)) === 0) {
    await endSensorUpgrade(db, id, "done", now);
  }
  await announce(db, { topic: "nodes", id: "" });
}

/** @returns how many nodes were asked */
async function askWave(db: TenantQueries, upgrade: SensorUpgrade, now: Date): Promise<number> {
  const programs = (await listSensorPrograms(db)).filter(({ version }) => version === upgrade.version);
  let asked = 0;
  for (const node of upgrade.nodes) {
    if (node.state !== "pending") continue;
    if (asked === upgrade.wave) break;
    const program = programs.find(({ platform }) => platform === platformOf(node.architecture));
    const skipped = whySkipped(node, program);
    if (program === undefined || skipped !== "") {
      await markUpgradeNode(db, upgrade.id, node.nodeId, { skipped });
      continue;
    }
    await markUpgradeNode(db, upgrade.id, node.nodeId, { responseId: await order(db, upgrade, node, program, now) });
    asked++;
  }
  return asked;
}

function whySkipped({ connected, architecture }: UpgradeNode, program: SensorProgram | undefined): string {
  if (program === undefined) return `there is no program of this version for ${architecture || "its processor"}`;
  return connected ? "" : "the node was not connected when its turn came";
}

async function order(
  db: TenantQueries,
  { id, askedBy }: SensorUpgrade,
  { nodeId }: UpgradeNode,
  { version, sha256 }: SensorProgram,
  now: Date,
): Promise<number> {
  const responseId = await addResponse(db, {
    ...{ uid: randomUUID(), nodeId, container: "", action: "upgrade", parameters: { version, sha256 } },
    ...{ state: "queued", askedBy, reason: `upgrade ${id}`, now, expiresAt: new Date(now.getTime() + EXPIRES_MS) },
  });
  await announce(db, { topic: "orders", id: nodeId });
  await announce(db, { topic: "responses", id: responseId });
  return responseId;
}
