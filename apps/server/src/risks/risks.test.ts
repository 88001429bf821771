import { afterAll, beforeAll, expect, test } from "vitest";
import { ROLE_SCOPES } from "../access.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";

let server: TestApp;
let images: ScannedImages;
let security: TestAccount;
let other: TestAccount;
let developer: TestAccount;

const OS = { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n' };
const withLodash = (version: string) => ({
  layers: [
    { files: OS },
    { files: { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version }) } },
  ],
  config: { User: "1000", Healthcheck: { Test: ["CMD", "true"] } },
});
const PROTOTYPE_POLLUTION = "CVE-2019-10744";

beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, 1, () => server.clock.now);
  security = await server.account("security");
  other = await server.account("security");
  developer = await server.account("developer");
});
afterAll(async () => {
  images.close();
  await server.close();
});

const ask = async (who: TestAccount, method: "GET" | "POST", url: string, payload?: object) => {
  // The clock moves by days in these tests: a token of an hour is made for each request.
  const headers = await server.token(who, ROLE_SCOPES[who === developer ? "developer" : "security"]);
  const options = { method, url: `/api/v1${url}`, headers };
  const answer = await server.app.inject(payload === undefined ? options : { ...options, payload });
  return { status: answer.statusCode, body: answer.json() };
};
const risksOf = async (repository: string) => {
  const { body } = await ask(security, "GET", `/risks?search=${repository}&limit=200`);
  return body.items as { id: number; finding: string; state: string; due: string; reopened: number }[];
};
const riskOf = async (repository: string, finding: string) =>
  (await risksOf(repository)).find((risk) => risk.finding === finding);
const later = (days: number) => {
  server.clock.now = new Date(server.clock.now.getTime() + days * 86_400_000);
};

test("a risk goes from found over assigned to fixed by a scan, and comes back when the flaw does", async () => {
  await images.push("team/shop", "latest", withLodash("4.17.4"));
  const found = await riskOf("team/shop", PROTOTYPE_POLLUTION);
  expect(found).toMatchObject({ state: "open", reopened: 0 });
  expect(new Date(found!.due).getTime() - server.clock.now.getTime()).toBe(7 * 86_400_000);
  const url = `/risks/${found!.id}`;
  expect((await ask(security, "POST", `${url}/assign`, { accountId: other.id })).body.state).toBe("assigned");
  expect((await ask(other, "POST", `${url}/start`)).body.state).toBe("fixing");
  later(2);
  await images.push("team/shop", "latest", withLodash("4.17.21"));
  expect(await riskOf("team/shop", PROTOTYPE_POLLUTION)).toMatchObject({ state: "fixed" });
  later(1);
  await images.push("team/shop", "2.0.1", withLodash("4.17.4"));
  expect(await riskOf("team/shop", PROTOTYPE_POLLUTION)).toMatchObject({ state: "reopened", reopened: 1 });
  const { body } = await ask(security, "GET", url);
  expect(body.history.map(({ action }: { action: string }) => action)).toEqual([
    "opened",
    "assign",
    "start",
    "fixed",
    "reopened",
  ]);
});

test("no request closes a risk", async () => {
  await images.push("team/forever", "latest", withLodash("4.17.4"));
  const { id } = (await riskOf("team/forever", PROTOTYPE_POLLUTION))!;
  for (const action of ["close", "fixed", "done"]) {
    expect((await ask(security, "POST", `/risks/${id}/${action}`, {})).status).toBe(404);
  }
  const paths = Object.keys((await server.app.inject("/openapi.json")).json().paths);
  const steps = paths.filter((path) => path.startsWith("/api/v1/risks/{id}/")).map((path) => path.split("/").at(-1));
  expect(steps.sort()).toEqual(["accept", "approve", "assign", "comment", "refuse", "start"]);
  for (const step of ["start", "comment"]) {
    await ask(security, "POST", `/risks/${id}/${step}`, step === "comment" ? { text: "closed" } : undefined);
    expect((await riskOf("team/forever", PROTOTYPE_POLLUTION))?.state).not.toBe("fixed");
  }
});

