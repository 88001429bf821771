import { randomBytes } from "node:crypto";
import { getNode, listContainers, listPrograms, searchEvents } from "@bulwark/store";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { acknowledged, batch, openTestGateway, type TestGateway } from "./testing/test-gateway.ts";
import { EVENT_TYPES } from "./wire.ts";

let gate: TestGateway;
beforeAll(async () => {
  gate = await openTestGateway();
});
afterAll(() => gate.close());

test("a clock that is out of the question does not lose an event", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  sensor.send({ batch: batch(1, { epoch: "old", events: [{ type: EVENT_TYPES.EXECVE, timeUs: 1, process: 1 }] }) });
  sensor.send({ batch: batch(2, { epoch: "old", events: [{ type: EVENT_TYPES.EXECVE, timeUs: 9e15, process: 1 }] }) });
  await sensor.until(acknowledged(2, "old"));
  const span = { since: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000), limit: 100 };
  expect(await gate.tenant((db) => searchEvents(db, { ...span, nodeId: node.id }))).toHaveLength(2);
  sensor.close();
});

test("parents that are each other's parents do not hang the gateway, and unknown kinds of events are kept", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
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
  const kept = await gate.tenant((db) => searchEvents(db, { ...span, nodeId: node.id }));
  expect(kept.map(({ type }) => type).toSorted()).toEqual([EVENT_TYPES.EXECVE, 9_999]);
  sensor.close();
});

test("a batch that the database refuses is kept and counted, and keeps nobody else's back", async () => {
  const [node, other] = [await gate.enrolled(), await gate.enrolled()];
  const [sensor, neighbour] = [gate.connect(node), gate.connect(other)];
  const events = [{ type: EVENT_TYPES.EXECVE, timeUs: Date.now() * 1_000, process: 1 }];
  // No column of the store takes such a number.
  sensor.send({ batch: batch(1, { events, processes: [{ pid: 4_294_967_295, name: "x" }] }) });
  neighbour.send({ batch: batch(1) });
  await Promise.all([sensor.until(acknowledged(1)), neighbour.until(acknowledged(1))]);
  expect(await gate.tenant((db) => getNode(db, node.id))).toMatchObject({ lost: 1 });
  expect(await gate.tenant((db) => getNode(db, other.id))).toMatchObject({ lost: 0 });
  sensor.close();
  neighbour.close();
});

test("a rule that fails on an event keeps neither its batch nor others back", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  const events = [{ type: EVENT_TYPES.EXECVE, timeUs: Date.now() * 1_000, process: 1 }];
  sensor.send({ batch: batch(1, { events, processes: [{ pid: 9, name: "trap" }] }) });
  sensor.send({ batch: batch(2) });
  await sensor.until(acknowledged(2));
  expect(await gate.tenant((db) => getNode(db, node.id))).toMatchObject({ lost: 1 });
  sensor.close();
});

test("what breaks the contract ends the stream with the reason, and the gateway goes on", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  sensor.send({ batch: batch(0) });
  await expect(sensor.ended).resolves.toMatchObject({ code: status.INVALID_ARGUMENT });
  sensor.close();
  const again = gate.connect(node);
  again.send({ batch: batch(1) });
  await again.until(acknowledged(1));
  again.close();
});

test("names and numbers that no sensor makes end the stream of who sends them", async () => {
  const node = await gate.enrolled();
  for (const odd of [
    { epoch: "a\0b" },
    { epoch: "e".repeat(65) },
    { losses: [{ kind: "a\0", count: 1 }] },
    { losses: [{ kind: "k".repeat(10_000), count: 1 }] },
    { losses: [{ kind: "open", count: 2 ** 60 }] },
    { losses: Array.from({ length: 65_537 }, () => ({ kind: "open", count: 1 })) },
    { containers: [{ id: "\u{4e2d}".repeat(1_024) }] },
  ]) {
    const sensor = gate.connect(node);
    sensor.send({ batch: batch(1, odd) });
    await expect(sensor.ended, JSON.stringify(odd).slice(0, 80)).resolves.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    sensor.close();
  }
});

test("losses of each of many cgroups are summed", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  const losses = Array.from({ length: 4_096 }, (_, i) => ({ kind: "open", reason: 1, count: 2, containerId: `c${i}` }));
  sensor.send({ batch: batch(1, { losses }) });
  await sensor.until(acknowledged(1));
  expect(await gate.tenant((db) => getNode(db, node.id))).toMatchObject({ lost: 8_192 });
  sensor.close();
});

test("a program below a path as long as the kernel takes costs neither the inventory nor the stream", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  const noise = (bytes: number) => randomBytes(bytes / 2).toString("hex");
  const deep = `/${noise(3_900)}`;
  const processes = [
    { pid: 1, exe: `${deep}/one`, name: "one", userName: noise(1_000) },
    { pid: 2, exe: `${deep}/two`, name: "two" },
    { pid: 3, exe: `/${"\u{1f980}".repeat(1_000)}`, name: "crab" },
  ];
  sensor.send({ inventory: { complete: true, processes } });
  sensor.send({ batch: batch(1) });
  await sensor.until(acknowledged(1));
  const programs = () => gate.tenant((db) => listPrograms(db, { nodeId: node.id, limit: 9 }));
  await expect.poll(async () => (await programs()).map(({ name }) => name).toSorted()).toEqual(["crab", "one", "two"]);
  for (const { exe } of await programs()) {
    expect(Buffer.byteLength(exe)).toBeLessThanOrEqual(1_024);
    expect(exe).toMatch(/^[^\uFFFD]+…[0-9a-f]{16}$/u);
  }
  sensor.close();
});

test("what cannot be stored of an inventory is left out, and what the sensor says after it counts", async () => {
  const node = await gate.enrolled();
  const sensor = gate.connect(node);
  // No column of the store takes such a port.
  sensor.send({ inventory: { complete: true, ports: [{ protocol: "tcp", address: "0.0.0.0", port: 4_294_967_295 }] } });
  sensor.send({ inventory: { complete: true, containers: [{ id: "later" }] } });
  await expect
    .poll(() => gate.tenant((db) => listContainers(db, { nodeId: node.id, limit: 9 })))
    .toMatchObject([{ runtimeId: "later" }]);
  sensor.send({ batch: batch(1) });
  await sensor.until(acknowledged(1));
  sensor.close();
});
