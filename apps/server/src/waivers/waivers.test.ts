import { afterAll, beforeAll, expect, test } from "vitest";
import { ROLE_SCOPES } from "../access.ts";
import { reopenExpiries } from "../schedule-work.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";

const FLAW = "CVE-2019-10744";
const REASON = "the function is never called";

let server: TestApp;
let images: ScannedImages;
let asker: TestAccount;
let approver: TestAccount;
let developer: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, 1, () => server.clock.now);
  asker = await server.account("security");
  approver = await server.account("security");
  developer = await server.account("developer");
});
afterAll(async () => {
  images.close();
  await server.close();
});

const withLodash = (version: string, path = "app") => ({
  layers: [
    { files: { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n' } },
    { files: { [`${path}/node_modules/lodash/package.json`]: JSON.stringify({ name: "lodash", version }) } },
  ],
  config: { User: "1000", Healthcheck: { Test: ["CMD", "true"] } },
});
const ask = async (who: TestAccount, method: "GET" | "POST" | "DELETE", url: string, payload?: object) => {
  const headers = await server.token(who, ROLE_SCOPES[who === developer ? "developer" : "security"]);
  const answer = await server.app.inject({ method, url: `/api/v1${url}`, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
};
const dayAfter = (days: number) => new Date(server.clock.now.getTime() + days * 86_400_000).toISOString().slice(0, 10);
const repository = async (name: string) => {
  const { body } = await ask(asker, "GET", `/risks?search=${name}&limit=200`);
  return body.items[0].repository.id as number;
};
const risk = async (name: string) => {
  const { body } = await ask(asker, "GET", `/risks?search=${name}&limit=200`);
  return body.items.find(({ finding }: { finding: string }) => finding === FLAW);
};
const waived = async (digest: string) => {
  const { body } = await ask(asker, "GET", `/images/${digest}/findings?search=${FLAW}`);
  return body.items.map((finding: { waived?: unknown }) => finding.waived);
};
const waive = async (scope: object) => {
  const made = await ask(asker, "POST", "/waivers", { finding: FLAW, reason: REASON, until: dayAfter(10), ...scope });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id as number;
};

test("a finding is waived once a second person approves, stays visible, and its risk is accepted until the day is over", async () => {
  const digest = await images.push("waive/one", "latest", withLodash("4.17.4"));
  const id = await waive({ scope: "repository", scopeId: await repository("waive/one") });
  expect(await waived(digest)).toEqual([undefined]);
  expect((await ask(asker, "POST", `/waivers/${id}/approve`)).status).toBe(403);
  const { body } = await ask(approver, "POST", `/waivers/${id}/approve`);
  expect(body).toMatchObject({ approver: { id: approver.id }, risks: 1, place: "registry/waive/one" });
  expect(await waived(digest)).toEqual([{ reason: REASON, until: dayAfter(10), approver: "A security" }]);
  expect(await risk("waive/one")).toMatchObject({ state: "accepted", accepted: { reason: REASON } });
  expect((await ask(approver, "POST", `/waivers/${id}/approve`)).status).toBe(409);
  server.clock.now = new Date(server.clock.now.getTime() + 12 * 86_400_000);
  await images.push("waive/one", "latest", withLodash("4.17.4"));
  expect(await waived(digest)).toEqual([undefined]);
  expect(await risk("waive/one")).toMatchObject({ state: "reopened" });
});

test("a waiver of the tenant or a registry reaches everything below, also what is found later", async () => {
  const id = await waive({ scope: "registry", scopeId: 1 });
  await ask(approver, "POST", `/waivers/${id}/approve`);
  const digest = await images.push("waive/later", "latest", withLodash("4.17.4"));
  expect(await risk("waive/later")).toMatchObject({ state: "accepted" });
  expect(await waived(digest)).toEqual([expect.objectContaining({ reason: REASON })]);
  expect((await ask(approver, "DELETE", `/waivers/${id}`)).status).toBe(204);
  expect(await risk("waive/later")).toMatchObject({ state: "open", accepted: null });
  expect(await waived(digest)).toEqual([undefined]);
  const history = (await ask(asker, "GET", `/risks/${(await risk("waive/later")).id}`)).body.history;
  expect(history.map(({ action }: { action: string }) => action)).toEqual(["opened", "waive", "unwaive"]);
});

test("a waiver reaches neither other places nor other files", async () => {
  const mine = await images.push("waive/mine", "latest", withLodash("4.17.4", "srv"));
  await images.push("waive/other", "latest", withLodash("4.17.4", "srv"));
  const byPath = await waive({ scope: "repository", scopeId: await repository("waive/mine"), path: "elsewhere" });
  await ask(approver, "POST", `/waivers/${byPath}/approve`);
  expect(await waived(mine)).toEqual([undefined]);
  const id = await waive({ scope: "repository", scopeId: await repository("waive/mine") });
  await ask(approver, "POST", `/waivers/${id}/approve`);
  // The same image lies in waive/other, for which nobody waived it.
  expect(await waived(mine)).toEqual([undefined]);
  expect(await risk("waive/mine")).toMatchObject({ state: "accepted" });
  expect(await risk("waive/other")).toMatchObject({ state: "open" });
});

test("waivers of images accept a risk once all images that hold it are waived, and until the first of them ends", async () => {
  const one = await images.push("waive/images", "1", withLodash("4.17.4", "opt"));
  const two = await images.push("waive/images", "2", withLodash("4.17.4", "usr"));
  const ofImage = async (digest: string, days: number) => {
    const { id: scopeId } = (await ask(asker, "GET", `/images/${digest}`)).body;
    const id = await waive({ scope: "image", scopeId, until: dayAfter(days) });
    expect((await ask(approver, "POST", `/waivers/${id}/approve`)).status).toBe(200);
    return id;
  };
  await ofImage(one, 9);
  expect(await risk("waive/images")).toMatchObject({ state: "open" });
  const second = await ofImage(two, 5);
  expect(await risk("waive/images")).toMatchObject({ state: "accepted", accepted: { until: dayAfter(5) } });
  expect((await ask(approver, "DELETE", `/waivers/${second}`)).status).toBe(204);
  expect(await risk("waive/images")).toMatchObject({ state: "open", accepted: null });
  await ofImage(two, 5);
  expect(await risk("waive/images")).toMatchObject({ state: "accepted" });
  await images.push("waive/images", "3", withLodash("4.17.4", "srv/three"));
  expect(await risk("waive/images")).toMatchObject({ state: "reopened" });
  await images.push("waive/images", "3", withLodash("4.17.21", "srv/three"));
  expect(await risk("waive/images")).toMatchObject({ state: "accepted", accepted: { until: dayAfter(5) } });
});

test("a waiver whose time is up opens its risks again without a scan", async () => {
  await images.push("waive/expiring", "latest", withLodash("4.17.4", "var"));
  const id = await waive({ scope: "repository", scopeId: await repository("waive/expiring"), until: dayAfter(3) });
  await ask(approver, "POST", `/waivers/${id}/approve`);
  const deps = { store: server.store, clock: () => server.clock.now };
  await reopenExpiries(deps);
  expect(await risk("waive/expiring")).toMatchObject({ state: "accepted" });
  server.clock.now = new Date(`${dayAfter(4)}T00:00:30Z`);
  await reopenExpiries(deps);
  expect(await risk("waive/expiring")).toMatchObject({ state: "reopened" });
  await reopenExpiries(deps);
  expect(await risk("waive/expiring")).toMatchObject({ state: "reopened", reopened: 1 });
});

test("a waiver needs a place that exists, and a day that comes but not too late", async () => {
  const usual = { finding: FLAW, reason: REASON, until: dayAfter(10) };
  for (const [wrong, status] of [
    [{ scope: "repository" }, 400],
    [{ scope: "tenant", scopeId: 1 }, 400],
    [{ scope: "image", scopeId: 999_999 }, 404],
    [{ scope: "tenant", until: dayAfter(-2) }, 400],
    [{ scope: "tenant", until: dayAfter(900) }, 400],
    [{ scope: "tenant", until: "2026-02-31" }, 400],
  ] as const) {
    expect([wrong, (await ask(asker, "POST", "/waivers", { ...usual, ...wrong })).status]).toEqual([wrong, status]);
  }
});

test("a developer waives nothing that is not theirs, and takes back no waiver of others", async () => {
  const usual = { finding: FLAW, reason: REASON, until: dayAfter(10) };
  expect((await ask(developer, "POST", "/waivers", { ...usual, scope: "tenant" })).status).toBe(404);
  expect((await ask(developer, "POST", "/waivers", { ...usual, scope: "repository", scopeId: 1 })).status).toBe(404);
  const id = await waive({ scope: "tenant" });
  expect((await ask(developer, "DELETE", `/waivers/${id}`)).status).toBe(403);
  expect((await ask(developer, "POST", `/waivers/${id}/approve`)).status).toBe(403);
});
