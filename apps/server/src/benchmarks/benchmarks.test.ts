import { SEVERITIES } from "@bulwark/model";
import { openDatabase } from "@bulwark/scan/shipped";
import {
  addCluster,
  connectReplica,
  endExceptions,
  endResponse,
  enterEpoch,
  expireResponses,
  keepObjects,
  listResponses,
  raiseAlerts,
  recordReplicaHealth,
  type SeenObject,
  settleKinds,
  type TenantQueries,
} from "@bulwark/store";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openAuthority } from "../gateway/authority.ts";
import type { DeepPartial } from "../gateway/contract.ts";
import type { NodeFacts, Order } from "../gateway/gen/wire-types.ts";
import type { ConnectedNode } from "../gateway/node-stream.ts";
import { takeOrders } from "../gateway/orders.ts";
import { order, upstream } from "../gateway/wire.ts";
import { onResult } from "../responses/on-result.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { matchComponents } from "./components.ts";
import { judgeWaiting, onFacts, runBenchmarks } from "./run-benchmarks.ts";

/** As agents name them. */
const WORKLOAD_KINDS = [
  ...["v1/Pod", "v1/ReplicationController", "batch/v1/Job", "batch/v1/CronJob"],
  ...["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].map((kind) => `apps/v1/${kind}`),
];

const PRESENT = 1;
const ABSENT = 2;
let server: TestApp;
let security: TestAccount;
let second: TestAccount;
let operator: TestAccount;
let node: ConnectedNode;
beforeAll(async () => {
  server = await openTestApp();
  security = await server.account("security");
  second = await server.account("security");
  operator = await server.account("operator");
  const { nodeId } = await seedRuntime(server.store, 1, server.clock.now);
  node = { id: nodeId, uid: "node-uid", tenantId: 1, hostname: "node-1" };
});
afterAll(() => server.close());
beforeEach(async () => {
  // Tokens of tests last an hour.
  server.clock.now = new Date(server.clock.now.getTime() + 20 * 60_000);
  for (const each of [security, second, operator])
    Object.assign(each, { bearer: await server.token(each, SCOPES_OF[each === operator ? "operator" : "security"]) });
});
const SCOPES_OF = {
  security: [
    "runtime:read",
    "runtime:write",
    "responses:read",
    "responses:write",
    "responses:approve",
    "findings:approve",
  ],
  operator: ["runtime:read", "responses:read", "responses:write"],
} as const;

async function ask(who: TestAccount, method: "GET" | "POST" | "DELETE", url: string, payload?: object) {
  const answer = await server.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: who.bearer,
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.body.startsWith("{") ? answer.json() : answer.body };
}

/** What the node would be sent now. */
async function orders(): Promise<readonly Order[]> {
  const authority = await openAuthority(server.store, server.secrets, server.clock.now);
  const taken = await server.store.tenant(1, (db) =>
    takeOrders(db, node, { authority, secrets: server.secrets, now: server.clock.now, addressOf: async () => "" }),
  );
  return taken.map((each) => order.decode(each.order));
}

async function gatherOrder(): Promise<Order> {
  const found = (await orders()).find(({ gatherFacts }) => gatherFacts !== null);
  if (found === undefined) throw new Error("no facts are asked for");
  return found;
}

/** Facts as a sensor sends them: all that was asked for is absent but what is named. */
async function answer(
  asked: Order,
  { martians = "0", ...more }: { martians?: string } & DeepPartial<NodeFacts> = {},
): Promise<void> {
  const request = asked.gatherFacts!;
  const facts = {
    orderId: asked.id,
    sysctls: request.sysctls.map((name) =>
      name.endsWith("log_martians") ? { name, value: martians, state: PRESENT } : { name, state: ABSENT },
    ),
    files: request.files
      .filter(({ program }) => program === "")
      .map(({ path }) => ({
        path: path.includes("*") ? "" : path,
        pattern: path.includes("*") ? path : "",
        state: ABSENT,
      })),
    probes: request.probes.map(({ id }) => ({ id, state: 1 })),
    wallUs: 1_000_000,
    cpuUs: 9_000,
    ...more,
  };
  const { facts: sent } = upstream.decode(upstream.encode({ facts }));
  await server.store.tenant(1, (db) => onFacts(db, node, sent!, server.clock.now));
}

