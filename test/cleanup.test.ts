import { join } from "node:path";
import { type BuiltImage, buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bulwark } from "./support/cli.ts";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { type ApiClient, logIn, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const directory = temporaryDirectory();
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const base = { files: { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n' }, createdBy: "ADD rootfs.tar /" };
const file = (path: string) => ({ files: { [path]: path }, createdBy: `COPY ${path} /` });
const BASE = buildImage({ layers: [base] });
const APP = buildImage({ layers: [base, file("srv/app")] });
const OLD = buildImage({ layers: [base, file("srv/old")] });
const HELD = buildImage({ layers: [base, file("srv/held")] });

interface Unused {
  readonly repositoryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
}
interface Item {
  readonly id: number;
  readonly repository: string;
  readonly state: string;
  readonly why: string;
}
interface Listed<Row> {
  readonly items: readonly Row[];
}

let real: RealRegistry;
let server: ServerUnderTest;
let second: ApiClient;

async function push(image: BuiltImage, name: string): Promise<void> {
  const layout = join(directory.path, "layout", name.replaceAll(/[/:]/g, "_"));
  writeLayout(image, layout, "x");
  await pushLayout(layout, `${real.host}/${name}`);
}

const unused = async () => (await server.call<Listed<Unused>>("GET", "/unused?days=30")).items;
const statusOf = async (name: string, digest: string) =>
  (await fetch(`http://${real.host}/v2/${name}/manifests/${digest}`, { headers: { accept: MANIFEST_TYPE } })).status;

async function cleanUp(): Promise<readonly Item[]> {
  const { id } = await server.call<{ id: number }>("POST", "/cleanups", { days: 30 });
  await second.call("POST", `/cleanups/${id}/approve`);
  await until("the end of the cleanup", async () => {
    const { items } = await server.call<Listed<{ id: number; state: string }>>("GET", "/cleanups");
    return items.find((cleanup) => cleanup.id === id)?.state === "done";
  });
  return (await server.call<Listed<Item>>("GET", `/cleanups/${id}/items`)).items;
}

beforeAll(async () => {
  real = await startRealRegistry(join(directory.path, "registry"));
  server = await startTestServer(join(directory.path, "data"));
  await push(BASE, "os/debian:12");
  await push(APP, "team/app:1");
  await push(OLD, "team/old:1");
  await push(HELD, "team/held:1");
  const connection = {
    name: "real",
    kind: "oci",
    address: real.host,
    plainHttp: true,
    allowPrivate: true,
    pollMinutes: 0,
  };
  await server.call("POST", "/registries", connection);
  await until("the first synchronisation", async () => {
    const { items } = await server.call<Listed<{ state: string }>>("GET", "/jobs?kind=sync");
    return items[0] !== undefined && ["done", "failed"].includes(items[0].state);
  });
  const account = { login: "second", name: "Second", password: "four grey herons wading", role: "admin" };
  await server.call("POST", "/accounts", account);
  second = await logIn(server.url, "second");
});
afterAll(async () => {
  await server?.close();
  await real?.stop();
  directory.remove();
});

/** Makes everything look as if it had come a hundred days ago. */
async function age(): Promise<void> {
  const then = new Date(Date.now() - 100 * 86_400_000);
  await server.running.store.tenant(1, async (db) => {
    await db
      .updateTable("image")
      .set({ first_seen: then as never })
      .execute();
    await db.updateTable("tag").set({ moved_at: then }).execute();
  });
}

test("what is new is not unused", async () => {
  expect(await unused()).toEqual([]);
  await expect(server.call("POST", "/cleanups", { days: 30 })).rejects.toThrow(/unused/);
});

test("a base that something stands on is never unused, however old", async () => {
  await age();
  expect((await unused()).map(({ repository }) => repository).sort()).toEqual(["team/app", "team/held", "team/old"]);
});

test("what is held or was pulled stays, the rest goes when a second person approves, and comes back", async () => {
  const found = await unused();
  const held = found.find(({ repository }) => repository === "team/held");
  await server.call("POST", "/cleanup-holds", { repositoryId: held?.repositoryId, reason: "kept for an audit" });
  const { path } = await server.call<{ path: string }>("POST", "/registries/1/webhook");
  const target = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: APP.manifest.digest,
    repository: "team/app",
  };
  const told = await fetch(new URL(path, server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ events: [{ action: "pull", target }] }),
  });
  expect(told.status).toBe(202);
  expect((await unused()).map(({ repository }) => repository)).toEqual(["team/old"]);

  const { id } = await server.call<{ id: number }>("POST", "/cleanups", { days: 30 });
  expect((await server.send("POST", `/cleanups/${id}/approve`)).status).toBe(409);
  await second.call("POST", `/cleanups/${id}/refuse`);
  expect(await statusOf("team/old", OLD.manifest.digest)).toBe(200);

  const items = await cleanUp();
  expect(items).toMatchObject([{ repository: "team/old", state: "deleted" }]);
  expect(await statusOf("team/old", OLD.manifest.digest)).toBe(404);
  expect(await statusOf("team/app", APP.manifest.digest)).toBe(200);
  const kept = await server.call<{ manifests: readonly { digest: string }[] }>(
    "GET",
    `/cleanup-items/${items[0]?.id}/manifests`,
  );
  expect(kept.manifests).toMatchObject([{ digest: OLD.manifest.digest }]);
  await server.call("POST", `/cleanup-items/${items[0]?.id}/restore`);
  expect(await statusOf("team/old", "1")).toBe(200);
  expect((await server.send("POST", `/cleanup-items/${items[0]?.id}/restore`)).status).toBe(404);
});

test("the command line lists, proposes, and lets somebody else decide", async () => {
  const run = async (client: ApiClient, ...words: string[]) => {
    const scopes = ["images:read", "images:write", "findings:approve"];
    const { token } = await client.call<{ token: string }>("POST", "/tokens", {
      name: `cli ${words.join(" ")}`,
      scopes,
    });
    const access = { BULWARK_SERVER: server.url, BULWARK_TOKEN: token };
    return bulwark(join(directory.path, "cache"), ["image", ...words], access);
  };
  expect((await run(server, "unused", "--days", "30")).stdout).toMatch(/IMAGE[\s\S]*real\/team\/old:1/);
  const id = /Cleanup (\d+)/.exec((await run(server, "unused", "--days", "30", "--propose")).stdout)?.[1] ?? "";
  expect(await run(server, "cleanup", "approve", id)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("somebody else"),
  });
  expect((await run(second, "cleanup", "refuse", id)).stdout).toContain("refused");
  expect((await run(server, "cleanup", "show", id)).stdout).toMatch(/team\/old:1 .* waiting/);
});

test("what came into use between the approval and its turn is kept", async () => {
  const { id } = await server.call<{ id: number }>("POST", "/cleanups", { days: 30 });
  await server.running.store.tenant(1, (db) =>
    db.updateTable("image").set({ pulled_at: new Date() }).where("digest", "=", OLD.manifest.digest).execute(),
  );
  await second.call("POST", `/cleanups/${id}/approve`);
  await until("the end of the cleanup", async () => {
    const { items } = await server.call<Listed<{ id: number; state: string }>>("GET", "/cleanups");
    return items.find((cleanup) => cleanup.id === id)?.state === "done";
  });
  const { items } = await server.call<Listed<Item>>("GET", `/cleanups/${id}/items`);
  expect(items).toMatchObject([{ state: "kept", why: expect.stringContaining("in use again") }]);
  expect(await statusOf("team/old", OLD.manifest.digest)).toBe(200);
});
