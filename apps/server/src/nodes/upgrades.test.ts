import { connectNode, endResponse, listResponses, type Response } from "@bulwark/store";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { onResult } from "../responses/on-result.ts";
import { endLateResponses } from "../runtime-events/keep-runtime.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";

const [DONE, FAILED] = [1, 3];
const log = pino({ level: "silent" });
let server: TestApp;
let admin: TestAccount;
let operator: TestAccount;
let nodes: readonly number[];

beforeAll(async () => {
  server = await openTestApp();
  admin = await server.account("admin");
  operator = await server.account("operator");
  const made: number[] = [];
  for (let second = 0; second < 4; second++) {
    const now = new Date(server.clock.now.getTime() + second * 1_000);
    made.push((await seedRuntime(server.store, 1, now)).nodeId);
  }
  nodes = made;
  // The last one is enrolled and not connected.
  for (const id of nodes.slice(0, 3)) await connect(id, "x86_64");
});
afterAll(() => server.close());

function connect(id: number, architecture: string): Promise<void> {
  const hello = { gateway: "g", hostname: `node-${id}`, facts: { architecture }, capabilities: [] };
  return server.store.tenant(1, (db) =>
    connectNode(db, id, { ...hello, sensorVersion: "0.1.0", policyRevision: 0, now: server.clock.now }),
  );
}

/** As much of a program as its platform is told by. */
function program(machine: number, filling: string): string {
  const head = Buffer.concat([Buffer.from("7f454c46020101", "hex"), Buffer.alloc(93, filling)]);
  head.writeUInt16LE(machine, 18);
  return head.toString("base64");
}