async function finish(asked: Order, outcome: number, facts: object = {}): Promise<void> {
  const result = {
    orderId: asked.id,
    outcome,
    detail: "as the node says",
    finishedUs: 0,
    facts: JSON.stringify(facts),
  };
  await server.store.tenant(1, (db) => onResult(db, node, result, server.clock.now));
}

const run = (body: object = { profile: "strict", nodes: [node.id] }) => ask(security, "POST", "/benchmark-runs", body);
const outcomeOf = async (check: string) =>
  (await ask(security, "GET", `/benchmark-results?nodeId=${node.id}&check=${check}`)).body.items[0];
const place = async () => {
  const { items } = (await ask(security, "GET", "/benchmark-places")).body;
  return items.find((each: { nodeId: number }) => each.nodeId === node.id);
};

test("a run asks the node for what its checks need, and its answer becomes a score", async () => {
  const made = await run();
  expect(made).toMatchObject({ status: 201, body: { targets: 1, done: 0, finishedAt: null } });
  const asked = await gatherOrder();
  expect(asked.nodeId).toBe("node-uid");
  expect(asked.gatherFacts!.sysctls).toContain("net.ipv4.conf.all.log_martians");
  expect(asked.gatherFacts!.files.map(({ path }) => path)).toContain("/etc/shadow");
  await answer(asked);
  expect((await ask(security, "GET", `/benchmark-runs/${made.body.id}`)).body).toMatchObject({
    run: { done: 1, finishedAt: expect.any(String) },
    targets: [{ state: "done", cpuUs: 9_000 }],
  });
  expect(await outcomeOf("host-log-martians")).toMatchObject({
    outcome: "fail",
    fixable: true,
    evidence: "net.ipv4.conf.all.log_martians is 0",
  });
  expect(await outcomeOf("kubelet-anonymous")).toMatchObject({ outcome: "not-applicable" });
  expect((await place()).score).toBeGreaterThan(0);
});

test("facts that nobody waits for change nothing, and an answer without facts is a failure", async () => {
  const { body } = await run();
  const asked = await gatherOrder();
  await answer({ ...asked, id: "somebody-else's" }, { martians: "1" });
  expect(await outcomeOf("host-log-martians")).toMatchObject({ outcome: "fail" });
  await finish(asked, 3);
  expect((await ask(security, "GET", `/benchmark-runs/${body.id}`)).body.targets).toMatchObject([
    { state: "failed", detail: "as the node says" },
  ]);
  await answer(asked, { martians: "1" });
  expect(await outcomeOf("host-log-martians")).toMatchObject({ outcome: "fail" });
  expect((await place()).trouble).toBe("as the node says");
});

test("what a node could not read is undetermined and costs the score", async () => {
  await run();
  await answer(await gatherOrder());
  const { score } = await place();
  await run();
  await answer(await gatherOrder(), { sysctls: [], unread: { sysctls: "refused" } });
  expect(await outcomeOf("host-log-martians")).toMatchObject({
    outcome: "undetermined",
    evidence: "sysctls could not be read: refused",
  });
  expect((await place()).score).toBeLessThan(score);
});

