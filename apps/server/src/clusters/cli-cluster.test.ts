import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestApp } from "../testing/test-app.ts";

/** Words of the command line about clusters, and what it says of the usual mistakes, before the real server. */

const BULWARK = join(import.meta.dirname, "../../../../bin/bulwark");
const TOKEN = /^\S{20,}\.[0-9a-f]{64}\n$/;
const home = mkdtempSync(join(tmpdir(), "bulwark-clusters-"));
let server: TestApp;
let url = "";
let access: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = await openTestApp();
  server.clock.now = new Date();
  url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  const { bearer } = await server.account("admin");
  access = { BULWARK_SERVER: url, BULWARK_TOKEN: bearer.authorization.replace("Bearer ", "") };
});
afterAll(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

function run(args: readonly string[], env = access) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const place = { HOME: home, XDG_CONFIG_HOME: home, BULWARK_CACHE_DIR: join(home, "cache") };
    execFile(BULWARK, [...args], { env: { PATH: process.env.PATH, ...place, ...env } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const clusters = async () => JSON.parse((await run(["cluster", "list", "--format", "json"])).stdout);

test("a cluster is invited by its token alone, invited anew with another grade, and taken out", async () => {
  const made = await run(["cluster", "token", "harbour"]);
  expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(TOKEN) });
  const again = await run(["cluster", "token", "harbour", "--grade", "critical"]);
  expect(again.stderr).toContain("The cluster harbour, which was there, may join until");
  expect(again.stdout).not.toBe(made.stdout);
  expect(await clusters()).toMatchObject([{ name: "harbour", grade: "critical" }]);
  expect(await run(["cluster", "remove", "harbour"])).toMatchObject({ status: 0 });
  expect(await clusters()).toEqual([]);
  expect(await run(["cluster", "remove", "harbour"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("there is no cluster harbour"),
  });
});

test("a gateway that pods cannot reach is told, and one that is none makes no cluster", async () => {
  const local = await run(["cluster", "join", "harbour"]);
  expect(local).toMatchObject({ status: 0, stderr: expect.stringContaining("Pods do not reach 127.0.0.1:9443") });
  const far = await run(["cluster", "join", "harbour", "--gateway", "gateway.example.com:9443"]);
  expect(far.stderr).not.toContain("Pods do not reach");
  const wrong = await run(["cluster", "join", "other", "--gateway", "gateway"]);
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('"gateway" is no HOST:PORT') });
  expect(await clusters()).toMatchObject([{ name: "harbour" }]);
});

test.each([
  [["cluster", "list", "more"], "cluster list takes no name"],
  [["cluster", "list", "--format", "yaml"], "take table or json"],
  [["cluster", "join", "a", "--hours", "0"], "give 1 to 720"],
  [["policy", "mode", "no-privileged"], "mode takes the name of a policy and off, audit, enforce or default"],
  [["alert", "show"], "show takes the number of one alert"],
  [["asset", "node"], "there are nodes, containers, programs, ports"],
  [["admission", "break-glass", "--namespace", "a", "--reason", "b", "--minutes", "x"], '"x" is no number of minutes'],
  [["sensor", "install", "--gateway", "127.0.0.1:1", "--token", "torn"], "the token is not whole"],
  [["backups"], "backup, restore, audit, keys"],
])("%j is refused with what would be right", async (args, said) => {
  expect(await run(args)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(said) });
});

test("a server that speaks otherwise than its address says is told as that", async () => {
  const asTls = await run(["cluster", "list"], { ...access, BULWARK_SERVER: url.replace("http:", "https:") });
  expect(asTls.stderr).toContain("it does not speak TLS");
  const hanging = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
  await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  const { port } = hanging.address() as { port: number };
  const plain = await run(["cluster", "list"], { ...access, BULWARK_SERVER: `http://127.0.0.1:${port}` });
  expect(plain.stderr).toContain(`log in again with https://127.0.0.1:${port}`);
  await new Promise((resolve) => hanging.close(resolve));
});
