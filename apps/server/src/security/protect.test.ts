import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAllAudits } from "../audit/verify-all.ts";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { proveKeys } from "./prove-keys.ts";
import { openSecretBox, rotateMasterKey } from "./secret-box.ts";

let server: TestApp;
let admin: TestAccount;
beforeAll(async () => {
  server = await openTestApp({ trustedProxies: ["127.0.0.1"] });
  admin = await server.account("admin");
  const config = { scope: "session" } as const;
  server.app.post("/forgetful", { config }, async () => ({ done: true }));
  server.app.post("/reading", { config: { ...config, unaudited: "it only reads" } }, async () => ({ done: true }));
  server.app.get("/scopeless", async () => ({ done: true }));
});
afterAll(() => server.close());

test.each(["/api/v1/session", "/api/v1/nothing", "/openapi.json", "/readyz"])(
  "%s comes with headers that keep browsers in check",
  async (url) => {
    const { headers } = await server.app.inject(url);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.split("; ").find((directive) => directive.startsWith("script-src"))).toBe("script-src 'self'");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
    });
    expect(headers["strict-transport-security"]).toBeUndefined();
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  },
);

test("over TLS browsers are told to stay with it, and the cookie stays there too", async () => {
  const tls = { "x-forwarded-proto": "https", host: "bulwark.test" };
  const browser = server.browser(tls);
  const answer = await browser.logIn((await server.account("auditor")).login);
  expect(answer.headers["strict-transport-security"]).toMatch(/max-age=\d{8}/);
  expect(answer.cookies).toMatchObject([{ name: "bulwark_session", secure: true }]);
});

test("a proxy that is not trusted says nothing about who asks", async () => {
  const headers = { "x-forwarded-proto": "https" };
  const answer = await server.app.inject({ url: "/readyz", headers, remoteAddress: "198.51.100.7" });
  expect(answer.headers["strict-transport-security"]).toBeUndefined();
});

test("a change that wrote no audit entry is an error of ours, unless the route says why there is none", async () => {
  const post = (url: string) => server.app.inject({ method: "POST", url, headers: admin.bearer });
  expect((await post("/forgetful")).json()).toMatchObject({ status: 500, code: "INTERNAL" });
  expect((await post("/reading")).json()).toEqual({ done: true });
});

test("a route that declares no scope is nobody's", async () => {
  const answer = await server.app.inject({ url: "/scopeless", headers: admin.bearer });
  expect(answer.json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
});

/** What a server on a socket answers to bytes as they are. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

test("endless headers, two lengths and smuggled requests are refused on the wire", async () => {
  const address = await server.app.listen({ port: 0, host: "127.0.0.1" });
  const port = Number(new URL(address).port);
  const get = (headers: string) => raw(port, `GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
  expect(await get("")).toMatch(/^HTTP\/1.1 200 /);
  expect(await get(`X-Long: ${"x".repeat(20_000)}\r\n`)).toMatch(/^HTTP\/1.1 431 /);
  expect(await get("Content-Length: 1\r\nContent-Length: 2\r\n")).toMatch(/^HTTP\/1.1 400 /);
  expect(await get("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")).toMatch(/^HTTP\/1.1 400 /);
  expect(await get("X-Null: a\0b\r\n")).toMatch(/^HTTP\/1.1 400 /);
});

test("a server with other master keys does not start on the database, and one with rotated keys does", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-keys-"));
  const [ours, others] = [{ file: join(directory, "ours") }, { file: join(directory, "others") }];
  const before = await openSecretBox(ours);
  await proveKeys(server.store, before);
  await proveKeys(server.store, before);
  await expect(proveKeys(server.store, await openSecretBox(others))).rejects.toMatchObject({ code: "KEY_UNKNOWN" });
  const stale = { file: join(directory, "stale") };
  copyFileSync(ours.file, stale.file);
  await rotateMasterKey(ours);
  await proveKeys(server.store, await openSecretBox(ours));
  await proveKeys(server.store, before);
  await expect(proveKeys(server.store, await openSecretBox(stale))).rejects.toMatchObject({ code: "KEY_UNKNOWN" });
  rmSync(directory, { recursive: true });
});

test("the logs of all tenants are verified in one go", async () => {
  await server.tenant();
  const verdicts: unknown[] = [];
  for await (const verdict of verifyAllAudits(server.store)) verdicts.push(verdict);
  expect(verdicts).toHaveLength(2);
  expect(verdicts[0]).toMatchObject({ tenant: "default", intact: true });
});