test("an exception counts when somebody else approved it, and ends by itself", async () => {
  await run();
  await answer(await gatherOrder());
  const until = new Date(server.clock.now.getTime() + 86_400_000).toISOString().slice(0, 10);
  const body = { check: "host-log-martians", scope: "node", scopeId: node.id, reason: "a test bed", until };
  const made = await ask(security, "POST", "/benchmark-exceptions", body);
  expect(made).toMatchObject({ status: 201, body: { approver: null, place: "node-1" } });
  expect((await place()).counts.excepted).toBe(0);
  const path = `/benchmark-exceptions/${made.body.id}/approve`;
  expect((await ask(security, "POST", path)).status).toBe(403);
  expect((await ask(second, "POST", path)).body).toMatchObject({ approver: { id: second.id } });
  expect((await place()).counts.excepted).toBe(1);
  expect(await outcomeOf("host-log-martians")).toMatchObject({ outcome: "fail", exceptionId: made.body.id });
  expect((await ask(security, "POST", "/benchmark-exceptions", { ...body, until: "2020-01-01" })).status).toBe(400);
  const before = server.clock.now;
  server.clock.now = new Date(before.getTime() + 3 * 86_400_000);
  security = { ...security, bearer: await server.token(security, SCOPES_OF.security) };
  await run();
  await answer(await gatherOrder());
  expect(await outcomeOf("host-log-martians")).toMatchObject({ outcome: "fail", exceptionId: null });
});

test("an exception that ends counts no more from that minute on, and is judged once", async () => {
  await run();
  await answer(await gatherOrder());
  const until = server.clock.now.toISOString().slice(0, 10);
  const body = { check: "host-log-martians", scope: "node", scopeId: node.id, reason: "today", until };
  const made = await ask(security, "POST", "/benchmark-exceptions", body);
  await ask(second, "POST", `/benchmark-exceptions/${made.body.id}/approve`);
  const before = await place();
  expect(before.counts.excepted).toBe(1);
  server.clock.now = new Date(server.clock.now.getTime() + 25 * 3_600_000);
  security = { ...security, bearer: await server.token(security, SCOPES_OF.security) };
  const tick = () => runBenchmarks({ store: server.store, clock: () => server.clock.now });
  await tick();
  expect(await place()).toMatchObject({ targetId: before.targetId, counts: { excepted: 0 } });
  expect(await outcomeOf("host-log-martians")).toMatchObject({ outcome: "fail", exceptionId: null });
  expect(await server.store.tenant(1, (db) => endExceptions(db, server.clock.now))).toEqual([]);
});

test("a check is switched off or set otherwise where following it would cost availability", async () => {
  await run();
  await answer(await gatherOrder());
  const scope = { scope: "node", scopeId: node.id, reason: "a router" };
  const off = await ask(security, "POST", "/benchmark-tunings", { check: "host-log-martians", ...scope, off: true });
  expect(off.status).toBe(201);
  expect(await outcomeOf("host-log-martians")).toMatchObject({
    outcome: "not-applicable",
    evidence: "switched off here: a router",
  });
  for (const parameters of [{ days: "many" }, { other: 1 }, { days: ["1"] }]) {
    const answered = await ask(security, "POST", "/benchmark-tunings", {
      check: "host-password-age",
      ...scope,
      parameters,
    });
    expect(answered).toMatchObject({ status: 400, body: { next: "it has days (number)" } });
  }
  expect(
    (
      await ask(security, "POST", "/benchmark-tunings", {
        check: "host-password-age",
        ...scope,
        parameters: { days: 1 },
      })
    ).status,
  ).toBe(201);
  await ask(security, "DELETE", `/benchmark-tunings/${off.body.id}`);
  expect(await outcomeOf("host-log-martians")).toMatchObject({ outcome: "fail" });
});

async function previewed(): Promise<number> {
  const { body } = await ask(operator, "POST", "/benchmark-fixes", { nodeId: node.id, check: "host-log-martians" });
  const asked = (await orders()).find(({ applyFix }) => applyFix !== null)!;
  expect(asked.applyFix).toMatchObject({
    dryRun: true,
    sysctl: { name: "net.ipv4.conf.all.log_martians", value: "1" },
  });
  await finish(asked, 1, { diff: "-a = 0\n+a = 1\n", before: "ab".repeat(32) });
  return body.id;
}
const stateOf = async (id: number) => (await ask(security, "GET", `/benchmark-fixes/${id}`)).body;

