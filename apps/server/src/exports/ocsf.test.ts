import { RUNTIME_EVENT_TYPES, type RuntimeContainer, type RuntimeEvent, type RuntimeProcess } from "@bulwark/model";
import type { AlertDetail } from "@bulwark/store";
import { expect, test } from "vitest";
import { alertOcsf } from "./ocsf-alert.ts";
import { eventOcsf } from "./ocsf-event.ts";
import type { OcsfObject } from "./ocsf-objects.ts";

/** Attributes that version 1.5.0 of the schema requires, by class; those of every class, and its own. */
const BASE = ["class_uid", "category_uid", "activity_id", "type_uid", "time", "severity_id", "metadata"];
const REQUIRED: Readonly<Record<number, readonly string[]>> = {
  0: [],
  1001: ["device", "actor", "file"],
  1002: ["device", "actor", "driver"],
  1003: ["device", "actor", "kernel"],
  1004: ["device", "actor", "process"],
  1005: ["device", "actor", "module"],
  1007: ["device", "actor", "process"],
  2004: ["finding_info"],
  4001: [],
  4003: [],
};
/** Activities that a class has beside 0 and 99. */
const ACTIVITIES: Readonly<Record<number, number>> = {
  0: 0,
  1001: 14,
  1002: 2,
  1003: 4,
  1004: 9,
  1007: 5,
  2004: 3,
  4001: 7,
  4003: 6,
};

const POD = "0f8fad5b-d9cb-469f-a165-70867728950e";
const place = { id: "7-0", nodeId: 3, hostname: "node-1" };

const program: RuntimeProcess = {
  ...{
    pid: 41,
    namespacePid: 7,
    startUs: 900,
    parent: null,
    name: "sh",
    exe: "/bin/sh",
    arguments: ["sh", "-c", "id"],
  },
  ...{ argumentsCut: 0, cwd: "/", uid: 0, gid: 0, effectiveUid: 0, loginUid: 4_294_967_295, userName: "root" },
  ...{ sessionId: 1, groupLeaderPid: 41, tty: 0, effectiveCapabilities: 0, interpreter: "", exeInMemory: false },
  ...{ exeDeleted: false, exeDrifted: true, exeWritable: false, exeInode: 5, exeDigest: "a".repeat(64) },
  ...{ stdin: "null", stdout: "pipe", stderr: "pipe" },
};
const shell: RuntimeProcess = {
  ...program,
  parent: { ...program, pid: 40, name: "nginx", exe: "/usr/sbin/nginx", parent: { ...program, pid: 1 } },
};
const container: RuntimeContainer = {
  ...{ id: "c0ffee", runtime: "containerd", runtimeNamespace: "k8s.io", name: "web", image: "shop:1" },
  ...{
    imageDigest: `sha256:${"b".repeat(64)}`,
    labels: { app: "shop" },
    privileged: false,
    mounts: [],
    capabilities: 0,
  },
  ...{ hostNetwork: false, hostPid: false, hostIpc: false, readOnlyRoot: false, seccomp: true, user: "", pod: "web-1" },
  ...{ podUid: POD, namespace: "shop", kubernetesContainer: "web", startedUs: 0, addresses: [] },
};

function event(of: Partial<RuntimeEvent>): RuntimeEvent {
  return {
    ...{ type: "execve", timeUs: 1_780_300_800_123_456, count: 1, process: shell, container, threadId: 41, result: 0 },
    ...{ path: "", newPath: "", flags: 0, mode: 0, fd: -1, upperLayer: false, inode: 0, device: 0, family: 0 },
    ...{ protocol: "", localAddress: "", localPort: 0, remoteAddress: "", remotePort: 0, bytesSent: 0 },
    ...{
      bytesReceived: 0,
      dnsName: "",
      dnsType: "",
      dnsAnswers: [],
      argument: 0,
      targetPid: 0,
      detail: "",
      blockId: "",
    },
    ...{ targetFd: -1, fdKind: "unknown", oldCapabilities: 0, oldUid: 0 },
    ...of,
  };
}

/** As a receiver reads it: members without a value are gone. */
function read(record: OcsfObject): Record<string, never> & OcsfObject {
  return JSON.parse(JSON.stringify(record));
}

function expectValid(record: OcsfObject): void {
  const classUid = record.class_uid as number;
  const activity = record.activity_id as number;
  const missing = [...BASE, ...(REQUIRED[classUid] ?? ["a class that is not known"])].filter(
    (name) => !(name in record),
  );
  expect(missing, JSON.stringify(record)).toEqual([]);
  expect(record.type_uid).toBe(classUid * 100 + activity);
  expect(activity === 99 || activity <= (ACTIVITIES[classUid] ?? -1)).toBe(true);
  expect(record).toMatchObject({ metadata: { version: "1.5.0", product: { name: "Bulwark" } } });
  expect(Number.isInteger(record.time)).toBe(true);
  if (classUid === 4001 || classUid === 4003) expect("src_endpoint" in record || "dst_endpoint" in record).toBe(true);
}

test.each(RUNTIME_EVENT_TYPES)("%s has what its class requires, with everything known and with nothing", (type) => {
  const address = { localAddress: "10.0.0.2", localPort: 4_000, remoteAddress: "203.0.113.9", remotePort: 443 };
  const full = {
    path: "/etc/passwd",
    newPath: "/tmp/x",
    dnsName: "a.example.org",
    dnsAnswers: ["203.0.113.9"],
    ...address,
  };
  expectValid(read(eventOcsf(event({ type, ...full }), place)));
  expectValid(read(eventOcsf(event({ type, process: null, container: null }), { ...place, hostname: "" })));
});

