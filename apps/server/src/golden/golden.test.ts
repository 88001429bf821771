import { buildImage, type ImageInput } from "@bulwark/image/testing";
import type { AdvisoryMatch } from "@bulwark/model";
import { addNotificationRule, endGolden, lockAssessments, NOTICE_EVENTS, takeNotices } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settleBases } from "../rebuilds/settle-bases.ts";
import { matchEstate } from "../scans/watch-advisories.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { assessPending } from "./assess-images.ts";

let server: TestApp;
let images: ScannedImages;
let proposer: TestAccount;
let approver: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, 1, () => server.clock.now);
  proposer = await server.account("security");
  approver = await server.account("security");
});
afterAll(async () => {
  images.close();
  await server.close();
});

const module = (name: string, version: string) => ({
  files: { [`usr/lib/node_modules/${name}/package.json`]: JSON.stringify({ name, version }) },
  createdBy: `RUN npm install -g ${name}@${version}`,
});
const file = (path: string) => ({ files: { [path]: path }, createdBy: `COPY ${path} /` });
const OS = { files: { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n' }, createdBy: "ADD rootfs.tar /" };
const SOURCE = { "org.opencontainers.image.source": "https://git.example.org/x" };
const config = (labels: Readonly<Record<string, string>> = {}) => ({ User: "1000", Labels: { ...SOURCE, ...labels } });
const platform1: ImageInput = { layers: [OS, module("left-pad", "1.0.0")], config: config() };
const platform2: ImageInput = {
  layers: [OS, module("left-pad", "1.0.1"), module("is-odd", "3.0.1")],
  config: config({ "org.opencontainers.image.description": "is-odd was asked for" }),
};
const over = (base: ImageInput, path: string, more: Partial<ImageInput> = {}): ImageInput => ({
  ...{ layers: [...base.layers, file(path)], config: config() },
  ...more,
});

async function push(repository: string, tag: string, image: ImageInput): Promise<string> {
  const digest = await images.push(repository, tag, image);
  await settle(digest);
  return digest;
}

/** What a scan of the worker would have caused. */
async function settle(digest: string): Promise<void> {
  const { id } = await server.store.tenant(1, (db) =>
    db.selectFrom("image").select("id").where("digest", "=", digest).executeTakeFirstOrThrow(),
  );
  await settleBases(server.store, 1, { images: [id] }, server.clock.now);
  await assessPending(server.store, 1, () => server.clock.now);
}

async function call(who: TestAccount, method: "GET" | "POST" | "DELETE", url: string, payload?: object) {
  const answer = await server.app.inject({
    ...{ method, url: `/api/v1${url}`, headers: who.bearer },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

async function repositoryId(name: string): Promise<number> {
  const row = await server.store.tenant(1, (db) =>
    db.selectFrom("repository").select("id").where("name", "=", name).executeTakeFirstOrThrow(),
  );
  return row.id;
}

async function makeGolden(repository: string): Promise<number> {
  const body = { repository: await repositoryId(repository), purpose: "what Node programs stand on" };
  const { body: made } = await call(proposer, "POST", "/golden", body);
  expect((await call(approver, "POST", `/golden/${made.golden.id}/approve`)).status).toBe(200);
  return made.golden.id;
}

const brokenBy = async (digest: string) => {
  await assessPending(server.store, 1, () => server.clock.now);
  const { body } = await call(proposer, "GET", `/images/${digest}/assessment`);
  return body.violations
    .filter(({ level }: { level: string }) => level === "deny")
    .map(({ rule }: { rule: string }) => rule);
};
const check = async (image: ImageInput, more: object = {}) =>
  (await call(proposer, "POST", "/golden/check", { diffIds: buildImage(image).diffIds, ...more })).body;
const rulesIn = ({ violations }: { violations: readonly { rule: string }[] }) => violations.map(({ rule }) => rule);

test("an image becomes golden by two people, is told to those who stand on it, and is revoked for good", async () => {
  await push("platform/node", "20.1", platform1);
  const app = await push("team/shop", "1", over(platform1, "srv/shop"));
  expect(await brokenBy(app)).toEqual(["base-not-golden"]);

  const proposal = { repository: await repositoryId("platform/node"), purpose: "Node 20" };
  const { status, body: made } = await call(proposer, "POST", "/golden", proposal);
  expect([status, made.golden.state, made.candidates[0].passed]).toEqual([201, "proposed", true]);
  const { id } = made.golden;
  expect((await call(proposer, "POST", "/golden", proposal)).status).toBe(409);
  expect((await call(proposer, "POST", `/golden/${id}/publish`, { tag: "20.1", description: "first" })).status).toBe(
    409,
  );
  const own = await call(proposer, "POST", `/golden/${id}/approve`);
  expect([own.status, own.body.title]).toEqual([403, "nobody approves what they proposed themselves"]);
  expect((await call(approver, "POST", `/golden/${id}/approve`)).body.golden.approvedBy.id).toBe(approver.id);
  const silent = await call(proposer, "POST", `/golden/${id}/publish`, { tag: "20.1" });
  expect([silent.status, silent.body.title]).toEqual([400, "nothing says what changed in this version"]);
  const published = await call(proposer, "POST", `/golden/${id}/publish`, { tag: "20.1", description: "the first" });
  expect(published.body.golden).toMatchObject({ state: "published", consumers: 1, versions: { published: 1 } });
  expect(await brokenBy(app)).toEqual([]);

  await push("platform/node", "20.2", platform2);
  const next = await call(proposer, "POST", `/golden/${id}/publish`, { tag: "20.2" });
  expect(next.body.versions[0]).toMatchObject({
    tag: "20.2",
    description: "is-odd was asked for",
    previousId: next.body.versions[1].id,
  });
  const { body: diff } = await call(proposer, "GET", `/golden/${id}/diff`);
  expect(diff.added).toEqual([{ type: "npm", name: "is-odd", from: "", to: "3.0.1" }]);
  expect(diff.changed).toEqual([{ type: "npm", name: "left-pad", from: "1.0.0", to: "1.0.1" }]);

  const old = next.body.versions[1].id;
  await call(proposer, "POST", `/golden/${id}/deprecate`, { version: old, reason: "20.2 is out" });
  expect(await brokenBy(app)).toEqual([]);
  const revoked = await call(approver, "POST", `/golden/${id}/revoke`, { reason: "its builder was broken into" });
  expect(revoked.body.golden).toMatchObject({ state: "revoked", versions: { revoked: 2, published: 0 } });
  expect(await brokenBy(app)).toEqual(["base-revoked"]);
  expect((await call(approver, "POST", `/golden/${id}/publish`, { tag: "20.2", description: "x" })).status).toBe(409);
  expect(revoked.body.history.map(({ action }: { action: string }) => action)).toEqual([
    ...["revoked", "deprecated", "published", "published", "approved", "proposed"],
  ]);
  const { body: log } = await call(proposer, "GET", "/audit?limit=100");
  const actions = log.items.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(
    expect.arrayContaining(["golden.propose", "golden.approve", "golden.publish", "golden.revoke"]),
  );
});

test("what is published while it is revoked is refused, and cannot stay behind as a published version", async () => {
  const build = (path: string): ImageInput => ({ layers: [OS, file(path)], config: config() });
  await push("platform/raced", "1.0", build("opt/raced"));
  const id = await makeGolden("platform/raced");
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  await push("platform/raced", "1.1", build("opt/raced-1"));
  let publishing: ReturnType<typeof call> | undefined;
  await server.store.tenant(1, async (db) => {
    await lockAssessments(db);
    publishing = call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.1", description: "second" });
    await untilSomebodyWaits();
    const end = {
      state: "revoked",
      reason: "broken into",
      successorId: null,
      name: "x",
      now: server.clock.now,
    } as const;
    await endGolden(db, id, end);
  });
  expect((await publishing)?.status).toBe(409);
  const { body } = await call(proposer, "GET", `/golden/${id}`);
  expect(body.golden).toMatchObject({ state: "revoked", versions: { published: 0, revoked: 1 } });
});

test("what is withdrawn while it is published is published, and neither waits for the other for ever", async () => {
  await push("platform/withdrawn", "1.0", { layers: [OS, file("opt/withdrawn")], config: config() });
  const id = await makeGolden("platform/withdrawn");
  const both = await Promise.all([
    call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" }),
    call(proposer, "DELETE", `/golden/${id}`),
  ]);
  expect([
    [200, 409],
    [404, 204],
  ]).toContainEqual(both.map(({ status }) => status));
});

/** Until a transaction waits for the lock of assessments. */
async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const { rows } = await server.store.pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("only layers tell what an image stands on: an annotation that claims a golden base has no effect", async () => {
  const base: ImageInput = { layers: [OS, file("opt/golden-base")], config: config() };
  const digest = await push("platform/base", "1.0", base);
  const id = await makeGolden("platform/base");
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  const claims = {
    "org.opencontainers.image.base.name": "registry.invalid/platform/base:1.0",
    "org.opencontainers.image.base.digest": digest,
  };
  const liar: ImageInput = {
    layers: [file("etc/strange"), file("srv/liar")],
    config: config(claims),
    annotations: claims,
  };
  const told = await push("team/liar", "1", liar);
  // The forest itself believes a declaration where layers tell nothing; the policy does not.
  await declareBase(told, digest);
  const { body: path } = await call(proposer, "GET", `/images/${told}/bases`);
  expect(path.items.at(-1).claim).toBe("used");
  expect(await brokenBy(told)).toEqual(["base-unknown"]);
  expect(rulesIn(await check(liar, { reference: "registry.invalid/platform/base:1.0" }))).toEqual(["base-unknown"]);
  const honest = await check(over(base, "srv/never-pushed"), { platform: "linux/amd64" });
  expect(honest).toMatchObject({ passed: true, base: { state: "golden", reference: "registry/platform/base:1.0" } });
  expect(honest.path.map(({ golden }: { golden: string }) => golden)).toEqual(["published"]);
});

async function declareBase(digest: string, base: string): Promise<void> {
  const declared = JSON.stringify({ reference: "platform/base:1.0", digest: base, how: "annotation" });
  await server.store.tenant(1, (db) =>
    db.updateTable("image").set({ base: declared }).where("digest", "=", digest).execute(),
  );
  await settle(digest);
}

test("a revoked image counts under a golden one, and under every name", async () => {
  const low: ImageInput = { layers: [OS, file("opt/low")], config: config() };
  const high = over(low, "opt/high");
  await push("os/low", "1.0", low);
  await push("os/mirror", "1.0", low);
  await push("platform/high", "1.0", high);
  const [lowId, mirrorId, highId] = [
    await makeGolden("os/low"),
    await makeGolden("os/mirror"),
    await makeGolden("platform/high"),
  ];
  for (const id of [lowId, mirrorId, highId])
    await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  const app = over(high, "srv/on-high");
  expect(await check(app)).toMatchObject({ passed: true, base: { state: "golden" } });
  const stored = await push("team/on-high", "1", app);
  expect(await brokenBy(stored)).toEqual([]);
  await call(approver, "POST", `/golden/${lowId}/revoke`, { reason: "broken into" });
  expect(rulesIn(await check(app))).toContain("base-revoked");
  expect(await brokenBy(stored)).toContain("base-revoked");
  const { body } = await call(proposer, "GET", `/golden/${highId}`);
  expect(body.golden.state).toBe("at-risk");
});

test("an older build of the same repository is no base; the same layers under another name are", async () => {
  const base: ImageInput = { layers: [OS, file("opt/cached")], config: config() };
  await push("platform/cached", "1.0", base);
  const id = await makeGolden("platform/cached");
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  const first = over(base, "srv/cached-1");
  await push("team/cached", "1", first);
  const second = over(first, "srv/cached-2");
  expect(rulesIn(await check(second, { reference: "registry.invalid/team/cached:2" }))).toEqual([]);
  expect(rulesIn(await check(second, { reference: "registry.invalid/team/other:1" }))).toEqual(["base-not-golden"]);
  expect(rulesIn(await check(second))).toEqual(["base-not-golden"]);
});

test("a golden image with another configuration and no layer of its own is its base", async () => {
  const base: ImageInput = { layers: [OS, file("opt/plain")], config: config() };
  await push("platform/plain", "1.0", base);
  const id = await makeGolden("platform/plain");
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  expect(await brokenBy(await push("team/plain", "1", { ...base, config: config({ team: "a" }) }))).toEqual([]);
});

test("new advisories take a golden image its standing, and give it back", async () => {
  const base: ImageInput = { layers: [OS, module("left-pad", "9.9.9")], config: config() };
  await push("platform/standing", "1.0", base);
  const id = await makeGolden("platform/standing");
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  const app = await push("team/standing", "1", over(base, "srv/standing"));
  const stateOf = async () => (await call(proposer, "GET", `/golden/${id}`)).body.golden.state;
  await learn("2026-06-02T00:00:00Z", [FRESH]);
  expect(await stateOf()).toBe("at-risk");
  expect(await brokenBy(app)).toEqual(["critical-fixed", "base-at-risk"]);
  await learn("2026-06-03T00:00:00Z", []);
  expect(await stateOf()).toBe("published");
  expect(await brokenBy(app)).toEqual([]);
  const { body } = await call(proposer, "GET", `/golden/${id}`);
  expect(body.history.slice(0, 2).map(({ action }: { action: string }) => action)).toEqual(["restored", "at-risk"]);
});

const FRESH: AdvisoryMatch = {
  ...{ id: "CVE-2026-77777", aliases: [], advisories: ["GHSA-made-up"], severity: "critical", title: "made up" },
  ...{ fixedVersion: "10.0.0", status: "fixed", range: "fixed 10.0.0", publicExploit: false, malicious: false },
  ...{ references: [], priority: { score: 80, reasons: [] } },
};

/** New advisories arrive: these speak of left-pad 9.9.9. */
async function learn(built: string, matches: readonly AdvisoryMatch[]): Promise<void> {
  type Tools = Parameters<typeof matchEstate>[0]["tools"];
  const database = {
    info: { built, records: 1, seedOnly: false },
    match: (subjects: readonly { readonly name: string; readonly version: string }[]) =>
      subjects.map(({ name, version }, subject) => ({
        ...{ subject, undetermined: [] },
        matches: name === "left-pad" && version === "9.9.9" ? matches : [],
      })),
  };
  const tools = { database: async () => database } as unknown as Tools;
  await matchEstate({ store: server.store, tools, clock: () => server.clock.now }, 1);
  await assessPending(server.store, 1, () => server.clock.now);
  await assessPending(server.store, 1, () => server.clock.now);
}

test("a new version opens rebuilds for those who stand on the old one; they and its owner are told what happens to it", async () => {
  const owner = async (name: string) => {
    const admin = await server.account("admin");
    return (await call(admin, "POST", "/owners", { name })).body.id as number;
  };
  const [bases, shops] = [await owner("bases"), await owner("shops")];
  const flawed: ImageInput = { layers: [OS, module("lodash", "4.17.4")], config: config() };
  const mended: ImageInput = { layers: [OS, module("lodash", "4.17.21")], config: config() };
  // What is known of lodash has fixes: these rules would keep the old version from being published.
  const content = "name: lenient\noff: [critical-fixed, exploited-fixed]\n";
  const { body: rules } = await call(approver, "POST", "/build-rules", { name: "lenient.yaml", content });
  await push("platform/lodash", "1.0", flawed);
  const digest = await push("team/told", "1", over(flawed, "srv/told"));
  await give(await repositoryId("platform/lodash"), bases);
  await give(await repositoryId("team/told"), shops);
  const told = await listen();
  const id = await makeGolden("platform/lodash");
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.0", description: "first" });
  expect((await call(proposer, "GET", `/golden/${id}`)).body.consumers).toEqual([
    { id: shops, name: "shops", images: 1, repositories: 1 },
  ]);
  await push("platform/lodash", "1.1", mended);
  await call(proposer, "POST", `/golden/${id}/publish`, { tag: "1.1", description: "lodash is mended" });
  const { body: rebuilds } = await call(proposer, "GET", "/rebuilds?state=open");
  expect(rebuilds.items.map(({ repository }: { repository: { name: string } }) => repository.name)).toEqual([
    "team/told",
  ]);
  await call(approver, "DELETE", `/build-rules/${rules.id}`);
  expect(await brokenBy(digest)).toContain("base-at-risk");
  await call(proposer, "POST", `/golden/${id}/deprecate`, { reason: "moved" });
  await call(approver, "POST", `/golden/${id}/revoke`, { reason: "broken into" });
  expect(await told()).toEqual(
    ["golden.published", "golden.published", "golden.at-risk", "golden.deprecated", "golden.revoked"].flatMap(
      (event) => [
        [event, bases],
        [event, shops],
      ],
    ),
  );
  const { body: teams } = await call(proposer, "GET", "/programmes/teams");
  const shop = teams.items.find((team: { owner: { id: number } | null }) => team.owner?.id === shops);
  expect(shop).toMatchObject({ images: 1, assessed: 1, passed: 0, rate: 0, rebuildsOpen: 1, goldenShare: 0 });
  expect(shop.risksOwn + shop.risksBase).toBeGreaterThan(0);
});

test("who settles bases holds no risk while it waits for assessments: who publishes takes them in that order", async () => {
  await push("team/ordered", "1", { layers: [OS, module("lodash", "4.17.4"), file("srv/ordered")], config: config() });
  const repository = await repositoryId("team/ordered");
  let settling: Promise<void> | undefined;
  const held = await server.store.tenant(1, async (db) => {
    await lockAssessments(db);
    const { numUpdatedRows } = await db
      .updateTable("risk")
      .set({ verdict: null })
      .where("repository_id", "=", repository)
      .executeTakeFirst();
    return numUpdatedRows;
  });
  expect(held).toBeGreaterThan(0n);
  await server.store.tenant(1, async (db) => {
    await lockAssessments(db);
    settling = settleBases(server.store, 1, { repositories: [repository] }, server.clock.now);
    await untilSomebodyWaits();
    await db.selectFrom("risk").select("id").where("repository_id", "=", repository).forUpdate().noWait().execute();
  });
  await settling;
});

test("a developer sees all golden images, and changes none of other owners", async () => {
  const developer = await server.account("developer");
  const { body: listed } = await call(developer, "GET", "/golden?state=published");
  const [golden] = listed.items;
  expect((await call(developer, "GET", `/golden/${golden.id}`)).status).toBe(200);
  expect((await call(developer, "POST", `/golden/${golden.id}/deprecate`, { reason: "mine is better" })).status).toBe(
    403,
  );
  expect((await call(developer, "POST", `/golden/${golden.id}/revoke`, { reason: "mine is better" })).status).toBe(403);
  const proposal = { repository: await repositoryId("team/shop"), purpose: "mine" };
  expect((await call(developer, "POST", "/golden", proposal)).status).toBe(404);
});

async function give(repository: number, owner: number): Promise<void> {
  await server.store.tenant(1, (db) =>
    db.updateTable("repository").set({ owner_id: owner }).where("id", "=", repository).execute(),
  );
}

/** @returns tells which notices of golden images were given since, each with the owner it is for */
async function listen(): Promise<() => Promise<readonly (readonly [string, unknown])[]>> {
  const any = { ownerIds: [], grades: [], minSeverity: null, kinds: [], channelIds: [], toOwner: false };
  await server.store.tenant(1, (db) =>
    addNotificationRule(db, { name: "all", enabled: true, events: NOTICE_EVENTS, ...any }),
  );
  return () =>
    server.store.tenant(1, async (db) => {
      const notices = (await takeNotices(db, 1_000)).filter(({ event }) => event.startsWith("golden."));
      return notices.map(({ event, facts }) => [event, facts.ownerId] as const);
    });
}

test("too many layers, and digests that are none, are refused", async () => {
  const diffId = `sha256:${"a".repeat(64)}`;
  const sent = async (diffIds: readonly string[]) =>
    (await call(proposer, "POST", "/golden/check", { diffIds })).status;
  expect(await sent(Array.from({ length: 10_000 }, () => diffId))).toBe(400);
  expect(await sent(["sha256:1"])).toBe(400);
  expect(await sent([])).toBe(400);
  expect(await sent([diffId])).toBe(200);
});

test("a tenant adds rules of its own, which hold at once, and takes shipped ones out", async () => {
  const digest = await push("team/ruled", "1", over(platform1, "srv/ruled"));
  const content = `name: ours\noff: [base-revoked, base-not-golden, base-unknown]\nrules:\n  - id: team-label
    deny: '!("team" in image.labels)'\n    message: say which team\n`;
  const { status, body } = await call(approver, "POST", "/build-rules", { name: "ours.yaml", content });
  expect(status).toBe(200);
  expect(await brokenBy(digest)).toEqual(["team-label"]);
  const wrong = await call(approver, "POST", "/build-rules", {
    name: "wrong.yaml",
    content: "name: a\nrules: [{id: a, deny: image.nam, message: m}]",
  });
  expect([wrong.status, wrong.body.title]).toEqual([400, expect.stringContaining('rule "a"')]);
  expect((await call(approver, "DELETE", `/build-rules/${body.id}`)).status).toBe(204);
  expect(await brokenBy(digest)).toEqual([expect.stringMatching(/^base-/)]);
});

test("the best base is among published golden images that bring what the image needs", async () => {
  const dpkg = (names: readonly string[]) => ({
    files: {
      "var/lib/dpkg/status": names
        .map((name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n`)
        .join("\n"),
    },
  });
  const present: ImageInput = { layers: [OS, dpkg(["libc6", "zlib1g"])], config: config() };
  const fat: ImageInput = { layers: [OS, dpkg(["libc6", "zlib1g", "perl-base"]), file("opt/fat")], config: config() };
  const thin: ImageInput = { layers: [OS, dpkg(["libc6"]), file("opt/thin")], config: config() };
  await push("old/present", "1.0", present);
  await push("platform/fat", "1.0", fat);
  await push("platform/thin", "1.0", thin);
  for (const name of ["platform/fat", "platform/thin"])
    await call(proposer, "POST", `/golden/${await makeGolden(name)}/publish`, { tag: "1.0", description: "first" });
  const digest = await push("team/advised", "1", over(present, "srv/advised"));
  const { body } = await call(proposer, "GET", `/images/${digest}/base-advice`);
  expect(body.needs).toMatchObject({ libc: "glibc", os: { id: "debian" }, packages: ["libc6", "zlib1g"] });
  const named = (base: { image: { reference: string } }) => base.image.reference;
  expect(body.fitting.map(named)).toEqual(["registry/platform/fat:1.0"]);
  const thinOne = body.refused.find(({ base }: { base: { image: { reference: string } } }) =>
    named(base).includes("thin"),
  );
  expect(thinOne.misfits).toEqual([{ what: "package", needed: "zlib1g", found: "" }]);
  const loose = await call(proposer, "GET", `/images/${digest}/base-advice?packages=none`);
  expect(loose.body.fitting.map(named)).toContain("registry/platform/thin:1.0");
});

test("programmes tell how new images do, how old risk burns down, and how teams stand", async () => {
  const { body: increment } = await call(proposer, "GET", "/programmes/increment?since=2026-05-01");
  expect(increment.images).toBe(increment.passed + increment.failed);
  const [bases] = increment.weeks;
  expect(bases).toMatchObject({
    week: "2026-W23",
    owner: { name: "bases" },
    images: 2,
    passed: 1,
    failed: 1,
    rate: 0.5,
  });
  expect(increment.rules.length).toBeGreaterThan(0);
  server.clock.now = new Date("2026-06-03T08:00:00Z");
  proposer = await server.account("security");
  const { body: stock } = await call(proposer, "GET", "/programmes/stock?since=2026-06-02");
  expect(stock.days.map(({ day }: { day: string }) => day)).toEqual(["2026-06-02", "2026-06-03"]);
  expect(stock).toMatchObject({ start: stock.days[0].open, cleared: 0 });
  expect(stock.start).toBeGreaterThan(0);
  await server.store.tenant(1, (db) =>
    db.updateTable("risk").set({ state: "fixed", fixed_at: server.clock.now }).where("state", "<>", "fixed").execute(),
  );
  const { body: burnt } = await call(proposer, "GET", "/programmes/stock?since=2026-06-02");
  expect(burnt).toMatchObject({ start: stock.start, open: 0, cleared: 1 });
  expect(burnt.days.map(({ open, fixed }: { open: number; fixed: number }) => [open, fixed])).toEqual([
    [stock.start, 0],
    [0, stock.start],
  ]);
  expect((await call(proposer, "GET", "/programmes/stock?since=2020-01-01")).status).toBe(400);
  const { body: teams } = await call(proposer, "GET", "/programmes/teams");
  const held = teams.items.reduce((sum: number, { images: own }: { images: number }) => sum + own, 0);
  expect(held).toBe(increment.images);
});
