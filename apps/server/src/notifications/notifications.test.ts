import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addJob, giveNotice, setRegistryState } from "@bulwark/store";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ROLE_SCOPES } from "../access.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { deliverForTenant } from "./deliver.ts";
import { type HttpReceiver, startHttpReceiver } from "./testing/http-receiver.ts";
import { MAIL_PASSWORD, MAIL_USER, startMailReceiver } from "./testing/mail-receiver.ts";

const SECRET = "a secret of more than sixteen characters";
const PROTOTYPE_POLLUTION = "CVE-2019-10744";
const log = pino({ level: "silent" });

let server: TestApp;
let images: ScannedImages;
let receiver: HttpReceiver;
let admin: TestAccount;
let security: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, 1, () => server.clock.now);
  admin = await server.account("admin");
  security = await server.account("security");
});
afterAll(async () => {
  images.close();
  await server.close();
});
beforeEach(async () => {
  receiver = await startHttpReceiver({ status: 200, body: "{}" });
});
afterEach(async () => {
  for (const { id } of (await ask(admin, "GET", "/notification-rules")).body.items) {
    await ask(admin, "DELETE", `/notification-rules/${id}`);
  }
  for (const { id } of (await ask(admin, "GET", "/channels")).body.items) await ask(admin, "DELETE", `/channels/${id}`);
  await receiver.close();
});

const ask = async (who: TestAccount, method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) => {
  const headers = await server.token(who, ROLE_SCOPES[who === admin ? "admin" : "security"]);
  const answer = await server.app.inject({
    method,
    url: `/api/v1${url}`,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
};
const deliver = () => {
  const { store, secrets, clock } = server;
  return deliverForTenant({ store, secrets, clock: () => clock.now, log, attemptMs: 2_000 }, 1);
};
const later = (seconds: number) => {
  server.clock.now = new Date(server.clock.now.getTime() + seconds * 1_000);
};
const webhook = (settings: object = {}) => ({
  name: `hook ${names++}`,
  kind: "webhook",
  address: `${receiver.url}/hook`,
  secret: SECRET,
  allowPrivate: true,
  ...settings,
});
let names = 0;
const channelAndRule = async (channel: object, rule: object): Promise<number> => {
  const made = await ask(admin, "POST", "/channels", channel);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  const added = await ask(admin, "POST", "/notification-rules", {
    name: `rule ${names++}`,
    channelIds: [made.body.id],
    ...rule,
  });
  expect(added.status, JSON.stringify(added.body)).toBe(201);
  return made.body.id;
};
const withLodash = (version: string) => ({
  layers: [
    { files: { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n' } },
    { files: { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version }) } },
  ],
  config: { User: "1000", Healthcheck: { Test: ["CMD", "true"] } },
});
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));
const sectionOf = (event: string) =>
  bodies().flatMap(({ sections }) => sections.filter((each: { event: string }) => each.event === event));

test("risks that a scan opens, fixes and sees again reach the channel, each event as one message", async () => {
  await channelAndRule(webhook(), { events: ["risk.opened", "risk.fixed", "risk.reopened"] });
  await images.push("notify/shop", "latest", withLodash("4.17.4"));
  await deliver();
  const [opened] = sectionOf("risk.opened");
  expect(opened.total).toBeGreaterThan(2);
  expect(opened.items.map(({ finding }: { finding: string }) => finding)).toContain(PROTOTYPE_POLLUTION);
  expect(receiver.received).toHaveLength(1);
  later(60);
  await images.push("notify/shop", "latest", withLodash("4.17.21"));
  await deliver();
  expect(sectionOf("risk.fixed")).toMatchObject([{ total: opened.total }]);
  later(60);
  await images.push("notify/shop", "latest", withLodash("4.17.4"));
  await deliver();
  expect(sectionOf("risk.reopened")).toMatchObject([{ total: opened.total }]);
  await deliver();
  expect(receiver.received).toHaveLength(3);
});

test("what is rolled back is not told, and what nobody asked for is not written", async () => {
  await giveRisks("notify/none", "risk.opened");
  await deliver();
  await channelAndRule(webhook(), { events: ["risk.opened"] });
  const failing = server.store.tenant(1, async (db) => {
    await giveNotice(db, "risk.opened", { risks: [1] }, server.clock.now);
    throw new Error("the change fails");
  });
  await expect(failing).rejects.toThrow("the change fails");
  await deliver();
  expect(receiver.received).toHaveLength(0);
});

