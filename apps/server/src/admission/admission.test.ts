import type { EventEmitter } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import {
  type BuiltDescriptor,
  buildImage,
  buildIndex,
  contentOf,
  startRegistry,
  type TestRegistry,
  temporaryDirectory,
} from "@bulwark/image/testing";
import type { FactsAnswer } from "@bulwark/kubernetes";
import { addCluster, keepObjects, type Store, type TenantQueries } from "@bulwark/store";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { zipOf } from "../../../../packages/ecosystems/src/testing/zip-writer.ts";
import type { ConnectedCluster } from "../clusters/cluster-stream.ts";
import { openSecretBox } from "../security/secret-box.ts";
import { type RunningServer, startServer } from "../start-server.ts";
import { type AdmissionAnswers, openAdmissionAnswers } from "./answer.ts";
import { firstState } from "./authorities.ts";
import { type AdmissionRole, startAdmission } from "./start-admission.ts";
import { createLocalSource } from "./testing/local-source.ts";
import { createReviewer, type Reviewer } from "./testing/reviewer.ts";

/** A whole server with a worker and a registry, and two replicas of the webhook: only the stream between them is left out. */
const directory = temporaryDirectory();
const NAME = "bulwark-admission.bulwark.svc";
const PASSWORD = "four grey herons wading";
const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n';
const base = { files: { "etc/os-release": OS }, createdBy: "ADD rootfs.tar /" };
const jar = (version: string) =>
  zipOf({
    "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties": `version=${version}\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n`,
  });
const IMAGES = {
  "shop/app:2.14": buildImage({
    layers: [
      base,
      { files: { "srv/log4j-core-2.14.1.jar": jar("2.14.1") }, createdBy: "COPY log4j-core-2.14.1.jar /srv" },
    ],
  }),
  "shop/app:2.25": buildImage({
    layers: [
      base,
      { files: { "srv/log4j-core-2.25.3.jar": jar("2.25.3") }, createdBy: "COPY log4j-core-2.25.3.jar /srv" },
    ],
  }),
  "shop/late:1": buildImage({
    layers: [
      base,
      { files: { "srv/log4j-core-2.14.1.jar": jar("2.14.1"), "srv/late": "1" }, createdBy: "COPY . /srv" },
    ],
  }),
};

/** Of an image that no test but one asks for. */
const SPARE = buildImage({ layers: [base, { files: { "srv/spare": "1" }, createdBy: "COPY spare /srv" }] });

/** An index of images for two platforms, which no tag names. */
const UNNAMED = buildIndex([IMAGES["shop/app:2.25"].manifest, IMAGES["shop/late:1"].manifest]);

/** An index with one image more than is looked at. */
const WIDE = buildIndex(
  Array.from({ length: 101 }, (_, n) => ({
    ...IMAGES["shop/app:2.25"].manifest,
    digest: `sha256:${String(n).padStart(64, "0")}`,
  })),
);
/** Of the registry; a test may move one. */
const TAGS: Record<string, BuiltDescriptor> = {};

let server: RunningServer;
let registry: TestRegistry;
let answers: AdmissionAnswers;
let cluster: ConnectedCluster;
let headers: Readonly<Record<string, string>>;
const replicas: { readonly role: AdmissionRole; readonly api: Reviewer }[] = [];
const ended: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  chmodSync(directory.path, 0o755);
  const content = contentOf({ ...IMAGES, "shop/spare:1": SPARE });
  const indexes = [UNNAMED, WIDE].map(({ descriptor, bytes }) => [descriptor.digest, bytes] as const);
  Object.assign(TAGS, content.tags);
  registry = await startRegistry({ blobs: new Map([...content.blobs, ...indexes]), tags: TAGS });
  server = await startServer({
    ...{ dataDirectory: join(directory.path, "data"), roles: new Set(["api", "worker"] as const), host: "127.0.0.1" },
    ...{ port: 0, concurrency: 2, adminPassword: PASSWORD, log: pino({ level: "silent" }) },
  });
  const { store, queue } = server;
  const session = await fetch(`${server.url}/api/v1/session`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify({ login: "admin", password: PASSWORD }),
  });
  const { csrf } = (await session.json()) as { csrf: string };
  const cookie = session.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  headers = { cookie, "x-csrf-token": csrf };
  await call("POST", "/registries", {
    ...{ name: "own", kind: "oci", address: registry.host, plainHttp: true, allowPrivate: true, pollMinutes: 0 },
  });
  const secrets = await openSecretBox({ file: join(directory.path, "data", "master-keys.json") });
  const log = { warn: () => {} };
  answers = await openAdmissionAnswers({ store, queue, secrets, clock: () => new Date(), log });
  const now = new Date();
  const id = await store.tenant(1, (db) =>
    addCluster(db, 1, { uid: "c-1", name: "prod", grade: "high", ownerId: null, now }),
  );
  cluster = { id: id ?? 0, uid: "c-1", tenantId: 1, name: "prod", kubernetesUid: "k" };
  const namespace = {
    uid: "n",
    apiVersion: "v1",
    kind: "Namespace",
    namespace: "",
    name: "shop",
    document: { metadata: { name: "shop" } },
  };
  await store.tenant(1, (db) => keepObjects(db, cluster.id, { epoch: "e", objects: [namespace], now }));
  const { serving, authorities } = await firstState([NAME], now);
  for (let at = 0; at < 2; at++) {
    const source = await createLocalSource(answers, store, cluster);
    const role = await startAdmission({
      ...{ source, listen: { host: "127.0.0.1", port: 0 }, certificate: { given: serving }, clock: () => new Date() },
      ...{ log: { error: () => {}, warn: () => {} }, drainMs: 0 },
    });
    const api = createReviewer(role.port, () => authorities[0]?.cert ?? "", NAME);
    replicas.push({ role, api });
    ended.push(async () => {
      api.close();
      await role.close();
      await source.close();
    });
  }
});