test("a fix is previewed, approved by a second person, verified, and rolled back by itself when it does not help", async () => {
  const id = await previewed();
  expect(await stateOf(id)).toMatchObject({ state: "previewed", diff: "-a = 0\n+a = 1\n" });
  expect((await ask(operator, "POST", `/benchmark-fixes/${id}/apply`)).body.state).toBe("waiting");
  expect((await orders()).filter(({ applyFix }) => applyFix !== null)).toEqual([]);
  const waiting = await server.store.tenant(1, (db) => listResponses(db, { states: ["waiting"], limit: 1 }));
  await ask(security, "POST", `/responses/${waiting[0]!.id}/approve`);
  const asked = (await orders()).find(({ applyFix }) => applyFix !== null)!;
  expect(asked.applyFix).toMatchObject({ dryRun: false, expectedSha256: Buffer.from("ab".repeat(32), "hex") });
  await finish(asked, 1);
  expect((await stateOf(id)).state).toBe("verifying");
  await answer(await gatherOrder(), { martians: "0" });
  expect(await stateOf(id)).toMatchObject({
    state: "undoing",
    detail: expect.stringContaining("could not be verified"),
  });
  const undo = (await orders()).find(({ undoFix }) => undoFix !== null)!;
  expect(undo.undoFix!.fixId).toBe(asked.applyFix!.fixId);
  await finish(undo, 1);
  expect((await stateOf(id)).state).toBe("undone");
  await answer(await gatherOrder());
});

test("a fix that helps stays until somebody rolls it back", async () => {
  const id = await previewed();
  expect((await ask(security, "POST", `/benchmark-fixes/${id}/apply`)).body.state).toBe("applying");
  await finish((await orders()).find(({ applyFix }) => applyFix !== null)!, 1);
  await answer(await gatherOrder(), { martians: "1" });
  expect((await stateOf(id)).state).toBe("applied");
  expect((await ask(security, "POST", `/benchmark-fixes/${id}/apply`)).status).toBe(409);
  expect((await ask(security, "POST", `/benchmark-fixes/${id}/undo`)).body.state).toBe("undoing");
  await finish((await orders()).find(({ undoFix }) => undoFix !== null)!, 1);
  expect((await stateOf(id)).state).toBe("undone");
  await answer(await gatherOrder());
});

test("a fix whose node falls silent is taken back, and so is told", async () => {
  const id = await previewed();
  await ask(security, "POST", `/benchmark-fixes/${id}/apply`);
  await finish((await orders()).find(({ applyFix }) => applyFix !== null)!, 1);
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await runBenchmarks({ store: server.store, clock: () => server.clock.now });
  expect(await stateOf(id)).toMatchObject({ state: "undoing", detail: expect.stringContaining("in time") });
});

