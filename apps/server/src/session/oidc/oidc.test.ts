import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { listAudit } from "@bulwark/store";
import Provider from "oidc-provider";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestAccount, type TestApp, type TestBrowser } from "../../testing/test-app.ts";

/** A real provider on this machine: whoever logs in there is who they say, with the groups that are theirs. */
const CLIENT = { client_id: "bulwark", client_secret: "a secret of the client" };
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  alice: ["staff", "sec-team"],
  bob: ["staff"],
  mallory: [],
};

let server: TestApp;
let admin: TestAccount;
let issuer: Server;
let origin: string;
let id: string;
const requests: string[] = [];

beforeAll(async () => {
  server = await openTestApp({ publicUrl: "http://127.0.0.1:8080" });
  admin = await server.account("admin");
  issuer = createServer();
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const made = await configure({});
  id = made.id;
  const provider = new Provider(origin, {
    clients: [{ ...CLIENT, application_type: "native", redirect_uris: [made.callback] }],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: `${sub} at work`, preferred_username: sub, groups: [...(GROUPS[sub] ?? [])] }),
    }),
    cookies: { keys: ["key of this test"] },
    pkce: { required: () => true },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  });
  issuer.on("request", ({ url }) => requests.push(url ?? ""));
  issuer.on("request", provider.callback());
});
afterAll(async () => {
  issuer.closeAllConnections();
  issuer.close();
  await server.close();
});

async function configure(changes: object): Promise<{ readonly id: string; readonly callback: string }> {
  const payload = {
    name: "Company login",
    issuer: origin,
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    roleClaim: "groups",
    roles: [
      { value: "sec-team", role: "security" },
      { value: "staff", role: "auditor" },
    ],
    allowPrivate: true,
    ...changes,
  };
  const url = "/api/v1/identity-providers";
  const answer = await server.app.inject({ method: "POST", url, headers: admin.bearer, payload });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
}

