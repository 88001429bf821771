import { addRegistry, addSchedule, listJobs, listSchedules, recordRepository } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROLE_SCOPES } from "../access.ts";
import { ServerError } from "../errors.ts";
import { openTestApp, type TestAccount } from "../testing/test-app.ts";
import { nextTime } from "./next-time.ts";
import { runSchedules } from "./run-schedules.ts";

const server = await openTestApp();
let operator: TestAccount;
let registry: number;
beforeAll(async () => {
  operator = await server.account("operator");
  registry = await server.store.tenant(1, async (db) => {
    const id = await addRegistry(db, { name: "shop", kind: "oci", address: "registry.example", settings: {} });
    const digest = `sha256:${"a".repeat(64)}`;
    const tag = { name: "1", digest, images: [{ digest, platform: "linux/amd64" }] };
    await recordRepository(db, { registry: id!, name: "app", changed: [tag], present: ["1"] }, server.clock.now);
    return id!;
  });
});
afterAll(() => server.close());

/** With a token of its own: those of yesterday are void. */
const send = async (method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) =>
  server.app.inject({
    method,
    url: `/api/v1/schedules${url}`,
    headers: await server.token(operator, ROLE_SCOPES.operator),
    ...(payload === undefined ? {} : { payload }),
  });
const jobs = () => server.store.tenant(1, (db) => listJobs(db, { limit: 100 }));
const run = () => {
  const queue = { add: async () => {}, work: async () => {}, schedule: async () => {}, close: async () => {} };
  return runSchedules({ store: server.store, queue, clock: () => server.clock.now, log: server.app.log });
};

test("a schedule runs when its time comes, once, however many servers look at the same time", async () => {
  server.clock.now = new Date("2026-06-01T02:00:00Z");
  const made = await send("POST", "", {
    name: "nightly",
    cron: "30 3 * * *",
    timeZone: "Europe/Berlin",
    registries: [registry],
    rescan: true,
  });
  expect(made.json()).toMatchObject({ name: "nightly", nextAt: expect.stringContaining("2026-06-02T01:30:00") });
  await run();
  expect(await jobs()).toEqual([]);
  server.clock.now = new Date("2026-06-02T01:30:20Z");
  await Promise.all([run(), run(), run(), run()]);
  await run();
  expect(await jobs()).toMatchObject([{ title: "nightly", kind: "scan", cause: "schedule", total: 2 }]);
  const { items } = (await send("GET", "")).json();
  expect(items).toMatchObject([
    { lastJob: expect.any(Number), nextAt: expect.stringContaining("2026-06-03T01:30:00") },
  ]);
});

test("a run that comes while the one before still works is left out", async () => {
  server.clock.now = new Date("2026-06-03T01:30:20Z");
  await run();
  expect(await jobs()).toHaveLength(1);
});

test("a schedule that is stopped does not run, and one that is removed is gone", async () => {
  const { items } = (await send("GET", "")).json();
  const [{ id }] = items;
  expect((await send("PATCH", `/${id}`, { enabled: false })).json()).toMatchObject({ enabled: false });
  server.clock.now = new Date("2026-06-09T01:30:20Z");
  await run();
  expect(await jobs()).toHaveLength(1);
  expect((await send("DELETE", `/${id}`)).statusCode).toBe(204);
  expect((await send("DELETE", `/${id}`)).statusCode).toBe(404);
});

test("what would scan nothing, never, or what is not there is refused", async () => {
  const good = { name: "x", cron: "0 3 * * *", registries: [registry] };
  const status = async (change: object) => (await send("POST", "", { ...good, ...change })).statusCode;
  expect(await status({ registries: [] })).toBe(400);
  expect(await status({ registries: [999_999] })).toBe(404);
  expect(await status({ cron: "* * * * * *" })).toBe(400);
  expect(await status({ cron: "0 3 31 2 * " })).toBe(400);
  expect(await status({ cron: "a b c d e" })).toBe(400);
  expect(await status({ timeZone: "Mars/Olympus" })).toBe(400);
  expect(await status({})).toBe(201);
  expect(await status({})).toBe(409);
});

test("times follow the clock of the zone, over the change to summer time", () => {
  const next = (after: string) => nextTime("30 3 * * *", "Europe/Berlin", new Date(after)).toISOString();
  expect(next("2026-03-28T12:00:00Z")).toBe("2026-03-29T01:30:00.000Z");
  expect(next("2026-01-10T12:00:00Z")).toBe("2026-01-11T02:30:00.000Z");
  expect(() => nextTime("* * *", "UTC", new Date())).toThrow(ServerError);
});

/** A schedule that is due now. */
const add = (tenantId: number, name: string, cron: string) =>
  server.store.tenant(tenantId, (db) => {
    const settings = { timeZone: "UTC", repositories: [], rescan: true, enabled: true, imagesPerMinute: 0 };
    const registries = tenantId === 1 ? [registry] : [];
    return addSchedule(db, { ...settings, registries, name, cron, createdBy: "x", nextAt: server.clock.now });
  });

test("a schedule that cannot run keeps no other waiting, nor those of other tenants", async () => {
  const other = await server.tenant();
  server.clock.now = new Date("2026-06-20T00:00:00Z");
  await add(1, "never", "0 3 31 2 *");
  await add(1, "after", "0 3 * * *");
  await add(other, "elsewhere", "0 3 * * *");
  await run();
  expect((await jobs()).map(({ title }) => title)).toContain("after");
  const { lastAt } = (await server.store.tenant(other, listSchedules))[0]!;
  expect(lastAt).not.toBeNull();
});

test("a schedule may hold more images than a call takes arguments", async () => {
  await server.store.pool.query(`BEGIN; SELECT set_config('bulwark.tenant', '1', true);
    INSERT INTO image (tenant_id, digest) SELECT 1, 'sha256:many-' || n FROM generate_series(1, 130000) n;
    INSERT INTO image_location (tenant_id, image_id, repository_id)
      SELECT 1, i.id, r.id FROM image i, repository r WHERE i.digest LIKE 'sha256:many-%' AND r.name = 'app';
    COMMIT`);
  await add(1, "many", "0 3 * * *");
  await run();
  expect((await jobs()).find(({ title }) => title === "many")?.total).toBeGreaterThan(130_000);
}, 60_000);
