import { createServer, request as forward, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openRepository } from "@bulwark/image";
import { type BuiltImage, buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import {
  type ApiClient,
  ended,
  logIn,
  PASSWORD,
  type ServerUnderTest,
  startTestServer,
  until,
} from "./support/running-server.ts";

const directory = temporaryDirectory();
const INDEX = "application/vnd.oci.image.index.v1+json";
const ACCEPT = `application/vnd.oci.image.manifest.v1+json, ${INDEX}`;
const image = (path: string, architecture: string) =>
  buildImage({
    layers: [
      { files: { "etc/os-release": `ID=debian\nVERSION_ID="12"\n`, [path]: path }, createdBy: `COPY ${path} /` },
    ],
    architecture,
  });

interface Item {
  readonly id: number;
  readonly tags: readonly string[];
  readonly state: string;
  readonly why: string;
}
interface Listed<Row> {
  readonly items: readonly Row[];
}

let real: RealRegistry;
let between: Server;
let server: ServerUnderTest;
let second: ApiClient;
let registry: number;
/** Answers a DELETE of a manifest before the registry does, or lets it through. */
let refuse: (digest: string) => Promise<boolean> = async () => false;
let isAway = false;

/** Stands before the real registry, to fail it. */
function startBetween(): Promise<Server> {
  const proxy = createServer(async (request, response) => {
    const digest = request.url?.split("/manifests/")[1] ?? "";
    if (isAway) return void request.socket.destroy();
    if (request.method === "DELETE" && (await refuse(digest))) return void response.writeHead(500).end();
    const [hostname, port] = real.host.split(":");
    const sent = forward(
      { hostname, port, path: request.url, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(sent);
  });
  return new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve(proxy)));
}

/** @param name with a tag; without one it is known by its digest alone, as parts of an index are */
async function push(built: BuiltImage, name: string): Promise<void> {
  if (!name.includes(":")) return pushUntagged(built, name);
  const layout = join(directory.path, "layout", name.replaceAll(/[/:]/g, "_"));
  writeLayout(built, layout, "x");
  await pushLayout(layout, `${real.host}/${name}`);
}

async function pushUntagged({ blobs, manifest }: BuiltImage, name: string): Promise<void> {
  const repository = await openRepository(`http://${real.host}/${name}`, "pull,push", { plainHttp: true });
  for (const [digest, bytes] of blobs) if (digest !== manifest.digest) await repository.putBlob(bytes);
  await repository.putManifest(blobs.get(manifest.digest) ?? new Uint8Array(), manifest.mediaType);
  repository.close();
}

/** @returns digest of an index of images that are pushed */
async function pushIndex(name: string, tag: string, images: readonly BuiltImage[]): Promise<string> {
  const repository = await openRepository(`http://${real.host}/${name}`, "pull,push", { plainHttp: true });
  const manifests = images.map(({ manifest }, at) => ({
    ...manifest,
    platform: { os: "linux", architecture: at === 0 ? "amd64" : "arm64" },
  }));
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests, annotations: { tag } });
  const digest = await repository.putManifest(Buffer.from(index), INDEX, tag);
  repository.close();
  return digest;
}

const statusOf = async (name: string, reference: string) =>
  (await fetch(`http://${real.host}/v2/${name}/manifests/${reference}`, { headers: { accept: ACCEPT } })).status;
const digestOf = async (name: string, reference: string) =>
  (await fetch(`http://${real.host}/v2/${name}/manifests/${reference}`, { headers: { accept: ACCEPT } })).headers.get(
    "docker-content-digest",
  );

async function sync(): Promise<void> {
  const { job } = await server.call<{ job: number }>("POST", `/registries/${registry}/sync`);
  await ended(server, job);
}

/** Pushes an index with images that have no tags of their own, all of it old. */
async function pushOld(
  name: string,
  tag: string,
): Promise<{ readonly index: string; readonly parts: readonly string[] }> {
  const parts = [image(`srv/${name}-${tag}`, "amd64"), image(`srv/${name}-${tag}-arm`, "arm64")];
  for (const part of parts) await push(part, name);
  const index = await pushIndex(name, tag, parts);
  await sync();
  await age();
  return { index, parts: parts.map(({ manifest }) => manifest.digest) };
}

/** Makes everything look as if it had come a hundred days ago. */
async function age(besides: readonly string[] = []): Promise<void> {
  const then = new Date(Date.now() - 100 * 86_400_000);
  await server.running.store.tenant(1, async (db) => {
    await db
      .updateTable("image")
      .set({ first_seen: then as never })
      .execute();
    await db
      .updateTable("tag")
      .set({ moved_at: then })
      .where("name", "not in", ["", ...besides])
      .execute();
  });
}

