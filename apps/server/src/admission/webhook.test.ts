import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:tls";
import { EMPTY_BUNDLE, type ImageFacts, unknownImage } from "@bulwark/kubernetes";
import { afterEach, expect, test } from "vitest";
import { firstState, type ServingState } from "./authorities.ts";
import { type AdmissionRole, startAdmission } from "./start-admission.ts";
import { createReviewer, type Reviewer } from "./testing/reviewer.ts";
import { createTestSource, type TestSource } from "./testing/test-source.ts";

const NAME = "bulwark-admission.bulwark.svc";
const PRIVILEGED = `
name: no-privileged
rules:
  - id: privileged
    on: container
    deny: container.?securityContext.?privileged.orValue(false)
    message: "container {container.name} is privileged; set securityContext.privileged to false"
`;
const EXPLOITED = `
name: no-exploited
unknown: deny
rules:
  - id: exploited
    on: image
    deny: image.counts.exploited > 0
    message: "{describe(image.findings)}"
`;
const IMAGE = "registry.example/shop/app:1";
const DIGEST = `sha256:${"a".repeat(64)}`;

let state: ServingState | undefined;
const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function start(source: TestSource): Promise<{ readonly role: AdmissionRole; readonly server: Reviewer }> {
  state ??= await firstState([NAME], new Date());
  const { serving, authorities } = state;
  const quiet = { error: () => {}, warn: () => {} };
  const role = await startAdmission({
    ...{ source, listen: { host: "127.0.0.1", port: 0 }, certificate: { given: serving }, clock: () => new Date() },
    ...{ log: quiet, drainMs: 0 },
  });
  const server = createReviewer(role.port, () => authorities[0]?.cert ?? "", NAME);
  ended.push(async () => {
    server.close();
    await role.close();
  });
  return { role, server };
}

const policies = (...texts: readonly string[]) =>
  texts.map((text, at) => ({ text, file: `p${at}.yaml`, mode: "enforce" as const }));

function review(spec: object, change: object = {}, metadata: object = {}): string {
  const object = { kind: "Pod", apiVersion: "v1", metadata: { name: "web", ...metadata }, spec };
  const request = {
    ...{ uid: "u-1", kind: { group: "", version: "v1", kind: "Pod" }, namespace: "shop", operation: "CREATE", object },
    ...{ userInfo: { username: "ann" }, ...change },
  };
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
}

const pod = (extra: object = {}, image = IMAGE) => review({ containers: [{ name: "app", image, ...extra }] });
const privileged = pod({ securityContext: { privileged: true } });
const known = (change: Partial<ImageFacts> = {}): ImageFacts => ({
  ...{ ...unknownImage(""), state: "known", complete: true, digest: DIGEST, resolved: true },
  ...change,
});

test("a privileged pod is denied through HTTPS with the policy, the container and what to do", async () => {
  const { server } = await start(createTestSource({ policies: policies(PRIVILEGED) }));
  const { status, body } = await server.post("/validate?timeout=10s", privileged);
  expect(status).toBe(200);
  expect(body.response).toMatchObject({ uid: "u-1", allowed: false, status: { code: 403 } });
  expect(body.response?.status?.message).toContain("policy no-privileged (privileged): container app is privileged");
  expect((await server.post("/validate", pod())).body.response).toEqual({ uid: "u-1", allowed: true });
});

test("HTTP/2 is answered as well", async () => {
  const { role } = await start(createTestSource({ policies: policies(PRIVILEGED) }));
  const session = connectHttp2(`https://127.0.0.1:${role.port}`, {
    ca: state?.authorities[0]?.cert ?? "",
    servername: NAME,
  });
  ended.unshift(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": "/validate", "content-type": "application/json" });
  stream.end(privileged);
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  expect(JSON.parse(Buffer.concat(parts).toString("utf8")).response.allowed).toBe(false);
});

test("before the first bundle it is not ready and judges nothing", async () => {
  const source = createTestSource(undefined);
  source.give = () => {};
  const empty = { ...source, bundle: () => undefined };
  const { server } = await start(empty as TestSource);
  expect((await server.get("/readyz")).status).toBe(503);
  expect((await server.get("/healthz")).status).toBe(200);
  expect((await server.post("/validate", privileged)).status).toBe(503);
});

const JSON_TYPE = { "content-type": "application/json" };
test.each([
  ["a GET", 405, "GET", "/validate", "", {}],
  ["another path", 404, "POST", "/other", "{}", JSON_TYPE],
  ["what is no JSON by its type", 415, "POST", "/validate", "{}", { "content-type": "text/plain" }],
  ["what is no JSON", 400, "POST", "/validate", "{", JSON_TYPE],
  ["what is nested without end", 400, "POST", "/validate", `{"request":${"[".repeat(100_000)}`, JSON_TYPE],
  ["a review without a request", 400, "POST", "/mutate", '{"kind":"AdmissionReview"}', JSON_TYPE],
  ["more than a review holds", 413, "POST", "/validate", "x".repeat(21 * 1024 * 1024), JSON_TYPE],
] as const)(
  "%s is refused with %s, and the next review is judged",
  async (_what, status, method, path, body, headers) => {
    const { server, role } = await start(createTestSource({ policies: policies(PRIVILEGED) }));
    const answer = method === "GET" ? await server.get(path) : await server.post(path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.error).not.toBe("");
    expect((await server.post("/validate", privileged)).body.response?.allowed).toBe(false);
    expect(role.counts.failed).toBe(0);
  },
);

test("what an API server sends and nobody can judge is denied: a call that failed may be let pass", async () => {
  const { server } = await start(createTestSource({ policies: policies(PRIVILEGED) }));
  const head = '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-7","object":';
  const { status, body } = await server.post(
    "/validate",
    `${head}${"[".repeat(10_000)}${"]".repeat(10_000)}}}`,
    JSON_TYPE,
  );
  expect([status, body.response?.uid, body.response?.allowed]).toEqual([200, "u-7", false]);
  expect(body.response?.status?.message).toMatch(/cannot judge it: .*deep/);
});

test("an unknown image is asked about once, however many pods want it at the same time", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  source.images.set(IMAGE, known());
  const { server } = await start(source);
  const answers = await Promise.all(Array.from({ length: 40 }, () => server.post("/validate", pod())));
  expect(answers.every(({ body }) => body.response?.allowed === true)).toBe(true);
  expect(source.asked).toHaveLength(1);
});

