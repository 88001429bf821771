import { execFileSync } from "node:child_process";
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addEnrolmentToken,
  addResponse,
  addSensorProgram,
  announce,
  endResponse,
  getNode,
  getResponse,
  listAlerts,
  listContainers,
  listListeners,
  listNodes,
  readBatch,
  removeNode,
  searchEvents,
} from "@bulwark/store";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { Client, type ClientDuplexStream, credentials, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSecretBox, type SecretBox } from "../security/secret-box.ts";
import { type Authority, GATEWAY_NAME, openAuthority } from "./authority.ts";
import { createBatchWriter, type Inspect } from "./batch-writer.ts";
import type { DeepPartial } from "./contract.ts";
import type { Downstream, EnrollResponse, EventBatch, Upstream } from "./gen/wire-types.ts";
import { type Gateway, SERVICE, startGateway } from "./start-gateway.ts";
import { downstream, EVENT_TYPES, enrollRequest, enrollResponse, order, renewRequest, upstream } from "./wire.ts";

const TENANT = 1;
const log = pino({ level: "silent" });
const clock = () => new Date();
const directory = mkdtempSync(join(tmpdir(), "bulwark-gateway-"));
let opened: TestStore;
let secrets: SecretBox;
let authority: Authority;
let gateway: Gateway;

/** Sees an alert in every `nc` that is executed. */
const inspect: Inspect = async (_tenant, _node, events) =>
  events.flatMap((event, position) => {
    if (event?.process?.name === "trap") throw new TypeError("a rule that fails");
    if (event?.type !== "execve" || event.process?.name !== "nc") return [];
    const { process, container } = event;
    const alert = {
      ...{ foldKey: `nc ${container?.id}`, rule: "Netcat", title: "nc was run", severity: "high" as const, tags: [] },
      ...{ container: container?.id ?? "", containerName: "", image: "", imageDigest: "", namespace: "", pod: "" },
      ...{ process: process.name, exe: process.exe, pid: process.pid, processStart: process.startUs },
      ...{ at: new Date(event.timeUs / 1_000), count: 1, blocked: false, facts: { arguments: process.arguments } },
    };
    return [{ position, alert }];
  });

function start(): Promise<Gateway> {
  const writer = createBatchWriter({ store: opened.store, clock, log, inspect, onAlerts: async () => {} });
  return startGateway(
    {
      ...{ store: opened.store, secrets, authority, writer, clock, log },
      clusters: {
        admission: {
          bundle: async () => ({ revision: 0, document: {} }),
          answer: async () => {},
          decided: async () => {},
        },
        audit: { inspect: async () => {} },
        onChange: () => {},
      },
      watchPolicies: () => {},
      onFacts: async () => {},
      policyOf: async () => ({
        revision: 42,
        policy: { digestFilesUpToBytes: 7, blocks: [{ id: "b1", rule: "No shells" }] },
      }),
      async onResult(db, node, { orderId, outcome, detail }) {
        const state = outcome === 1 ? "done" : "failed";
        await endResponse(db, node.id, { uid: orderId, state, detail, facts: {}, at: clock() });
      },
    },
    { host: "127.0.0.1", port: 0 },
  );
}

beforeAll(async () => {
  opened = await openTestStore();
  secrets = await openSecretBox({ file: join(directory, "keys.json") });
  authority = await openAuthority(opened.store, secrets, clock());
  gateway = await start();
});
afterAll(async () => {
  await gateway.close();
  await opened.close();
  rmSync(directory, { recursive: true });
});

function keyAndRequest(): { key: Buffer; request: string } {
  const file = join(directory, "node.key");
  execFileSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
  const request = execFileSync("openssl", ["req", "-new", "-key", file, "-subj", "/CN=whatever"]).toString();
  return { key: execFileSync("cat", [file]), request };
}

interface Identity {
  readonly key: Buffer;
  readonly cert: Buffer;
}

function client(identity?: Identity): Client {
  const secure = credentials.createSsl(Buffer.from(authority.certificate), identity?.key, identity?.cert);
  return new Client(`127.0.0.1:${gateway.port}`, secure, {
    "grpc.ssl_target_name_override": GATEWAY_NAME,
    "grpc.use_local_subchannel_pool": 1,
  });
}

