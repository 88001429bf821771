import { randomUUID } from "node:crypto";
import { readAuditEvent } from "@bulwark/detect";
import { addCluster, type StoredAlert } from "@bulwark/store";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RaisedAlert } from "../gateway/batch-writer.ts";
import { openRuleBook, type RuleBook } from "../rules/rule-book.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import type { AuditEnd, ConnectedCluster } from "./cluster-stream.ts";
import { inspectAudit } from "./inspect-audit.ts";

const EXEC = "Command run in a pod through the API";
const WAIT = { timeout: 10_000 };
let server: TestApp;
let security: TestAccount;
let book: RuleBook;
let end: AuditEnd;
let harbour: ConnectedCluster;
let haven: ConnectedCluster;
let sequence = 0;
const told: RaisedAlert[] = [];

beforeAll(async () => {
  server = await openTestApp();
  security = await server.account("security");
  const clock = () => server.clock.now;
  book = await openRuleBook(server.store, clock);
  end = inspectAudit({
    ...{ store: server.store, clock, log: pino({ level: "silent" }), rulesOf: book.rulesOf },
    onAlerts: async (_, __, alerts) => void told.push(...alerts),
  });
  [harbour, haven] = [await joined("harbour"), await joined("haven")];
});
afterAll(async () => {
  await book.close();
  await server.close();
});

async function joined(name: string): Promise<ConnectedCluster> {
  const uid = randomUUID();
  const made = { uid, name, grade: null, ownerId: null, now: server.clock.now };
  const id = (await server.store.tenant(1, (db) => addCluster(db, 1, made)))!;
  return { id, uid, tenantId: 1, name, kubernetesUid: randomUUID() };
}

async function ask<Body = { items: StoredAlert[] }>(method: "GET" | "POST" | "PATCH", url: string, payload?: object) {
  const answer = await server.app.inject({
    ...{ method, url: `/api/v1${url}`, headers: security.bearer },
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.json() as Body };
}

/** Somebody runs a command in a pod. */
const exec = (given: Readonly<Record<string, unknown>> = {}) => ({
  ...{ auditID: randomUUID(), stage: "ResponseStarted", level: "Metadata", verb: "create", userAgent: "kubectl" },
  requestURI: "/api/v1/namespaces/shop/pods/web/exec?command=ls",
  ...{ user: { username: "jane", groups: [] }, sourceIPs: ["10.0.0.9"], responseStatus: { code: 101 } },
  objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: "web" },
  requestReceivedTimestamp: "2026-11-21T20:00:00.123456Z",
  ...given,
});
const send = (cluster: ConnectedCluster, events: readonly object[], dropped = 0) =>
  end.inspect(cluster, {
    ...{ epoch: "e", sequence: ++sequence, dropped },
    events: events.map((event) => Buffer.from(JSON.stringify(event))),
  });
const open = async (rule: string) =>
  (await ask("GET", `/alerts?states=open&rule=${encodeURIComponent(rule)}`)).body.items;

test("repeats of an alert are counted in it, stages of one request are one, and a closed alert opens again", async () => {
  const first = exec();
  await send(harbour, [first, { ...first, stage: "ResponseComplete" }, exec(), exec()]);
  expect(await open(EXEC)).toMatchObject([{ count: 3, cluster: { name: "harbour" } }]);
  await send(harbour, [exec({ requestReceivedTimestamp: "2026-11-21T20:03:00Z" })]);
  const [alert] = await open(EXEC);
  expect(alert).toMatchObject({ count: 4, pod: "web" });
  expect(new Date(alert!.lastAt)).toEqual(new Date("2026-11-21T20:03:00Z"));
  expect(told).toHaveLength(1);

  await ask("PATCH", `/alerts/${alert!.id}`, { state: "closed" });
  await send(harbour, [exec()]);
  const again = await open(EXEC);
  expect(again).toMatchObject([{ count: 1 }]);
  expect(again[0]!.id).not.toBe(alert!.id);
});

