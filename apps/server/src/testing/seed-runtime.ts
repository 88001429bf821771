import { zstdCompressSync } from "node:zlib";
import {
  addAllowEntry,
  addEvidence,
  addIndicators,
  addNode,
  addResponse,
  addSensorUpgrade,
  getResponse,
  listContainers,
  makeRuntimeDays,
  putAutomaticResponse,
  putExportTarget,
  putRuleFile,
  raiseAlerts,
  recordContainers,
  recordPrograms,
  type Store,
  setRuleMode,
  writeBatches,
} from "@bulwark/store";
import { eventRow } from "../gateway/event-row.ts";
import { runtimeEvents } from "../gateway/runtime-events.ts";
import { EVENT_TYPES, eventBatch } from "../gateway/wire.ts";

/** Ids of what was put in, by noun of the contract. */
export interface SeededRuntime {
  readonly ids: ReadonlyMap<string, string>;
  readonly nodeId: number;
}

/** Gives a tenant a node with a container in which something happened, as a sensor would have told it. */
export async function seedRuntime(store: Store, tenantId: number, now = new Date()): Promise<SeededRuntime> {
  await makeRuntimeDays(store, now);
  const runtimeId = `c0ffee${tenantId}`;
  const bytes = eventBatch.encode({
    epoch: "seed",
    sequence: 1,
    containers: [{ id: runtimeId, name: "web", image: "shop:1" }],
    processes: [{ pid: 41, startUs: 900, name: "sh", exe: "/bin/sh", arguments: ["sh", "-i"], container: 1 }],
    events: [{ type: EVENT_TYPES.EXECVE, timeUs: now.getTime() * 1_000, process: 1 }],
  });
  const batch = eventBatch.decode(bytes);
  const [event] = runtimeEvents(batch);
  if (event === undefined) throw new Error("the seed has an event");
  return store.tenant(tenantId, async (db) => {
    const nodeId = await addNode(db, {
      ...{ uid: `seed-${tenantId}-${now.getTime()}`, hostname: "node-1", facts: { kernelRelease: "6.1" } },
      ...{ sensorVersion: "0.1.0", certificateSerial: "01", now },
    });
    const container = { ...event.container!, state: "running", arguments: ["nginx"] };
    await recordContainers(db, nodeId, [container], now);
    await recordPrograms(
      db,
      nodeId,
      [
        {
          container: runtimeId,
          exe: "/usr/sbin/nginx",
          name: "nginx",
          userName: "www",
          arguments: "nginx",
          processes: 2,
        },
      ],
      [
        {
          ...{
            container: runtimeId,
            protocol: "tcp",
            address: "0.0.0.0",
            port: 80,
            exe: "/usr/sbin/nginx",
            name: "nginx",
          },
          ...{ kind: "web", product: "nginx", exposed: true },
        },
      ],
      now,
    );
    const [written] = await writeBatches(
      db,
      [{ nodeId, epoch: "seed", sequence: 1, content: zstdCompressSync(bytes), events: [eventRow(event)], losses: [] }],
      now,
    );
    const [raised] = await raiseAlerts(db, [
      {
        ...{
          foldKey: `seed-${nodeId}`,
          rule: "Shell in a container",
          title: "sh was started",
          severity: "high",
          tags: ["T1059"],
        },
        ...{
          nodeId,
          container: runtimeId,
          containerName: "web",
          image: "shop:1",
          imageDigest: "",
          namespace: "",
          pod: "",
        },
        ...{ process: "sh", exe: "/bin/sh", pid: 41, processStart: 900, at: now, count: 1, blocked: false },
        facts: {
          event: { ...event, process: null, container: null },
          lineage: [{ ...event.process, parent: undefined }],
        },
        ...{ batchId: written?.batchId ?? 0, position: 0 },
      },
    ]);
    const uid = `seed-response-${nodeId}`;
    const responseId = await addResponse(db, {
      ...{
        uid,
        nodeId,
        container: runtimeId,
        action: "collect-evidence",
        parameters: {},
        alertId: raised?.id,
        state: "done",
      },
      ...{ askedBy: "seed", reason: "", now, expiresAt: now },
    });
    await addEvidence(db, nodeId, {
      uid,
      name: "mounts.json",
      offset: 0,
      content: Buffer.from("{}"),
      isLast: true,
      cutBytes: 0,
    });
    await putRuleFile(db, { name: "seed.yaml", content: "", enabled: false, by: "seed", now });
    const mode = await setRuleMode(db, { rule: "seed", scope: {}, mode: "off", by: "seed", now });
    const entry = { rule: "seed", condition: "proc.name = seed", scope: {}, reason: "seed", by: "seed", now };
    await addAllowEntry(db, { ...entry, expiresAt: null });
    await addIndicators(db, [{ kind: "domain", value: "bad.example.org", source: "seed", expiresAt: null }], now);
    const automatic = { name: "seed", condition: "false", actions: ["pause"], mode: "off", perHour: 1 } as const;
    await putAutomaticResponse(db, { ...automatic, by: "seed", now });
    const target = {
      name: "seed",
      kind: "syslog",
      address: "tcp://127.0.0.1:1",
      format: "ocsf",
      settings: {},
    } as const;
    const what = { alerts: true, events: true, eventTypes: [], enabled: false };
    const exportId = await putExportTarget(db, { ...target, ...what, by: "seed", now });
    const upgrade = { version: "0.1.0", wave: 1, stopOnFailure: true, askedBy: "seed", nodeIds: [nodeId], now };
    const upgradeId = await addSensorUpgrade(db, upgrade);
    const [seen] = await listContainers(db, { nodeId, limit: 1 });
    const [evidence] = (await getResponse(db, responseId))?.evidence ?? [];
    return {
      ids: new Map([
        ["nodes", String(nodeId)],
        ["containers", String(seen?.id)],
        ["alerts", String(raised?.id)],
        ["responses", String(responseId)],
        ["evidence", String(evidence?.id)],
        ["exports", String(exportId)],
        ["modes", String(mode.id)],
        ["sensor-upgrades", String(upgradeId)],
        ["runtime-events", `${written?.batchId}-0`],
      ]),
      nodeId,
    };
  });
}