async function token(uses = 1, expiresAt = new Date(Date.now() + 60_000)): Promise<string> {
  const text = `t-${Math.random()}`;
  const hash = createHash("sha256").update(text).digest("hex");
  await opened.store.tenant(TENANT, (db) =>
    addEnrolmentToken(db, TENANT, { name: "test", hash, uses, expiresAt, createdBy: "me", now: clock() }),
  );
  return text;
}

function enroll(text: string, request: string): Promise<EnrollResponse> {
  const made = client();
  return new Promise<EnrollResponse>((resolve, reject) => {
    made.makeUnaryRequest(
      SERVICE.enrollment.enroll.path,
      enrollRequest.encode,
      enrollResponse.decode,
      { token: text, certificateRequest: request, node: { hostname: "node-a" } },
      (error, response) => (error === null ? resolve(response!) : reject(error)),
    );
  }).finally(() => made.close());
}

async function enrolled(): Promise<Identity & { readonly uid: string; readonly id: number }> {
  const { key, request } = keyAndRequest();
  const { certificate, nodeId } = await enroll(await token(), request);
  const nodes = await opened.store.tenant(TENANT, (db) => listNodes(db, { limit: 100 }));
  return { key, cert: Buffer.from(certificate), uid: nodeId, id: nodes.find(({ uid }) => uid === nodeId)!.id };
}

