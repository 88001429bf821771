import { join } from "node:path";
import { openRepository } from "@bulwark/image";
import { type BuiltImage, buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwark } from "./support/cli.ts";
import { debianRootfs } from "./support/debian-rootfs.ts";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { ended, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const rootfs = debianRootfs();
const directory = temporaryDirectory();
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const FLAW = "CVE-2019-10744";

const os = { tar: rootfs ?? new Uint8Array(), createdBy: "ADD rootfs.tar /" };
const library = (version: string) => ({
  files: { "usr/share/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version }) },
  createdBy: `RUN npm install --global lodash@${version}`,
});
const file = (path: string) => ({ files: { [path]: path }, createdBy: `COPY ${path} /` });

/** Debian, and what stands on it one upon another; each is built on the one before. */
function chainOn(version: string, build: string) {
  const debian = [os, library(version)];
  const platform = [...debian, file(`opt/platform-${build}`)];
  const business = [...platform, file(`opt/business-${build}`)];
  return {
    debian: buildImage({ layers: debian }),
    platform: buildImage({ layers: platform }),
    business: buildImage({ layers: business }),
    app: buildImage({ layers: [...business, file(`srv/app-${build}`)] }),
  };
}

interface Risk {
  readonly id: number;
  readonly finding: string;
  readonly state: string;
  readonly reopened: number;
  readonly repository: { readonly name: string };
  readonly responsible: {
    readonly verdict: string;
    readonly image: string | null;
    readonly owner: { readonly name: string } | null;
  } | null;
}
interface Rebuild {
  readonly state: string;
  readonly reopened: number;
  readonly repository: { readonly name: string };
  readonly base: { readonly repository: string };
  readonly findings: readonly string[];
}
interface Listed<Item> {
  readonly items: readonly Item[];
}

let real: RealRegistry;
let server: ServerUnderTest;
let registry: number;

async function push(image: BuiltImage, name: string): Promise<void> {
  const layout = join(
    directory.path,
    "layout",
    `${name.replaceAll(/[/:]/g, "_")}-${image.manifest.digest.slice(7, 19)}`,
  );
  writeLayout(image, layout, "x");
  await pushLayout(layout, `${real.host}/${name}`);
}

/** Puts an index above an image that is pushed already, with the attestation that BuildKit puts beside it. */
async function pushWithProvenance(name: string, tag: string, image: BuiltImage, base: BuiltImage): Promise<void> {
  const repository = await openRepository(`http://${real.host}/${name}`, "pull,push", { plainHttp: true });
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const sha256 = base.manifest.digest.slice("sha256:".length);
  const statement = json({
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v1",
    subject: [],
    predicate: {
      buildDefinition: {
        resolvedDependencies: [
          { uri: "pkg:docker/docker/dockerfile@1", digest: { sha256: "a".repeat(64) } },
          { uri: "pkg:docker/real/business/shop-base@1?platform=linux%2Famd64", digest: { sha256 } },
        ],
      },
    },
  });
  const config = json({ architecture: "unknown", os: "unknown", config: {}, rootfs: { type: "layers", diff_ids: [] } });
  const attestation = json({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: await repository.putBlob(config),
      size: config.length,
    },
    layers: [
      {
        mediaType: "application/vnd.in-toto+json",
        digest: await repository.putBlob(statement),
        size: statement.length,
        annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
      },
    ],
  });
  const index = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      image.manifest,
      {
        mediaType: MANIFEST_TYPE,
        digest: await repository.putManifest(attestation, MANIFEST_TYPE),
        size: attestation.length,
        platform: { os: "unknown", architecture: "unknown" },
        annotations: {
          "vnd.docker.reference.type": "attestation-manifest",
          "vnd.docker.reference.digest": image.manifest.digest,
        },
      },
    ],
  });
  await repository.putManifest(index, "application/vnd.oci.image.index.v1+json", tag);
  repository.close();
}

/** Waits until the registry was looked at and everything found there was scanned. */
async function sync(): Promise<void> {
  const { job } = await server.call<{ job: number }>("POST", `/registries/${registry}/sync`);
  await ended(server, job);
}

