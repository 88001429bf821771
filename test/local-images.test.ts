import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildImage, type ChildServer, startChild, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, logIn, PASSWORD, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const run = promisify(execFile);
const directory = temporaryDirectory();
const at = (name: string) => join(directory.path, name);
const socket = at("containerd.sock");
const ctr = (...args: string[]) => run("ctr", ["--address", socket, "--namespace", "k8s.io", ...args]);

interface Listed<Item> {
  readonly items: readonly Item[];
}

let containerd: ChildServer;
let server: ServerUnderTest;

/** Imports an image under a name into containerd. */
async function load(name: string, version: string): Promise<void> {
  const files = { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version }) };
  writeLayout(buildImage({ layers: [{ files }] }), at(`layout-${version}`), "1");
  await run("skopeo", ["copy", "-q", `oci:${at(`layout-${version}`)}:1`, `oci-archive:${at(`${version}.tar`)}:1`]);
  await ctr("images", "import", "--no-unpack", "--base-name", name, at(`${version}.tar`));
}

const scan = async (node?: string) => {
  const { id } = await server.call<{ id: number }>("POST", "/scans/local", node === undefined ? {} : { node });
  return ended(server, id);
};
const repositories = async () => {
  const { items } = await server.call<Listed<{ name: string; images: number; high: number }>>("GET", "/repositories");
  return items.map(({ name, images, high }) => ({ name, images, hasFlaws: high > 0 }));
};

beforeAll(async () => {
  writeFileSync(
    at("containerd.toml"),
    `version = 2
root = "${at("root")}"
state = "${at("state")}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
`,
  );
  containerd = await startChild("containerd", ["--config", at("containerd.toml")], /containerd successfully booted/);
  const none = { dockerSocket: at("none.sock"), podmanSocket: at("none.sock") };
  server = await startTestServer(at("data"), { sockets: { containerdSocket: socket, ...none } });
});
afterAll(async () => {
  await server?.close();
  await containerd?.stop();
  directory.remove();
});

test("the images that containerd keeps on a machine are scanned, followed, and let go of", async () => {
  await load("registry.example/team/shop", "4.17.4");
  await load("docker.io/library/tool", "4.17.21");
  expect(await scan()).toMatchObject({ kind: "local", state: "done" });
  expect(await repositories()).toEqual([
    { name: "docker.io/library/tool", images: 1, hasFlaws: expect.any(Boolean) },
    { name: "registry.example/team/shop", images: 1, hasFlaws: true },
  ]);
  const { items } = await server.call<Listed<{ kind: string; state: string; problem: string }>>("GET", "/registries");
  expect(items).toMatchObject([{ kind: "local", state: "ok", problem: "" }]);
  await ctr("images", "rm", "docker.io/library/tool:1");
  expect(await scan()).toMatchObject({ state: "done" });
  expect((await repositories()).map(({ name }) => name)).toEqual(["registry.example/team/shop"]);
});

test("a rebuild of a repository that a machine keeps is done when the machine has it built anew, or not any more", async () => {
  const { store } = server.running;
  await load("registry.example/team/left", "4.17.4");
  await scan();
  const idOf = (name: string) =>
    store.tenant(1, (db) =>
      db.selectFrom("repository").select("id").where("name", "=", name).executeTakeFirstOrThrow(),
    );
  for (const name of ["registry.example/team/shop", "registry.example/team/left"]) {
    const { id } = await idOf(name);
    await store.tenant(1, async (db) => {
      const image = await db
        .selectFrom("image_location")
        .select("image_id")
        .where("repository_id", "=", id)
        .executeTakeFirstOrThrow();
      const risk = await db
        .selectFrom("risk")
        .select("finding")
        .where("repository_id", "=", id)
        .executeTakeFirstOrThrow();
      const task = {
        repository_id: id,
        base_repository_id: id,
        from_image_id: image.image_id,
        to_image_id: image.image_id,
      };
      const told = { to_tag: "1", findings: [risk.finding], opened_at: new Date() };
      await db
        .insertInto("rebuild_task")
        .values({ tenant_id: 1, ...task, ...told })
        .execute();
    });
  }
  const open = async () => (await server.call<Listed<unknown>>("GET", "/rebuilds?state=open")).items.length;
  await scan();
  expect(await open()).toBe(2);
  await ctr("images", "rm", "registry.example/team/left:1");
  await scan();
  expect(await open()).toBe(1);
  await load("registry.example/team/shop", "4.17.21");
  await scan();
  expect(await open()).toBe(0);
  await load("registry.example/team/shop", "4.17.4");
  await scan();
});

test("a scan for one machine waits for the worker there, and says so", async () => {
  const { id } = await server.call<{ id: number }>("POST", "/scans/local", { node: "elsewhere" });
  const waiting = await until("a worker to hand it on", async () => {
    const { items } = await server.call<Listed<{ state: string; problem: string; attempts: number }>>(
      "GET",
      `/jobs/${id}/tasks`,
    );
    return items.find(({ problem }) => problem !== "");
  });
  expect(waiting).toMatchObject({ problem: "it waits for the worker on elsewhere", attempts: 0 });
  expect(await scan(hostname())).toMatchObject({ state: "done", failed: 0 });
  await server.call("POST", `/jobs/${id}/cancel`);
  expect(await ended(server, id)).toMatchObject({ state: "cancelled" });
});

test("what nobody uses is removed from the machine, what a container needs is not", async () => {
  await load("docker.io/library/tool", "4.17.21");
  await scan();
  await ctr("images", "unpack", "registry.example/team/shop:1").catch(() => undefined);
  await ctr("containers", "create", "registry.example/team/shop:1", "holder", "/bin/true");
  const then = new Date(Date.now() - 100 * 86_400_000);
  await server.running.store.tenant(1, async (db) => {
    await db
      .updateTable("image")
      .set({ first_seen: then as never })
      .execute();
    await db.updateTable("tag").set({ moved_at: then }).execute();
  });
  const account = { login: "second", name: "Second", password: PASSWORD, role: "admin" };
  await server.call("POST", "/accounts", account);
  const second = await logIn(server.url, "second");
  const { id } = await server.call<{ id: number }>("POST", "/cleanups", { days: 30 });
  await second.call("POST", `/cleanups/${id}/approve`);
  const items = await until("the end of the cleanup", async () => {
    const listed = await server.call<Listed<{ repository: string; state: string; why: string }>>(
      "GET",
      `/cleanups/${id}/items`,
    );
    return listed.items.every(({ state }) => state !== "waiting") ? listed.items : undefined;
  });
  expect(Object.fromEntries(items.map(({ repository, state }) => [repository, state]))).toEqual({
    "docker.io/library/tool": "deleted",
    "registry.example/team/shop": "failed",
  });
  expect(items.find(({ state }) => state === "failed")?.why).toContain("used by container holder");
  expect((await ctr("images", "ls", "-q")).stdout).toBe("registry.example/team/shop:1\n");
  await scan();
  expect((await repositories()).map(({ name }) => name)).toEqual(["registry.example/team/shop"]);
});

test("a daemon that is gone is a problem that is told, and nothing is taken for gone with it", async () => {
  await containerd.stop();
  const job = await scan();
  expect(["failed", "done"]).toContain(job.state);
  expect((await repositories()).map(({ name }) => name)).toEqual(["registry.example/team/shop"]);
});