/** Begins here, and goes through the provider's own pages as a browser does. @returns the address that leads back to us */
async function throughProvider(browser: TestBrowser, person: string): Promise<URL> {
  const started = await browser.send({ url: `/api/v1/session/oidc/${id}/start` });
  expect(started.statusCode, started.body).toBe(302);
  const cookies = new Map<string, string>();
  let next = new URL(String(started.headers.location));
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 12; step++) {
    if (next.origin !== origin) return next;
    const answer = await fetch(next, {
      redirect: "manual",
      headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") },
      ...(form === undefined ? {} : { method: "POST", body: form }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = cookie.split(";")[0]!.split("=");
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    const page = await answer.text();
    form =
      location === null ? new URLSearchParams({ prompt: promptOf(page), login: person, password: "any" }) : undefined;
    if (location !== null) next = new URL(location, next);
  }
  throw new Error("the provider does not lead back");
}

const promptOf = (page: string) => (page.includes('value="login"') ? "login" : "consent");
const comeBack = (browser: TestBrowser, url: URL) => browser.send({ url: url.pathname + url.search });
const whoIs = async (browser: TestBrowser) => (await browser.send({ url: "/api/v1/session" })).json();

test("people whom the provider knows get an account on their first login, with the role of their groups", async () => {
  const browser = server.browser();
  const answer = await comeBack(browser, await throughProvider(browser, "alice"));
  expect([answer.statusCode, answer.headers.location]).toEqual([302, "/"]);
  const { account } = await whoIs(browser);
  expect(account).toMatchObject({ login: "alice", name: "alice at work", role: "security" });
  const again = server.browser();
  await comeBack(again, await throughProvider(again, "alice"));
  expect((await whoIs(again)).account.id).toBe(account.id);
  const log = await server.store.tenant(1, (db) => listAudit(db, { actor: "alice", limit: 9 }));
  expect(log.map(({ action }) => action)).toEqual(["session.create", "session.create", "account.create"]);
});

test("a session of the provider's is one like any other: changes need its CSRF token", async () => {
  const browser = server.browser();
  await comeBack(browser, await throughProvider(browser, "alice"));
  const { csrf } = await whoIs(browser);
  const leave = (token: string) =>
    browser.send({ method: "DELETE", url: "/api/v1/session", headers: { "x-csrf-token": token } });
  expect([(await leave("wrong")).statusCode, (await leave(csrf)).statusCode]).toEqual([403, 204]);
});

test("what the provider tells of itself is asked for once in some minutes, and again when a login fails", async () => {
  const asked = () => requests.filter((url) => url.endsWith("/.well-known/openid-configuration")).length;
  server.clock.now = new Date(server.clock.now.getTime() + 6 * 60_000);
  const before = asked();
  await throughProvider(server.browser(), "alice");
  await throughProvider(server.browser(), "bob");
  expect(asked() - before).toBe(1);
  server.clock.now = new Date(server.clock.now.getTime() + 6 * 60_000);
  await throughProvider(server.browser(), "alice");
  expect(asked() - before).toBe(2);
});

test("who has no role here does not get in", async () => {
  const browser = server.browser();
  const answer = await comeBack(browser, await throughProvider(browser, "mallory"));
  expect(answer.headers.location).toBe("/login?refused=NO_ROLE");
  expect((await browser.send({ url: "/api/v1/session" })).statusCode).toBe(401);
});

test("who is disabled here does not get in", async () => {
  const browser = server.browser();
  await comeBack(browser, await throughProvider(browser, "bob"));
  const { account } = await whoIs(browser);
  expect(account.role).toBe("auditor");
  const url = `/api/v1/accounts/${account.id}`;
  await server.app.inject({ method: "PATCH", url, headers: admin.bearer, payload: { enabled: false } });
  expect((await browser.send({ url: "/api/v1/session" })).statusCode).toBe(401);
  const answer = await comeBack(browser, await throughProvider(browser, "bob"));
  expect(answer.headers.location).toBe("/login?refused=DISABLED");
});

test("somebody who bears an administrator's name at the provider does not become that administrator", async () => {
  const mine = await server.account("admin");
  const browser = server.browser();
  await comeBack(browser, await throughProvider(browser, mine.login));
  expect((await browser.send({ url: "/api/v1/session" })).statusCode).toBe(401);
  await server.app.inject({
    method: "PUT",
    url: `/api/v1/identity-providers/${id}`,
    headers: admin.bearer,
    payload: { name: "Company login", issuer: origin, clientId: "bulwark", defaultRole: "auditor", allowPrivate: true },
  });
  await comeBack(browser, await throughProvider(browser, mine.login));
  const { account } = await whoIs(browser);
  expect(account).toMatchObject({ role: "auditor", login: expect.stringMatching(/\+[0-9a-f]{12}$/) });
  expect(account.id).not.toBe(mine.id);
});

test("an answer counts once, in the browser that asked, with its own state, for ten minutes", async () => {
  const [victim, attacker] = [server.browser(), server.browser()];
  const stolen = await throughProvider(attacker, "alice");
  expect((await comeBack(victim, stolen)).headers.location).toBe("/login?refused=EXPIRED");

  await victim.send({ url: `/api/v1/session/oidc/${id}/start` });
  expect((await comeBack(victim, stolen)).headers.location).toBe("/login?refused=FAILED");

  const again = server.browser();
  const url = await throughProvider(again, "alice");
  const pending = again.cookies.get("bulwark_oidc")!;
  expect((await comeBack(again, url)).headers.location).toBe("/");
  expect(again.cookies.has("bulwark_oidc")).toBe(false);
  const replay = server.browser();
  replay.cookies.set("bulwark_oidc", pending);
  expect((await comeBack(replay, url)).headers.location).toBe("/login?refused=FAILED");

  const late = server.browser();
  const slow = await throughProvider(late, "alice");
  server.clock.now = new Date(server.clock.now.getTime() + 10 * 60_000);
  expect((await comeBack(late, slow)).headers.location).toBe("/login?refused=EXPIRED");
});

test.each([
  ["no code", (url: URL) => url.searchParams.delete("code")],
  ["a code of nobody", (url: URL) => url.searchParams.set("code", "x")],
  ["another state", (url: URL) => url.searchParams.set("state", "x")],
  ["another issuer", (url: URL) => url.searchParams.set("iss", "https://evil.example")],
  ["an error of the provider's", (url: URL) => url.searchParams.set("error", "access_denied")],
  ["two codes", (url: URL) => url.searchParams.append("code", "x")],
])("an answer with %s is refused", async (_what, change) => {
  const browser = server.browser();
  const url = await throughProvider(browser, "alice");
  change(url);
  expect((await comeBack(browser, url)).headers.location).toBe("/login?refused=FAILED");
  expect((await browser.send({ url: "/api/v1/session" })).statusCode).toBe(401);
});

test("providers are listed for the login page, and neither there nor for administrators with their secret", async () => {
  const listed = await server.app.inject("/api/v1/session/providers");
  expect(listed.json().items).toContainEqual({ id, name: "Company login" });
  const shown = await server.app.inject({ url: "/api/v1/identity-providers", headers: admin.bearer });
  expect(shown.json().items[0]).toMatchObject({ hasSecret: true, callback: expect.stringContaining(id) });
  const stored = await server.store.tenant(1, async (db) => [
    await db.selectFrom("setting").selectAll().execute(),
    await db.selectFrom("audit").selectAll().execute(),
  ]);
  for (const text of [listed.body, shown.body, JSON.stringify(stored)])
    expect(text).not.toContain(CLIENT.client_secret);
});

test("a stored client secret is not sent to an issuer that somebody enters later", async () => {
  const answer = await server.app.inject({
    method: "PUT",
    url: `/api/v1/identity-providers/${id}`,
    headers: admin.bearer,
    payload: { name: "x", issuer: "https://evil.example", clientId: "bulwark" },
  });
  expect(answer.json()).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
});

test("a provider on this machine is not called unless that was allowed", async () => {
  const payload = { name: "x", issuer: origin, clientId: "x" };
  const url = "/api/v1/identity-providers";
  const plain = await server.app.inject({ method: "POST", url, headers: admin.bearer, payload });
  expect(plain.statusCode).toBe(400);
  const issuerOf = origin.replace("http:", "https:");
  const made = await configure({ issuer: issuerOf, allowPrivate: false });
  const start = await server.app.inject(`/api/v1/session/oidc/${made.id}/start`);
  expect(start.json()).toMatchObject({ status: 422, code: "ADDRESS_REFUSED" });
});

test("who is deleted with the provider cannot come in through it any more", async () => {
  const made = await configure({ name: "Short-lived" });
  const url = `/api/v1/identity-providers/${made.id}`;
  expect((await server.app.inject({ method: "DELETE", url, headers: admin.bearer })).statusCode).toBe(204);
  expect((await server.app.inject(`/api/v1/session/oidc/${made.id}/start`)).statusCode).toBe(404);
});