const risksOf = async () =>
  (await server.call<Listed<Risk>>("GET", "/risks?search=CVE-2019-10744&limit=100")).items.filter(
    ({ finding }) => finding === FLAW,
  );
const riskIn = async (repository: string) => (await risksOf()).find((risk) => risk.repository.name === repository);
const rebuilds = async () => (await server.call<Listed<Rebuild>>("GET", "/rebuilds?limit=100")).items;
const rebuildOf = async (repository: string) => (await rebuilds()).find((task) => task.repository.name === repository);

describe.skipIf(rootfs === undefined)("a chain of images on a real Debian", () => {
  const old = chainOn("4.17.4", "1");
  const fixed = chainOn("4.17.21", "2");

  beforeAll(async () => {
    real = await startRealRegistry(join(directory.path, "registry"));
    server = await startTestServer(join(directory.path, "data"));
    await push(old.debian, "os/debian:12");
    await push(old.platform, "platform/java:1");
    await push(old.business, "business/shop-base:1");
    await push(old.app, "team/shop:1");
    const connection = {
      name: "real",
      kind: "oci",
      address: real.host,
      plainHttp: true,
      allowPrivate: true,
      pollMinutes: 0,
    };
    registry = (await server.call<{ id: number }>("POST", "/registries", connection)).id;
    await until("the first synchronisation", async () => {
      const { items } = await server.call<Listed<{ state: string }>>("GET", "/jobs?kind=sync");
      return items[0] !== undefined && ["done", "failed"].includes(items[0].state);
    });
    const { items } = await server.call<Listed<{ id: number; name: string }>>("GET", "/repositories?limit=100");
    for (const { id, name } of items) {
      const owner = await server.call<{ id: number }>("POST", "/owners", { name: `owners of ${name}`, email: "" });
      await server.call("PATCH", `/repositories/${id}`, { ownerId: owner.id });
    }
  });
  afterAll(async () => {
    await server?.close();
    await real?.stop();
    directory.remove();
  });

  test("is known from its layers, four images deep", async () => {
    const path = await server.call<Listed<{ image: { reference: string } | null; how: string; beneath: number }>>(
      "GET",
      `/images/${old.app.manifest.digest}/bases`,
    );
    expect(path.items.map(({ image }) => image?.reference)).toEqual([
      "real/os/debian:12",
      "real/platform/java:1",
      "real/business/shop-base:1",
      "real/team/shop:1",
    ]);
    expect(path.items.map(({ beneath }) => beneath)).toEqual([3, 2, 1, 0]);
  });

  test("sends a finding to the owner of the layer that brought it", async () => {
    expect(await riskIn("os/debian")).toMatchObject({
      responsible: { verdict: "own", image: "real/os/debian", owner: { name: "owners of os/debian" } },
    });
    for (const repository of ["platform/java", "business/shop-base", "team/shop"]) {
      expect(await riskIn(repository)).toMatchObject({
        responsible: { verdict: "base", image: "real/os/debian", owner: { name: "owners of os/debian" } },
      });
    }
  });

  test("is told by the command line: its tree, its owners, the spread and a plan", async () => {
    const { token } = await server.call<{ token: string }>("POST", "/tokens", {
      name: "cli",
      scopes: ["images:read", "findings:read"],
    });
    const access = { BULWARK_SERVER: server.url, BULWARK_TOKEN: token };
    const run = async (...words: string[]) =>
      (await bulwark(join(directory.path, "cache"), ["image", ...words], access)).stdout;
    const tree = await run("tree", "real/team/shop:1");
    expect(
      tree
        .trim()
        .split("\n")
        .map((line) => line.trim().replace(/^└─ /, "").split(" (")[0]),
    ).toEqual(["real/os/debian:12", "real/platform/java:1", "real/business/shop-base:1", "real/team/shop:1"]);
    expect(await run("tree")).toMatch(/^└─ real\/os\/debian:12 .*3 images on it[\s\S]*└─ real\/platform\/java:1/);
    expect(await run("owner", `${real.host}/team/shop:1`)).toMatch(/owners of team\/shop[\s\S]*owners of os\/debian/);
    await server.call("POST", "/lineage/spread");
    expect(await run("bases")).toMatch(/4 images, 3 of them on 3 bases \(1 of which on nothing\)/);
    expect(await run("plan", "--fixes", "1", "--measure", "high")).toMatch(
      /rebuild +real\/os\/debian:12 +\d+ +100\.0 %/,
    );
  });

  test("is rebuilt from the root up: each fixed base asks those right on it, and a scan closes what was done", async () => {
    await push(fixed.debian, "os/debian:12");
    await sync();
    expect(await riskIn("os/debian")).toMatchObject({ state: "fixed" });
    expect(await rebuilds()).toMatchObject([
      {
        state: "open",
        repository: { name: "platform/java" },
        base: { repository: "os/debian" },
        findings: expect.arrayContaining([FLAW]),
      },
    ]);
    await push(fixed.platform, "platform/java:1");
    await sync();
    expect(await rebuildOf("platform/java")).toMatchObject({ state: "done" });
    expect(await rebuildOf("business/shop-base")).toMatchObject({
      state: "open",
      base: { repository: "platform/java" },
    });
    expect(await rebuildOf("team/shop")).toBeUndefined();
    await push(fixed.business, "business/shop-base:1");
    await sync();
    await push(fixed.app, "team/shop:1");
    await sync();
    expect((await rebuilds()).map(({ state }) => state)).toEqual(["done", "done", "done"]);
    expect((await risksOf()).map(({ state }) => state)).toEqual(["fixed", "fixed", "fixed", "fixed"]);
  });

  test("that falls back opens its task again, and counts it", async () => {
    await push(old.app, "team/shop:1");
    await sync();
    expect(await riskIn("team/shop")).toMatchObject({ state: "reopened", reopened: 1 });
    expect(await rebuildOf("team/shop")).toMatchObject({ state: "open", reopened: 1 });
    await push(fixed.app, "team/shop:1");
    await sync();
    expect(await rebuildOf("team/shop")).toMatchObject({ state: "done", reopened: 1 });
  });

  test("closes the task of a repository that left its registry", async () => {
    await push(old.app, "team/shop:1");
    await sync();
    expect(await rebuildOf("team/shop")).toMatchObject({ state: "open" });
    await server.call("PATCH", `/registries/${registry}`, { exclude: ["team/*"] });
    await sync();
    expect(await rebuildOf("team/shop")).toMatchObject({ state: "done" });
    await server.call("PATCH", `/registries/${registry}`, { exclude: [] });
    await push(fixed.app, "team/shop:1");
    await sync();
  });

  test("takes the base of a squashed image from its build provenance, and never against its layers", async () => {
    const flat = buildImage({
      layers: [{ files: { "etc/os-release": "ID=debian\nVERSION_ID=12\n", flat: "all in one layer" } }],
    });
    await push(flat, "team/flat:image");
    await pushWithProvenance("team/flat", "1", flat, fixed.business);
    // Its layers say that it stands on the business base, whatever its provenance says.
    await pushWithProvenance("team/shop", "lying", fixed.app, flat);
    await sync();
    const bases = async ({ manifest }: BuiltImage) =>
      (
        await server.call<Listed<{ how: string; claim: string; image: { reference: string } | null }>>(
          "GET",
          `/images/${manifest.digest}/bases`,
        )
      ).items;
    expect((await bases(flat)).slice(-2)).toMatchObject([
      { image: { reference: "real/business/shop-base:1" } },
      { how: "declared", claim: "used", image: { reference: "real/team/flat:1" } },
    ]);
    expect((await bases(fixed.app)).at(-2)).toMatchObject({ image: { reference: "real/business/shop-base:1" } });
  });

  test("keeps a base that was deleted, as one that is gone", async () => {
    // Both builds of Debian stand on one root file system, which no image is.
    const manifest = `http://${real.host}/v2/platform/java/manifests/${fixed.platform.manifest.digest}`;
    expect((await fetch(manifest, { method: "DELETE" })).status).toBe(202);
    await sync();
    const path = await server.call<Listed<{ kind: string }>>("GET", `/images/${fixed.app.manifest.digest}/bases`);
    expect(path.items.map(({ kind }) => kind)).toEqual(["anonymous", "known", "deleted", "known", "known"]);
  });
});