test("rules choose by owner, grade, severity and kind", async () => {
  const { body: owner } = await ask(admin, "POST", "/owners", { name: "payments", email: "payments@example.org" });
  await images.push("notify/routed", "latest", withLodash("4.17.4"));
  await place("notify/routed", owner.id, "critical");
  const cases = [
    { ownerIds: [owner.id] },
    { grades: ["critical"] },
    { minSeverity: "critical" },
    { kinds: ["vulnerability"], ownerIds: [owner.id], grades: ["critical", "high"] },
    { grades: ["low"] },
    { kinds: ["malware"] },
  ];
  const ids: number[] = [];
  for (const filter of cases) ids.push(await channelAndRule(webhook(), { events: ["risk.reopened"], ...filter }));
  await giveRisks("notify/routed", "risk.reopened");
  await deliver();
  const told = async (id: number) => (await ask(admin, "GET", `/deliveries?channel=${id}`)).body.items.length;
  expect(await Promise.all(ids.map(told))).toEqual([1, 1, 1, 1, 0, 0]);
  const severities = bodies().map(({ sections }) => Object.keys(sections[0].severities).sort().join());
  expect(severities).toContain("critical");
});

test("owners are written to at their own addresses, each of what is theirs; what nobody owns goes to the channel's", async () => {
  const mailDirectory = mkdtempSync(join(tmpdir(), "bulwark-owners-"));
  const mail = await startMailReceiver(mailDirectory);
  const owners: Record<string, number> = {};
  for (const name of ["search", "basket"]) {
    const made = await ask(admin, "POST", "/owners", { name, email: `${name}@example.org` });
    owners[name] = made.body.id;
    await images.push(`notify/${name}`, "latest", withLodash("4.17.4"));
    await place(`notify/${name}`, made.body.id, "high");
  }
  await images.push("notify/orphan", "latest", withLodash("4.17.4"));
  const channel = {
    name: "mail to owners",
    kind: "email",
    address: `smtp://127.0.0.1:${mail.port}`,
    secret: MAIL_PASSWORD,
    username: MAIL_USER,
    from: "bulwark@example.org",
    to: ["security@example.org"],
    caPem: mail.caPem,
    allowPrivate: true,
  };
  await channelAndRule(channel, { events: ["risk.reopened"], toOwner: true });
  for (const name of ["search", "basket", "orphan"]) await giveRisks(`notify/${name}`, "risk.reopened");
  await deliver();
  const arrived = Object.fromEntries(mail.received.map(({ to, text }) => [to.join(), text]));
  expect(Object.keys(arrived).sort()).toEqual(["basket@example.org", "search@example.org", "security@example.org"]);
  expect(arrived["search@example.org"]).toContain("notify/search");
  expect(arrived["search@example.org"]).not.toMatch(/notify\/(basket|orphan)/);
  expect(arrived["security@example.org"]).toContain("notify/orphan");
  await mail.close();
  rmSync(mailDirectory, { recursive: true });
});

test("an answer of 500 is tried again with growing pauses, and delivered once", async () => {
  const id = await channelAndRule(webhook(), { events: ["risk.opened"] });
  receiver.answerNext({ status: 500 }, { status: 502 });
  await giveRisks("notify/shop", "risk.opened");
  await deliver();
  await deliver();
  expect(receiver.received).toHaveLength(1);
  later(31);
  await deliver();
  expect(receiver.received).toHaveLength(2);
  later(31);
  await deliver();
  expect(receiver.received).toHaveLength(2);
  later(90);
  await deliver();
  const { body } = await ask(admin, "GET", `/deliveries?channel=${id}`);
  expect(body.items).toMatchObject([{ state: "delivered", attempts: 3, problem: "" }]);
  const { body: detail } = await ask(admin, "GET", `/deliveries/${body.items[0].id}`);
  expect(detail.log.map(({ status }: { status: number }) => status)).toEqual([500, 502, 200]);
  expect(new Set(receiver.received.map(({ headers }) => headers["x-bulwark-delivery"])).size).toBe(1);
});

