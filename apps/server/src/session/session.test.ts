import { listAudit } from "@bulwark/store";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { totpCode } from "../security/totp.ts";
import { openTestApp, TEST_PASSWORD, type TestAccount, type TestApp } from "../testing/test-app.ts";

let server: TestApp;
let ada: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());
beforeEach(async () => {
  ada = await server.account("operator");
  // Each test starts a day later: the counts of failed logins of the one before are over.
  server.clock.now = new Date(server.clock.now.getTime() + 86_400_000);
});

const later = (ms: number) => {
  server.clock.now = new Date(server.clock.now.getTime() + ms);
};
const MINUTE = 60_000;
const session = (method: "GET" | "DELETE" = "GET") => ({ method, url: "/api/v1/session" }) as const;
const newPassword = (old: string, next: string) =>
  ({ method: "POST", url: "/api/v1/session/password", payload: { old, new: next } }) as const;

test("who logs in gets a session in a cookie that scripts cannot read, and is told who they are", async () => {
  const browser = server.browser();
  const answer = await browser.logIn(ada.login.toUpperCase());
  expect(answer.statusCode).toBe(200);
  expect(answer.cookies).toMatchObject([{ name: "bulwark_session", httpOnly: true, sameSite: "Strict", path: "/" }]);
  const told = (await browser.send(session())).json();
  expect(told).toMatchObject({ account: { login: ada.login, role: "operator", tenant: { id: 1, name: "default" } } });
  expect(answer.body).not.toContain(browser.cookies.get("bulwark_session"));
});

test("the database holds neither the session's secret nor a password", async () => {
  const browser = server.browser();
  await browser.logIn(ada.login);
  const secret = browser.cookies.get("bulwark_session")!;
  const rows = await server.store.tenant(1, async (db) => [
    await db.selectFrom("session").selectAll().execute(),
    await db.selectFrom("account").selectAll().execute(),
    await db.selectFrom("directory").selectAll().execute(),
    await db.selectFrom("audit").selectAll().execute(),
  ]);
  expect(JSON.stringify(rows)).not.toContain(secret);
  expect(JSON.stringify(rows)).not.toContain(TEST_PASSWORD);
});

test("unknown logins, wrong passwords and disabled accounts get one and the same answer", async () => {
  const disabled = await server.account("auditor");
  const admin = await server.account("admin");
  const url = `/api/v1/accounts/${disabled.id}`;
  await server.app.inject({ method: "PATCH", url, headers: admin.bearer, payload: { enabled: false } });
  const answers = [
    await server.browser().logIn("nobody-at-all"),
    await server.browser().logIn(ada.login, "a wrong password"),
    await server.browser().logIn(disabled.login),
  ];
  const told = answers.map((answer) => ({ ...answer.json(), instance: "" }));
  expect(told[0]).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1);
});

test("failures lock a login out for a quarter of an hour, one that does not exist alike", async () => {
  for (const login of [ada.login, `ghost-${ada.login}`]) {
    const codes: number[] = [];
    for (let i = 0; i < 11; i++) codes.push((await server.browser().logIn(login, "wrong")).statusCode);
    expect(codes).toEqual([...Array(10).fill(401), 429]);
  }
  expect((await server.browser().logIn(ada.login)).statusCode).toBe(429);
  later(15 * MINUTE);
  expect((await server.browser().logIn(ada.login)).statusCode).toBe(200);
});

test("tries at the same moment are counted one by one", async () => {
  const tries = Array.from({ length: 30 }, () => server.browser().logIn(ada.login, "wrong"));
  const codes = (await Promise.all(tries)).map((answer) => answer.statusCode);
  expect(codes.filter((code) => code === 401)).toHaveLength(10);
  expect(codes.filter((code) => code === 429)).toHaveLength(20);
});

test("an address that tries many logins is locked out, and others are not", async () => {
  const from = (remoteAddress: string, login: string) =>
    server.app.inject({
      method: "POST",
      url: "/api/v1/session",
      remoteAddress,
      payload: { login, password: TEST_PASSWORD },
    });
  const tries = Array.from({ length: 50 }, (_, i) => from(`2001:db8:0:1::${i + 1}`, `ghost-${i}`));
  expect(new Set((await Promise.all(tries)).map(({ statusCode }) => statusCode))).toEqual(new Set([401]));
  expect((await from("2001:db8:0:1:ffff::1", ada.login)).statusCode).toBe(429);
  expect((await from("2001:db8:0:2::1", ada.login)).statusCode).toBe(200);
});

