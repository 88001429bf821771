import { execFileSync } from "node:child_process";
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { get } from "node:https";
import { join } from "node:path";
import {
  addResponse,
  addSensorProgram,
  announce,
  getNode,
  getResponse,
  listAlerts,
  listContainers,
  listListeners,
  readBatch,
  removeNode,
  searchEvents,
} from "@bulwark/store";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EnrollResponse } from "./gen/wire-types.ts";
import { SERVICE } from "./start-gateway.ts";
import { acknowledged, batch, openTestGateway, type TestGateway } from "./testing/test-gateway.ts";
import { EVENT_TYPES, enrollResponse, order, renewRequest } from "./wire.ts";

let gate: TestGateway;
beforeAll(async () => {
  gate = await openTestGateway();
});
afterAll(() => gate.close());

test("a node enrols once with a token, and not again", async () => {
  const { request } = gate.keyAndRequest();
  const text = await gate.token();
  const given = await gate.enroll(text, request);
  expect(given.authority).toBe(gate.authority.certificate);
  await expect(gate.enroll(text, request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  await expect(gate.enroll(await gate.token(1, new Date(0)), request)).rejects.toMatchObject({
    code: status.UNAUTHENTICATED,
  });
  await expect(gate.enroll("", request)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  await expect(gate.enroll(await gate.token(), "no request")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});

test("nobody connects without a certificate, with one of another authority, or as a node that was removed", async () => {
  const { key } = gate.keyAndRequest();
  const own = execFileSync("openssl", [
    "req",
    "-x509",
    "-key",
    join(gate.directory, "node.key"),
    "-subj",
    "/CN=x/OU=1",
    "-days",
    "9",
  ]);
  const removed = await gate.enrolled();
  await gate.tenant((db) => removeNode(db, removed.id, new Date()));
  const stranger = gate.connect({ key, cert: own });
  await expect(stranger.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  const gone = gate.connect(removed);
  await expect(gone.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  stranger.close();
  gone.close();
});

test("events are stored with the processes and containers that they speak of, without secrets, before they are acknowledged", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  sensor.send({ hello: { node: { hostname: "node-b" }, policyRevision: 1 } });
  expect(await sensor.until(({ policy }) => policy)).toMatchObject({ revision: 42, digestFilesUpToBytes: 7 });
  sensor.send({ batch: batch(1, { losses: [{ kind: "open", reason: 1, count: 5 }] }) });
  await sensor.until(acknowledged(1));
  const now = Date.now();
  const span = { since: new Date(now - 60_000), until: new Date(now + 60_000), limit: 10 };
  const events = await gate.tenant((db) => searchEvents(db, { ...span, nodeId: node.id, ascending: true }));
  expect(events).toMatchObject([
    { type: EVENT_TYPES.EXECVE, container: "c0ffee", pid: 11, name: "nc", arguments: "nc -e --password=[redacted]" },
    { type: EVENT_TYPES.CONNECT, target: "10.1.2.3", port: 4444 },
  ]);
  const kept = await gate.tenant((db) => readBatch(db, events[0]!.batchId));
  expect(kept?.content.includes("hunter2")).toBe(false);
  const found = await gate.tenant((db) => searchEvents(db, { ...span, text: "4444" }));
  expect(found).toEqual([]);
  expect(await gate.tenant((db) => getNode(db, node.id))).toMatchObject({
    hostname: "node-b",
    lost: 5,
  });
  const alerts = await gate.tenant((db) => listAlerts(db, { nodeId: node.id, limit: 10 }));
  expect(alerts).toMatchObject([{ rule: "Netcat", count: 1, container: "c0ffee", pid: 11 }]);
  sensor.close();
});

test("a batch that comes again is stored once and raises nothing, and repeats of an alert are counted", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  const again = { containers: [{ id: "again" }] };
  sensor.send({ hello: {} });
  sensor.send({ batch: batch(1, again) });
  sensor.send({ batch: batch(2, again) });
  await sensor.until(acknowledged(2));
  sensor.close();
  const second = gate.connect(node);
  second.send({ hello: {} });
  for (const sequence of [1, 2, 3]) second.send({ batch: batch(sequence, again) });
  await second.until(acknowledged(3));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  const events = await gate.tenant((db) => searchEvents(db, { ...span, nodeId: node.id }));
  expect(events).toHaveLength(6);
  const alerts = await gate.tenant((db) => listAlerts(db, { nodeId: node.id, limit: 10 }));
  expect(alerts).toMatchObject([{ count: 3 }]);
  second.close();
});

test("an order reaches its node signed while it is connected, its result is kept, and a second sensor cannot answer for it", async () => {
  const [node, other] = [await gate.enrolled(), await gate.enrolled()];
  const [sensor, stranger] = [gate.connect(node), gate.connect(other)];
  sensor.send({ hello: {} });
  stranger.send({ hello: {} });
  await Promise.all([sensor.until(({ policy }) => policy), stranger.until(({ policy }) => policy)]);
  const id = await gate.tenant(async (db) => {
    const made = await addResponse(db, {
      ...{
        uid: "order-1",
        nodeId: node.id,
        container: "c0ffee",
        action: "kill-process",
        parameters: { pid: 5, startUs: 77 },
      },
      ...{ state: "queued", askedBy: "me", reason: "", now: new Date(), expiresAt: new Date(Date.now() + 60_000) },
    });
    await announce(db, { topic: "orders", id: node.id });
    return made;
  });
  const signed = await sensor.until((message) => message.order);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: gate.authority.orderKey.toString("base64url") },
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
  await expect.poll(() => gate.tenant((db) => getResponse(db, id))).toMatchObject({ state: "done", detail: "killed" });
  sensor.close();
  stranger.close();
});

/** Asks the gateway's port as a sensor that fetches a program does: HTTP/1.1, no certificate, by the address that it dials. */
function download(path: string): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: gate.port, path, ca: gate.authority.certificate, agent: false };
    get(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    }).on("error", reject);
  });
}

