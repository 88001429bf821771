import type { RuntimeEvent } from "@bulwark/model";
import { announce, recordContainers, recordExposures, type SeenContainer } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runtimeContainer, runtimeEvents } from "../gateway/runtime-events.ts";
import { EVENT_TYPES, eventBatch } from "../gateway/wire.ts";
import { openRuleBook, type RuleBook } from "../rules/rule-book.ts";
import { seedRuntime } from "../testing/seed-runtime.ts";
import { seedTenant } from "../testing/tenant-fixture.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";

const RULE = `
- rule: Owl called
  desc: somebody runs owl
  condition: evt.type = execve and container.id != host and proc.name = owl
  output: owl was run (command=%proc.cmdline)
  priority: WARNING
  tags: [T1059]
`;
const PORT = { how: "published", address: "0.0.0.0", port: 8_080, containerPort: 80, protocol: "tcp" } as const;
let server: TestApp;
let admin: TestAccount;
let book: RuleBook;
let nodeId: number;
let digest: string;
beforeAll(async () => {
  server = await openTestApp();
  admin = await server.account("admin");
  // A registry, with a repository and an image.
  digest = (await seedTenant(server, admin)).get("images")!;
  ({ nodeId } = await seedRuntime(server.store, 1, new Date(server.clock.now.getTime() + 1_000)));
  await ask("PUT", "/rule-files", { name: "own.yaml", content: RULE });
  book = await openRuleBook(server.store, () => server.clock.now);
  await book.policyOf(1, nodeId);
});
afterAll(async () => {
  await book.close();
  await server.close();
});