async function ask(who: TestAccount, method: "GET" | "POST" | "DELETE", url: string, payload?: object) {
  const answer = await server.app.inject({
    ...{ method, url: `/api/v1${url}`, headers: who.bearer },
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

/** What nodes were asked and have not answered, in their order. */
async function asked(): Promise<readonly Response[]> {
  const found = await server.store.tenant(1, (db) => listResponses(db, { states: ["queued", "sent"], limit: 100 }));
  return found.filter(({ action }) => action === "upgrade").toReversed();
}

/** What a node's sensor says, on its way through the gateway. */
function answer({ uid, nodeId }: Response, outcome: number, detail: string, facts: object = {}): Promise<void> {
  const node = { id: nodeId, uid: "", tenantId: 1, hostname: "" };
  const result = { orderId: uid, outcome, detail, facts: JSON.stringify(facts), finishedUs: 0 };
  return server.store.tenant(1, (db) => onResult(db, node, result, server.clock.now));
}

const statesOf = (upgrade: { nodes: { state: string }[] }) => upgrade.nodes.map(({ state }) => state);
const upgradeOf = async (id: number) => (await ask(admin, "GET", `/sensor-upgrades/${id}`)).body;

test("a program is given by an administrator alone, and only if a node could run it", async () => {
  const given = { version: "0.2.0", content: program(0x3e, "a") };
  expect((await ask(operator, "POST", "/sensor-programs", given)).status).toBe(403);
  const added = await ask(admin, "POST", "/sensor-programs", given);
  expect(added).toMatchObject({ status: 201, body: { version: "0.2.0", platform: "linux/amd64", sizeBytes: 100 } });
  const arm = await ask(admin, "POST", "/sensor-programs", { version: "0.2.0", content: program(0xb7, "a") });
  expect(arm.body.platform).toBe("linux/arm64");
  for (const content of ["", Buffer.from("#!/bin/sh\n").toString("base64"), program(0x28, "a")]) {
    expect((await ask(admin, "POST", "/sensor-programs", { version: "0.2.0", content })).status).toBe(400);
  }
  const { items } = (await ask(admin, "GET", "/sensor-programs")).body;
  expect(items.map(({ platform }: { platform: string }) => platform)).toEqual(["linux/arm64", "linux/amd64"]);
  expect((await ask(admin, "DELETE", `/sensor-programs/${arm.body.id}`)).status).toBe(204);
});

test("nodes are upgraded a wave after the other; one that is not connected is left out", async () => {
  const started = await ask(admin, "POST", "/sensor-upgrades", { version: "0.2.0", nodeIds: nodes, wave: 2 });
  expect(started.status).toBe(201);
  expect(statesOf(started.body)).toEqual(["queued", "queued", "pending", "pending"]);
  const [first, second] = await asked();
  await answer(first!, DONE, "sensor 0.2.0 runs");
  expect(statesOf(await upgradeOf(started.body.id))).toEqual(["done", "queued", "pending", "pending"]);
  await answer(second!, DONE, "sensor 0.2.0 runs");
  expect(statesOf(await upgradeOf(started.body.id))).toEqual(["done", "done", "queued", "skipped"]);
  const [third] = await asked();
  await answer(third!, DONE, "sensor 0.2.0 runs");
  expect(await upgradeOf(started.body.id)).toMatchObject({ state: "done", finishedAt: expect.any(String) });
});

test("a failure keeps the next wave back, and says that the node has its old program again", async () => {
  const started = await ask(admin, "POST", "/sensor-upgrades", { version: "0.2.0", nodeIds: nodes });
  const [first] = await asked();
  const facts = { version: "0.2.0", sha256: "new", runs: "old" };
  await answer(first!, FAILED, "sensor 0.2.0 was taken back: it reached no gateway within 60 s", facts);
  const ended = await upgradeOf(started.body.id);
  expect(ended.state).toBe("stopped");
  expect(statesOf(ended)).toEqual(["failed", "pending", "pending", "pending"]);
  expect(ended.nodes[0]).toMatchObject({ rolledBack: true, detail: expect.stringContaining("taken back") });
  expect(ended.nodes[1].rolledBack).toBe(false);
  expect(await asked()).toEqual([]);
});

test("a node that never answers is a failure; whoever wants the rest all the same says so", async () => {
  const body = { version: "0.2.0", nodeIds: nodes.slice(0, 2), stopOnFailure: false };
  const started = await ask(admin, "POST", "/sensor-upgrades", body);
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await endLateResponses({ store: server.store, clock: () => server.clock.now, log });
  expect(statesOf(await upgradeOf(started.body.id))).toEqual(["expired", "queued"]);
  const [second] = await asked();
  await answer(second!, DONE, "sensor 0.2.0 runs");
  expect(await upgradeOf(started.body.id)).toMatchObject({ state: "done" });
});

test("an upgrade that is cancelled takes back what was not sent, and asks nobody further", async () => {
  const started = await ask(admin, "POST", "/sensor-upgrades", {
    version: "0.2.0",
    nodeIds: nodes.slice(0, 3),
    wave: 2,
  });
  const [first] = await asked();
  await server.store.tenant(1, (db) =>
    endResponse(db, first!.nodeId, { uid: first!.uid, state: "done", detail: "", facts: {}, at: server.clock.now }),
  );
  const cancelled = await ask(admin, "POST", `/sensor-upgrades/${started.body.id}/cancel`);
  expect(statesOf(cancelled.body)).toEqual(["done", "refused", "pending"]);
  expect((await ask(admin, "POST", `/sensor-upgrades/${started.body.id}/cancel`)).status).toBe(409);
  await endLateResponses({ store: server.store, clock: () => server.clock.now, log });
  expect(await asked()).toEqual([]);
});

test("nobody upgrades to a version that was not given, or nodes that are not there", async () => {
  const upgrade = (body: object) => ask(admin, "POST", "/sensor-upgrades", body);
  expect((await upgrade({ version: "9.9.9", nodeIds: nodes })).status).toBe(404);
  expect((await upgrade({ version: "0.2.0", nodeIds: [...nodes, 1_000_000] })).status).toBe(404);
  expect((await ask(operator, "POST", "/sensor-upgrades", { version: "0.2.0", nodeIds: nodes })).status).toBe(403);
  await connect(nodes[0]!, "aarch64");
  const { body } = await upgrade({ version: "0.2.0", nodeIds: nodes.slice(0, 1) });
  expect(body).toMatchObject({
    state: "done",
    nodes: [{ state: "skipped", detail: expect.stringContaining("aarch64") }],
  });
});