test("a receiver that is busy is called when it said, one that refuses is not called again", async () => {
  const id = await channelAndRule(webhook(), { events: ["risk.opened"] });
  receiver.answerNext({ status: 429, headers: { "retry-after": "600" } }, { status: 410, body: "gone" });
  await giveRisks("notify/shop", "risk.opened");
  await deliver();
  later(500);
  await deliver();
  expect(receiver.received).toHaveLength(1);
  later(101);
  await deliver();
  later(86_400);
  await deliver();
  expect(receiver.received).toHaveLength(2);
  const { body } = await ask(admin, "GET", `/deliveries?channel=${id}&state=failed`);
  expect(body.items).toMatchObject([{ attempts: 2, problem: expect.stringMatching(/410.*gone/) }]);
  const retry = await ask(admin, "POST", `/deliveries/${body.items[0].id}/retry`);
  expect(retry.body.state).toBe("waiting");
  await deliver();
  expect((await ask(admin, "GET", `/deliveries/${body.items[0].id}`)).body.state).toBe("delivered");
});

test("a message is given up after the last attempt", async () => {
  const id = await channelAndRule(webhook(), { events: ["risk.opened"] });
  receiver.answerNext(...Array.from({ length: 20 }, () => ({ status: 500 })));
  await giveRisks("notify/shop", "risk.opened");
  for (let i = 0; i < 12; i++) {
    await deliver();
    later(30_000);
  }
  const { body } = await ask(admin, "GET", `/deliveries?channel=${id}`);
  expect(body.items).toMatchObject([{ state: "failed", attempts: 8 }]);
});

test("a receiver that hangs keeps nobody else from hearing", async () => {
  const slow = await startHttpReceiver({ status: 200 });
  slow.answerNext("hang");
  await channelAndRule(webhook({ address: slow.url }), { events: ["risk.opened"] });
  await channelAndRule(webhook(), { events: ["risk.opened"] });
  await giveRisks("notify/shop", "risk.opened");
  await deliver();
  expect(receiver.received).toHaveLength(1);
  await slow.close();
});

test("a digest tells all of an hour in one message, and waits for the quiet hours to end", async () => {
  server.clock.now = new Date("2026-07-01T11:10:00Z");
  // 19:10 in Shanghai; the digest of 20:00 falls into the quiet hours, which end at 07:00, 23:00 UTC.
  const settings = {
    digest: "hourly",
    quietFrom: "20:00",
    quietTo: "07:00",
    timeZone: "Asia/Shanghai",
    language: "zh",
  };
  await channelAndRule(webhook(settings), { events: ["risk.opened", "risk.fixed"] });
  await giveRisks("notify/shop", "risk.opened");
  await deliver();
  later(600);
  await giveRisks("notify/shop", "risk.opened");
  await giveRisks("notify/shop", "risk.fixed");
  await deliver();
  server.clock.now = new Date("2026-07-01T22:59:00Z");
  await deliver();
  expect(receiver.received).toHaveLength(0);
  server.clock.now = new Date("2026-07-01T23:00:00Z");
  await deliver();
  expect(receiver.received).toHaveLength(1);
  const [message] = bodies();
  expect(message.sections.map(({ event }: { event: string }) => event)).toEqual(["risk.opened", "risk.fixed"]);
  expect(message.subject).toContain("风险");
});

test("risks that are overdue, jobs that failed and registries that cannot be read are told once", async () => {
  await channelAndRule(webhook(), { events: ["risk.overdue", "job.failed", "registry.failed"] });
  const { store, clock } = server;
  await store.tenant(1, async (db) => {
    const job = { kind: "sync", title: "sync of hub", cause: "request", createdBy: "x" };
    const task = { kind: "sync-registry", name: "hub", payload: {} };
    const { id } = await addJob(db, job, [task]);
    const failed = { state: "failed", problem: "the registry answers 500" } as const;
    await db.updateTable("task").set(failed).where("job_id", "=", id).execute();
    await db.updateTable("job").set({ state: "failed", ended_at: clock.now }).where("id", "=", id).execute();
    await setRegistryState(db, 1, { state: "failed", problem: "certificate expired" });
  });
  await images.push("notify/late", "latest", withLodash("4.17.4"));
  later(400 * 86_400);
  await store.tenant(1, (db) =>
    db.updateTable("job").set({ ended_at: clock.now }).where("state", "=", "failed").execute(),
  );
  await deliver();
  const events = bodies().map(({ sections }) => sections[0].event);
  expect(events.sort()).toEqual(["job.failed", "registry.failed", "risk.overdue"]);
  expect(sectionOf("job.failed")[0].items[0]).toMatchObject({
    title: "sync of hub",
    problem: "the registry answers 500",
  });
  expect(sectionOf("registry.failed")[0].items[0]).toMatchObject({ problem: "certificate expired" });
  later(3_600);
  await deliver();
  expect(receiver.received).toHaveLength(3);
  await store.tenant(1, (db) => setRegistryState(db, 1, { state: "ok" }));
  await deliver();
  await store.tenant(1, (db) => setRegistryState(db, 1, { state: "failed", problem: "again" }));
  await deliver();
  expect(sectionOf("registry.failed")).toHaveLength(2);
});