async function ask(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", url: string, payload?: object) {
  const answer = await server.app.inject({
    ...{ method, url: `/api/v1${url}`, headers: admin.bearer },
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

/** A container as its sensor tells of it. */
function container(id: string, over: object = {}): SeenContainer {
  const wire = eventBatch.decode(eventBatch.encode({ containers: [{ id, name: id, image: "shop:1", ...over }] }));
  return { ...runtimeContainer(wire.containers[0]!), state: "running", arguments: [] };
}

async function runs(...containers: readonly SeenContainer[]): Promise<void> {
  await server.store.tenant(1, async (db) => {
    await recordContainers(db, nodeId, containers, server.clock.now);
    await announce(db, { topic: "containers", id: "" });
  });
}

async function exposes(...ids: readonly string[]): Promise<void> {
  await server.store.tenant(1, async (db) => {
    await recordExposures(db, nodeId, new Map(ids.map((id) => [id, [PORT]])));
    await announce(db, { topic: "containers", id: "" });
  });
}

/** What rules make of an event in a container, as the gateway hands it to them. */
async function judged(id: string, event: object = { type: EVENT_TYPES.EXECVE }, over: object = {}) {
  const bytes = eventBatch.encode({
    containers: [{ id, name: id, image: "shop:1", ...over }],
    processes: [{ pid: 9, startUs: 5, name: "owl", exe: "/usr/bin/owl", arguments: ["owl"], container: 1 }],
    events: [{ timeUs: 1, process: 1, ...event }],
  });
  const events: readonly (RuntimeEvent | undefined)[] = runtimeEvents(
    eventBatch.decode(bytes),
    await book.markerOf(1, nodeId),
  );
  const [found] = await book.inspect(1, nodeId, events);
  return found?.alert;
}

const named = async (query: string) => {
  const { items } = (await ask("GET", `/containers?running=true&${query}`)).body;
  return items.map(({ name }: { name: string }) => name);
};

test("containers that others can reach are told apart, with the ports by which they are reached", async () => {
  await runs(container("reached"), container("hidden"));
  await exposes("reached");
  expect(await named("exposed=true")).toEqual(["reached"]);
  expect(await named("exposed=false")).toContain("hidden");
  const { items } = (await ask("GET", "/containers?exposed=true")).body;
  expect(items[0].exposure).toEqual([PORT]);
  expect((await ask("GET", "/assets")).body.exposedContainers).toBe(1);
  await exposes();
  expect(await named("exposed=true")).toEqual([]);
});

test("an alert in an exposed container counts a step worse, and says what its rule says", async () => {
  await runs(container("reached"), container("hidden"));
  await exposes("reached");
  await expect.poll(async () => (await judged("reached"))?.severity, { timeout: 10_000 }).toBe("high");
  expect(await judged("reached")).toMatchObject({ exposed: true, facts: { raisedFrom: "medium" } });
  const inner = await judged("hidden");
  expect(inner).toMatchObject({ severity: "medium", exposed: false });
  expect(inner?.facts).not.toHaveProperty("raisedFrom");
});

test("a container in the node's network that begins to listen is exposed from then on, before its node tells of its ports", async () => {
  const over = { hostNetwork: true };
  expect(await judged("late", undefined, over)).toMatchObject({ severity: "medium" });
  await judged("late", { type: EVENT_TYPES.LISTEN, localAddress: "127.0.0.1", localPort: 80, family: 2 }, over);
  expect(await judged("late", undefined, over)).toMatchObject({ severity: "medium" });
  await judged("late", { type: EVENT_TYPES.LISTEN, localAddress: "0.0.0.0", localPort: 80, family: 2 }, over);
  expect(await judged("late", undefined, over)).toMatchObject({ severity: "high" });
});

test("a rule may be stricter where others reach: its block names the containers that are exposed now", async () => {
  await exposes("reached");
  const scope = { host: false, exposed: true };
  await ask("PUT", "/runtime-rules/modes", { rule: "Owl called", mode: "off" });
  const strict = await ask("PUT", "/runtime-rules/modes", { rule: "Owl called", mode: "block", scope });
  expect(strict.status).toBe(200);
  const blocked = async () => {
    const { policy } = await book.policyOf(1, nodeId);
    return policy.blocks?.filter(({ rule }) => rule === "Owl called").map((block) => block.scope?.containerIds);
  };
  await expect.poll(blocked, { timeout: 10_000 }).toEqual([["late", "reached"]]);
  // Events are judged by what was known before for as long as rules are being loaded.
  await expect.poll(() => judged("hidden"), { timeout: 10_000 }).toBeUndefined();
  expect(await judged("reached")).toMatchObject({ rule: "Owl called" });
  const told = new Promise<number>((resolve) => book.watch(resolve));
  await exposes("reached", "hidden");
  expect(await told).toBe(1);
  expect(await blocked()).toEqual([["hidden", "late", "reached"]]);
  await ask("DELETE", `/runtime-rules/modes/${strict.body.id}`);
});

test("a container of an image that no registry has is self-built, whoever started it", async () => {
  const pod = { namespace: "shop", pod: "shop-1" };
  const ours = container("ours", { image: "elsewhere.example.org/app:1", imageDigest: digest });
  const unscanned = container("unscanned", { image: "registry.example.org/library/other:2", imageDigest: "sha256:b" });
  await runs(ours, unscanned, container("built", { ...pod, imageDigest: "sha256:c" }));
  expect(await named("selfBuilt=true")).toEqual(expect.arrayContaining(["built"]));
  expect(await named("selfBuilt=false")).toEqual(expect.arrayContaining(["ours", "unscanned"]));
  expect(await named("selfBuilt=false")).not.toContain("built");
});

test("who answers for a container is known by its labels, its image's place, or its node, and it says by which", async () => {
  const { id: ownerId } = (await ask("POST", "/owners", { name: "Node people" })).body;
  const labels = { maintainer: "Somebody <s@example.org>", "example.org/team": "payments" };
  await runs(
    container("labelled", { labels }),
    container("pulled", { imageDigest: digest, labels: { maintainer: "x" } }),
    container("made", { labels: { maintainer: "Somebody <s@example.org>" } }),
    container("bare"),
  );
  const ownerOf = async (name: string) => (await ask("GET", `/containers?text=${name}`)).body.items[0].owner;
  expect(await ownerOf("labelled")).toEqual({ name: "payments", from: "label", detail: "example.org/team" });
  expect(await ownerOf("made")).toEqual({ name: labels.maintainer, from: "label", detail: "maintainer" });
  expect(await ownerOf("bare")).toBeNull();
  const { items } = (await ask("GET", "/repositories")).body;
  await ask("PATCH", `/repositories/${items[0].id}`, { ownerId });
  expect(await ownerOf("pulled")).toEqual({ name: "Node people", from: "repository", detail: items[0].name });
  expect((await ask("PATCH", `/nodes/${nodeId}`, { ownerId })).body.owner).toEqual({
    id: ownerId,
    name: "Node people",
  });
  expect(await ownerOf("bare")).toMatchObject({ name: "Node people", from: "node" });
  expect(await ownerOf("made")).toMatchObject({ from: "node" });
  expect((await ask("PATCH", `/nodes/${nodeId}`, { ownerId: 1_000_000 })).status).toBe(404);
});
