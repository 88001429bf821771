import { endResponse, getAlert, listAlerts, listAudit, raiseAlerts, type StoredAlert } from "@bulwark/store";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAuthority } from "../gateway/authority.ts";
import type { RaisedAlert } from "../gateway/batch-writer.ts";
import { takeOrders } from "../gateway/orders.ts";
import { order } from "../gateway/wire.ts";
import { endLateResponses } from "../runtime-events/keep-runtime.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { onAlerts } from "./automatic.ts";

const log = pino({ level: "silent" });
let server: TestApp;
let security: TestAccount;
let second: TestAccount;
let operator: TestAccount;
let nodeId: number;
let alert: StoredAlert;
beforeAll(async () => {
  server = await openTestApp();
  security = await server.account("security");
  second = await server.account("security");
  operator = await server.account("operator");
  ({ nodeId } = await seedRuntime(server.store, 1, server.clock.now));
  [alert] = (await server.store.tenant(1, (db) => listAlerts(db, { limit: 1 }))) as [StoredAlert];
});
afterAll(() => server.close());

async function ask(who: TestAccount, method: "GET" | "POST" | "PUT" | "PATCH", url: string, payload?: object) {
  const answer = await server.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: who.bearer,
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

/** What the node would be sent now. */
async function orders() {
  const authority = await openAuthority(server.store, server.secrets, server.clock.now);
  const node = { id: nodeId, uid: "node-uid", tenantId: 1 };
  const taken = await server.store.tenant(1, (db) =>
    takeOrders(db, node, {
      ...{ authority, secrets: server.secrets, now: server.clock.now },
      addressOf: async (uid) => `https://gateway/${uid}`,
    }),
  );
  return taken.map((each) => order.decode(each.order));
}

async function finish(uid: string, state: "done" | "failed", detail = ""): Promise<void> {
  await server.store.tenant(1, (db) =>
    endResponse(db, nodeId, { uid, state, detail, facts: {}, at: server.clock.now }),
  );
}

async function finishAll(): Promise<void> {
  for (const { id } of await orders()) await finish(id, "done");
}

test("a process is killed by its number and its start, evidence first, and both are for this node alone", async () => {
  const asked = await ask(security, "POST", "/responses", {
    action: "kill-process",
    alertId: alert.id,
    reason: "shell",
  });
  expect(asked).toMatchObject({ status: 201, body: { state: "queued", action: "kill-process", hostname: "node-1" } });
  const sent = await orders();
  expect(sent.map(({ nodeId: named }) => named)).toEqual(["node-uid", "node-uid"]);
  expect(sent[0]?.collectEvidence).toMatchObject({ containerId: alert.container });
  expect(sent[1]?.killProcess).toMatchObject({ pid: 41, startUs: 900 });
  await finish(sent[1]?.id ?? "", "failed", "there is no such process");
  await finish(sent[0]?.id ?? "", "done");
  expect((await ask(security, "GET", `/responses/${asked.body.id}`)).body).toMatchObject({
    state: "failed",
    detail: "there is no such process",
    undoable: false,
  });
  const history = await server.store.tenant(1, (db) => getAlert(db, alert.id));
  expect(history?.history.map(({ action }) => action)).toContain("response.kill-process");
});

test("an operator's stop waits for a second person, who is not the operator", async () => {
  const asked = await ask(operator, "POST", "/responses", { action: "stop", alertId: alert.id, evidence: false });
  expect(asked.body.state).toBe("waiting");
  expect(await orders()).toEqual([]);
  expect((await ask(operator, "POST", `/responses/${asked.body.id}/approve`)).status).toBe(403);
  const approved = await ask(security, "POST", `/responses/${asked.body.id}/approve`);
  expect(approved.body).toMatchObject({ state: "queued", approvedBy: expect.stringContaining("security") });
  expect((await ask(second, "POST", `/responses/${asked.body.id}/approve`)).status).toBe(409);
  await finishAll();
});

test("what was isolated is given back once, and what was never done is not undone", async () => {
  const asked = await ask(operator, "POST", "/responses", {
    action: "isolate",
    alertId: alert.id,
    parameters: { except: ["10.0.0.0/8"] },
  });
  expect((await ask(operator, "POST", `/responses/${asked.body.id}/undo`)).status).toBe(409);
  expect((await orders())[0]?.isolate).toMatchObject({ containerId: alert.container, except: ["10.0.0.0/8"] });
  await finishAll();
  expect((await ask(operator, "GET", `/responses/${asked.body.id}`)).body.undoable).toBe(true);
  const undo = await ask(operator, "POST", `/responses/${asked.body.id}/undo`);
  expect(undo.body).toMatchObject({ action: "restore-network", undoesId: asked.body.id });
  await finishAll();
  const again = await ask(operator, "POST", `/responses/${asked.body.id}/undo`);
  expect(again).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
});

test("a file in quarantine comes back with the key that only the server had, and nobody reads the key", async () => {
  const asked = await ask(security, "POST", "/responses", {
    action: "quarantine",
    alertId: alert.id,
    parameters: { path: "/tmp/x" },
  });
  const [taken] = await orders();
  expect(taken?.quarantine).toMatchObject({ path: "/tmp/x", quarantineId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(taken?.quarantine?.key).toHaveLength(32);
  await finishAll();
  await ask(security, "POST", `/responses/${asked.body.id}/undo`);
  const [back] = await orders();
  expect(back?.restoreFile?.quarantineId).toBe(taken?.quarantine?.quarantineId);
  expect(Buffer.from(back?.restoreFile?.key ?? [])).toEqual(Buffer.from(taken?.quarantine?.key ?? []));
  await finishAll();
  const shown = JSON.stringify((await ask(security, "GET", `/responses/${asked.body.id}`)).body);
  expect(shown).not.toContain(Buffer.from(taken?.quarantine?.key ?? []).toString("base64"));
});

test("an upgrade is none of the responses: orders for programs come from those who may give programs", async () => {
  const parameters = { version: "0.2.0", sha256: "ab".repeat(32) };
  const asked = await ask(security, "POST", "/responses", { action: "upgrade", nodeId, parameters });
  expect(asked).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
});

test.each([
  ["quarantine", { path: "relative" }],
  ["quarantine", {}],
  ["isolate", { except: ["everything"] }],
  ["kill-process", { pid: 1, startUs: 0 }],
  ["pause", { surprise: true }],
])("%s with %j is refused", async (action, parameters) => {
  const answer = await ask(security, "POST", "/responses", { action, alertId: alert.id, parameters });
  expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
});

test("the host is not paused, and a container that is not there is not found", async () => {
  expect((await ask(security, "POST", "/responses", { action: "pause", nodeId })).status).toBe(400);
  expect((await ask(security, "POST", "/responses", { action: "pause", nodeId, container: "nowhere" })).status).toBe(
    404,
  );
});

test("an order that no node took in time has expired, and is not sent later", async () => {
  const asked = await ask(security, "POST", "/responses", { action: "pause", alertId: alert.id });
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await endLateResponses({ store: server.store, clock: () => server.clock.now, log });
  expect(await orders()).toEqual([]);
  expect((await ask(security, "GET", `/responses/${asked.body.id}`)).body).toMatchObject({
    state: "expired",
    detail: "the node was not connected in time",
  });
});

/** Raises alerts as a gateway does. */
async function raise(count: number, severity: "critical" | "low", pid = 50): Promise<void> {
  await server.store.tenant(1, async (db) => {
    const alerts = Array.from({ length: count }, (_, i) => ({
      ...{ foldKey: `${severity} ${Math.random()} ${i}`, rule: "R", title: "t", severity, tags: [], nodeId },
      ...{ container: alert.container, containerName: "web", image: "shop:1", imageDigest: "", namespace: "", pod: "" },
      ...{
        process: "sh",
        exe: "/bin/sh",
        pid: pid + i,
        processStart: 7,
        at: server.clock.now,
        count: 1,
        blocked: false,
      },
      ...{ facts: { techniques: [{ id: "T1611" }] }, batchId: 1, position: 0 },
    }));
    const raised = await raiseAlerts(db, alerts);
    const told = raised.map(({ id, index }): RaisedAlert => ({ ...alerts[index]!, id }));
    await onAlerts(db, told, { tenantId: 1, secrets: server.secrets, now: server.clock.now, log });
  });
}

/** An hour later; tokens of tests last an hour. */
async function later(): Promise<void> {
  server.clock.now = new Date(server.clock.now.getTime() + 61 * 60_000);
  security = await server.account("security");
}

const automatic = (mode: string, perHour = 3) =>
  ask(security, "PUT", "/automatic-responses", {
    ...{ name: "escapes", actions: ["pause"], mode, perHour },
    condition: 'alert.severity == "critical" && "T1611" in alert.techniques',
  });

test("an automatic response begins as a dry run that only writes down what it would do", async () => {
  const made = await ask(security, "PUT", "/automatic-responses", {
    ...{ name: "escapes", condition: 'alert.severity == "critical"', actions: ["pause"] },
  });
  expect(made.body).toMatchObject({ mode: "dry-run", perHour: 10 });
  await raise(1, "critical");
  const { body } = await ask(security, "GET", "/responses?states=dry-run");
  expect(body.items).toMatchObject([{ action: "pause", automatic: "escapes", askedBy: "automatic: escapes" }]);
  expect(await orders()).toEqual([]);
});

test("one that acts does so for what meets its condition, up to its limit in an hour, and says when it stops", async () => {
  await automatic("act");
  await raise(1, "low");
  expect(await orders()).toEqual([]);
  await raise(5, "critical");
  expect(await orders()).toHaveLength(3);
  const entries = await server.store.tenant(1, (db) => listAudit(db, { limit: 200 }));
  expect(entries.filter(({ action }) => action === "response.limited")).toHaveLength(2);
  await finishAll();
  await later();
  await raise(1, "critical");
  expect(await orders()).toHaveLength(1);
  await finishAll();
});

test("an alert without a process does not stop the events that it came with", async () => {
  await later();
  await ask(security, "PUT", "/automatic-responses", {
    ...{ name: "killer", condition: "true", actions: ["kill-process"], mode: "act" },
  });
  await raise(1, "low", 0);
  expect(await orders()).toEqual([]);
  await ask(security, "PUT", "/automatic-responses", {
    ...{ name: "killer", condition: "true", actions: ["kill-process"], mode: "off" },
  });
});

test("one that asks waits for a person", async () => {
  await later();
  await automatic("approve");
  await raise(1, "critical");
  expect(await orders()).toEqual([]);
  const { body } = await ask(security, "GET", "/responses?states=waiting");
  expect((await ask(security, "POST", `/responses/${body.items[0].id}/approve`)).body.state).toBe("queued");
  expect(await orders()).toHaveLength(1);
});

test.each(["alert.severity ==", "process.exit()", "other.x == 1"])(
  "the condition %j is refused when it is written",
  async (condition) => {
    const answer = await ask(security, "PUT", "/automatic-responses", { name: "x", condition, actions: ["pause"] });
    expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
  },
);