test("a server that never answers is waited for as long as the API server allows, and then the policy says what happens", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  source.answers = "never";
  const { server } = await start(source);
  const began = performance.now();
  const { body } = await server.post("/validate?timeout=2s", pod());
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(performance.now() - began).toBeLessThan(1_900);
  expect(body.response?.allowed).toBe(false);
  expect(body.response?.status?.message).toContain("the server did not answer in time");
});

test("after three silences nobody waits for the server for a while", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  source.answers = "never";
  const { server } = await start(source);
  for (let at = 0; at < 3; at++) await server.post("/validate?timeout=1s", pod({}, `registry.example/a:${at}`));
  const began = performance.now();
  const { body } = await server.post("/validate?timeout=10s", pod({}, "registry.example/b:1"));
  expect(performance.now() - began).toBeLessThan(500);
  expect(body.response?.status?.message).toContain("the server does not answer");
});

test("while the server is gone, what was known of an image still judges it, and pins no tag", async () => {
  const mutation = { ...EMPTY_BUNDLE.mutation, pinDigests: true };
  const source = createTestSource({ policies: policies(EXPLOITED), mutation });
  source.images.set(IMAGE, known());
  const { server } = await start(source);
  expect((await server.post("/validate", pod())).body.response?.allowed).toBe(true);
  source.isUp = false;
  source.tell({ what: "images", digests: [], all: true });
  expect((await server.post("/validate", pod())).body.response?.allowed).toBe(true);
  expect((await server.post("/mutate", pod())).body.response).toEqual({ uid: "u-1", allowed: true });
  const other = await server.post("/validate", pod({}, "registry.example/other:1"));
  expect(other.body.response?.status?.message).toContain("the server cannot be reached");
});

test("what changes about an image is asked for anew", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  source.images.set(IMAGE, known());
  const { server } = await start(source);
  await server.post("/validate", pod());
  source.images.set(IMAGE, known({ counts: { ...unknownImage("").counts, exploited: 1 } }));
  expect((await server.post("/validate", pod())).body.response?.allowed).toBe(true);
  source.tell({ what: "images", digests: [DIGEST], all: false });
  expect((await server.post("/validate", pod())).body.response?.allowed).toBe(false);
});

test("a brake that is pulled denies from the next review on, server or none", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  source.images.set(IMAGE, known({ flaws: "CVE-2021-44228", purls: "pkg:maven/log4j@2" }));
  const { server } = await start(source);
  expect((await server.post("/validate", pod())).body.response?.allowed).toBe(true);
  source.answers = "never";
  const brake = {
    id: "1",
    kind: "flaw" as const,
    pattern: "CVE-2021-44228",
    reason: "exploited now",
    denyUnknown: true,
  };
  source.give({ brakes: [brake] });
  const { body } = await server.post("/validate", pod());
  expect(body.response?.status?.message).toContain(
    "holds flaw CVE-2021-44228, which the emergency brake denies everywhere",
  );
});

test("tags are pinned on the way in to the digest that was judged, and digests are left alone", async () => {
  const source = createTestSource({ mutation: { ...EMPTY_BUNDLE.mutation, pinDigests: true, defaultSeccomp: true } });
  source.images.set(IMAGE, known());
  source.images.set("registry.example/shop/stale:1", known({ resolved: false }));
  const { server } = await start(source);
  const pinned = `registry.example/shop/db@sha256:${"b".repeat(64)}`;
  const images = [IMAGE, pinned, "registry.example/shop/stale:1"];
  const { body } = await server.post(
    "/mutate",
    review({ containers: images.map((image, at) => ({ name: `c${at}`, image })) }),
  );
  expect(JSON.parse(Buffer.from(body.response?.patch ?? "", "base64").toString("utf8"))).toEqual([
    { op: "replace", path: "/spec/containers/0/image", value: `${IMAGE}@${DIGEST}` },
    { op: "add", path: "/spec/securityContext", value: { seccompProfile: { type: "RuntimeDefault" } } },
  ]);
});

