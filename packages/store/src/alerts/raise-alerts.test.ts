import { afterAll, beforeAll, expect, test } from "vitest";
import { addNode } from "../nodes/nodes.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { getAlert } from "./alerts.ts";
import { type NewAlert, raiseAlerts } from "./raise-alerts.ts";

const at = new Date("2026-06-01T08:00:00Z");
let opened: TestStore;
let nodeId: number;
beforeAll(async () => {
  opened = await openTestStore();
  const node = { uid: "n", hostname: "n", facts: {}, sensorVersion: "1", certificateSerial: "1", now: at };
  nodeId = await opened.store.tenant(1, (db) => addNode(db, node));
});
afterAll(() => opened.close());

function alert(foldKey: string, over: Partial<NewAlert> = {}): NewAlert {
  return {
    ...{ foldKey, rule: "r", title: "t", severity: "medium", tags: [], nodeId, container: "c", containerName: "c" },
    ...{ image: "", imageDigest: "", namespace: "", pod: "", process: "sh", exe: "/bin/sh", pid: 7, processStart: 1 },
    ...{ at, count: 1, blocked: false, exposed: false, facts: { title: "r" }, batchId: 1, position: 0 },
    ...over,
  };
}

const REACHED = { exposed: true, severity: "high", facts: { title: "r", raisedFrom: "medium" } } as const;

async function raised(...writes: readonly (readonly NewAlert[])[]) {
  const ids: number[] = [];
  for (const write of writes)
    ids.push(...(await opened.store.tenant(1, (db) => raiseAlerts(db, write))).map(({ id }) => id));
  return opened.store.tenant(1, async (db) => [ids.length, await getAlert(db, ids[0] ?? 0)] as const);
}

test.each([
  ["one write after the other", (key: string) => [[alert(key)], [alert(key, REACHED)], [alert(key)]]],
  ["one write", (key: string) => [[alert(key), alert(key, REACHED), alert(key)]]],
])(
  "an alert that repeats once its container can be reached counts for more from then on, in %s",
  async (key, writes) => {
    const [count, found] = await raised(...writes(key));
    expect([count, found]).toEqual([
      1,
      expect.objectContaining({
        count: 3,
        exposed: true,
        severity: "high",
        facts: { title: "r", raisedFrom: "medium" },
      }),
    ]);
  },
);

test("an alert that repeats where nobody reaches its container any more stays what it was", async () => {
  const [, found] = await raised([alert("less", REACHED)], [alert("less")]);
  expect(found).toMatchObject({ count: 2, exposed: true, severity: "high", facts: { raisedFrom: "medium" } });
});