test("of two who apply one preview at once, one does and the other is told so", async () => {
  const id = await previewed();
  const asked = await Promise.all([1, 2].map(() => ask(security, "POST", `/benchmark-fixes/${id}/apply`)));
  expect(asked.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(asked.find(({ status }) => status === 409)?.body).toMatchObject({
    title: expect.stringContaining("is applying"),
    next: expect.stringContaining("once"),
  });
  const applies = (await orders()).filter(({ applyFix }) => applyFix !== null);
  expect(applies.length).toBe(1);
  await finish(applies[0]!, 1);
  await answer(await gatherOrder(), { martians: "1" });
  const undone = await Promise.all([1, 2].map(() => ask(security, "POST", `/benchmark-fixes/${id}/undo`)));
  expect(undone.map(({ status }) => status).sort()).toEqual([200, 409]);
  const undos = (await orders()).filter(({ undoFix }) => undoFix !== null);
  expect(undos.length).toBe(1);
  await finish(undos[0]!, 1);
  await answer(await gatherOrder());
});

/** Applied by a node that has not answered for longer than an order is valid. */
async function silent(): Promise<{ id: number; asked: Order }> {
  const id = await previewed();
  await ask(security, "POST", `/benchmark-fixes/${id}/apply`);
  const asked = (await orders()).find(({ applyFix }) => applyFix !== null)!;
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await server.store.tenant(1, (db) => expireResponses(db, server.clock.now));
  await runBenchmarks({ store: server.store, clock: () => server.clock.now });
  expect(await stateOf(id)).toMatchObject({
    ...{ state: "failed", isUndoable: true, detail: expect.stringContaining("may have been made") },
  });
  return { id, asked };
}

test("a node that ended before it answered can be given back what it was", async () => {
  const { id, asked } = await silent();
  expect((await ask(security, "POST", `/benchmark-fixes/${id}/undo`)).body.state).toBe("undoing");
  const undo = (await orders()).find(({ undoFix }) => undoFix !== null)!;
  expect(undo.undoFix!.fixId).toBe(asked.applyFix!.fixId);
  // The node's late word on what is being undone changes nothing.
  await finish(asked, 1);
  expect((await stateOf(id)).state).toBe("undoing");
  await finish(undo, 1);
  expect((await stateOf(id)).state).toBe("undone");
  await answer(await gatherOrder());
});

test("what was to be undone and never was can be undone again, whether the node was away or somebody took it back", async () => {
  const { id } = await silent();
  const undo = async () => (await ask(security, "POST", `/benchmark-fixes/${id}/undo`)).body;
  const failed = { state: "failed", isUndoable: true, detail: expect.stringContaining("undo it again") };
  await undo();
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await server.store.tenant(1, (db) => expireResponses(db, server.clock.now));
  await runBenchmarks({ store: server.store, clock: () => server.clock.now });
  expect(await stateOf(id)).toMatchObject(failed);
  const { responseId } = await undo();
  expect((await ask(security, "POST", `/responses/${responseId}/refuse`)).status).toBe(200);
  await runBenchmarks({ store: server.store, clock: () => server.clock.now });
  expect(await stateOf(id)).toMatchObject(failed);
  expect((await undo()).state).toBe("undoing");
  await finish((await orders()).find(({ undoFix }) => undoFix !== null)!, 1);
  expect((await stateOf(id)).state).toBe("undone");
  await answer(await gatherOrder());
});

test("a preview that was never sent leaves nothing to undo", async () => {
  const { body } = await ask(operator, "POST", "/benchmark-fixes", { nodeId: node.id, check: "host-log-martians" });
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await server.store.tenant(1, (db) => expireResponses(db, server.clock.now));
  await runBenchmarks({ store: server.store, clock: () => server.clock.now });
  expect(await stateOf(body.id)).toMatchObject({ state: "failed", isUndoable: false });
});

test("what a node tells after it was started again counts, in an older sensor's words too", async () => {
  for (const [outcome, facts] of [
    [1, { path: "/etc/x" }],
    [2, {}],
  ] as const) {
    const { id, asked } = await silent();
    await finish(asked, outcome, facts);
    expect((await stateOf(id)).state).toBe("verifying");
    await answer(await gatherOrder(), { martians: "1" });
    expect((await stateOf(id)).state).toBe("applied");
  }
  const { id, asked } = await silent();
  await finish(asked, 2, { path: "/etc/x" });
  expect((await stateOf(id)).state).toBe("unchanged");
});

test("a preview that names no digest of what it saw is none", async () => {
  const { body } = await ask(operator, "POST", "/benchmark-fixes", { nodeId: node.id, check: "host-log-martians" });
  await finish((await orders()).find(({ applyFix }) => applyFix !== null)!, 1, { diff: "+x\n", before: "zz" });
  expect(await stateOf(body.id)).toMatchObject({ state: "failed", isUndoable: false });
  expect((await ask(security, "POST", `/benchmark-fixes/${body.id}/undo`)).status).toBe(409);
});

test("a check without a safe fix is told to be fixed by hand", async () => {
  const answered = await ask(security, "POST", "/benchmark-fixes", { nodeId: node.id, check: "host-second-root" });
  expect(answered).toMatchObject({ status: 409, body: { next: expect.stringContaining("by hand") } });
});

test("schedules start runs when they are due", async () => {
  const made = await ask(security, "POST", "/benchmark-schedules", {
    name: "nightly",
    cron: "0 3 * * *",
    profile: "essential",
  });
  expect(made.status).toBe(201);
  server.clock.now = new Date(Date.parse(made.body.nextAt) + 1_000);
  security = { ...security, bearer: await server.token(security, SCOPES_OF.security) };
  await runBenchmarks({ store: server.store, clock: () => server.clock.now });
  const { items } = (await ask(security, "GET", "/benchmark-runs")).body;
  expect(items[0]).toMatchObject({ cause: "schedule", createdBy: "nightly", profile: "essential" });
  await answer(await gatherOrder());
  expect(
    (await ask(security, "POST", "/benchmark-schedules", { name: "x", cron: "0 3 * * *", profile: "none" })).status,
  ).toBe(400);
});

const object = (kind: string, name: string, document: object, namespace = ""): SeenObject => {
  return {
    uid: `${kind}-${namespace}-${name}`,
    apiVersion: "v1",
    kind,
    namespace,
    name,
    document: { metadata: { name }, ...document },
  };
};
const deployment = (namespace: string) =>
  object(
    "Deployment",
    "cart",
    { spec: { template: { metadata: {}, spec: { hostPID: true, containers: [{ name: "a", image: "shop" }] } } } },
    namespace,
  );

const enrolled = (db: TenantQueries, id: number, version: string) =>
  db
    .updateTable("cluster" as never)
    .set({ enrolled_at: server.clock.now, version } as never)
    .where("id" as never, "=", id as never)
    .execute();

test("a cluster is judged by what it told of whole; a namespace's exception leaves the others alone", async () => {
  const { store, clock } = server;
  const clusterId = (await store.tenant(1, async (db) => {
    const id = (await addCluster(db, 1, {
      uid: "cluster-1",
      name: "prod",
      grade: null,
      ownerId: null,
      now: clock.now,
    }))!;
    await enrolled(db, id, "v1.20.1");
    await enterEpoch(db, id, "e1", clock.now);
    const made = (kind: string, name: string, uid: string, spec = {}) =>
      object(kind, name, { metadata: { ownerReferences: [{ controller: true, uid }] }, ...spec }, "shop");
    const pod = { spec: { hostPID: true, containers: [] } };
    const owned = [
      made("ReplicaSet", "cart", "Deployment-shop-cart"),
      made("Pod", "cart-1", "ReplicaSet-shop-cart", pod),
    ];
    // A pod only says that somebody else made it.
    const stray = ["nobody", "Deployment-shop-cart", "ReplicaSet-bank-other", "Pod-shop-stray-3"].map((uid, at) =>
      made("Pod", `stray-${at}`, uid, pod),
    );
    const other = object("ReplicaSet", "other", { spec: {} }, "bank");
    await keepObjects(db, id, {
      epoch: "e1",
      now: clock.now,
      objects: [deployment("shop"), deployment("bank"), ...owned, ...stray, other],
    });
    await settleKinds(db, id, { epoch: "e1", kinds: WORKLOAD_KINDS });
    return id;
  })) as number;
  await run({ profile: "strict", clusters: [clusterId] });
  const result = async (check: string) =>
    (await ask(security, "GET", `/benchmark-results?clusterId=${clusterId}&check=${check}`)).body.items[0];
  const failing = await result("workload-host-pid");
  expect(failing).toMatchObject({
    outcome: "fail",
    judged: 6,
    faulty: 6,
  });
  const places = failing.places as readonly { kind: string; namespace: string; name: string }[];
  expect(places.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).sort()).toEqual([
    ...["Deployment bank/cart", "Deployment shop/cart"],
    ...[0, 1, 2, 3].map((at) => `Pod shop/stray-${at}`),
  ]);
  // Roles were never told of, so nobody knows who may do what.
  expect(await result("rbac-wildcard")).toMatchObject({ outcome: "undetermined" });
  const until = new Date(clock.now.getTime() + 86_400_000).toISOString().slice(0, 10);
  const body = { check: "workload-host-pid", scope: "namespace", namespace: "shop", reason: "x", until };
  const made = await ask(security, "POST", "/benchmark-exceptions", body);
  await ask(second, "POST", `/benchmark-exceptions/${made.body.id}/approve`);
  expect(await result("workload-host-pid")).toMatchObject({
    outcome: "fail",
    judged: 1,
    places: [{ namespace: "bank" }],
  });
});