test("a flood of images that nobody knows, while the server is silent, is answered whole within the API server's time", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  source.answers = "never";
  const { server, role } = await start(source);
  const flood = createReviewer(role.port, () => state?.authorities[0]?.cert ?? "", NAME, 300);
  ended.unshift(() => flood.close());
  const before = process.memoryUsage().rss;
  const answers = await Promise.all(
    Array.from({ length: 900 }, (_, at) => flood.post("/validate?timeout=3s", pod({}, `registry.example/f:${at}`))),
  );
  expect(answers.every(({ status, body }) => status === 429 || body.response?.allowed === false)).toBe(true);
  expect(source.asked.length).toBeLessThanOrEqual(64);
  // Both ends of every connection are in this process.
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  source.give({ policies: policies(PRIVILEGED) });
  expect((await server.post("/validate", privileged)).body.response?.allowed).toBe(false);
});

test("reviews beyond what is judged at once are shed with 429, and answered again when there is room", async () => {
  const { server, role } = await start(createTestSource({ policies: policies(PRIVILEGED) }));
  const options = { ca: state?.authorities[0]?.cert ?? "", servername: NAME };
  const sessions = Array.from({ length: 3 }, () => connectHttp2(`https://127.0.0.1:${role.port}`, options));
  const statuses: number[] = [];
  for (const session of sessions) {
    session.on("error", () => {});
    for (let at = 0; at < 200; at++) {
      const stream = session.request({ ":method": "POST", ":path": "/validate", "content-type": "application/json" });
      stream.on("error", () => {});
      stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
      stream.write("{");
    }
  }
  await expect.poll(() => statuses.length).toBe(600 - 512);
  expect(new Set(statuses)).toEqual(new Set([429]));
  expect((await server.post("/validate", privileged)).status).toBe(429);
  for (const session of sessions) session.destroy();
  await expect.poll(async () => (await server.post("/validate", privileged)).body.response?.allowed).toBe(false);
});

test("who sends a review byte by byte is hung up on", async () => {
  const { role, server } = await start(createTestSource({ policies: policies(PRIVILEGED) }));
  const socket = connect({
    host: "127.0.0.1",
    port: role.port,
    ca: state?.authorities[0]?.cert ?? "",
    servername: NAME,
  });
  const closed = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (part) => (text += part.toString("utf8")));
    socket.on("close", () => resolve(text));
    socket.on("error", () => {});
  });
  socket.write("POST /validate HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{");
  expect(await closed).toContain(" 408 ");
  expect((await server.post("/validate", privileged)).body.response?.allowed).toBe(false);
});

test("decisions are reported folded, offered again when the server does not take them, and counted when they are dropped", async () => {
  const source = createTestSource({ policies: policies(PRIVILEGED) });
  source.takesReports = false;
  const { role, server } = await start(source);
  const generated = (name: string) =>
    review(
      { containers: [{ name: "app", image: IMAGE, securityContext: { privileged: true } }] },
      { name },
      { name, generateName: "web-" },
    );
  for (let at = 0; at < 5; at++) await server.post("/validate", generated(`web-${at}`));
  for (let at = 0; at < 2_100; at++) {
    const one = JSON.parse(privileged);
    await server.post("/validate", JSON.stringify({ ...one, request: { ...one.request, namespace: `n${at}` } }));
  }
  expect(role.counts.decisionsWaiting).toBe(1_000);
  expect(role.counts.decisionsDropped).toBe(1_101);
  source.takesReports = true;
  await expect.poll(() => role.counts.decisionsWaiting).toBe(0);
  const told = source.batches.flatMap(({ decisions }) => decisions);
  expect(told[0]).toMatchObject({ name: "web-", count: 5, verdict: "denied", user: "ann", wouldDeny: true });
  expect(source.batches.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(1_101);
});

test("images that no runtime would pull are asked about by nobody, and many at once in several questions", async () => {
  const source = createTestSource({ policies: policies(EXPLOITED) });
  const { server } = await start(source);
  const odd = await server.post("/validate", pod({}, `${"x".repeat(1024 * 1024)}:1`));
  expect(odd.body.response?.status?.message).toContain("is unknown: it is no image reference");
  const images = Array.from({ length: 450 }, (_, at) => ({ name: `c${at}`, image: `registry.example/many:${at}` }));
  await server.post("/validate", review({ containers: images }));
  await server.post("/validate", review({ containers: images }));
  expect(source.asked.map(({ length }) => length)).toEqual([0, 200, 200, 50]);
});