/** A sensor's end of a stream: what it sends, and what it is told. */
function connect(identity: Identity) {
  const made = client(identity);
  const stream: ClientDuplexStream<DeepPartial<Upstream>, Downstream> = made.makeBidiStreamRequest(
    SERVICE.gateway.connect.path,
    upstream.encode,
    downstream.decode,
  );
  const told: Downstream[] = [];
  const waiting: (() => void)[] = [];
  stream.on("data", (message: Downstream) => {
    told.push(message);
    for (const wake of waiting.splice(0)) wake();
  });
  const ended = new Promise<{ code: number }>((resolve) => {
    stream.on("error", (error) => resolve(error as unknown as { code: number }));
    stream.on("end", () => resolve({ code: 0 }));
  });
  return {
    send: (message: DeepPartial<Upstream>) => void stream.write(message),
    async until<Found>(find: (message: Downstream) => Found | null | undefined): Promise<Found> {
      for (;;) {
        for (const message of told) {
          const found = find(message);
          if (found !== null && found !== undefined) return found;
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    ended,
    close() {
      stream.cancel();
      made.close();
    },
  };
}

function batch(sequence: number, extra: DeepPartial<EventBatch> = {}): DeepPartial<EventBatch> {
  return {
    epoch: "e1",
    sequence,
    containers: [{ id: "c0ffee", name: "web", image: "shop:1" }],
    processes: [
      { pid: 10, startUs: 100, name: "bash", exe: "/bin/bash", arguments: ["bash"], container: 1 },
      {
        pid: 11,
        startUs: 200,
        parent: 1,
        name: "nc",
        exe: "/bin/nc",
        arguments: ["nc", "-e", "--password=hunter2"],
        container: 1,
      },
    ],
    events: [
      { type: EVENT_TYPES.EXECVE, timeUs: Date.now() * 1_000, process: 2 },
      {
        type: EVENT_TYPES.CONNECT,
        timeUs: Date.now() * 1_000,
        process: 2,
        remoteAddress: "10.1.2.3",
        remotePort: 4444,
        family: 4,
      },
    ],
    ...extra,
  };
}

const acknowledged =
  (sequence: number, epoch = "e1") =>
  (message: Downstream) =>
    message.acknowledgement?.epoch === epoch && message.acknowledgement.sequence === sequence ? true : undefined;

test("a node enrols once with a token, and not again", async () => {
  const { request } = keyAndRequest();
  const text = await token();
  const given = await enroll(text, request);
  expect(given.authority).toBe(authority.certificate);
  await expect(enroll(text, request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  await expect(enroll(await token(1, new Date(0)), request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  await expect(enroll("", request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  await expect(enroll(await token(), "no request")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});

test("nobody connects without a certificate, with one of another authority, or as a node that was removed", async () => {
  const { key } = keyAndRequest();
  const own = execFileSync("openssl", [
    "req",
    "-x509",
    "-key",
    join(directory, "node.key"),
    "-subj",
    "/CN=x/OU=1",
    "-days",
    "9",
  ]);
  const removed = await enrolled();
  await opened.store.tenant(TENANT, (db) => removeNode(db, removed.id, clock()));
  const stranger = connect({ key, cert: own });
  await expect(stranger.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  const gone = connect(removed);
  await expect(gone.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  stranger.close();
  gone.close();
});

test("events are stored with the processes and containers that they speak of, without secrets, before they are acknowledged", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ hello: { node: { hostname: "node-b" }, policyRevision: 1 } });
  expect(await sensor.until(({ policy }) => policy)).toMatchObject({ revision: 42, digestFilesUpToBytes: 7 });
  sensor.send({ batch: batch(1, { losses: [{ kind: "open", reason: 1, count: 5 }] }) });
  await sensor.until(acknowledged(1));
  const now = Date.now();
  const span = { since: new Date(now - 60_000), until: new Date(now + 60_000), limit: 10 };
  const events = await opened.store.tenant(TENANT, (db) =>
    searchEvents(db, { ...span, nodeId: node.id, ascending: true }),
  );
  expect(events).toMatchObject([
    { type: EVENT_TYPES.EXECVE, container: "c0ffee", pid: 11, name: "nc", arguments: "nc -e --password=[redacted]" },
    { type: EVENT_TYPES.CONNECT, target: "10.1.2.3", port: 4444 },
  ]);
  const kept = await opened.store.tenant(TENANT, (db) => readBatch(db, events[0]!.batchId));
  expect(kept?.content.includes("hunter2")).toBe(false);
  const found = await opened.store.tenant(TENANT, (db) => searchEvents(db, { ...span, text: "4444" }));
  expect(found).toEqual([]);
  expect(await opened.store.tenant(TENANT, (db) => getNode(db, node.id))).toMatchObject({
    hostname: "node-b",
    lost: 5,
  });
  const alerts = await opened.store.tenant(TENANT, (db) => listAlerts(db, { nodeId: node.id, limit: 10 }));
  expect(alerts).toMatchObject([{ rule: "Netcat", count: 1, container: "c0ffee", pid: 11 }]);
  sensor.close();
});

test("a batch that comes again is stored once and raises nothing, and repeats of an alert are counted", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  const again = { containers: [{ id: "again" }] };
  sensor.send({ hello: {} });
  sensor.send({ batch: batch(1, again) });
  sensor.send({ batch: batch(2, again) });
  await sensor.until(acknowledged(2));
  sensor.close();
  const second = connect(node);
  second.send({ hello: {} });
  for (const sequence of [1, 2, 3]) second.send({ batch: batch(sequence, again) });
  await second.until(acknowledged(3));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  const events = await opened.store.tenant(TENANT, (db) => searchEvents(db, { ...span, nodeId: node.id }));
  expect(events).toHaveLength(6);
  const alerts = await opened.store.tenant(TENANT, (db) => listAlerts(db, { nodeId: node.id, limit: 10 }));
  expect(alerts).toMatchObject([{ count: 3 }]);
  second.close();
});

test("a clock that is out of the question does not lose an event", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ batch: batch(1, { epoch: "old", events: [{ type: EVENT_TYPES.EXECVE, timeUs: 1, process: 1 }] }) });
  sensor.send({ batch: batch(2, { epoch: "old", events: [{ type: EVENT_TYPES.EXECVE, timeUs: 9e15, process: 1 }] }) });
  await sensor.until(acknowledged(2, "old"));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  expect(await opened.store.tenant(TENANT, (db) => searchEvents(db, { ...span, nodeId: node.id }))).toHaveLength(2);
  sensor.close();
});

test("parents that are each other's parents do not hang the gateway, and unknown kinds of events are kept", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  const processes = [
    { pid: 1, parent: 2 },
    { pid: 2, parent: 1 },
    { pid: 3, parent: 3, name: "nc" },
  ];
  const events = [
    { type: EVENT_TYPES.EXECVE, process: 3 },
    { type: 9_999, process: 99 },
  ];
  sensor.send({
    batch: batch(1, { processes, events: events.map((event) => ({ ...event, timeUs: Date.now() * 1_000 })) }),
  });
  await sensor.until(acknowledged(1));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  const kept = await opened.store.tenant(TENANT, (db) => searchEvents(db, { ...span, nodeId: node.id }));
  expect(kept.map(({ type }) => type).toSorted()).toEqual([EVENT_TYPES.EXECVE, 9_999]);
  sensor.close();
});

test("an order reaches its node signed while it is connected, its result is kept, and a second sensor cannot answer for it", async () => {
  const [node, other] = [await enrolled(), await enrolled()];
  const [sensor, stranger] = [connect(node), connect(other)];
  sensor.send({ hello: {} });
  stranger.send({ hello: {} });
  await Promise.all([sensor.until(({ policy }) => policy), stranger.until(({ policy }) => policy)]);
  const id = await opened.store.tenant(TENANT, async (db) => {
    const made = await addResponse(db, {
      ...{
        uid: "order-1",
        nodeId: node.id,
        container: "c0ffee",
        action: "kill-process",
        parameters: { pid: 5, startUs: 77 },
      },
      ...{ state: "queued", askedBy: "me", reason: "", now: clock(), expiresAt: new Date(Date.now() + 60_000) },
    });
    await announce(db, { topic: "orders", id: node.id });
    return made;
  });
  const signed = await sensor.until((message) => message.order);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: authority.orderKey.toString("base64url") },
    format: "jwk",
  });
  const bytes = Buffer.concat([Buffer.from("bulwark order v1\0"), signed.order]);
  expect(verify(null, bytes, key, signed.signature)).toBe(true);
  expect(order.decode(signed.order)).toMatchObject({
    id: "order-1",
    nodeId: node.uid,
    killProcess: { containerId: "c0ffee", pid: 5, startUs: 77 },
  });
  stranger.send({ result: { orderId: "order-1", outcome: 3, detail: "lies" } });
  stranger.send({ batch: batch(1) });
  await stranger.until(acknowledged(1));
  sensor.send({ result: { orderId: "order-1", outcome: 1, detail: "killed" } });
  sensor.send({ batch: batch(1) });
  await sensor.until(acknowledged(1));
  await expect
    .poll(() => opened.store.tenant(TENANT, (db) => getResponse(db, id)))
    .toMatchObject({ state: "done", detail: "killed" });
  sensor.close();
  stranger.close();
});

/** Asks the gateway's port as a sensor that fetches a program does: HTTP/1.1, no certificate, by the address that it dials. */
function download(path: string): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: gateway.port, path, ca: authority.certificate, agent: false };
    get(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    }).on("error", reject);
  });
}