const unusedIn = async (name: string) => {
  const { items } = await server.call<
    Listed<{ repositoryId: number; repository: string; digest: string; tags: string[] }>
  >("GET", "/unused?days=30");
  return items.filter(({ repository }) => repository === name);
};

/** @returns the cleanup of what is unused in a repository, which somebody else approved */
async function cleanUp(name: string): Promise<number> {
  const images = (await unusedIn(name)).map(({ repositoryId, digest }) => ({ repositoryId, digest }));
  const { id } = await server.call<{ id: number }>("POST", "/cleanups", { days: 30, images });
  await second.call("POST", `/cleanups/${id}/approve`);
  return id;
}

const itemsOf = async (id: number) => (await server.call<Listed<Item>>("GET", `/cleanups/${id}/items`)).items;
const stateOf = async (id: number) =>
  (await server.call<Listed<{ id: number; state: string }>>("GET", "/cleanups")).items.find((each) => each.id === id)
    ?.state;
const done = (id: number) => until("the end of the cleanup", async () => (await stateOf(id)) === "done");

beforeAll(async () => {
  real = await startRealRegistry(join(directory.path, "registry"));
  between = await startBetween();
  server = await startTestServer(join(directory.path, "data"), { retryMs: 200 });
  const address = `127.0.0.1:${(between.address() as AddressInfo).port}`;
  const connection = { name: "real", kind: "oci", address, plainHttp: true, allowPrivate: true, pollMinutes: 0 };
  await push(image("srv/first", "amd64"), "first:1");
  registry = (await server.call<{ id: number }>("POST", "/registries", connection)).id;
  await until("the first synchronisation", async () => {
    const { items } = await server.call<Listed<{ state: string }>>("GET", "/jobs?kind=sync");
    return items[0] !== undefined && ["done", "failed"].includes(items[0].state);
  });
  await server.call("POST", "/accounts", { login: "second", name: "Second", password: PASSWORD, role: "admin" });
  second = await logIn(server.url, "second");
});
afterAll(async () => {
  await server?.close();
  between?.close();
  await real?.stop();
  directory.remove();
});

test("an index goes without the image that another tag's index has, too, and comes back whole", async () => {
  const [own, other, shared] = [image("srv/own", "amd64"), image("srv/other", "amd64"), image("srv/shared", "arm64")];
  for (const part of [own, other, shared]) await push(part, "twins");
  const old = await pushIndex("twins", "old", [own, shared]);
  await pushIndex("twins", "new", [other, shared]);
  await sync();
  await age(["new"]);
  expect((await unusedIn("twins")).map(({ tags }) => tags)).toEqual([["old"]]);
  const id = await cleanUp("twins");
  await done(id);
  const [item] = await itemsOf(id);
  expect(item).toMatchObject({ tags: ["old"], state: "deleted" });
  const here = async () => [
    await statusOf("twins", old),
    await statusOf("twins", own.manifest.digest),
    await statusOf("twins", shared.manifest.digest),
  ];
  expect(await here()).toEqual([404, 404, 200]);
  await server.call("POST", `/cleanup-items/${item?.id}/restore`);
  expect(await here()).toEqual([200, 200, 200]);
});

test("a family goes as a whole, and an image of it stays while its index does", async () => {
  const [amd, arm] = [image("srv/amd", "amd64"), image("srv/arm", "arm64")];
  await push(amd, "family:1-amd64");
  await push(arm, "family:1-arm64");
  const index = await pushIndex("family", "1", [amd, arm]);
  await sync();
  await age();
  const all = await unusedIn("family");
  expect(all.map(({ tags }) => tags.join()).sort()).toEqual(["1", "1-amd64", "1-arm64"]);
  const part = all.find(({ tags }) => tags.join() === "1-amd64");
  const images = [{ repositoryId: part?.repositoryId, digest: part?.digest }];
  const { id: alone } = await server.call<{ id: number }>("POST", "/cleanups", { days: 30, images });
  await second.call("POST", `/cleanups/${alone}/approve`);
  await done(alone);
  expect(await itemsOf(alone)).toMatchObject([{ state: "kept", why: expect.stringContaining("another tag") }]);
  expect(await statusOf("family", amd.manifest.digest)).toBe(200);
  const id = await cleanUp("family");
  await done(id);
  expect((await itemsOf(id)).map(({ state }) => state)).toEqual(["deleted", "deleted", "deleted"]);
  for (const digest of [index, amd.manifest.digest, arm.manifest.digest])
    expect(await statusOf("family", digest)).toBe(404);
});

