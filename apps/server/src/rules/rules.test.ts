import type { RuntimeEvent } from "@bulwark/model";
import { getAlert, listAlerts, type StoredAlert } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runtimeEvents } from "../gateway/runtime-events.ts";
import { EVENT_TYPES, eventBatch } from "../gateway/wire.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { openRuleBook, type RuleBook } from "./rule-book.ts";

const OWN = `
- rule: Owl called
  desc: somebody runs owl
  condition: evt.type = execve and container.id != host and proc.name = owl
  output: owl was run (command=%proc.cmdline)
  priority: CRITICAL
  tags: [T1059]
`;
let server: TestApp;
let security: TestAccount;
let book: RuleBook;
beforeAll(async () => {
  server = await openTestApp();
  security = await server.account("security");
  await seedRuntime(server.store, 1, server.clock.now);
  book = await openRuleBook(server.store, () => server.clock.now);
});
afterAll(async () => {
  await book.close();
  await server.close();
});

async function ask(method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: object) {
  const answer = await server.app.inject({
    ...{ method, url: `/api/v1${url}`, headers: security.bearer },
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

function started(name: string, image = "shop:1", args: readonly string[] = [name]): RuntimeEvent {
  const bytes = eventBatch.encode({
    containers: [{ id: "c1", name: "web", image }],
    processes: [{ pid: 9, startUs: 5, name, exe: `/usr/bin/${name}`, arguments: [...args], container: 1 }],
    events: [{ type: EVENT_TYPES.EXECVE, timeUs: 1, process: 1 }],
  });
  return runtimeEvents(eventBatch.decode(bytes))[0]!;
}

const seen = async (event: RuntimeEvent) => (await book.inspect(1, 7, [event])).map(({ alert }) => alert.rule);
/** What was changed reaches a gateway when it is told of it. */
const untilSeen = (event: RuntimeEvent, rules: readonly string[]) =>
  expect.poll(() => seen(event), { timeout: 10_000 }).toEqual(rules);

test("all rules that are shipped work, and each says whether it can block or why not", async () => {
  const { body } = await ask("GET", "/runtime-rules");
  expect(body.problems).toEqual([]);
  expect(body.items.length).toBeGreaterThan(60);
  for (const rule of body.items) {
    expect(rule).toMatchObject({ shipped: true, mode: "alert" });
    expect(rule.blockable).toBe(rule.whyNotBlockable === "");
  }
  expect(body.items.some(({ blockable }: { blockable: boolean }) => blockable)).toBe(true);
});

test("rules over audit events are among them: they can be off, and they cannot block", async () => {
  const rule = "Command run in a pod through the API";
  const shown = async () =>
    (await ask("GET", "/runtime-rules")).body.items.find(({ name }: { name: string }) => name === rule);
  expect(await shown()).toMatchObject({ shipped: true, mode: "alert", blockable: false });
  expect((await ask("PUT", "/runtime-rules/modes", { rule, mode: "block" })).status).toBe(409);
  expect((await ask("PUT", "/runtime-rules/modes", { rule, mode: "off" })).status).toBe(200);
  expect(await shown()).toMatchObject({ mode: "off" });
  expect((await ask("PUT", "/runtime-rules/modes", { rule, mode: "alert" })).status).toBe(200);
});

test("a rule of one's own is checked, then sees what it is for", async () => {
  const broken = await ask("PUT", "/rule-files", {
    name: "own.yaml",
    content: "- rule: X\n  condition: proc.name =\n",
    dryRun: true,
  });
  expect(broken.body).toMatchObject({
    file: null,
    rules: 0,
    problems: [{ level: "error", file: "own.yaml" }, ...broken.body.problems.slice(1)],
  });
  expect(broken.body.problems[0].line).toBeGreaterThan(0);
  expect((await ask("GET", "/rule-files")).body.items.map(({ name }: { name: string }) => name)).not.toContain(
    "own.yaml",
  );
  expect(await seen(started("owl"))).not.toContain("Owl called");
  const put = await ask("PUT", "/rule-files", { name: "own.yaml", content: OWN });
  expect(put.body).toMatchObject({ rules: 1, problems: [] });
  await untilSeen(started("owl"), ["Owl called"]);
});

test("a rule is off where an exception says so, and nowhere else", async () => {
  await ask("PUT", "/runtime-rules/modes", {
    rule: "Owl called",
    mode: "off",
    scope: { host: false, images: ["test/*"] },
  });
  await untilSeen(started("owl", "test/a:1"), []);
  expect(await seen(started("owl", "shop:1"))).toEqual(["Owl called"]);
  const everywhere = await ask("PUT", "/runtime-rules/modes", { rule: "Owl called", mode: "off" });
  await untilSeen(started("owl", "shop:1"), []);
  await ask("DELETE", `/runtime-rules/modes/${everywhere.body.id}`);
  await untilSeen(started("owl", "shop:1"), ["Owl called"]);
});

test("a rule that blocks goes to the nodes as a block in containers, and what it refused is an alert of the rule", async () => {
  const before = await book.policyOf(1, 7);
  await ask("PUT", "/runtime-rules/modes", { rule: "Owl called", mode: "block", scope: { images: ["shop:*"] } });
  await expect.poll(async () => (await book.policyOf(1, 7)).revision, { timeout: 10_000 }).not.toBe(before.revision);
  const { policy } = await book.policyOf(1, 7);
  const block = policy.blocks?.find(({ rule }) => rule === "Owl called");
  expect(block).toMatchObject({ exec: { names: ["owl"] }, scope: { host: false, images: ["shop:*"] } });
  const refused = { ...started("owl"), type: "blocked" as const, blockId: block?.id ?? "", path: "/usr/bin/owl" };
  const [found] = await book.inspect(1, 7, [refused]);
  expect(found?.alert).toMatchObject({ rule: "Owl called", blocked: true, severity: "critical" });
});

test("who watches policies is told when the new one is there, not before", async () => {
  const before = (await book.policyOf(1, 7)).revision;
  const { promise, resolve } = Promise.withResolvers<number>();
  book.watch(() => void book.policyOf(1, 7).then(({ revision }) => resolve(revision)));
  await ask("PUT", "/runtime-rules/modes", { rule: "Owl called", mode: "block", scope: { images: ["farm:*"] } });
  expect(await promise).not.toBe(before);
});

test("a rule that cannot block says so when it is asked to", async () => {
  const { body } = await ask("GET", "/runtime-rules");
  const rule = body.items.find(({ blockable }: { blockable: boolean }) => !blockable);
  const answer = await ask("PUT", "/runtime-rules/modes", { rule: rule.name, mode: "block" });
  expect(answer).toMatchObject({ status: 409, body: { title: expect.stringContaining(rule.whyNotBlockable) } });
  expect((await ask("PUT", "/runtime-rules/modes", { rule: "no such rule", mode: "off" })).status).toBe(404);
});

test("what is accepted raises nothing until its time is up, and an invalid condition is refused", async () => {
  const entry = await ask("POST", "/allow-entries", {
    rule: "Owl called",
    condition: "proc.args contains good",
    reason: "known",
  });
  await untilSeen(started("owl", "other:1", ["owl", "good"]), []);
  expect(await seen(started("owl", "other:1", ["owl", "bad"]))).toEqual(["Owl called"]);
  await ask("DELETE", `/allow-entries/${entry.body.id}`);
  await untilSeen(started("owl", "other:1", ["owl", "good"]), ["Owl called"]);
  expect((await ask("POST", "/allow-entries", { condition: "proc.name ==", reason: "x" })).status).toBe(400);
});

test("one click on an alert accepts just what it saw", async () => {
  const [stored] = (await server.store.tenant(1, (db) => listAlerts(db, { limit: 1 }))) as [StoredAlert];
  const answer = await ask("POST", `/alerts/${stored.id}/allow`, { where: "container", reason: "a debug shell" });
  expect(answer).toMatchObject({
    status: 201,
    body: { rule: stored.rule, condition: expect.stringContaining('proc.exepath = "/bin/sh"') },
  });
  expect(await server.store.tenant(1, (db) => getAlert(db, stored.id))).toMatchObject({ state: "allowed" });
});

test("a list of indicators is read line by line, and its domains are seen", async () => {
  const list = "# bad\nevil[.]example\n203.0.113.7\nnot an indicator at all\n";
  expect((await ask("POST", "/indicators", { source: "feed", list, days: 7 })).body).toEqual({
    read: 2,
    changed: 2,
    refused: 1,
  });
  const asked = { ...started("curl"), type: "dns" as const, dnsName: "www.evil.example", path: "" };
  await expect.poll(() => seen(asked), { timeout: 10_000 }).toContain("Known hostile domain asked for");
});

test("a story is told as a graph, as text, and as a page that runs nothing", async () => {
  const [stored] = (await server.store.tenant(1, (db) => listAlerts(db, { limit: 1 }))) as [StoredAlert];
  const { body } = await ask("GET", `/alerts/${stored.id}/story`);
  expect(body.steps).toMatchObject([{ rule: stored.rule }]);
  const page = await server.app.inject({
    url: `/api/v1/alerts/${stored.id}/story?format=html`,
    headers: security.bearer,
  });
  expect(page.headers["content-disposition"]).toContain("attachment");
  expect(page.body).not.toContain("<script");
});
