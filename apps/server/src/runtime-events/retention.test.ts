import { makeRuntimeDays, searchEvents, writeBatches } from "@bulwark/store";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EVENT_TYPES } from "../gateway/wire.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { keepRuntimeDays } from "./keep-runtime.ts";

const DAY_MS = 86_400_000;
const BOUND = { days: 30, gib: 50 };
const log = pino({ level: "silent" });
let server: TestApp;
let admin: TestAccount;
let other: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
  admin = await server.account("admin");
  other = await server.account("admin", await server.tenant());
  await makeRuntimeDays(server.store, server.clock.now);
  for (const { tenantId } of [admin, other]) {
    const { nodeId } = await seedRuntime(server.store, tenantId, server.clock.now);
    await server.store.tenant(tenantId, async (db) => {
      for (const [sequence, daysAgo] of [1, 3, 5].entries()) {
        const at = new Date(server.clock.now.getTime() - daysAgo * DAY_MS);
        const event = {
          timeUs: at.getTime() * 1_000,
          type: EVENT_TYPES.OPEN,
          count: 1,
          container: "",
          pid: 1,
          name: "",
        };
        const rest = { exe: "", arguments: "", target: `/${daysAgo}`, port: 0, result: 0 };
        const batch = { nodeId, epoch: "old", sequence: sequence + 1, content: Buffer.alloc(0), losses: [] };
        await writeBatches(db, [{ ...batch, events: [{ ...event, ...rest }] }], at);
      }
    });
  }
});
afterAll(() => server.close());

async function retention(who: TestAccount, days?: number | null) {
  const answer = await server.app.inject({
    ...{ method: days === undefined ? "GET" : "PUT", url: "/api/v1/runtime-retention", headers: who.bearer },
    ...(days === undefined ? {} : { payload: days === null ? {} : { days } }),
  });
  return { status: answer.statusCode, body: answer.json() };
}

const keep = () => keepRuntimeDays({ store: server.store, clock: () => server.clock.now, log }, BOUND);

/** Of which days there are events. */
async function kept({ tenantId }: TestAccount): Promise<readonly string[]> {
  const span = { since: new Date(server.clock.now.getTime() - 9 * DAY_MS), until: server.clock.now, limit: 100 };
  const found = await server.store.tenant(tenantId, (db) => searchEvents(db, span));
  return found
    .map(({ target }) => target)
    .filter((target) => /^\/\d$/.test(target))
    .toSorted();
}

test("a tenant keeps its events for a shorter time than the installation does, and nobody else's are dropped", async () => {
  expect((await retention(admin)).body).toEqual({ days: null, bound: null });
  await keep();
  expect(await kept(admin)).toEqual(["/1", "/3", "/5"]);
  expect((await retention(admin, 4)).body).toEqual({ days: 4, bound: BOUND });
  await keep();
  expect(await kept(admin)).toEqual(["/1", "/3"]);
  expect(await kept(other)).toEqual(["/1", "/3", "/5"]);
});

test("yesterday stays in any case, and shorter again drops more", async () => {
  await retention(admin, 1);
  await keep();
  expect(await kept(admin)).toEqual(["/1"]);
  await keep();
  expect(await kept(admin)).toEqual(["/1"]);
});

test("nobody keeps events for longer than the installation does", async () => {
  expect(await retention(admin, 31)).toMatchObject({
    status: 409,
    body: { title: expect.stringContaining("30 days") },
  });
  expect((await retention(admin, 0)).status).toBe(400);
  expect((await retention(await server.account("operator"), 5)).status).toBe(403);
  expect((await retention(admin, null)).body).toEqual({ days: null, bound: BOUND });
});