test("an administrator ends a lock-out", async () => {
  const admin = await server.account("admin");
  for (let i = 0; i < 11; i++) await server.browser().logIn(ada.login, "wrong");
  const url = `/api/v1/accounts/${ada.id}/unlock`;
  expect((await server.app.inject({ method: "POST", url, headers: admin.bearer })).statusCode).toBe(204);
  expect((await server.browser().logIn(ada.login)).statusCode).toBe(200);
});

test("a session ends after an idle hour, after a day, and by logging out", async () => {
  const idle = server.browser();
  await idle.logIn(ada.login);
  later(59 * MINUTE);
  expect((await idle.send(session())).statusCode).toBe(200);
  later(59 * MINUTE);
  expect((await idle.send(session())).statusCode).toBe(200);
  later(60 * MINUTE);
  expect((await idle.send(session())).statusCode).toBe(401);

  const busy = server.browser();
  await busy.logIn(ada.login);
  const seen: number[] = [];
  for (let i = 0; i < 48; i++) {
    later(30 * MINUTE);
    seen.push((await busy.send(session())).statusCode);
  }
  expect(seen).toEqual([...Array(47).fill(200), 401]);

  const leaving = server.browser();
  await leaving.logIn(ada.login);
  const cookie = `bulwark_session=${leaving.cookies.get("bulwark_session")}`;
  expect((await leaving.send(session("DELETE"))).statusCode).toBe(204);
  expect(leaving.cookies.size).toBe(0);
  expect((await server.app.inject({ ...session(), headers: { cookie } })).statusCode).toBe(401);
});

test("a session that was planted before the login is not the one that counts afterwards", async () => {
  const mallory = await server.account("operator");
  const attacker = server.browser();
  await attacker.logIn(mallory.login);
  const planted = attacker.cookies.get("bulwark_session")!;
  const victim = server.browser();
  victim.cookies.set("bulwark_session", planted);
  await victim.logIn(ada.login);
  expect(victim.cookies.get("bulwark_session")).not.toBe(planted);
  expect((await attacker.send(session())).statusCode).toBe(401);
  const two = { cookie: `bulwark_session=${planted}; bulwark_session=${victim.cookies.get("bulwark_session")}` };
  expect((await server.app.inject({ ...session(), headers: two })).statusCode).toBe(401);
});