test("a node fetches its program where it reaches the gateway, for as long as its order holds; nobody else does", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  sensor.send({ hello: {} });
  await sensor.until(({ policy }) => policy);
  const content = Buffer.alloc(3_000_000, "program ");
  const digest = createHash("sha256").update(content).digest();
  const uid = randomUUID();
  await gate.tenant(async (db) => {
    const program = { version: "2", platform: "linux/amd64", sha256: digest.toString("hex"), content };
    await addSensorProgram(db, {
      ...program,
      signature: gate.authority.signProgram(digest),
      addedBy: "me",
      now: new Date(),
    });
    await addResponse(db, {
      ...{ uid, nodeId: node.id, container: "", action: "upgrade" },
      parameters: { version: "2", sha256: program.sha256 },
      ...{ state: "queued", askedBy: "me", reason: "", now: new Date(), expiresAt: new Date(Date.now() + 60_000) },
    });
  });
  // Not before the node was told.
  expect((await download(`/sensor-programs/1/${uid}`)).status).toBe(404);
  await gate.tenant((db) => announce(db, { topic: "orders", id: node.id }));
  const { upgrade } = order.decode((await sensor.until((message) => message.order)).order);
  const address = new URL(upgrade?.address ?? "");
  expect(address.host).toBe(`127.0.0.1:${gate.port}`);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: gate.authority.orderKey.toString("base64url") },
    format: "jwk",
  });
  const signed = Buffer.concat([Buffer.from("bulwark sensor v1\0"), digest]);
  expect(verify(null, signed, key, upgrade?.signature ?? Buffer.alloc(0))).toBe(true);
  const got = await download(address.pathname);
  expect([got.status, got.body.equals(content)]).toEqual([200, true]);
  for (const path of [`/sensor-programs/2/${uid}`, `/sensor-programs/1/${randomUUID()}`, "/", "/../etc/shadow"])
    expect((await download(path)).status).toBe(404);
  sensor.send({ result: { orderId: uid, outcome: 1, detail: "sensor 2 runs" } });
  await expect.poll(async () => (await download(address.pathname)).status).toBe(404);
  sensor.close();
});

