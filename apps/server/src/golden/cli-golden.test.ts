import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, type ImageInput, writeLayout } from "@bulwark/image/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settleBases } from "../rebuilds/settle-bases.ts";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";

const BULWARK = join(import.meta.dirname, "../../../../bin/bulwark");
const home = mkdtempSync(join(tmpdir(), "bulwark-golden-"));
let server: TestApp;
let images: ScannedImages;
let proposer: Readonly<Record<string, string>>;
let approver: Readonly<Record<string, string>>;
const list = join(home, "golden.json");

const file = (path: string) => ({ files: { [path]: path }, createdBy: `COPY ${path} /` });
const config = { User: "1000", Labels: { "org.opencontainers.image.source": "https://git.example.org/x" } };
const base: ImageInput = { layers: [{ files: { "etc/os-release": "ID=debian\n" } }, file("opt/base")], config };
const strange: ImageInput = {
  layers: [file("etc/strange"), file("srv/strange")],
  config,
  annotations: { "org.opencontainers.image.base.name": "registry.invalid/platform/base:1.0" },
};

beforeAll(async () => {
  server = await openTestApp();
  // The command reads its own clock: a list that a server made long ago holds no more.
  server.clock.now = new Date();
  images = await scannedImages(server.store, 1, () => server.clock.now);
  await images.push("platform/base", "1.0", base);
  await images.push("team/shop", "1", { layers: [...base.layers, file("srv/shop")], config });
  await settleBases(server.store, 1, {}, server.clock.now);
  const url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  const access = async () => {
    const { bearer } = await server.account("security");
    return { BULWARK_SERVER: url, BULWARK_TOKEN: bearer.authorization.replace("Bearer ", "") };
  };
  proposer = await access();
  approver = await access();
});
afterAll(async () => {
  images.close();
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const place = { HOME: home, XDG_CONFIG_HOME: home, BULWARK_CACHE_DIR: join(home, "cache") };
    execFile(BULWARK, [...args], { env: { PATH: process.env.PATH, ...place, ...env } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function layout(name: string, image: ImageInput): string {
  const directory = join(home, name);
  writeLayout(buildImage(image), directory, "v1");
  return `oci:${directory}:v1`;
}

const scan = async (source: string, options: readonly string[], env = {}) => {
  const { status, stdout, stderr } = await run(["scan", source, ...options, "--format", "json", "--quiet"], env);
  const report = stdout === "" ? undefined : JSON.parse(stdout);
  return {
    status,
    stderr,
    base: report?.image.base,
    rules: report?.verdict.violations.map((each: { rule: string }) => each.rule),
  };
};

test("a golden image is proposed, approved by somebody else, published and shown", async () => {
  const name = "registry/platform/base";
  const proposed = await run(["golden", "propose", name, "--purpose", "what all stand on"], proposer);
  expect(proposed).toMatchObject({ status: 0, stdout: expect.stringContaining("is proposed: what all stand on") });
  const own = await run(["golden", "approve", name], proposer);
  expect(own).toMatchObject({ status: 2, stderr: expect.stringContaining("nobody approves what they proposed") });
  expect((await run(["golden", "approve", name], approver)).status).toBe(0);
  const silent = await run(["golden", "publish", name, "--tag", "1.0"], proposer);
  expect(silent).toMatchObject({ status: 2, stderr: expect.stringContaining("nothing says what changed") });
  const published = await run(["golden", "publish", name, "--tag", "1.0", "--description", "the first"], proposer);
  expect(published).toMatchObject({ status: 0, stdout: expect.stringContaining("the first") });
  expect((await run(["golden", "list"], proposer)).stdout).toMatch(
    /registry\/platform\/base +published +1\.0 +nobody +1 /,
  );
  expect((await run(["golden", "diff", name], proposer)).stdout).toContain("1.0 is the first version");
  const advice = await run(["golden", "advise", "registry/team/shop:1"], proposer);
  expect(advice).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("It stands on registry/platform/base:1.0, which is published."),
  });
});

test("the gate passes what stands on a golden image and refuses what only says so, with a server and with a list", async () => {
  const good = layout("good", { layers: [...base.layers, file("srv/never-pushed")], config });
  const liar = layout("liar", strange);
  expect(await run(["golden", "export", "--output", list], proposer)).toMatchObject({ status: 0, stdout: "" });
  for (const [options, env] of [
    [["--golden"], proposer],
    [["--golden", list], {}],
    [[`--golden=${list}`], {}],
  ] as const) {
    expect(await scan(good, options, env)).toEqual({
      ...{ status: 0, stderr: "", rules: [] },
      base: { reference: "registry/platform/base:1.0", digest: expect.stringMatching(/^sha256:/), how: "layers" },
    });
    expect(await scan(liar, options, env)).toMatchObject({ status: 1, rules: ["base-unknown"] });
  }
  expect(await run(["golden", "check", good], proposer)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("passed"),
  });
  expect(await run(["golden", "check", liar, "--list", list])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("refused"),
  });
});

test("what cannot be judged does not pass: no server, a list that was changed, is too old, or was signed by another key", async () => {
  const good = layout("again", { layers: [...base.layers, file("srv/again")], config });
  expect(await scan(good, ["--golden"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("bulwark golden export"),
  });
  const away = { ...proposer, BULWARK_SERVER: "http://127.0.0.1:1" };
  expect(await scan(good, ["--golden"], away)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("cannot be asked"),
  });
  const signed = JSON.parse(readFileSync(list, "utf8"));
  const changed = join(home, "changed.json");
  writeFileSync(changed, JSON.stringify({ ...signed, payload: signed.payload.replace('"published"', '"deprecated"') }));
  expect(await scan(good, ["--golden", changed])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("signature does not hold"),
  });
  const stranger = join(home, "stranger.pem");
  writeFileSync(stranger, generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
  expect(await scan(good, ["--golden", list, "--golden-key", stranger])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("did not sign it"),
  });
  const trusted = join(home, "trusted.pem");
  writeFileSync(trusted, signed.publicKey);
  expect(await scan(good, ["--golden", list, "--golden-key", trusted])).toMatchObject({ status: 0 });
  server.clock.now = new Date(Date.now() - 8 * 86_400_000);
  const { bearer } = await server.account("security");
  const old = join(home, "old.json");
  const past = { ...proposer, BULWARK_TOKEN: bearer.authorization.replace("Bearer ", "") };
  expect((await run(["golden", "export", "--output", old], past)).status).toBe(0);
  server.clock.now = new Date();
  expect(await scan(good, ["--golden", old])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("its time was up"),
  });
  expect(await scan("sbom:x.json", ["--golden"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("needs an image"),
  });
});

test("a revoked base is refused by the server at once, and by a list that was taken afterwards", async () => {
  const app = layout("late", { layers: [...base.layers, file("srv/late")], config });
  const reason = ["--reason", "its builder was broken into"];
  expect((await run(["golden", "revoke", "registry/platform/base", ...reason], approver)).status).toBe(0);
  expect(await scan(app, ["--golden"], proposer)).toMatchObject({ status: 1, rules: ["base-revoked"] });
  expect(await scan(app, ["--golden", list])).toMatchObject({ status: 0 });
  await run(["golden", "export", "--output", list], proposer);
  expect(await scan(app, ["--golden", list])).toMatchObject({ status: 1, rules: ["base-revoked"] });
});