test("a change by cookie needs the CSRF token of that very session", async () => {
  const [mine, other] = [server.browser(), server.browser()];
  await mine.logIn(ada.login);
  const foreign = (await other.logIn(ada.login)).json().csrf;
  for (const csrf of ["", "wrong", foreign]) {
    const answer = await mine.send({ ...session("DELETE"), headers: { "x-csrf-token": csrf } });
    expect(answer.json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
  }
  expect((await mine.send(session())).statusCode).toBe(200);
  expect((await mine.send(session("DELETE"))).statusCode).toBe(204);
});

test.each([
  ["another origin", { origin: "https://evil.example" }],
  ["an opaque origin", { origin: "null" }],
  ["a page of another site", { "sec-fetch-site": "cross-site" }],
  ["a page of a neighbouring host", { "sec-fetch-site": "same-site" }],
])("a change that %s asks for is refused, a login too", async (_what, headers) => {
  const browser = server.browser();
  await browser.logIn(ada.login);
  expect((await browser.send({ ...session("DELETE"), headers })).statusCode).toBe(403);
  expect((await server.browser(headers).logIn(ada.login)).statusCode).toBe(403);
});

test("the console's own requests carry its origin and pass", async () => {
  const browser = server.browser({
    host: "bulwark.test",
    origin: "http://bulwark.test",
    "sec-fetch-site": "same-origin",
  });
  expect((await browser.logIn(ada.login)).statusCode).toBe(200);
  expect((await browser.send(session("DELETE"))).statusCode).toBe(204);
});

test("behind a proxy the public address is the console's own as well", async () => {
  const proxied = await openTestApp({ publicUrl: "https://bulwark.example.com" });
  const account = await proxied.account("auditor");
  const from = (origin: string, host: string) => proxied.browser({ origin, host }).logIn(account.login);
  expect((await from("https://bulwark.example.com", "10.0.0.7:8080")).statusCode).toBe(200);
  expect((await from("http://localhost:8080", "localhost:8080")).statusCode).toBe(200);
  expect((await from("https://example.com", "10.0.0.7:8080")).statusCode).toBe(403);
  expect((await from("https://bulwark.example.com.evil.example", "10.0.0.7:8080")).statusCode).toBe(403);
  await proxied.close();
});

test("changing the password ends all other sessions, and needs the old one", async () => {
  const [mine, other] = [server.browser(), server.browser()];
  await mine.logIn(ada.login);
  await other.logIn(ada.login);
  expect((await mine.send(newPassword("wrong", "a new one that is long"))).statusCode).toBe(403);
  expect((await mine.send(newPassword(TEST_PASSWORD, "short"))).statusCode).toBe(400);
  expect((await other.send(session())).statusCode).toBe(200);
  expect((await mine.send(newPassword(TEST_PASSWORD, "a new one that is long"))).statusCode).toBe(204);
  expect((await mine.send(session())).statusCode).toBe(200);
  expect((await other.send(session())).statusCode).toBe(401);
  expect((await server.browser().logIn(ada.login)).statusCode).toBe(401);
  expect((await server.browser().logIn(ada.login, "a new one that is long")).statusCode).toBe(200);
});

test("an old password is guessed no faster from inside a session", async () => {
  const browser = server.browser();
  await browser.logIn(ada.login);
  const codes: number[] = [];
  for (let i = 0; i < 11; i++)
    codes.push((await browser.send(newPassword(`guess ${i}`, "a new one that is long"))).statusCode);
  expect(codes).toEqual([...Array(10).fill(403), 429]);
});

async function withTotp(): Promise<{ readonly secret: string; readonly recoveryCodes: readonly string[] }> {
  const browser = server.browser();
  await browser.logIn(ada.login);
  const totp = (payload: object) => browser.send({ method: "POST", url: "/api/v1/session/totp", payload });
  expect((await totp({ action: "begin", password: "wrong" })).statusCode).toBe(403);
  const { secret, uri } = (await totp({ action: "begin", password: TEST_PASSWORD })).json();
  expect(uri).toContain(secret);
  expect((await totp({ action: "confirm", code: "000000" })).statusCode).toBe(403);
  const confirmed = await totp({ action: "confirm", code: totpCode(secret, server.clock.now) });
  expect((await totp({ action: "begin", password: TEST_PASSWORD })).statusCode).toBe(409);
  later(MINUTE);
  return { secret, recoveryCodes: confirmed.json().recoveryCodes };
}

test("with a second factor the password alone does not do, and a code counts once", async () => {
  const { secret } = await withTotp();
  const code = totpCode(secret, server.clock.now);
  expect((await server.browser().logIn(ada.login)).json()).toMatchObject({ status: 401, code: "TOTP_REQUIRED" });
  expect((await server.browser().logIn(ada.login, "wrong", code)).json().code).toBe("UNAUTHENTICATED");
  const both = await Promise.all([1, 2].map(() => server.browser().logIn(ada.login, TEST_PASSWORD, code)));
  expect(both.map((answer) => answer.statusCode).sort()).toEqual([200, 401]);
  expect((await server.browser().logIn(ada.login, TEST_PASSWORD, code)).statusCode).toBe(401);
  const stored = await server.store.tenant(1, (db) => db.selectFrom("account").selectAll().execute());
  expect(JSON.stringify(stored)).not.toContain(secret);
});

test("a recovery code stands in for the second factor, once", async () => {
  const { recoveryCodes } = await withTotp();
  expect(new Set(recoveryCodes).size).toBe(10);
  const [code = ""] = recoveryCodes;
  expect((await server.browser().logIn(ada.login, TEST_PASSWORD, code.toUpperCase())).statusCode).toBe(200);
  expect((await server.browser().logIn(ada.login, TEST_PASSWORD, code)).statusCode).toBe(401);
});

test("codes cannot be guessed by asking without one in between", async () => {
  await withTotp();
  let refused = 0;
  for (let i = 0; i < 14; i++) {
    await server.browser().logIn(ada.login);
    refused += (await server.browser().logIn(ada.login, TEST_PASSWORD, String(100_000 + i))).statusCode === 429 ? 1 : 0;
  }
  expect(refused).toBeGreaterThanOrEqual(4);
});

test("what people did with their account is in the audit log, without a secret", async () => {
  const { recoveryCodes, secret } = await withTotp();
  const entries = await server.store.tenant(1, (db) => listAudit(db, { actor: ada.login, limit: 20 }));
  expect(entries.map(({ action }) => action).reverse()).toEqual([
    "session.create",
    "session.refuse",
    "account.totp-begin",
    "account.totp-on",
  ]);
  for (const hidden of [secret, TEST_PASSWORD, ...recoveryCodes]) expect(JSON.stringify(entries)).not.toContain(hidden);
});