test("a risk is accepted by a second person only, and counts again when the time is up", async () => {
  await images.push("team/legacy", "latest", withLodash("4.17.4"));
  const { id } = (await riskOf("team/legacy", PROTOTYPE_POLLUTION))!;
  const until = new Date(server.clock.now.getTime() + 10 * 86_400_000).toISOString().slice(0, 10);
  const reason = "not reachable from outside";
  expect((await ask(security, "POST", `/risks/${id}/accept`, { reason, until })).status).toBe(200);
  expect((await ask(security, "POST", `/risks/${id}/approve`)).status).toBe(403);
  expect((await ask(other, "POST", `/risks/${id}/approve`)).body).toMatchObject({
    state: "accepted",
    accepted: { reason },
  });
  later(5);
  await images.push("team/legacy", "again", withLodash("4.17.4"));
  expect((await riskOf("team/legacy", PROTOTYPE_POLLUTION))?.state).toBe("accepted");
  later(10);
  await images.push("team/legacy", "again", withLodash("4.17.4"));
  expect((await riskOf("team/legacy", PROTOTYPE_POLLUTION))?.state).toBe("reopened");
});

test("flaws closed before their release are told from those that were shipped", async () => {
  const before = (await ask(security, "GET", "/risks/measures")).body.beforeRelease;
  await images.push("team/fresh", "main", withLodash("4.17.4"));
  await images.push("team/fresh", "main", withLodash("4.17.21"));
  await images.push("team/shipped", "1.2.3", withLodash("4.17.4"));
  await images.push("team/shipped", "1.2.3", withLodash("4.17.21"));
  const after = (await ask(security, "GET", "/risks/measures")).body.beforeRelease;
  const counted = (await risksOf("team/fresh")).length;
  expect(counted).toBeGreaterThan(0);
  expect(after.fixed - before.fixed).toBe(counted);
  expect(after.total - before.total).toBe(counted * 2);
});

test("a developer sees and moves the risks of their own repositories only", async () => {
  await images.push("team/mine", "latest", withLodash("4.17.4"));
  const { id } = (await riskOf("team/mine", PROTOTYPE_POLLUTION))!;
  expect((await ask(developer, "GET", "/risks")).body.items).toEqual([]);
  expect((await ask(developer, "POST", `/risks/${id}/start`)).status).toBe(404);
  expect((await ask(developer, "POST", `/risks/${id}/approve`)).status).toBe(403);
});

test("a case follows what its search finds, to its end and back again", async () => {
  await images.push("team/urgent", "latest", withLodash("4.17.4"));
  const query = { component: "lodash", range: "<4.17.20" };
  const opened = await ask(security, "POST", "/cases", { title: "lodash", query });
  expect(opened.status).toBe(201);
  const { id, open } = opened.body;
  expect(open).toBeGreaterThan(0);
  const search = await ask(security, "POST", "/search", query);
  expect(search.body.summary.images).toBeGreaterThanOrEqual(open);
  expect(search.body.subjects.map(({ version }: { version: string }) => version)).toEqual(["4.17.4"]);
  later(1);
  for (const repository of ["urgent", "legacy", "mine", "forever", "shop"]) {
    for (const tag of ["latest", "again", "2.0.1"]) await images.push(`team/${repository}`, tag, withLodash("4.17.21"));
  }
  expect((await ask(security, "GET", `/cases/${id}`)).body).toMatchObject({ open: 0, closed: open });
  expect((await ask(security, "GET", `/cases/${id}`)).body.closedAt).not.toBeNull();
  later(1);
  await images.push("team/urgent", "latest", withLodash("4.17.4"));
  const { points } = (await ask(security, "GET", `/cases/${id}/curve`)).body;
  expect(points.map((point: { open: number }) => point.open)).toEqual([open, 0, 1]);
  const headers = await server.token(security, ["findings:read"]);
  const csv = await server.app.inject({ url: `/api/v1/cases/${id}/export`, headers });
  expect(csv.body.split("\r\n")[0]).toBe("registry,repository,tags,digest,owner,firstSeen,closedAt");
});

test("an emergency search gives its images page by page, each once, the riskiest first", async () => {
  const pushed = new Set<string>();
  for (let at = 0; at < 53; at++) {
    const files = {
      [`srv/${at}/node_modules/is-odd/package.json`]: JSON.stringify({ name: "is-odd", version: "3.0.1" }),
    };
    pushed.add(await images.push(`team/page${at}`, "latest", { layers: [{ files }] }));
  }
  const query = { component: "is-odd" };
  const first = (await ask(security, "POST", "/search", query)).body;
  expect(first.images).toHaveLength(50);
  const { body: second } = await ask(security, "POST", "/search", { ...query, cursor: first.next });
  expect(second.summary).toEqual(first.summary);
  const all = [...first.images, ...second.images] as { digest: string; risk: number }[];
  expect(new Set(all.map(({ digest }) => digest))).toEqual(pushed);
  expect(second.next).toBeUndefined();
  const risks = all.map(({ risk }) => risk);
  expect(risks).toEqual([...risks].sort((one, other) => other - one));
  expect((await ask(security, "POST", "/search", { ...query, cursor: "nonsense" })).status).toBe(400);
});