test("a batch that comes again counts nothing twice", async () => {
  const [before] = await open(EXEC);
  const events = [exec(), exec()];
  await send(harbour, events);
  sequence--;
  await send(harbour, events);
  expect((await open(EXEC))[0]!.count).toBe(before!.count + 2);
});

test("an alert is allowed in one click: for who asked it, where and as long as somebody said", async () => {
  const [alert] = await open(EXEC);
  expect((await ask("POST", `/alerts/${alert!.id}/allow`, { where: "image", reason: "x" })).status).toBe(400);
  const expiresAt = new Date(server.clock.now.getTime() + 120_000).toISOString();
  const allowed = await ask<{ condition: string }>("POST", `/alerts/${alert!.id}/allow`, {
    ...{ where: "namespace", reason: "the shop's own debugging", expiresAt },
  });
  expect(allowed).toMatchObject({
    status: 201,
    body: { condition: expect.stringContaining('ka.target.subresource = "exec"') },
  });
  expect((await ask<{ items: object[] }>("GET", "/allow-entries")).body.items[0]).toMatchObject({
    rule: EXEC,
    scope: { source: "k8s_audit", clusters: ["harbour"], namespaces: ["shop"], users: ["jane"] },
  });
  const quiet = async (...events: readonly object[]) => {
    await send(harbour, events);
    return (await open(EXEC)).length === 0;
  };
  // Gateways are told of what was allowed.
  await expect
    .poll(async () => {
      const { auditAllow } = await book.rulesOf(1);
      const event = readAuditEvent(exec())!;
      return auditAllow.accepts(EXEC, event, "harbour", server.clock.now.getTime() * 1_000) !== undefined;
    }, WAIT)
    .toBe(true);
  expect(await quiet(exec(), exec({ objectRef: { ...exec().objectRef, name: "web-2" } }))).toBe(true);

  await send(haven, [exec()]);
  expect(await open(EXEC)).toMatchObject([{ cluster: { name: "haven" } }]);
  await send(harbour, [exec({ user: { username: "joe" } })]);
  await send(harbour, [exec({ objectRef: { ...exec().objectRef, namespace: "bank" } })]);
  await send(harbour, [exec({ impersonatedUser: { username: "root" } })]);
  expect((await open(EXEC)).map(({ namespace }) => namespace)).toEqual(["shop", "bank", "shop", "shop"]);

  server.clock.now = new Date(server.clock.now.getTime() + 180_000);
  await send(harbour, [exec({ requestReceivedTimestamp: server.clock.now.toISOString() })]);
  expect((await open(EXEC))[0]).toMatchObject({ cluster: { name: "harbour" }, namespace: "shop", count: 2 });
});

test("an entry is written by hand too, and one that cannot hold is refused", async () => {
  const add = (entry: object) =>
    ask<{ scope: object; error: object }>("POST", "/allow-entries", { reason: "x", ...entry });
  expect((await add({ rule: EXEC, condition: "ka.verb = create" })).body.scope).toEqual({ source: "k8s_audit" });
  expect(await add({ rule: EXEC, condition: "proc.name = sh" })).toMatchObject({ status: 400 });
  expect(await add({ condition: "ka.verb = get" })).toMatchObject({ status: 400 });
  expect(await add({ rule: EXEC, condition: "ka.verb = get", scope: { images: ["a"] } })).toMatchObject({
    status: 400,
  });
  const scope = { source: "k8s_audit", users: ["system:serviceaccount:ci:*"] };
  expect(await add({ condition: "ka.verb = get", scope })).toMatchObject({ status: 201 });
});

test("what an agent could not keep or read is told, however often it happens", async () => {
  await send(haven, [], 4);
  await send(haven, [], 3);
  expect(await open("Audit events lost")).toMatchObject([{ count: 7, cluster: { name: "haven" }, severity: "medium" }]);
  const [alert] = await open("Audit events lost");
  expect((await ask("POST", `/alerts/${alert!.id}/allow`, { where: "everywhere", reason: "x" })).status).toBe(409);
});