test("a kind that the agent may not read any more is undetermined, though what was known of it stays", async () => {
  const { store, clock } = server;
  const replica = { replica: "agent-1", now: clock.now };
  const clusterId = (await store.tenant(1, async (db) => {
    const made = { uid: "cluster-2", name: "blind", grade: null, ownerId: null, now: clock.now };
    const id = (await addCluster(db, 1, made))!;
    await enrolled(db, id, "v1.30.1");
    await enterEpoch(db, id, "e1", clock.now);
    await keepObjects(db, id, { epoch: "e1", now: clock.now, objects: [deployment("market")] });
    await settleKinds(db, id, { epoch: "e1", kinds: WORKLOAD_KINDS });
    const hello = { gateway: "g", roles: ["agent"], version: "v1.30.1", agentVersion: "1", ...replica };
    await connectReplica(db, id, hello);
    return id;
  }))!;
  const outcome = async (missing: readonly string[]) => {
    await store.tenant(1, (db) => recordReplicaHealth(db, clusterId, { ...replica, health: { leads: true, missing } }));
    await run({ profile: "strict", clusters: [clusterId] });
    await store.tenant(1, (db) => judgeWaiting(db, clock.now));
    const { body } = await ask(security, "GET", `/benchmark-results?clusterId=${clusterId}&check=workload-host-pid`);
    return body.items[0].outcome;
  };
  expect(await outcome([])).toBe("fail");
  expect(await outcome(["v1/Pod"])).toBe("undetermined");
  expect(await outcome(["v1/Secret"])).toBe("fail");
});