test("a cleanup that fails half way is brought to its end by the next try, and can be put back at any time", async () => {
  const { index, parts } = await pushOld("half", "1");
  const [first = "", last = ""] = parts;
  refuse = async (digest) => digest === last;
  const id = await cleanUp("half");
  const broken = await until("the failure", async () => (await itemsOf(id)).find(({ why }) => why !== ""));
  expect(broken).toMatchObject({ state: "deleted", why: expect.stringContaining("500") });
  expect(await stateOf(id)).toBe("approved");
  refuse = async () => false;
  await done(id);
  expect(await itemsOf(id)).toMatchObject([{ state: "deleted" }]);
  for (const digest of [index, first, last]) expect(await statusOf("half", digest)).toBe(404);
  await server.call("POST", `/cleanup-items/${broken.id}/restore`);
  for (const reference of ["1", first, last]) expect(await statusOf("half", reference)).toBe(200);
});

test("a cleanup that the registry refuses from the first on has failed, and nothing is gone", async () => {
  const { index, parts } = await pushOld("refused", "1");
  refuse = async () => true;
  const id = await cleanUp("refused");
  await done(id);
  refuse = async () => false;
  const [item] = await itemsOf(id);
  expect(item).toMatchObject({ state: "failed", why: expect.stringContaining("500") });
  expect((await server.send("POST", `/cleanup-items/${item?.id}/restore`)).status).toBe(404);
  for (const digest of [index, ...parts]) expect(await statusOf("refused", digest)).toBe(200);
});

test("what was begun while the registry went away stays where somebody holds it meanwhile", async () => {
  const { index, parts } = await pushOld("again", "1");
  const [{ repositoryId } = { repositoryId: 0 }] = await unusedIn("again");
  refuse = async () => {
    await server.call("POST", "/cleanup-holds", { repositoryId, reason: "wanted again" });
    isAway = true;
    return true;
  };
  const id = await cleanUp("again");
  await until("the failure", async () => (await itemsOf(id)).find(({ why }) => why !== ""));
  refuse = async () => false;
  isAway = false;
  await done(id);
  expect(await itemsOf(id)).toMatchObject([{ state: "kept", why: expect.stringContaining("held") }]);
  for (const digest of [index, ...parts]) expect(await statusOf("again", digest)).toBe(200);
});

test("what is put back moves no tag that was pushed anew since", async () => {
  const { index, parts } = await pushOld("moved", "1");
  const id = await cleanUp("moved");
  await done(id);
  await push(image("srv/newer", "amd64"), "moved:1");
  const newer = await digestOf("moved", "1");
  const [item] = await itemsOf(id);
  await server.call("POST", `/cleanup-items/${item?.id}/restore`);
  expect(await digestOf("moved", "1")).toBe(newer);
  for (const digest of [index, ...parts]) expect(await statusOf("moved", digest)).toBe(200);
  expect(await itemsOf(id)).toMatchObject([{ state: "restored", why: expect.stringMatching(/pushed.*1/) }]);
});

test("a cleanup whose job is cancelled is over: what it did not come to is kept, what it began can be put back", async () => {
  const first = await pushOld("cancelled", "1");
  const second = await pushOld("cancelled", "2");
  let reached: () => void = () => {};
  let goOn: () => void = () => {};
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const lasts = [first.parts[1], second.parts[1]];
  refuse = async (digest) => {
    if (!lasts.includes(digest)) return false;
    reached();
    await mayGoOn;
    return true;
  };
  const id = await cleanUp("cancelled");
  await isReached;
  const begun = (await itemsOf(id)).find(({ state }) => state === "deleted");
  expect((await server.send("POST", `/cleanup-items/${begun?.id}/restore`)).status).toBe(409);
  const { items: jobs } = await server.call<Listed<{ id: number }>>("GET", "/jobs?kind=cleanup");
  await server.call("POST", `/jobs/${jobs[0]?.id}/cancel`);
  await done(id);
  goOn();
  expect((await itemsOf(id)).map(({ state, why }) => [state, why]).sort()).toEqual([
    ["deleted", "its job was cancelled"],
    ["kept", "its job was cancelled"],
  ]);
  refuse = async () => false;
  await server.call("POST", `/cleanup-items/${begun?.id}/restore`);
  for (const { index, parts } of [first, second])
    for (const digest of [index, ...parts]) expect(await statusOf("cancelled", digest)).toBe(200);
});