test("a node fetches its program where it reaches the gateway, for as long as its order holds; nobody else does", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ hello: {} });
  await sensor.until(({ policy }) => policy);
  const content = Buffer.alloc(3_000_000, "program ");
  const digest = createHash("sha256").update(content).digest();
  const uid = randomUUID();
  await opened.store.tenant(TENANT, async (db) => {
    const program = { version: "2", platform: "linux/amd64", sha256: digest.toString("hex"), content };
    await addSensorProgram(db, { ...program, signature: authority.signProgram(digest), addedBy: "me", now: clock() });
    await addResponse(db, {
      ...{ uid, nodeId: node.id, container: "", action: "upgrade" },
      parameters: { version: "2", sha256: program.sha256 },
      ...{ state: "queued", askedBy: "me", reason: "", now: clock(), expiresAt: new Date(Date.now() + 60_000) },
    });
  });
  // Not before the node was told.
  expect((await download(`/sensor-programs/${TENANT}/${uid}`)).status).toBe(404);
  await opened.store.tenant(TENANT, (db) => announce(db, { topic: "orders", id: node.id }));
  const { upgrade } = order.decode((await sensor.until((message) => message.order)).order);
  const address = new URL(upgrade?.address ?? "");
  expect(address.host).toBe(`127.0.0.1:${gateway.port}`);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: authority.orderKey.toString("base64url") },
    format: "jwk",
  });
  const signed = Buffer.concat([Buffer.from("bulwark sensor v1\0"), digest]);
  expect(verify(null, signed, key, upgrade?.signature ?? Buffer.alloc(0))).toBe(true);
  const got = await download(address.pathname);
  expect([got.status, got.body.equals(content)]).toEqual([200, true]);
  for (const path of [`/sensor-programs/2/${uid}`, `/sensor-programs/${TENANT}/${randomUUID()}`, "/", "/../etc/shadow"])
    expect((await download(path)).status).toBe(404);
  sensor.send({ result: { orderId: uid, outcome: 1, detail: "sensor 2 runs" } });
  await expect.poll(async () => (await download(address.pathname)).status).toBe(404);
  sensor.close();
});

