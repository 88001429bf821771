import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pushArtifact } from "@bulwark/image";
import {
  type BuiltImage,
  buildImage,
  buildIndex,
  layoutFiles,
  temporaryDirectory,
  writeLayout,
} from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { type RecordingProxy, startProxy } from "./support/recording-proxy.ts";
import { ended, type SeenJob, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const directory = temporaryDirectory();
const ACCOUNT = { username: "scanner", password: "a word that no log shows" };

interface Listed<Item> {
  readonly items: readonly Item[];
}
interface SeenImage {
  readonly digest: string;
  readonly state: string;
  readonly repository: string;
  readonly problem: string;
  readonly counts: Readonly<Record<string, number>>;
}
interface SeenRegistry {
  readonly id: number;
  readonly state: string;
  readonly problem: string;
  readonly syncedAt: string | null;
  readonly repositories: number;
  readonly images: number;
}

const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n';
const base = { files: { "etc/os-release": OS }, createdBy: "ADD rootfs.tar /" };
const lodash = (version: string) => ({
  files: { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version }) },
  createdBy: `RUN npm install lodash@${version}`,
});
const OLD = buildImage({ layers: [base, lodash("4.17.4")] });
const NEW = buildImage({ layers: [base, lodash("4.17.21")] });
const ARM = buildImage({ layers: [base, lodash("4.17.5")], architecture: "arm64" });

let real: RealRegistry;
let proxy: RecordingProxy;
let server: ServerUnderTest;

async function push(image: BuiltImage, name: string): Promise<void> {
  const layout = join(directory.path, "layout", name.replaceAll(/[/:]/g, "_"));
  writeLayout(image, layout, "x");
  await pushLayout(layout, `${real.host}/${name}`);
}

/** Pushes an index of images for several platforms. */
async function pushIndex(images: readonly BuiltImage[], name: string): Promise<void> {
  const layout = join(directory.path, "layout", name.replaceAll(/[/:]/g, "_"));
  const index = buildIndex(images.map(({ manifest }) => manifest));
  const blobs = new Map([...images.flatMap(({ blobs: own }) => [...own]), [index.descriptor.digest, index.bytes]]);
  const root = { ...index.descriptor, annotations: { "org.opencontainers.image.ref.name": "x" } };
  for (const [path, bytes] of layoutFiles(blobs, [root])) {
    mkdirSync(join(layout, path, ".."), { recursive: true });
    writeFileSync(join(layout, path), bytes);
  }
  await pushLayout(layout, `${real.host}/${name}`, ["--all"]);
}

const images = async () => (await server.call<Listed<SeenImage>>("GET", "/images?limit=500")).items;
const registryOf = (id: number) => server.call<SeenRegistry>("GET", `/registries/${id}`);
const settings = { kind: "oci", plainHttp: true, allowPrivate: true, pollMinutes: 0 };

async function connect(name: string, more: Readonly<Record<string, unknown>>): Promise<number> {
  const made = await server.call<{ id: number }>("POST", "/registries", { ...settings, name, ...more });
  await until(`the first synchronisation of ${name}`, async () => {
    const { items } = await server.call<Listed<SeenJob & { title: string }>>("GET", "/jobs?kind=sync");
    const job = items.find(({ title }) => title === name);
    return job !== undefined && ["done", "failed"].includes(job.state);
  });
  return made.id;
}

async function sync(id: number): Promise<SeenJob> {
  const { job } = await server.call<{ job: number }>("POST", `/registries/${id}/sync`);
  return ended(server, job);
}

beforeAll(async () => {
  real = await startRealRegistry(join(directory.path, "registry"));
  proxy = await startProxy(real.host);
  server = await startTestServer(join(directory.path, "data"));
});
afterAll(async () => {
  await server?.close();
  await proxy?.close();
  await real?.stop();
  directory.remove();
});

