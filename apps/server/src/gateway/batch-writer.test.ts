import { addNode, getNode, listAlerts } from "@bulwark/store";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BatchWriter, createBatchWriter, type WriterDeps } from "./batch-writer.ts";
import type { DeepPartial } from "./contract.ts";
import type { EventBatch } from "./gen/wire-types.ts";
import { batch, inspect } from "./testing/test-gateway.ts";
import { eventBatch } from "./wire.ts";

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

const TENANT = 1;
let nodes = 0;
const node = () =>
  opened.store.tenant(TENANT, (db) =>
    addNode(db, {
      ...{ uid: `n${nodes++}`, hostname: "n", facts: {}, sensorVersion: "1", certificateSerial: "1", now: new Date() },
    }),
  );

const writer = (deps: Partial<WriterDeps>): BatchWriter =>
  createBatchWriter({
    ...{ store: opened.store, clock: () => new Date(), log: pino({ level: "silent" }), inspect },
    ...{ onAlerts: async () => {}, ...deps },
  });

const wire = (sequence: number, extra: DeepPartial<EventBatch> = {}) =>
  eventBatch.decode(Buffer.from(eventBatch.encode(batch(sequence, extra))));

test("a batch that the store takes in no way is counted as lost, and keeps nobody else's back", async () => {
  const [bad, good] = [await node(), await node()];
  const made = writer({});
  await Promise.all([made.write(TENANT, bad, wire(1, { epoch: "a\0b" })), made.write(TENANT, good, wire(1))]);
  const read = (id: number) => opened.store.tenant(TENANT, (db) => getNode(db, id));
  expect(await read(bad)).toMatchObject({ lost: 2 });
  expect(await read(good)).toMatchObject({ lost: 0 });
  expect(await opened.store.tenant(TENANT, (db) => listAlerts(db, { nodeId: good, limit: 9 }))).toHaveLength(1);
  await made.close();
});

test("rules are asked of an event once, also where the store fails after they were", async () => {
  const id = await node();
  let asked = 0;
  let failures = 2;
  const made = writer({
    async inspect(...given) {
      asked++;
      return inspect(...given);
    },
    async onAlerts() {
      if (failures-- > 0) throw new Error("the database went away");
    },
  });
  await made.write(TENANT, id, wire(1, { containers: [{ id: "once" }] }));
  expect(asked).toBe(1);
  expect(await opened.store.tenant(TENANT, (db) => listAlerts(db, { nodeId: id, limit: 9 }))).toMatchObject([
    { count: 1 },
  ]);
  await made.close();
});

test("rules that could not be asked are asked again", async () => {
  const id = await node();
  let failures = 1;
  const made = writer({
    async inspect(...given) {
      if (failures-- > 0) throw new Error("the rules could not be read");
      return inspect(...given);
    },
  });
  await made.write(TENANT, id, wire(1, { containers: [{ id: "later" }] }));
  expect(await opened.store.tenant(TENANT, (db) => listAlerts(db, { nodeId: id, limit: 9 }))).toHaveLength(1);
  await made.close();
});