test("versions of components are held against advisories, and unknown ones are undetermined", async () => {
  await run();
  const packages = [{ manager: "dpkg", name: "containerd.io", version: "1.4.2-1", source: "", sourceVersion: "" }];
  const builds = [
    {
      program: "runc",
      path: "/usr/bin/runc",
      module: "github.com/opencontainers/runc",
      version: "1.1.11",
      goVersion: "go1.21",
    },
    {
      program: "dockerd",
      path: "/usr/bin/dockerd",
      module: "github.com/docker/docker",
      version: "(devel)",
      goVersion: "go1.21",
    },
  ];
  await answer(await gatherOrder(), { packages, builds });
  const database = await openDatabase(undefined);
  await matchComponents({ store: server.store, tools: { database: async () => database } });
  database.close();
  const { items } = (await ask(security, "GET", `/component-flaws?limit=100`)).body;
  const found = (name: string) =>
    items.find((each: { name: string; nodeId: number }) => each.name === name && each.nodeId === node.id);
  expect(found("runc")).toMatchObject({ state: "flawed", version: "1.1.11" });
  expect(found("runc").flaws.map(({ id }: { id: string }) => id)).toContain("CVE-2024-21626");
  expect(found("containerd")).toMatchObject({
    state: "flawed",
    flaws: expect.arrayContaining([expect.objectContaining({ id: "CVE-2020-15257" })]),
  });
  expect(found("dockerd")).toMatchObject({
    state: "undetermined",
    version: "",
    why: expect.stringContaining("not known"),
  });
  expect(found("linux")).toMatchObject({ state: "undetermined", version: "6.1" });
});