test("an order that a broken stream may have lost is sent again to the node that comes back", async () => {
  const node = await enrolled();
  await opened.store.tenant(TENANT, (db) =>
    addResponse(db, {
      ...{ uid: "order-2", nodeId: node.id, container: "x", action: "pause", parameters: {}, state: "queued" },
      ...{ askedBy: "me", reason: "", now: clock(), expiresAt: new Date(Date.now() + 60_000) },
    }),
  );
  for (const _ of [1, 2]) {
    const sensor = connect(node);
    sensor.send({ hello: {} });
    const signed = await sensor.until((message) => message.order);
    expect(order.decode(signed.order).id).toBe("order-2");
    sensor.close();
  }
});

test("an inventory replaces what was known of a node, and says what listens", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ hello: {} });
  const containers = [
    { id: "a1", image: "db:1", labels: { "a\0b": "c\0d" } },
    { id: "b2", image: "web:1", privileged: true },
  ];
  const processes = [
    { pid: 5, exe: "/usr/lib/postgres", name: "postgres", container: 1 },
    { pid: 6, exe: "/x", name: "x\0y" },
  ];
  const ports = [{ protocol: "tcp", address: "0.0.0.0", port: 6432, process: 1, container: 1 }];
  sensor.send({ inventory: { complete: true, containers, processes, ports } });
  sensor.send({ inventory: { complete: true, containers: containers.slice(0, 1), processes, ports } });
  await expect
    .poll(() => opened.store.tenant(TENANT, (db) => listContainers(db, { nodeId: node.id, limit: 9 })))
    .toMatchObject([
      { runtimeId: "b2", state: "stopped", privileged: true },
      { runtimeId: "a1", state: "running" },
    ]);
  expect(await opened.store.tenant(TENANT, (db) => listListeners(db, { nodeId: node.id, limit: 9 }))).toMatchObject([
    { kind: "database", product: "PostgreSQL", port: 6432, exposed: true, container: "a1" },
  ]);
  sensor.close();
});

test("a batch that the database refuses is kept and counted, and keeps nobody else's back", async () => {
  const [node, other] = [await enrolled(), await enrolled()];
  const [sensor, neighbour] = [connect(node), connect(other)];
  const events = [{ type: EVENT_TYPES.EXECVE, timeUs: Date.now() * 1_000, process: 1 }];
  // No column of the store takes such a number.
  sensor.send({ batch: batch(1, { events, processes: [{ pid: 4_294_967_295, name: "x" }] }) });
  neighbour.send({ batch: batch(1) });
  await Promise.all([sensor.until(acknowledged(1)), neighbour.until(acknowledged(1))]);
  expect(await opened.store.tenant(TENANT, (db) => getNode(db, node.id))).toMatchObject({ lost: 1 });
  expect(await opened.store.tenant(TENANT, (db) => getNode(db, other.id))).toMatchObject({ lost: 0 });
  sensor.close();
  neighbour.close();
});

test("a rule that fails on an event keeps neither its batch nor others back", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  const events = [{ type: EVENT_TYPES.EXECVE, timeUs: Date.now() * 1_000, process: 1 }];
  sensor.send({ batch: batch(1, { events, processes: [{ pid: 9, name: "trap" }] }) });
  sensor.send({ batch: batch(2) });
  await sensor.until(acknowledged(2));
  expect(await opened.store.tenant(TENANT, (db) => getNode(db, node.id))).toMatchObject({ lost: 1 });
  sensor.close();
});