afterAll(async () => {
  for (const end of ended) await end();
  await answers?.close();
  await server?.close();
  await registry?.close();
  directory.remove();
});

async function call<Body = Readonly<Record<string, unknown>>>(
  method: string,
  path: string,
  body?: unknown,
): Promise<Body> {
  const typed = body === undefined ? headers : { ...headers, "content-type": "application/json" };
  const sent = await fetch(`${server.url}/api/v1${path}`, {
    ...{ method, headers: typed, body: body === undefined ? null : JSON.stringify(body) },
  });
  const text = await sent.text();
  if (!sent.ok) throw new Error(`${method} ${path}: ${sent.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Body;
}

let uid = 0;
async function review(name: string, spec: object, metadata: object = {}, replica = 0) {
  const object = { kind: "Pod", apiVersion: "v1", metadata: { name: "web", ...metadata }, spec };
  const request = {
    ...{
      uid: `u-${uid++}`,
      kind: { group: "", version: "v1", kind: "Pod" },
      namespace: "shop",
      operation: "CREATE",
      object,
    },
    ...{ name: "web", userInfo: { username: "ann" } },
  };
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  return (await replicas[replica]?.api.post(`/${name}?timeout=10s`, body))?.body.response;
}

const image = (name: string) => ({ containers: [{ name: "app", image: `${registry.host}/${name}` }] });
const settled = (look: () => Promise<unknown>) => expect.poll(look, { timeout: 10_000 });

test("an image that nobody scanned is looked up, scanned, and denied with the policy, the layer and the fix", async () => {
  await call("POST", "/admission/modes", { policy: "critical-flaws", mode: "enforce" });
  await settled(async () => (await review("validate", image("shop/app:2.14")))?.allowed).toBe(false);
  const { status } = (await review("validate", image("shop/app:2.14"))) ?? {};
  expect(status?.message).toMatch(
    /policy critical-flaws \(critical\): .*shop\/app:2\.14 has \d+ critical flaws with a fix, 0 at most: .*log4j-core 2\.14\.1 in layer 1 \(COPY log4j-core-2\.14\.1\.jar \/srv\): update to 2\.\d+\.\d+/,
  );
  expect((await review("validate", image("shop/app:2.25")))?.allowed).toBe(true);
});

test("a new image in a pod waits for its scan, and is denied in the same request", async () => {
  const began = performance.now();
  const answer = await review("validate", image("shop/late:1"), {}, 1);
  expect(answer).toMatchObject({ allowed: false });
  expect(performance.now() - began).toBeLessThan(9_000);
});

test("an index that no tag names is known by the images behind it, and judged by the worst of them", async () => {
  const named = image(`shop/late@${UNNAMED.descriptor.digest}`);
  await settled(async () => (await review("validate", named))?.status?.message).toMatch(
    /critical-flaws.*log4j-core 2\.14\.1/,
  );
});

async function answered(of: AdmissionAnswers, references: readonly string[]): Promise<FactsAnswer> {
  const told: FactsAnswer[] = [];
  const question = { references, namespace: "shop" };
  await of.answer(cluster, question, (answer) => told.push(answer as FactsAnswer), new AbortController().signal);
  return told[0]!;
}

test("what goes wrong with one image is logged, and says nothing of the others", async () => {
  const { store, queue } = server;
  const warned: string[] = [];
  const log = { warn: (_: object, message: string) => void warned.push(message) };
  const add = async () => {
    throw new Error("the queue is away");
  };
  const secrets = await openSecretBox({ file: join(directory.path, "data", "master-keys.json") });
  const own = await openAdmissionAnswers({ store, queue: { ...queue, add }, secrets, clock: () => new Date(), log });
  try {
    const [good, bad] = [`${registry.host}/shop/app:2.25`, `${registry.host}/shop/spare:1`];
    const { images } = await answered(own, [bad, good]);
    expect([images[good]?.state, images[bad]?.state]).toEqual(["known", "unknown"]);
    expect(warned).toEqual(["an image could not be looked up"]);
  } finally {
    await own.close();
  }
});

test("what is known of an image is looked up anew each minute, however often it is asked for", async () => {
  const { store, queue } = server;
  const secrets = await openSecretBox({ file: join(directory.path, "data", "master-keys.json") });
  // In 50 seconds the image is a day older.
  const began = Date.parse("2024-01-02T03:04:05Z") + 1_000 * 86_400_000 - 50_000;
  let seconds = 0;
  const clock = () => new Date(began + seconds * 1_000);
  const own = await openAdmissionAnswers({ store, queue, secrets, clock, log: { warn: () => {} } });
  try {
    const name = `${registry.host}/shop/app:2.25`;
    const ages: (number | undefined)[] = [];
    for (seconds of [0, 40, 80]) ages.push((await answered(own, [name])).images[name]?.ageDays);
    expect(ages).toEqual([999, 999, 1_000]);
  } finally {
    await own.close();
  }
});

test("what was read of an image is not kept where it changed meanwhile", async () => {
  const secrets = await openSecretBox({ file: join(directory.path, "data", "master-keys.json") });
  // In 20 seconds the image is a day older.
  const began = Date.parse("2024-01-02T03:04:05Z") + 1_000 * 86_400_000 - 20_000;
  let seconds = 0;
  let isChanging = true;
  const news: EventEmitter[] = [];
  const store: Store = Object.assign(Object.create(server.store), {
    pool: { connect: async () => news[news.push(await server.store.pool.connect()) - 1] },
    async tenant<Result>(id: number, work: (db: TenantQueries) => Promise<Result>) {
      const result = await server.store.tenant(id, work);
      const payload = JSON.stringify({ topic: "images", tenantId: 1, id: 0 });
      const isRead = typeof result === "object" && result !== null && "ageDays" in result;
      if (isChanging && isRead) for (const each of news) each.emit("notification", { payload });
      return result;
    },
  });
  const clock = () => new Date(began + seconds * 1_000);
  const own = await openAdmissionAnswers({ store, queue: server.queue, secrets, clock, log: { warn: () => {} } });
  try {
    const name = `${registry.host}/shop/app:2.25`;
    const age = async () => (await answered(own, [name])).images[name]?.ageDays;
    expect(await age()).toBe(999);
    isChanging = false;
    seconds = 40;
    expect(await age()).toBe(1_000);
  } finally {
    await own.close();
  }
});

test("a tag that moves to an index with more images than are looked at is unknown, whatever it named before", async () => {
  TAGS["shop/app:moved"] = IMAGES["shop/app:2.25"].manifest;
  const name = `${registry.host}/shop/app:moved`;
  const facts = async () => (await answered(answers, [name])).images[name];
  await settled(facts).toMatchObject({ state: "known", digest: TAGS["shop/app:moved"].digest });
  TAGS["shop/app:moved"] = WIDE.descriptor;
  const problem = expect.stringContaining("names 101 images, more than 100");
  await expect.poll(facts, { timeout: 20_000, interval: 500 }).toMatchObject({ state: "unknown", problem });
});

test("tags are pinned to what the registry says they name", async () => {
  const settings = await call<{ mutation: object }>("GET", "/admission/settings");
  await call("POST", "/admission/settings", { ...settings, mutation: { ...settings.mutation, pinDigests: true } });
  const digest = IMAGES["shop/app:2.25"].manifest.digest;
  const patch = JSON.stringify([
    { op: "replace", path: "/spec/containers/0/image", value: `${registry.host}/shop/app:2.25@${digest}` },
  ]);
  await settled(async () =>
    Buffer.from((await review("mutate", image("shop/app:2.25")))?.patch ?? "", "base64").toString("utf8"),
  ).toBe(patch);
});

test("the emergency brake reaches every replica within 5 seconds, and ends as fast", async () => {
  await call("POST", "/admission/modes", { policy: "critical-flaws", mode: "audit" });
  await settled(async () => (await review("validate", image("shop/app:2.14")))?.allowed).toBe(true);
  await settled(async () => (await review("validate", image("shop/app:2.14"), {}, 1))?.allowed).toBe(true);
  const began = performance.now();
  const brake = { kind: "flaw", pattern: "CVE-2021-44228", reason: "exploited now" };
  const { id } = await call<{ id: number }>("POST", "/admission/brakes", brake);
  for (const at of [0, 1])
    await settled(async () => (await review("validate", image("shop/app:2.14"), {}, at))?.status?.message).toContain(
      "holds flaw CVE-2021-44228, which the emergency brake denies everywhere: exploited now",
    );
  expect(performance.now() - began).toBeLessThan(5_000);
  expect((await review("validate", image("shop/app:2.25")))?.allowed).toBe(true);
  await call("POST", `/admission/brakes/${id}/release`);
  await settled(async () => (await review("validate", image("shop/app:2.14")))?.allowed).toBe(true);
});

test("break-glass lets pass for its minutes, is counted, and is in the audit log each time", async () => {
  await call("POST", "/admission/modes", { policy: "no-privileged", mode: "enforce" });
  const spec = { containers: [{ name: "app", image: "a:1", securityContext: { privileged: true } }] };
  await settled(async () => (await review("validate", spec))?.allowed).toBe(false);
  const given = { namespace: "shop", minutes: 10, reason: "outage" };
  const { id, code } = await call<{ id: number; code: string }>("POST", "/admission/grants", given);
  const annotations = { "bulwark.dev/break-glass": code };
  await settled(async () => (await review("validate", spec, { annotations }))?.allowed).toBe(true);
  expect((await review("validate", spec))?.allowed).toBe(false);
  const grants = () => call<{ items: { id: number; used: number; code?: string }[] }>("GET", "/admission/grants");
  await settled(async () => (await grants()).items[0]?.used).toBeGreaterThan(0);
  expect((await grants()).items[0]).not.toHaveProperty("code");
  const log = await call<{ items: { action: string; subject: string }[] }>("GET", "/audit");
  expect(log.items).toContainEqual(
    expect.objectContaining({ action: "admission.break-glass", subject: `admission-grant/${id}` }),
  );
  await call("POST", `/admission/grants/${id}/end`);
  await settled(async () => (await review("validate", spec, { annotations }))?.allowed).toBe(false);
});

test("decisions are kept folded, and each policy shows what it denied and what it would have", async () => {
  await settled(async () => {
    const { items } = await call<{ items: { verdict: string }[] }>("GET", "/admission/decisions?policy=critical-flaws");
    const verdicts = items.map(({ verdict }) => verdict);
    return ["denied", "audited"].every((verdict) => verdicts.includes(verdict));
  }).toBe(true);
  const { items } = await call<{
    items: { name: string; counts: { denied: number; wouldDeny: number; asked: number } }[];
  }>("GET", "/admission/policies");
  const counts = items.find(({ name }) => name === "critical-flaws")?.counts;
  expect([counts?.denied, counts?.wouldDeny].every((each) => (each ?? 0) > 0)).toBe(true);
  expect(counts?.asked).toBeGreaterThanOrEqual((counts?.denied ?? 0) + (counts?.wouldDeny ?? 0));
});

test("a policy of one's own is judged by as soon as it is put, and one with a mistake is refused with its place", async () => {
  const content = `name: team-label\nmode: enforce\nrules:\n  - id: team\n    on: pod\n    deny: '!("team" in pod.metadata.?labels.orValue({}))'\n    message: say whose it is\n`;
  await call("POST", "/admission/policies", { content });
  await settled(async () => (await review("validate", image("shop/app:2.25")))?.status?.message).toContain(
    "say whose it is",
  );
  const wrong = call("POST", "/admission/policies", { content: content.replace("pod.metadata", "pd.metadata") });
  await expect(wrong).rejects.toThrow('rule \\"team\\": Unknown variable: pd');
});

test("a batch that comes again, or holds what is no decision, changes nothing", async () => {
  const { store } = server;
  // No review of these tests is about a service: nothing else counts meanwhile.
  const policy = "exposed-services";
  const count = async () =>
    (await call<{ items: { name: string; counts: { asked: number } }[] }>("GET", "/admission/policies")).items.find(
      ({ name }) => name === policy,
    )?.counts.asked;
  const before = (await count()) ?? 0;
  const decision = {
    ...{
      kind: "Pod",
      namespace: "n\u0000\n",
      name: "x".repeat(9_000),
      verdict: "allowed",
      count: 3,
      asked: [policy],
    },
    ...{ violations: "none", lastAt: "9999-01-01T00:00:00Z", unknown: [7] },
  };
  const batch = { epoch: "again", sequence: 1, document: [decision, 7, { verdict: "odd" }], dropped: 0 };
  for (let times = 0; times < 2; times++) await store.tenant(1, (db) => answers.decided(db, cluster, batch));
  expect(await count()).toBe(before + 3);
});