test("an order that a broken stream may have lost is sent again to the node that comes back", async () => {
  const node = await gate.enrolled();
  await gate.tenant((db) =>
    addResponse(db, {
      ...{ uid: "order-2", nodeId: node.id, container: "x", action: "pause", parameters: {}, state: "queued" },
      ...{ askedBy: "me", reason: "", now: new Date(), expiresAt: new Date(Date.now() + 60_000) },
    }),
  );
  for (const _ of [1, 2]) {
    const sensor = gate.connect(node);
    sensor.send({ hello: {} });
    const signed = await sensor.until((message) => message.order);
    expect(order.decode(signed.order).id).toBe("order-2");
    sensor.close();
  }
});

test("an inventory replaces what was known of a node, and says what listens", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
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
    .poll(() => gate.tenant((db) => listContainers(db, { nodeId: node.id, limit: 9 })))
    .toMatchObject([
      { runtimeId: "b2", state: "stopped", privileged: true },
      { runtimeId: "a1", state: "running" },
    ]);
  expect(await gate.tenant((db) => listListeners(db, { nodeId: node.id, limit: 9 }))).toMatchObject([
    { kind: "database", product: "PostgreSQL", port: 6432, exposed: true, container: "a1" },
  ]);
  sensor.close();
});

test("a renewed certificate counts beside the old one until it is shown, and alone from then on", async () => {
  const node = await gate.enrolled();
  const { key, request } = gate.keyAndRequest();
  const made = gate.client(node);
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
    const sensor = gate.connect(identity);
    sensor.send({ hello: {} });
    await sensor.until(({ policy }) => policy);
    sensor.close();
  }
  const old = gate.connect(node);
  await expect(old.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  old.close();
});

test("the stream of a node that is removed ends, and it cannot come back", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  sensor.send({ hello: {} });
  await sensor.until(({ policy }) => policy);
  await gate.tenant(async (db) => {
    await removeNode(db, node.id, new Date());
    await announce(db, { topic: "revocations", id: node.id });
  });
  await sensor.ended;
  const again = gate.connect(node);
  await expect(again.ended).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
  sensor.close();
  again.close();
});

test("evidence is taken in its order up to a bound, and only where it was asked for", async () => {
  const node = await gate.enrolled();
  const asked = (uid: string, action: string) =>
    gate.tenant((db) =>
      addResponse(db, {
        ...{ uid, nodeId: node.id, container: "x", action, parameters: {}, state: "sent", askedBy: "me", reason: "" },
        ...{ now: new Date(), expiresAt: new Date(Date.now() + 60_000) },
      }),
    );
  const [id, other] = [await asked("order-3", "collect-evidence"), await asked("order-4", "pause")];
  const sensor = gate.connect(node);
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
    .poll(() => gate.tenant((db) => getResponse(db, id)))
    .toMatchObject({
      state: "done",
      evidence: expect.arrayContaining([expect.objectContaining({ name: "a", sizeBytes: 7 })]),
    })
    .then(() => gate.tenant((db) => getResponse(db, id)));
  expect(kept?.evidence).toHaveLength(64);
  expect((await gate.tenant((db) => getResponse(db, other)))?.evidence).toEqual([]);
  sensor.close();
});

test("a gateway that ends and starts again loses nothing that was acknowledged", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  sensor.send({ batch: batch(1) });
  await sensor.until(acknowledged(1));
  await gate.stop();
  sensor.close();
  await gate.start();
  const again = gate.connect(node);
  again.send({ batch: batch(2) });
  await again.until(acknowledged(2));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  expect(await gate.tenant((db) => searchEvents(db, { ...span, nodeId: node.id }))).toHaveLength(4);
  again.close();
});