test("what breaks the contract ends the stream with the reason, and the gateway goes on", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ batch: batch(0) });
  await expect(sensor.ended).resolves.toMatchObject({ code: status.INVALID_ARGUMENT });
  sensor.close();
  const again = connect(node);
  again.send({ batch: batch(1) });
  await again.until(acknowledged(1));
  again.close();
});

test("a renewed certificate counts beside the old one until it is shown, and alone from then on", async () => {
  const node = await enrolled();
  const { key, request } = keyAndRequest();
  const made = client(node);
  const renewed = await new Promise<EnrollResponse>((resolve, reject) => {
    made.makeUnaryRequest(
      SERVICE.gateway.renew.path,
      renewRequest.encode,
      enrollResponse.decode,
      { certificateRequest: request },
      (error, response) => (error === null ? resolve(response!) : reject(error)),
    );
  }).finally(() => made.close());
  const next = { key, cert: Buffer.from(renewed.certificate) };
  // The answer may have been lost: the old one still opens a stream, then the new one does, and ends the old one's time.
  for (const identity of [node, next]) {
    const sensor = connect(identity);
    sensor.send({ hello: {} });
    await sensor.until(({ policy }) => policy);
    sensor.close();
  }
  const old = connect(node);
  await expect(old.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  old.close();
});

test("the stream of a node that is removed ends, and it cannot come back", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ hello: {} });
  await sensor.until(({ policy }) => policy);
  await opened.store.tenant(TENANT, async (db) => {
    await removeNode(db, node.id, clock());
    await announce(db, { topic: "revocations", id: node.id });
  });
  await sensor.ended;
  const again = connect(node);
  await expect(again.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  sensor.close();
  again.close();
});

test("evidence is taken in its order up to a bound, and only where it was asked for", async () => {
  const node = await enrolled();
  const asked = (uid: string, action: string) =>
    opened.store.tenant(TENANT, (db) =>
      addResponse(db, {
        ...{ uid, nodeId: node.id, container: "x", action, parameters: {}, state: "sent", askedBy: "me", reason: "" },
        ...{ now: clock(), expiresAt: new Date(Date.now() + 60_000) },
      }),
    );
  const [id, other] = [await asked("order-3", "collect-evidence"), await asked("order-4", "pause")];
  const sensor = connect(node);
  const piece = (name: string, offset: number, content: string, orderId = "order-3") =>
    sensor.send({ evidence: { orderId, name, offset, content: Buffer.from(content) } });
  piece("a", 0, "one ");
  piece("a", 4, "two");
  // Sent again after a break, and out of place.
  piece("a", 4, "two");
  piece("a", 99, "lost");
  piece("b", 0, "x", "order-4");
  for (let i = 0; i < 100; i++) piece(`file-${i}`, 0, "y");
  sensor.send({ result: { orderId: "order-3", outcome: 1 } });
  const kept = await expect
    .poll(() => opened.store.tenant(TENANT, (db) => getResponse(db, id)))
    .toMatchObject({
      state: "done",
      evidence: expect.arrayContaining([expect.objectContaining({ name: "a", sizeBytes: 7 })]),
    })
    .then(() => opened.store.tenant(TENANT, (db) => getResponse(db, id)));
  expect(kept?.evidence).toHaveLength(64);
  expect((await opened.store.tenant(TENANT, (db) => getResponse(db, other)))?.evidence).toEqual([]);
  sensor.close();
});

test("a gateway that ends and starts again loses nothing that was acknowledged", async () => {
  const node = await enrolled();
  const sensor = connect(node);
  sensor.send({ batch: batch(1) });
  await sensor.until(acknowledged(1));
  await gateway.close();
  sensor.close();
  gateway = await start();
  const again = connect(node);
  again.send({ batch: batch(2) });
  await again.until(acknowledged(2));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  expect(await opened.store.tenant(TENANT, (db) => searchEvents(db, { ...span, nodeId: node.id }))).toHaveLength(4);
  again.close();
});
