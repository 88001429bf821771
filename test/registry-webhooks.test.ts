import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHarbor } from "./support/harbor.ts";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { ended, type SeenJob, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const directory = temporaryDirectory();

interface Listed<Item> {
  readonly items: readonly Item[];
}
type TitledJob = SeenJob & { readonly title: string };

let real: RealRegistry;
let server: ServerUnderTest;
let hook: { readonly url: string; readonly path: string };
let registry: number;

async function push(name: string, version: string): Promise<void> {
  const files = { "app/package.json": JSON.stringify({ name: "app", version }) };
  const layout = join(directory.path, "layout", name.replaceAll(/[/:]/g, "_"));
  writeLayout(buildImage({ layers: [{ files }] }), layout, "x");
  await pushLayout(layout, `${real.host}/${name}`);
}

const jobs = async () => (await server.call<Listed<TitledJob>>("GET", "/jobs?limit=200")).items;
const pushesOf = async (title: string) => (await jobs()).filter((job) => job.cause === "push" && job.title === title);
const call = (path: string, body: unknown, type = "application/json") =>
  fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": type }, body: JSON.stringify(body) });
const idle = () => until("no job that runs", async () => (await jobs()).every(({ state }) => state !== "running"));

beforeAll(async () => {
  // The registry tells of pushes to an address that is known once the webhook is made: a forwarder stands there.
  const forwarder = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const type = request.headers["content-type"] ?? "";
      void fetch(hook.url, { method: "POST", headers: { "content-type": type }, body: Buffer.concat(chunks) }).then(
        (answer) => response.writeHead(answer.status).end(),
        () => response.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => forwarder.listen(0, "127.0.0.1", resolve));
  forwarding = forwarder;
  const notify = `http://127.0.0.1:${(forwarder.address() as AddressInfo).port}/`;
  real = await startRealRegistry(join(directory.path, "registry"), { notify });
  server = await startTestServer(join(directory.path, "data"));
  const made = await server.call<{ id: number }>("POST", "/registries", {
    name: "real",
    kind: "oci",
    address: real.host,
    plainHttp: true,
    allowPrivate: true,
    pollMinutes: 0,
    exclude: ["secret/**"],
  });
  registry = made.id;
  hook = await server.call("POST", `/registries/${registry}/webhook`);
  await idle();
});
let forwarding: Server;
afterAll(async () => {
  await server?.close();
  forwarding?.closeAllConnections();
  forwarding?.close();
  await real?.stop();
  directory.remove();
});

describe("a webhook", () => {
  test("of Docker's registry makes what was pushed scanned, without a word from anybody", async () => {
    await push("team/pushed:1", "1.0.0");
    await until("the image that was pushed", async () => {
      const { items } = await server.call<Listed<{ state: string }>>("GET", "/images?repository=team/pushed");
      return items.length === 1 && items[0]?.state === "scanned";
    });
    const [job] = await pushesOf("real/team/pushed");
    expect(await ended(server, job!.id)).toMatchObject({ state: "done", failed: 0 });
  });

  test.each([
    ["Harbor", { type: "PUSH_ARTIFACT", event_data: { repository: { repo_full_name: "team/harbor" } } }, "team/harbor"],
    [
      "Harbor as a CloudEvent",
      { specversion: "1.0", type: "harbor.artifact.pushed", data: { repository: { repo_full_name: "team/cloud" } } },
      "team/cloud",
    ],
    ["Docker Hub", { repository: { repo_name: "team/hub" }, push_data: { tag: "1" } }, "team/hub"],
    ["a script", { repository: "team/script", tag: "1" }, "team/script"],
  ])("of %s is understood", async (_, body, repository) => {
    expect((await call(hook.path, body)).status).toBe(202);
    const [job] = await pushesOf(`real/${repository}`);
    expect(job).toMatchObject({ kind: "sync", cause: "push" });
  });

  test("is not believed beyond the names of repositories that are read anyway", async () => {
    const before = (await jobs()).length;
    for (const repository of ["secret/app", "../../etc/passwd", "A B", "x".repeat(300), 7, null, ["a"]]) {
      expect((await call(hook.path, { repository })).status).toBe(202);
    }
    const pull = { events: [{ action: "pull", target: { repository: "team/pushed" } }] };
    expect((await call(hook.path, pull)).status).toBe(202);
    expect(await jobs()).toHaveLength(before);
    expect((await call(hook.path, [])).status).toBe(400);
    expect((await call(hook.path, { repository: "x".repeat(300_000) })).status).toBe(413);
  });

  test("with a token that is none is not there, nor is one that was renewed", async () => {
    expect((await call("/api/v1/webhooks/nothing", { repository: "team/app" })).status).toBe(404);
    const old = hook.path;
    hook = await server.call("POST", `/registries/${registry}/webhook`);
    expect((await call(old, { repository: "team/app" })).status).toBe(404);
    expect((await call(hook.path, { repository: "team/app" })).status).toBe(202);
    const kept = JSON.stringify([
      await server.call("GET", `/registries/${registry}`),
      await server.call("GET", "/audit"),
    ]);
    expect(kept).not.toContain(hook.path.split("/").at(-1));
  });

  test("that calls too often is asked to wait", async () => {
    let status = 0;
    for (let i = 0; i < 700 && status !== 429; i++) status = (await call(hook.path, {})).status;
    expect(status).toBe(429);
  });
});

describe("addresses", () => {
  const attempt = (address: string, more: object = {}) =>
    server.send("POST", "/registries", { name: `to ${address}`, kind: "oci", address, plainHttp: true, ...more });

  test.each([
    "127.0.0.1:5000",
    "localhost:5000",
    "10.1.2.3",
    "[::1]:5000",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "2130706433",
  ])("of this machine or of private networks are refused unless it is allowed: %s", async (address) => {
    expect((await attempt(address)).status).toBe(422);
  });

  test.each(["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200"])(
    "of metadata services are refused whatever is allowed: %s",
    async (address) => {
      expect((await attempt(address, { allowPrivate: true })).status).toBe(422);
    },
  );

  test("that a registry redirects or sends for tokens to are held to the same rules", async () => {
    let answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
    const asked: string[] = [];
    const hostile = createServer((request, response) => {
      asked.push(request.headers.authorization ?? "");
      response.writeHead(answer.status, answer.headers).end();
    });
    await new Promise<void>((resolve) => hostile.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(hostile.address() as AddressInfo).port}`;
    const metadata = "http://169.254.169.254/latest/meta-data/";
    const settings = { name: "hostile", kind: "oci", address, plainHttp: true, allowPrivate: true };
    const account = { username: "robot", password: "secret" };
    for (const kind of ["oci", "harbor"]) {
      answer = { status: 302, headers: { location: metadata } };
      const moved = await server.call<{ ok: boolean; problem: string }>("POST", "/registries/test", {
        ...settings,
        ...account,
        kind,
      });
      expect(moved).toMatchObject({ ok: false, problem: expect.stringMatching(/169\.254\.169\.254|status 302/) });
    }
    answer = { status: 401, headers: { "www-authenticate": `Bearer realm="${metadata}",service="x"` } };
    const realm = await server.call("POST", "/registries/test", { ...settings, ...account });
    expect(realm).toMatchObject({ ok: false, problem: expect.stringContaining("169.254.169.254") });
    hostile.closeAllConnections();
    hostile.close();
  });
});

describe("Harbor", () => {
  test("is listed by its own API with a robot account, whose catalogue is closed to it", async () => {
    const robot = { username: "robot$scanner", password: "harbor secret" };
    await push("library/web:1", "1.0.1");
    await push("2024/app/api:1", "1.0.2");
    await push("private/none:1", "1.0.3");
    const harbor = await startHarbor({
      target: real.host,
      ...robot,
      projects: { library: ["web"], "2024": ["app/api"] },
    });
    const body = { name: "harbor", kind: "harbor", address: harbor.host, plainHttp: true, allowPrivate: true };
    const wrong = { ...body, ...robot, password: "wrong" };
    expect(await server.call("POST", "/registries/test", wrong)).toMatchObject({
      ok: false,
      problem: expect.stringContaining("robot$scanner"),
    });
    expect(await server.call("POST", "/registries/test", { ...body, ...robot })).toEqual({
      ok: true,
      problem: "",
      repositories: 2,
    });
    await server.call("POST", "/registries", { ...body, ...robot });
    await until("its images", async () =>
      (await jobs()).some(({ title, state }) => title === "harbor" && state === "done"),
    );
    const { items } = await server.call<Listed<{ name: string; images: number; registry: { name: string } }>>(
      "GET",
      "/repositories?limit=200",
    );
    const own = items.filter(({ registry: { name } }) => name === "harbor");
    expect(own.map(({ name, images }) => [name, images])).toEqual([
      ["2024/app/api", 1],
      ["library/web", 1],
    ]);
    await harbor.close();
  });
});

describe("repositories", () => {
  test("are searched, paged, and given owners, grades and labels that their images inherit", async () => {
    const all = await server.call<Listed<{ id: number; name: string }> & { next: string }>(
      "GET",
      "/repositories?limit=1",
    );
    expect(all.items).toHaveLength(1);
    const rest = await server.call<Listed<{ name: string }>>("GET", `/repositories?limit=1&cursor=${all.next}`);
    expect(rest.items[0]?.name).not.toBe(all.items[0]?.name);
    const { items } = await server.call<Listed<{ id: number }>>("GET", "/repositories?search=pushed");
    expect(items).toHaveLength(1);
    const owner = await server.call<{ id: number }>("POST", "/owners", { name: "shop team" });
    const change = { ownerId: owner.id, grade: "vital", labels: { cost: "7" } };
    expect(await server.call("PATCH", `/repositories/${items[0]?.id}`, change)).toMatchObject({
      owner: { name: "shop team" },
      grade: "vital",
      labels: { cost: "7" },
    });
    const images = await server.call<Listed<object>>("GET", "/images?repository=team/pushed");
    expect(images.items).toMatchObject([{ owner: { name: "shop team" }, grade: "vital" }]);
    expect((await server.send("PATCH", `/repositories/${items[0]?.id}`, { ownerId: 999_999 })).status).toBe(404);
  });
});
