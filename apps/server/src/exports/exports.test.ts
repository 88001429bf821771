import { zstdCompressSync } from "node:zlib";
import {
  addNode,
  changeAlert,
  dropRuntimeDays,
  makeRuntimeDays,
  raiseAlerts,
  type TenantQueries,
  writeBatches,
} from "@bulwark/store";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { EVENT_TYPES, eventBatch } from "../gateway/wire.ts";
import { type HttpReceiver, startHttpReceiver } from "../notifications/testing/http-receiver.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { exportForTenant, startExports } from "./run-exports.ts";
import { startSyslogReceiver } from "./testing/syslog-receiver.ts";

const SECRET = "a secret of more than sixteen characters";
const log = pino({ level: "silent" });
const MINUTE = 60_000;

let server: TestApp;
let admin: TestAccount;
let receiver: HttpReceiver;
let nodeId: number;
let spools = 0;
beforeAll(async () => {
  server = await openTestApp();
  admin = await server.account("admin");
  ({ nodeId } = await seedRuntime(server.store, 1, server.clock.now));
  receiver = await startHttpReceiver({ status: 204 });
});
afterAll(async () => {
  await receiver.close();
  await server.close();
});
beforeEach(async () => {
  for (const { id } of (await ask("GET", "/exports")).body.items) await ask("DELETE", `/exports/${id}`);
  await receiver.close();
  receiver = await startHttpReceiver({ status: 204 });
});