test("who has to approve hears of requests, and who asked of decisions", async () => {
  await channelAndRule(webhook(), { events: ["risk.acceptance-asked", "risk.acceptance-decided", "case.changed"] });
  const [risk] = (await ask(security, "GET", "/risks?search=notify/shop&state=open,assigned,reopened")).body.items;
  const until = new Date(server.clock.now.getTime() + 10 * 86_400_000).toISOString().slice(0, 10);
  await ask(security, "POST", `/risks/${risk.id}/accept`, { reason: "not\r\nreachable", until });
  await deliver();
  expect(sectionOf("risk.acceptance-asked")[0].items[0]).toMatchObject({ id: risk.id, reason: "not\r\nreachable" });
  await ask(admin, "POST", `/risks/${risk.id}/approve`);
  await ask(security, "POST", "/cases", { title: "lodash", query: { component: "lodash", range: "<4.17.20" } });
  await deliver();
  expect(sectionOf("risk.acceptance-decided")[0].items[0]).toMatchObject({ id: risk.id, state: "accepted" });
  expect(sectionOf("case.changed")[0].items[0]).toMatchObject({ title: "lodash", isClosed: false });
});

test("the addresses and secrets of channels are never shown, and stay with the address they were given for", async () => {
  const { body } = await ask(
    admin,
    "POST",
    "/channels",
    webhook({ address: `${receiver.url}/T000/secret-path?key=k` }),
  );
  const listed = JSON.stringify((await ask(admin, "GET", "/channels")).body) + JSON.stringify(body);
  for (const hidden of ["secret-path", "key=k", SECRET]) expect(listed).not.toContain(hidden);
  expect(body.address).toBe(`${receiver.url}/…`);
  const moved = await ask(admin, "PATCH", `/channels/${body.id}`, { address: `${receiver.url}/elsewhere` });
  expect(moved.body).toMatchObject({ status: 400, title: expect.stringContaining("secret") });
  expect((await ask(admin, "PATCH", `/channels/${body.id}`, { language: "zh" })).body.settings.language).toBe("zh");
  expect((await ask(admin, "POST", `/channels/${body.id}/test`)).body).toMatchObject({ ok: true, problem: "" });
  expect(receiver.received[0]!.path).toBe("/T000/secret-path?key=k");
});

test("private networks are opened by administrators alone", async () => {
  expect((await ask(security, "POST", "/channels", webhook())).status).toBe(403);
  expect((await ask(security, "POST", "/channels", webhook({ allowPrivate: false }))).status).toBe(422);
  const { body } = await ask(admin, "POST", "/channels", webhook());
  const moved = { address: "http://127.0.0.1:1/", secret: SECRET };
  expect((await ask(security, "PATCH", `/channels/${body.id}`, moved)).status).toBe(403);
  expect((await ask(security, "PATCH", `/channels/${body.id}`, { enabled: false })).body.enabled).toBe(false);
});

test("a test that fails says why, is listed, and is not tried again", async () => {
  const { body: channel } = await ask(admin, "POST", "/channels", webhook());
  receiver.answerNext({ status: 500, body: "broken" });
  const { body } = await ask(admin, "POST", `/channels/${channel.id}/test`);
  expect(body).toMatchObject({ ok: false, problem: expect.stringContaining("broken") });
  later(86_400);
  await deliver();
  expect((await ask(admin, "GET", `/deliveries/${body.delivery}`)).body).toMatchObject({
    state: "failed",
    attempts: 1,
  });
  expect(receiver.received).toHaveLength(1);
});

/** Gives notice of all risks of a repository, as a scan does. */
async function giveRisks(repository: string, event: "risk.opened" | "risk.fixed" | "risk.reopened"): Promise<void> {
  await server.store.tenant(1, async (db) => {
    const rows = await db
      .selectFrom("risk")
      .innerJoin("repository", "repository.id", "risk.repository_id")
      .select("risk.id")
      .where("repository.name", "=", repository)
      .execute();
    await giveNotice(db, event, { risks: rows.map(({ id }) => id) }, server.clock.now);
  });
}

async function place(repository: string, ownerId: number, grade: string): Promise<void> {
  await server.store.tenant(1, (db) =>
    db.updateTable("repository").set({ owner_id: ownerId, grade }).where("name", "=", repository).execute(),
  );
}