test("an alert names the checks that would have made it harder, where they fail", async () => {
  await run();
  await answer(await gatherOrder());
  const [alert] = await server.store.tenant(1, async (db) => {
    const facts = { techniques: [{ id: "T1557.002" }] };
    const place = {
      container: "",
      containerName: "",
      image: "",
      imageDigest: "",
      namespace: "",
      pod: "",
      process: "x",
      exe: "/x",
    };
    const made = {
      ...place,
      foldKey: "k",
      rule: "R",
      title: "t",
      severity: "high" as const,
      tags: [],
      nodeId: node.id,
      facts,
    };
    return raiseAlerts(db, [
      { ...made, pid: 5, processStart: 1, at: server.clock.now, count: 1, blocked: false, batchId: 1, position: 0 },
    ]);
  });
  const { body } = await ask(security, "GET", `/alerts/${alert!.id}/hardening`);
  // Redirects were not told of: that may be the cause as well, but what is absent here is no fault.
  expect(body.items.every(({ outcome }: { outcome: string }) => outcome !== "pass")).toBe(true);
  await run();
  const sysctls = [{ name: "net.ipv4.conf.all.accept_redirects", value: "1", state: PRESENT }];
  await answer(await gatherOrder(), { sysctls });
  const again = await ask(security, "GET", `/alerts/${alert!.id}/hardening`);
  expect(again.body.items).toContainEqual(
    expect.objectContaining({ check: "host-accept-redirects", outcome: "fail", fixable: true }),
  );
});

test("results go out as CSV that no spreadsheet takes for formulas", async () => {
  const { status, body } = await ask(security, "GET", `/benchmark-results.csv?nodeId=${node.id}&outcomes=fail`);
  expect(status).toBe(200);
  expect(String(body).split("\r\n").slice(0, 2)).toEqual([
    expect.stringMatching(/^place,check/),
    expect.stringMatching(/^node-1,/),
  ]);
});

test("results come with the most severe first, page by page, and of the chosen severities alone", async () => {
  type Listed = { items: { severity: string; check: string; targetId: number }[]; next?: string };
  const list = async (query: string) =>
    (await ask(security, "GET", `/benchmark-results?nodeId=${node.id}&${query}`)).body as Listed;
  const whole = (await list("limit=500")).items;
  const ranks = whole.map(({ severity }) => (SEVERITIES as readonly string[]).indexOf(severity));
  expect(new Set(ranks).size).toBeGreaterThan(2);
  expect(ranks).toEqual(ranks.toSorted((one, other) => one - other));
  const paged: Listed["items"] = [];
  let cursor = "";
  do {
    const page = await list(`limit=7${cursor}`);
    paged.push(...page.items);
    cursor = page.next === undefined ? "" : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== "");
  expect(paged).toEqual(whole);
  const chosen = (await list("limit=500&severities=high,low")).items;
  expect(chosen).toEqual(whole.filter(({ severity }) => severity === "high" || severity === "low"));
  expect((await ask(security, "GET", "/benchmark-results?severities=odd")).status).toBe(400);
});

test("results of what there is not are refused, and not empty", async () => {
  for (const query of ["nodeId=999999", "clusterId=999999", "check=nope"]) {
    expect(await ask(security, "GET", `/benchmark-results?${query}`), query).toMatchObject({ status: 404 });
    expect(await ask(security, "GET", `/benchmark-results.csv?${query}`), query).toMatchObject({ status: 404 });
  }
});

test("an answer of another node to this node's order is not taken", async () => {
  await run();
  const asked = await gatherOrder();
  const { nodeId } = await seedRuntime(server.store, 1, server.clock.now);
  const facts = upstream.decode(upstream.encode({ facts: { orderId: asked.id } })).facts!;
  await server.store.tenant(1, (db) => onFacts(db, { ...node, id: nodeId }, facts, server.clock.now));
  expect(
    await server.store.tenant(1, (db) =>
      endResponse(db, nodeId, { uid: asked.id, state: "done", detail: "", facts: {}, at: server.clock.now }),
    ),
  ).toBeUndefined();
  expect((await gatherOrder()).id).toBe(asked.id);
});
