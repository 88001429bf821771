import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScannedImages, scannedImages } from "../testing/scanned-images.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";

const BULWARK = join(import.meta.dirname, "../../../../bin/bulwark");
const home = mkdtempSync(join(tmpdir(), "bulwark-home-"));
let server: TestApp;
let images: ScannedImages;
let url: string;
let token: string;

beforeAll(async () => {
  server = await openTestApp();
  images = await scannedImages(server.store, 1, () => server.clock.now);
  const files = { "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version: "4.17.4" }) };
  await images.push("team/shop", "1.0", { layers: [{ files }] });
  url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  const operator = await server.account("operator");
  token = operator.bearer.authorization.replace("Bearer ", "");
});
afterAll(async () => {
  images.close();
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const own = {
      PATH: process.env.PATH,
      HOME: home,
      XDG_CONFIG_HOME: home,
      BULWARK_CACHE_DIR: join(home, "cache"),
      ...env,
    };
    execFile(BULWARK, [...args], { env: own }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("after a login the estate is searched from the command line, and finding something is told by the status", async () => {
  expect((await run(["image", "search", "lodash"])).stderr).toContain("bulwark login");
  const login = await run(["login", url], { BULWARK_TOKEN: token });
  expect(login).toMatchObject({ status: 0, stderr: "" });
  const found = await run(["image", "search", "lodash", "--range", "<4.17.20"]);
  expect(found.status).toBe(1);
  expect(found.stdout).toContain("1 image in 1 repository has it");
  expect(found.stdout).toContain("registry/team/shop:1.0");
  expect((await run(["image", "search", "lodash", "--range", ">4.17.20"])).status).toBe(0);
  expect((await run(["image", "list"])).stdout).toContain("registry/team/shop:1.0");
  const json = JSON.parse(
    (await run(["image", "search", "--vulnerability", "CVE-2019-10744", "--format", "json"])).stdout,
  );
  expect(json.summary.images).toBe(1);
});

test("a range that is none, a wrong token and a server that is away are told in words", async () => {
  const env = { BULWARK_SERVER: url, BULWARK_TOKEN: token };
  for (const range of ["<<1", "foo"])
    expect(await run(["image", "search", "lodash", "--range", range], env)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("no range"),
    });
  const stranger = { ...env, BULWARK_TOKEN: "bwk_none" };
  expect(await run(["image", "list"], stranger)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("refuses"),
  });
  const away = { ...env, BULWARK_SERVER: "http://127.0.0.1:1" };
  expect(await run(["image", "list"], away)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("cannot be asked"),
  });
});