describe("a registry", () => {
  let registry: number;

  test("is read whole when it is connected, and its images are scanned", async () => {
    await push(OLD, "team/shop:1");
    await push(NEW, "team/shop:2");
    await push(OLD, "other/tool:latest");
    registry = await connect("real", { address: proxy.host });
    expect(await registryOf(registry)).toMatchObject({ state: "ok", problem: "", repositories: 2, images: 2 });
    const found = await images();
    expect(found.map(({ digest }) => digest).sort()).toEqual([OLD.manifest.digest, NEW.manifest.digest].sort());
    expect(found.map(({ state }) => state)).toEqual(["scanned", "scanned"]);
    const old = found.find(({ digest }) => digest === OLD.manifest.digest);
    expect(old?.counts.high).toBeGreaterThan(0);
    const findings = await server.call<Listed<{ kind: string; layer: number; package?: { name: string } }>>(
      "GET",
      `/images/${OLD.manifest.digest}/findings?kind=vulnerability`,
    );
    expect(findings.items.length).toBeGreaterThan(0);
    for (const finding of findings.items) expect(finding).toMatchObject({ layer: 1, package: { name: "lodash" } });
  });

  test("is asked for nothing but lists and digests when nothing changed", async () => {
    proxy.take();
    expect(await sync(registry)).toMatchObject({ state: "done", total: 1 });
    const seen = proxy.take();
    expect(seen.filter(({ method, url }) => method === "GET" && /manifests|blobs/.test(url))).toEqual([]);
    expect(seen.filter(({ method }) => method === "HEAD")).toHaveLength(3);
  });

  test("tells of tags that moved, by the manifest of these alone", async () => {
    await push(NEW, "team/shop:1");
    proxy.take();
    await sync(registry);
    expect(proxy.take().filter(({ method, url }) => method === "GET" && url.includes("/manifests/"))).toHaveLength(1);
    const { locations } = await server.call<{ locations: readonly object[] }>("GET", `/images/${NEW.manifest.digest}`);
    expect(locations).toMatchObject([{ registry: "real", repository: "team/shop", tags: ["1", "2"] }]);
  });

  test("lets go of what was deleted from it", async () => {
    const target = `http://${real.host}/v2/other/tool/manifests/${OLD.manifest.digest}`;
    expect((await fetch(target, { method: "DELETE" })).status).toBe(202);
    await sync(registry);
    const gone = (await server.call<Listed<SeenImage>>("GET", "/images?state=gone")).items;
    expect(gone.map(({ digest }) => digest)).toEqual([OLD.manifest.digest]);
    await push(OLD, "other/tool:latest");
    await sync(registry);
    expect((await images()).find(({ digest }) => digest === OLD.manifest.digest)?.state).toBe("scanned");
  });

  test("gives every image of an index, and neither charts nor signatures", async () => {
    await pushIndex([NEW, ARM], "team/multi:1");
    await pushArtifact(`http://${real.host}/team/chart:1`, {
      artifactType: "application/vnd.cncf.helm.config.v1+json",
      mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
      content: Buffer.from("no image"),
    });
    await sync(registry);
    const found = await images();
    expect(found.map(({ digest }) => digest)).toContain(ARM.manifest.digest);
    expect(found.find(({ digest }) => digest === ARM.manifest.digest)).toMatchObject({ state: "scanned" });
    expect(found).toHaveLength(3);
    proxy.take();
    await sync(registry);
    expect(proxy.take().filter(({ method, url }) => method === "GET" && url.includes("/manifests/"))).toEqual([]);
  });

  test("is read as far as its globs go", async () => {
    const id = await connect("part", { address: proxy.host, include: ["team/**"], exclude: ["**/multi"] });
    expect(await registryOf(id)).toMatchObject({ state: "ok", repositories: 2 });
    await server.call("DELETE", `/registries/${id}`);
  });
});

describe("a registry with TLS and a password", () => {
  let locked: RealRegistry;
  beforeAll(async () => {
    locked = await startRealRegistry(join(directory.path, "locked"), { tls: true, account: ACCOUNT });
    const layout = join(directory.path, "layout", "locked");
    writeLayout(OLD, layout, "x");
    const login = ["--dest-creds", `${ACCOUNT.username}:${ACCOUNT.password}`];
    await pushLayout(layout, `${locked.host}/app:1`, login);
  });
  afterAll(() => locked?.stop());
  const body = () => ({ name: "locked", kind: "oci", address: locked.host, allowPrivate: true, pollMinutes: 0 });

  test("says what is wrong when it is tried", async () => {
    const attempt = (more: object) =>
      server.call<{ ok: boolean; problem: string; repositories: number }>("POST", "/registries/test", {
        ...body(),
        ...more,
      });
    expect(await attempt({})).toMatchObject({ ok: false, problem: expect.stringMatching(/certificate.*add the cert/) });
    const trusted = { caPem: locked.ca, username: ACCOUNT.username };
    expect(await attempt({ caPem: locked.ca })).toMatchObject({
      ok: false,
      problem: expect.stringContaining("user and a password"),
    });
    const wrong = await attempt({ ...trusted, password: "wrong" });
    expect(wrong).toMatchObject({ ok: false, problem: expect.stringMatching(/does not accept.*check the user/) });
    expect(wrong.problem).not.toContain("wrong password");
    expect(await attempt({ ...trusted, password: ACCOUNT.password })).toEqual({
      ok: true,
      problem: "",
      repositories: 1,
    });
  });

  test("is read with its certificate and password, which is never told again", async () => {
    const id = await connect("locked", {
      ...body(),
      plainHttp: false,
      caPem: locked.ca,
      username: ACCOUNT.username,
      password: ACCOUNT.password,
    });
    expect(await registryOf(id)).toMatchObject({ state: "ok", hasSecret: true, images: 1 });
    for (const path of ["/registries", `/registries/${id}`, "/jobs", "/audit"]) {
      expect(JSON.stringify(await server.call("GET", path))).not.toContain(ACCOUNT.password);
    }
  });

  test("shows its problem when the password is changed behind our back", async () => {
    const { items } = await server.call<Listed<{ id: number; name: string }>>("GET", "/registries");
    const id = items.find(({ name }) => name === "locked")?.id ?? 0;
    await server.call("PATCH", `/registries/${id}`, { password: "not this" });
    expect(await sync(id)).toMatchObject({ state: "failed", failed: 1 });
    expect(await registryOf(id)).toMatchObject({ state: "failed", problem: expect.stringContaining("check the user") });
    const dead = await server.call<Listed<{ problem: string; attempts: number }>>("GET", "/tasks/failed");
    expect(dead.items[0]).toMatchObject({ attempts: 1, problem: expect.stringContaining("does not accept") });
  });
});