test("a program that starts is its parent's doing, with those above it and the container", () => {
  const told = read(eventOcsf(event({ type: "execve" }), place));
  expect(told).toMatchObject({
    ...{ class_uid: 1007, activity_id: 1, type_uid: 100_701, category_uid: 1, time: 1_780_300_800_123 },
    device: { hostname: "node-1", uid: "3" },
    actor: { process: { pid: 40, name: "nginx", container: { uid: "c0ffee" } } },
    process: {
      ...{ pid: 41, cmd_line: "sh -c id", namespace_pid: 7, user: { uid: "0", name: "root" } },
      file: { path: "/bin/sh", name: "sh", type_id: 1, hashes: [{ algorithm_id: 3, value: "a".repeat(64) }] },
      parent_process: { pid: 40, name: "nginx" },
      ancestry: [{ pid: 40 }, { pid: 1 }],
      container: { name: "web", image: { uid: container.imageDigest, name: "shop:1" }, pod_uuid: POD },
    },
    unmapped: { exe_drifted: true },
  });
});

test("each kind of thing is told in its class", () => {
  const remote = { remoteAddress: "2001:db8::1", remotePort: 443, family: 6, protocol: "tcp" };
  const told = (of: Partial<RuntimeEvent>) => read(eventOcsf(event(of), place));
  expect(told({ type: "connect", ...remote, result: -115 })).toMatchObject({
    ...{ type_uid: 400_101, dst_endpoint: { ip: "2001:db8::1", port: 443 } },
    connection_info: { direction_id: 2, protocol_name: "tcp", protocol_ver_id: 6 },
  });
  expect(told({ type: "connect", ...remote, result: -111 })).toMatchObject({ type_uid: 400_104, status_id: 2 });
  expect(told({ type: "accept", ...remote })).toMatchObject({ src_endpoint: { ip: "2001:db8::1" } });
  expect(told({ type: "connect", remoteAddress: "/run/docker.sock", family: 1 })).toMatchObject({
    dst_endpoint: { name: "/run/docker.sock" },
  });
  expect(told({ type: "dns", dnsName: "a.example.org", dnsType: "A" })).toMatchObject({
    ...{ type_uid: 400_301, query: { hostname: "a.example.org", type: "A" } },
  });
  expect(told({ type: "rename", path: "/a", newPath: "/b" })).toMatchObject({
    ...{ type_uid: 100_105, file: { path: "/a" }, file_result: { path: "/b" } },
  });
  expect(told({ type: "finit_module", path: "/tmp/rootkit.ko" })).toMatchObject({
    ...{ type_uid: 100_201, driver: { file: { name: "rootkit.ko" } } },
  });
  expect(told({ type: "bpf" })).toMatchObject({ type_uid: 100_304, kernel: { system_call: "bpf" } });
  expect(told({ type: "blocked", path: "/bin/nc", blockId: "b1" })).toMatchObject({
    ...{ class_uid: 1001, action_id: 2, disposition_id: 2, unmapped: { block_id: "b1" } },
  });
});

const alert: AlertDetail = {
  ...{ id: 17, rule: "Shell in a container", title: "sh was started", severity: "high", tags: ["T1059"], nodeId: 3 },
  ...{ hostname: "node-1", container: "c0ffee", containerName: "web", image: "shop:1", imageDigest: "", imageId: null },
  ...{ namespace: "shop", pod: "web-1", process: "sh", exe: "/bin/sh", pid: 41, firstAt: "2026-06-01T08:00:00+00:00" },
  ...{
    lastAt: "2026-06-01T08:01:00+00:00",
    count: 1,
    blocked: false,
    exposed: false,
    state: "open",
    assignee: null,
    owner: null,
    cluster: null,
    workload: null,
  },
  ...{ batchId: 7, position: 0, processStart: 900, history: [] },
  facts: {
    event: { path: "/bin/sh" },
    lineage: [
      { ...shell, parent: undefined },
      { ...shell.parent, parent: undefined },
    ],
    description: "A shell",
    advice: "look",
    techniques: [{ id: "T1059", name: "Command and Scripting Interpreter" }],
    tactics: ["execution"],
  },
};

test("an alert is a Detection Finding with its rule, its techniques and the process", () => {
  const told = read(alertOcsf(alert, "alert-17-900"));
  expectValid(told);
  expect(told).toMatchObject({
    ...{ type_uid: 200_401, severity_id: 4, status_id: 1, is_alert: true, time: Date.parse(alert.lastAt) },
    finding_info: {
      ...{ uid: "alert-17", title: "sh was started", analytic: { name: "Shell in a container", type_id: 1 } },
      attacks: [{ technique: { uid: "T1059" }, tactics: [{ name: "execution" }] }],
    },
    evidences: [{ process: { pid: 41, parent_process: { pid: 40 } }, file: { path: "/bin/sh" } }],
    device: { container: { uid: "c0ffee" } },
  });
});

test("an alert is updated and closed under the uid that it was created with", () => {
  const ofActivity = (change: Partial<AlertDetail>) => read(alertOcsf({ ...alert, ...change }, "x"));
  expect(ofActivity({ count: 2 })).toMatchObject({ activity_id: 2, finding_info: { uid: "alert-17" } });
  expect(ofActivity({ state: "closed" })).toMatchObject({ activity_id: 3, status_id: 4, is_alert: false });
  expect(ofActivity({ state: "allowed" })).toMatchObject({ activity_id: 3, status_id: 3 });
  const bare = ofActivity({ facts: {}, container: "", blocked: true, severity: "critical" });
  expectValid(bare);
  expect(bare).toMatchObject({ severity_id: 5, disposition_id: 2, resources: [{ uid: "3", type: "node" }] });
});