async function ask(method: "GET" | "PUT" | "POST" | "DELETE", path: string, payload?: object) {
  const sent = payload === undefined ? {} : { payload };
  const answer = await server.app.inject({ method, url: `/api/v1${path}`, headers: admin.bearer, ...sent });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

async function put(over: object = {}) {
  const target = { name: "siem", kind: "webhook", address: receiver.url, secret: SECRET, events: true };
  return ask("PUT", "/exports", { ...target, settings: { allowPrivate: true }, ...over });
}

/** Stores a batch whose events are named, as a gateway does. */
function store(db: TenantQueries, ...paths: readonly string[]) {
  return storeAt(db, server.clock.now.getTime() * 1_000, ...paths);
}

/** @param timeUs what the sensor says of the time */
async function storeAt(db: TenantQueries, timeUs: number, ...paths: readonly string[]) {
  // Each from a spool of its own: batches of one wait for each other.
  const spool = { epoch: `e-${++spools}`, sequence: 1 };
  const bytes = eventBatch.encode({
    ...spool,
    events: paths.map((path) => ({ type: EVENT_TYPES.OPEN, timeUs, path })),
  });
  const rows = paths.map((target) => ({
    ...{
      timeUs: server.clock.now.getTime() * 1_000,
      type: EVENT_TYPES.OPEN,
      count: 1,
      container: "",
      pid: 1,
      name: "",
    },
    ...{ exe: "", arguments: "", target, port: 0, result: 0 },
  }));
  const batch = { nodeId, ...spool, content: zstdCompressSync(bytes), events: rows, losses: [] };
  return writeBatches(db, [batch], server.clock.now);
}

/** What a run sends, a while after the one before. */
async function run(sendMs = 10_000, servers = 1, turnMs = 10_000): Promise<void> {
  server.clock.now = new Date(server.clock.now.getTime() + MINUTE);
  const { store, secrets } = server;
  const deps = { store, secrets, clock: () => server.clock.now, log, sendMs, turnMs };
  await Promise.all(Array.from({ length: servers }, () => exportForTenant(deps, 1)));
}

function taken(): Record<string, unknown>[] {
  return receiver.received.flatMap(({ body }) => body.trimEnd().split("\n")).map((line) => JSON.parse(line));
}

/** Paths of the events that came, each once. */
function paths(): string[] {
  return [...new Set(taken().map(({ file }) => (file as { path?: string } | undefined)?.path ?? ""))];
}

test("a receiver that fails, hangs and then works gets everything, and is told why it failed", async () => {
  await put({ alerts: false });
  await server.store.tenant(1, (db) => store(db, "/a", "/b"));
  await server.store.tenant(1, (db) => store(db, "/c"));
  receiver.answerNext({ status: 503, body: "full" }, "hang", { status: 204 }, { status: 500 });
  await run();
  expect((await ask("GET", "/exports")).body.items[0]).toMatchObject({
    ...{ state: "failing", failures: 1, sent: 0, problem: "the receiver answers with status 503: full" },
  });
  await run(200);
  expect((await ask("GET", "/exports")).body.items[0]).toMatchObject({ state: "failing", failures: 2, sent: 0 });
  await run();
  expect((await ask("GET", "/exports")).body.items[0]).toMatchObject({ state: "failing", sent: 2 });
  await run();
  expect((await ask("GET", "/exports")).body.items[0]).toMatchObject({
    state: "idle",
    problem: "",
    failures: 0,
    sent: 3,
  });
  expect(paths()).toEqual(["/a", "/b", "/c"]);
  const before = receiver.received.length;
  await run();
  expect(receiver.received).toHaveLength(before);
});

test("what a transaction commits late is sent, though later ones were sent before", async () => {
  await put({ alerts: false });
  let commit = () => {};
  const mayCommit = new Promise<void>((resolve) => {
    commit = resolve;
  });
  const written = Promise.withResolvers<void>();
  const late = server.store.tenant(1, async (db) => {
    await store(db, "/late");
    written.resolve();
    await mayCommit;
  });
  await written.promise;
  await server.store.tenant(1, (db) => store(db, "/early"));
  await run().finally(commit);
  expect(paths()).toEqual([]);
  await late;
  await server.store.tenant(1, (db) => store(db, "/after"));
  await run();
  expect(paths()).toEqual(["/late", "/early", "/after"]);
});

test("an alert is sent when it is raised, repeats, and is closed, and signed", async () => {
  await put({ alerts: true, events: false });
  const alert = {
    ...{ foldKey: "k", rule: "Shell", title: "sh", severity: "high" as const, tags: [], nodeId, container: "" },
    ...{ containerName: "", image: "", imageDigest: "", namespace: "", pod: "", process: "sh", exe: "/bin/sh", pid: 1 },
    ...{ processStart: 1, at: server.clock.now, count: 1, blocked: false, facts: {}, batchId: 1, position: 0 },
  };
  const [raised] = await server.store.tenant(1, (db) => raiseAlerts(db, [alert]));
  await run();
  await server.store.tenant(1, (db) => raiseAlerts(db, [alert]));
  await run();
  const closed = { state: "closed", actor: "a", now: server.clock.now } as const;
  await server.store.tenant(1, (db) => changeAlert(db, raised!.id, closed));
  await run();
  const uid = `alert-${raised!.id}`;
  expect(taken()).toMatchObject([
    { type_uid: 200_401, finding_info: { uid } },
    { type_uid: 200_402, count: 2, finding_info: { uid } },
    { type_uid: 200_403, status_id: 4, finding_info: { uid } },
  ]);
  expect(new Set(taken().map(({ metadata }) => (metadata as { uid: string }).uid)).size).toBe(3);
  expect(receiver.received[0]?.headers["x-bulwark-signature"]).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
});

test("only the types that were asked for are sent, in the format that was asked for", async () => {
  await put({ alerts: false, eventTypes: ["execve"], format: "native" });
  await server.store.tenant(1, (db) => store(db, "/a"));
  await run();
  expect(receiver.received).toEqual([]);
  await put({ alerts: false, eventTypes: ["open"], format: "native" });
  await server.store.tenant(1, (db) => store(db, "/b"));
  await run();
  expect(taken()).toMatchObject([{ kind: "event", type: "open", path: "/b", nodeId, hostname: "node-1", lineage: [] }]);
});

test("what a target did not want, or came while it was off, is sent later only if that is asked for", async () => {
  await put({ alerts: true, events: false });
  await server.store.tenant(1, (db) => store(db, "/unwanted"));
  await run();
  expect((await ask("GET", "/exports")).body.items[0].waitingSince).toBeNull();
  await put();
  await server.store.tenant(1, (db) => store(db, "/wanted"));
  expect((await ask("GET", "/exports")).body.items[0].waitingSince).toBe(
    server.clock.now.toISOString().replace(".000Z", "+00:00"),
  );
  await run();
  await put({ enabled: false });
  await server.store.tenant(1, (db) => store(db, "/while-off"));
  await run();
  await put();
  await run();
  expect(paths()).toEqual(["/wanted"]);
  await put({ enabled: false });
  await server.store.tenant(1, (db) => store(db, "/while-off-2"));
  await put({ backlog: true });
  await run();
  expect(paths()).toEqual(["/wanted", "/while-off-2"]);
  // A change of something else skips nothing.
  await server.store.tenant(1, (db) => store(db, "/before-the-change"));
  await put({ format: "ocsf", eventTypes: ["open"] });
  await run();
  expect(paths()).toEqual(["/wanted", "/while-off-2", "/before-the-change"]);
});

test("days that were dropped before they were sent are counted", async () => {
  await put({ alerts: false });
  await server.store.tenant(1, (db) => store(db, "/gone", "/gone too"));
  await dropRuntimeDays(server.store, { days: 1, bytes: 1 }, new Date(server.clock.now.getTime() + 5 * 1440 * MINUTE));
  expect((await ask("GET", "/exports")).body.items[0]).toMatchObject({ missed: 2 });
  await makeRuntimeDays(server.store, server.clock.now);
});

test("one target is never sent to by two servers at once", async () => {
  await put({ alerts: false });
  const all = Array.from({ length: 40 }, (_, i) => `/${i}`);
  for (const path of all) await server.store.tenant(1, (db) => store(db, path));
  await run(10_000, 3);
  expect(paths()).toEqual(all);
  expect(taken()).toHaveLength(all.length);
});

test("the loop of a worker sends by itself, and ends when it is told to", async () => {
  const syslog = await startSyslogReceiver();
  await put({ kind: "syslog", address: syslog.address, alerts: false });
  await server.store.tenant(1, (db) => store(db, "/by itself"));
  server.clock.now = new Date(server.clock.now.getTime() + MINUTE);
  const exports = startExports({ store: server.store, secrets: server.secrets, clock: () => server.clock.now, log });
  await expect.poll(() => syslog.received.length, { timeout: 10_000 }).toBe(1);
  await exports.close();
  expect(syslog.received[0]).toContain('"/by itself"');
  await syslog.close();
});

test.each([8.8e18, -8.8e18])("an event at a time that is none, %d, does not stop what comes after", async (timeUs) => {
  const syslog = await startSyslogReceiver();
  await put({ kind: "syslog", address: syslog.address, alerts: false });
  await server.store.tenant(1, (db) => storeAt(db, timeUs, "/at no time"));
  await server.store.tenant(1, (db) => store(db, "/after it"));
  await run();
  expect(syslog.received).toEqual([expect.stringContaining("/at no time"), expect.stringContaining("/after it")]);
  await syslog.close();
});

test("a target that has much to take leaves the rest for its next turn", async () => {
  await put({ alerts: false });
  const all = Array.from({ length: 12 }, (_, i) => `/much/${i}`);
  for (const path of all) await server.store.tenant(1, (db) => store(db, path));
  await run(10_000, 1, -1);
  expect(paths().length).toBeLessThan(all.length);
  await run(10_000, 1, -1);
  expect(paths()).toEqual(all);
});

test("a target is tried out at once, and tells why it does not work", async () => {
  const { body } = await put();
  expect((await ask("POST", `/exports/${body.id}/test`)).body).toEqual({ ok: true, problem: "" });
  expect(taken()).toMatchObject([{ class_uid: 0, message: expect.stringContaining("test") }]);
  receiver.answerNext({ status: 401 });
  expect((await ask("POST", `/exports/${body.id}/test`)).body).toEqual({
    ok: false,
    problem: "the receiver answers with status 401",
  });
});

test("a secret stays with the address that it was given for, and is never shown", async () => {
  const { body } = await put();
  expect(JSON.stringify(body)).not.toContain(SECRET);
  expect((await put({ secret: undefined, events: false })).body).toMatchObject({ id: body.id, hasSecret: true });
  const moved = await put({ secret: undefined, address: "https://203.0.113.9/" });
  expect(moved).toMatchObject({ status: 400, body: { title: expect.stringContaining("secret") } });
});

test("a private address is refused unless that is allowed", async () => {
  expect(await put({ settings: {} })).toMatchObject({ body: { code: "ADDRESS_REFUSED" } });
});

test("a span of time is a file, one event a line", async () => {
  await server.store.tenant(1, (db) => store(db, "/in the file"));
  const since = server.clock.now.toISOString();
  const until = new Date(server.clock.now.getTime() + 1).toISOString();
  const get = (format: string) =>
    server.app.inject({
      url: `/api/v1/runtime-events/export?format=${format}&since=${since}&until=${until}`,
      headers: admin.bearer,
    });
  const ocsf = await get("ocsf");
  expect(ocsf.headers["content-type"]).toContain("application/x-ndjson");
  expect(JSON.parse(ocsf.body.trimEnd().split("\n").at(-1)!)).toMatchObject({ file: { path: "/in the file" } });
  expect(JSON.parse((await get("ndjson")).body.trimEnd().split("\n").at(-1)!)).toMatchObject({ path: "/in the file" });
});

test("a batch that cannot be read does not stop what comes after", async () => {
  await put({ alerts: false });
  const uid = { uid: "other", hostname: "node-2", facts: {}, sensorVersion: "", certificateSerial: "2" };
  await server.store.tenant(1, async (db) => {
    const other = await addNode(db, { ...uid, now: server.clock.now });
    const broken = { nodeId: other, epoch: "x", sequence: 1, content: Buffer.from("no zstd"), events: [], losses: [] };
    await writeBatches(db, [broken], server.clock.now);
    await store(db, "/after the broken one");
  });
  await run();
  expect(paths()).toEqual(["/after the broken one"]);
});
