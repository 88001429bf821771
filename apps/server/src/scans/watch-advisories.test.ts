import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { AdvisoryMatch } from "@bulwark/model";
import { openDatabase } from "@bulwark/scan/shipped";
import { getImage, listRisks, recountImages } from "@bulwark/store";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deliverForTenant } from "../notifications/deliver.ts";
import { startHttpReceiver } from "../notifications/testing/http-receiver.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { matchEstate } from "./watch-advisories.ts";

const TENANT = 1;
let server: TestApp;
let images: ScannedImages;
let known: AdvisoryDatabase;

beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, TENANT, () => server.clock.now);
  known = await openDatabase(undefined);
});
afterAll(async () => {
  known.close();
  images.close();
  await server.close();
});

const module = (name: string, version: string) => ({
  [`app/node_modules/${name}/package.json`]: JSON.stringify({ name, version }),
});
const BASE = [{ files: { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n', ...module("lodash", "4.17.4") } }];

const FRESH: AdvisoryMatch = {
  id: "CVE-2026-99999",
  aliases: [],
  advisories: ["GHSA-made-up"],
  severity: "critical",
  title: "made up",
  fixedVersion: "9.9.9",
  status: "fixed",
  range: "fixed 9.9.9",
  publicExploit: false,
  malicious: false,
  references: [],
  priority: { score: 80, reasons: [] },
};

/** What is known, changed for one package. */
function databaseWith(
  built: string,
  change: (name: string, matches: readonly AdvisoryMatch[]) => readonly AdvisoryMatch[],
): AdvisoryDatabase {
  return {
    ...known,
    info: { ...known.info, built },
    match(subjects) {
      const found = new Map(known.match(subjects).map((result) => [result.subject, result.matches]));
      return subjects.map(({ name }, subject) => ({
        subject,
        matches: change(name, found.get(subject) ?? []),
        undetermined: [],
      }));
    },
  };
}

const watch = (database: AdvisoryDatabase) => {
  const tools = { database: async () => database } as Parameters<typeof matchEstate>[0]["tools"];
  return matchEstate({ store: server.store, tools, clock: () => server.clock.now }, TENANT);
};
const countsOf = (digest: string) =>
  server.store.tenant(TENANT, async (db) => {
    const image = await getImage(db, digest);
    const shifted = image?.counts;
    await recountImages(db, [image?.id ?? 0]);
    const counted = (await getImage(db, digest))?.counts;
    return { shifted, counted };
  });
const statesOf = (finding: string) =>
  server.store.tenant(TENANT, async (db) => {
    const risks = await listRisks(db, { sight: undefined, search: finding, now: server.clock.now, limit: 100 });
    return risks.map(({ repository, state }) => `${repository.name} ${state}`).sort();
  });

test("a new advisory, its change and its withdrawal reach images, counts and risks without a scan", async () => {
  const base = await images.push("bases/node", "1", { layers: BASE });
  const shop = await images.push("team/shop", "1", { layers: [...BASE, { files: module("minimist", "0.0.8") }] });
  const freed = await images.push("team/freed", "1", { layers: [...BASE, { files: { "app/.wh.node_modules": "" } }] });
  const before = await countsOf(shop);

  const added = await watch(
    databaseWith("2026-02-01", (name, matches) => (name === "lodash" ? [...matches, FRESH] : matches)),
  );
  expect(added).toMatchObject({ added: 1, removed: 0, vulnerabilities: [FRESH.id] });
  const after = await countsOf(shop);
  expect(after.shifted).toEqual(after.counted);
  expect(after.shifted?.critical).toBe((before.shifted?.critical ?? 0) + 1);
  expect((await countsOf(base)).shifted).toEqual((await countsOf(base)).counted);
  expect((await countsOf(freed)).shifted?.critical).toBe(0);
  expect(await statesOf(FRESH.id)).toEqual(["bases/node open", "team/shop open"]);

  const milder = { ...FRESH, severity: "low" as const };
  await watch(databaseWith("2026-03-01", (name, matches) => (name === "lodash" ? [...matches, milder] : matches)));
  const changed = await countsOf(shop);
  expect(changed.shifted).toEqual(changed.counted);
  expect(changed.shifted?.critical).toBe(before.shifted?.critical);
  expect(await statesOf(FRESH.id)).toEqual(["bases/node fixed", "team/shop fixed"]);

  const gone = await watch(databaseWith("2026-04-01", (_name, matches) => matches));
  expect(gone).toMatchObject({ added: 0, removed: 1 });
  expect((await countsOf(shop)).shifted).toEqual(before.shifted);
});

test("who wants to hear of new advisories is told which images they reach", async () => {
  const { store, secrets, clock } = server;
  const receiver = await startHttpReceiver({ status: 200, body: "{}" });
  const { bearer } = await server.account("admin");
  const post = async (url: string, payload: object) => {
    const made = await server.app.inject({ method: "POST", url: `/api/v1${url}`, headers: bearer, payload });
    expect(made.statusCode, made.body).toBe(201);
    return made.json().id as number;
  };
  const channel = { name: "hook", kind: "webhook", address: receiver.url, secret: "x".repeat(20), allowPrivate: true };
  await post("/notification-rules", {
    name: "news",
    events: ["advisories.new"],
    channelIds: [await post("/channels", channel)],
  });
  const { images: reached } = await watch(
    databaseWith("2026-04-02", (name, matches) => (name === "lodash" ? [...matches, FRESH] : matches)),
  );
  expect(reached.length).toBeGreaterThan(0);
  await deliverForTenant({ store, secrets, clock: () => clock.now, log: pino({ level: "silent" }) }, TENANT);
  const told = receiver.received.map(({ body }) => JSON.parse(body).sections[0]);
  expect(told).toMatchObject([{ event: "advisories.new", items: [{ id: FRESH.id, severity: "critical" }] }]);
  expect(told[0].items[0].images).toBe(reached.length);
  // The same state again is no news.
  await deliverForTenant({ store, secrets, clock: () => clock.now, log: pino({ level: "silent" }) }, TENANT);
  expect(receiver.received).toHaveLength(1);
  await receiver.close();
  await watch(databaseWith("2026-04-03", (_name, matches) => matches));
});

test("risks of other findings are left alone, and the same state of advisories changes nothing", async () => {
  const open = await statesOf("CVE-2019-10744");
  expect(open).toEqual(["bases/node open", "team/shop open"]);
  const same = databaseWith("2026-04-03", (_name, matches) => matches);
  expect(await watch(same)).toMatchObject({ subjects: 0, images: [] });
  const all = databaseWith("2026-05-01", (_name, matches) => [...matches, { ...FRESH, id: "CVE-2026-88888" }]);
  expect((await watch(all)).added).toBeGreaterThan(1);
  expect(await statesOf("CVE-2019-10744")).toEqual(open);
});
