import { listAudit, verifyAudit } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, TEST_PASSWORD, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { ensureAdmin, FIRST_LOGIN } from "./ensure-admin.ts";

let server: TestApp;
let admin: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());

const send = (method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE", path: string, payload?: object, by = admin) =>
  server.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: by.bearer,
    ...(payload === undefined ? {} : { payload }),
  });

test("the first start makes one administrator with a random password, whoever starts at the same time", async () => {
  await expect(ensureAdmin(server.store, new Date(), "1234567")).rejects.toMatchObject({ code: "PASSWORD_REFUSED" });
  const starts = Array.from({ length: 4 }, () => ensureAdmin(server.store, new Date()));
  const passwords = (await Promise.all(starts)).filter((password) => password !== undefined);
  expect(passwords).toHaveLength(1);
  expect(passwords[0]).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
  expect(await ensureAdmin(server.store, new Date(), "given later on")).toBeUndefined();
  expect((await server.browser().logIn(FIRST_LOGIN, passwords[0])).statusCode).toBe(200);
  expect((await server.browser().logIn(FIRST_LOGIN, FIRST_LOGIN)).statusCode).toBe(401);
  admin = await server.account("admin");
});

test("an account is made with a random password that is shown once, and logs in with it", async () => {
  const made = await send("POST", "/accounts", { login: "Grace.Hopper@Example.org", name: "Grace", role: "security" });
  expect(made.statusCode).toBe(201);
  const { password, ...account } = made.json();
  expect(account).toMatchObject({ login: "grace.hopper@example.org", role: "security", enabled: true, sso: false });
  expect((await server.browser().logIn("grace.hopper@example.org", password)).statusCode).toBe(200);
  expect((await send("GET", "/accounts?search=GRACE")).body).not.toContain(password);
});

test.each([
  ["a login with HTML", { login: "<b>x</b>", name: "x", role: "auditor" }],
  ["a login with a line break", { login: "x\ny", name: "x", role: "auditor" }],
  ["an unknown role", { login: "x", name: "x", role: "root" }],
  ["an own tenant", { login: "x", name: "x", role: "auditor", tenantId: 2 }],
  ["a weak password", { login: "somebody", name: "x", role: "auditor", password: "somebody" }],
])("%s is refused", async (_what, payload) => {
  expect((await send("POST", "/accounts", payload)).statusCode).toBe(400);
});

test("a login is taken once over all tenants, in any spelling", async () => {
  const other = await server.account("admin", await server.tenant());
  const given = { login: "unique", name: "x", role: "auditor" };
  expect((await send("POST", "/accounts", given)).statusCode).toBe(201);
  expect((await send("POST", "/accounts", { ...given, login: "UNIQUE" }, other)).json().code).toBe("CONFLICT");
});

test("a deleted account leaves nothing: its session and token end, and its login is free", async () => {
  const gone = await server.account("operator");
  const browser = server.browser();
  await browser.logIn(gone.login);
  expect((await send("DELETE", `/accounts/${gone.id}`)).statusCode).toBe(204);
  expect((await browser.send({ url: "/api/v1/session" })).statusCode).toBe(401);
  expect((await send("GET", "/session", undefined, gone)).statusCode).toBe(401);
  const left = await server.store.system.selectFrom("directory").select("key").where("key", "=", gone.login).execute();
  expect(left).toEqual([]);
  expect((await send("POST", "/accounts", { login: gone.login, name: "x", role: "auditor" })).statusCode).toBe(201);
});

test("who loses a role or is disabled is logged out and loses the scopes, with tokens made before too", async () => {
  const account = await server.account("operator");
  const browser = server.browser();
  await browser.logIn(account.login);
  expect((await send("PATCH", `/accounts/${account.id}`, { role: "auditor" })).statusCode).toBe(200);
  expect((await browser.send({ url: "/api/v1/session" })).statusCode).toBe(401);
  expect((await send("POST", "/owners", { name: "no more" }, account)).statusCode).toBe(403);
  expect((await send("GET", "/owners", undefined, account)).statusCode).toBe(200);
  expect((await send("PATCH", `/accounts/${account.id}`, { enabled: false })).statusCode).toBe(200);
  expect((await send("GET", "/owners", undefined, account)).statusCode).toBe(401);
});

test("a tenant keeps an administrator, even when two remove each other at once", async () => {
  const tenant = await server.tenant();
  const [one, two] = [await server.account("admin", tenant), await server.account("admin", tenant)];
  expect((await send("DELETE", `/accounts/${one.id}`, undefined, one)).statusCode).toBe(409);
  const both = await Promise.all([
    send("DELETE", `/accounts/${two.id}`, undefined, one),
    send("PATCH", `/accounts/${one.id}`, { role: "auditor" }, two),
  ]);
  expect(both.filter((answer) => answer.statusCode < 300)).toHaveLength(1);
  const admins = await server.store.tenant(tenant, (db) =>
    db.selectFrom("account").select("id").where("role", "=", "admin").execute(),
  );
  expect(admins).toHaveLength(1);
});

test("a token does what it was made for and nothing else, until it ends", async () => {
  const account = await server.account("operator");
  const browser = server.browser();
  await browser.logIn(account.login);
  const make = (payload: object) => browser.send({ method: "POST", url: "/api/v1/tokens", payload });
  expect((await make({ name: "ci", scopes: ["admin:write"] })).statusCode).toBe(403);
  expect((await make({ name: "ci", scopes: ["everything"] })).statusCode).toBe(400);
  const made = (await make({ name: "ci", scopes: ["images:read"], days: 1 })).json();
  expect(made.token).toMatch(/^bwk_[A-Za-z0-9_-]{43}$/);
  expect((await make({ name: "ci", scopes: ["images:read"] })).statusCode).toBe(409);
  const bearer = { ...account, bearer: { authorization: `Bearer ${made.token}` } };
  expect((await send("GET", "/owners", undefined, bearer)).statusCode).toBe(200);
  expect((await send("POST", "/owners", { name: "x" }, bearer)).statusCode).toBe(403);
  expect((await send("POST", "/tokens", { name: "y", scopes: ["images:read"] }, bearer)).statusCode).toBe(403);
  const listed = (await browser.send({ url: "/api/v1/tokens" })).json();
  expect(listed.items).toContainEqual(expect.objectContaining({ name: "ci", usedAt: expect.any(String) }));
  expect(JSON.stringify(listed)).not.toContain(made.token);
  const stored = await server.store.tenant(1, (db) => db.selectFrom("api_token").selectAll().execute());
  expect(JSON.stringify(stored)).not.toContain(made.token);
  server.clock.now = new Date(server.clock.now.getTime() + 86_400_000);
  expect((await send("GET", "/owners", undefined, bearer)).statusCode).toBe(401);
  admin = await server.account("admin");
});

test("a token is revoked by its account or an administrator, and by nobody else", async () => {
  const [one, two] = [await server.account("operator"), await server.account("operator")];
  const browser = server.browser();
  await browser.logIn(one.login);
  const token = async () => {
    const payload = { name: `t${Math.random()}`, scopes: ["images:read"] };
    return (await browser.send({ method: "POST", url: "/api/v1/tokens", payload })).json().id;
  };
  const [first, second] = [await token(), await token()];
  expect((await send("DELETE", `/tokens/${first}`, undefined, two)).statusCode).toBe(404);
  expect((await browser.send({ method: "DELETE", url: `/api/v1/tokens/${first}` })).statusCode).toBe(204);
  expect((await send("DELETE", `/tokens/${second}`)).statusCode).toBe(204);
});

test.each([
  "Bearer",
  "Bearer ",
  "Bearer bwk_",
  `Bearer bwk_${"a".repeat(43)}`,
  "Basic YTpi",
  "bwk_x",
  "Bearer bwk_\u00e9",
])("%s is nobody, whatever cookie comes with it", async (authorization) => {
  const account = await server.account("operator");
  const browser = server.browser();
  await browser.logIn(account.login);
  expect((await browser.send({ url: "/api/v1/session", headers: { authorization } })).statusCode).toBe(401);
});

test("a developer sees the owners that they belong to, and no others", async () => {
  const developer = await server.account("developer");
  const [mine, theirs] = [
    (await send("POST", "/owners", { name: "payments", email: "pay@example.org" })).json(),
    (await send("POST", "/owners", { name: "search" })).json(),
  ];
  expect((await send("GET", "/owners", undefined, developer)).json().items).toEqual([]);
  const set = await send("PUT", `/owners/${mine.id}/accounts`, { accounts: [developer.id, developer.id] });
  expect(set.json()).toEqual({ ...mine, accounts: [developer.id] });
  expect((await send("GET", "/owners", undefined, developer)).json().items).toEqual([set.json()]);
  const foreigner = await server.account("developer", await server.tenant());
  const foreign = await send("PUT", `/owners/${theirs.id}/accounts`, { accounts: [foreigner.id] });
  expect(foreign.statusCode).toBe(404);
  expect((await send("PATCH", `/owners/${theirs.id}`, { name: "payments" })).statusCode).toBe(409);
  expect((await send("PATCH", `/owners/${theirs.id}`, {})).json()).toMatchObject({ name: "search" });
  expect((await send("DELETE", `/owners/${theirs.id}`)).statusCode).toBe(204);
  expect((await send("GET", "/owners")).json().items.map((owner: { name: string }) => owner.name)).toEqual([
    "payments",
  ]);
});

test("a tenant is made by the first one's administrators only, and comes with its own", async () => {
  const made = await send("POST", "/tenants", { name: "subsidiary", login: "sub.admin" });
  expect(made.statusCode).toBe(201);
  const { login, password, id } = made.json();
  const browser = server.browser();
  expect((await browser.logIn(login, password)).json().account.tenant).toEqual({ id, name: "subsidiary" });
  expect((await browser.send({ url: "/api/v1/tenants" })).statusCode).toBe(403);
  const again = { method: "POST", url: "/api/v1/tenants", payload: { name: "x", login: "x.admin" } } as const;
  expect((await browser.send(again)).statusCode).toBe(403);
  expect((await send("POST", "/tenants", { name: "subsidiary", login: "other" })).statusCode).toBe(409);
  expect((await send("POST", "/tenants", { name: "another", login })).statusCode).toBe(409);
  const names = (await send("GET", "/tenants")).json().items.map((tenant: { name: string }) => tenant.name);
  expect(names).not.toContain("another");
  const log = await server.store.tenant(id, (db) => listAudit(db, { action: "tenant.create", limit: 5 }));
  expect(log).toHaveLength(1);
});

test("the audit log tells all of it in an unbroken chain, page by page, without a password", async () => {
  const { tenantId } = admin;
  const verdict = (await send("GET", "/audit/verify")).json();
  expect(verdict).toMatchObject({ intact: true });
  const { entry, hash } = verdict.head;
  expect((await send("GET", `/audit/verify?entry=${entry}&hash=${hash}`)).json().intact).toBe(true);
  expect((await send("GET", `/audit/verify?entry=${entry}&hash=${"0".repeat(64)}`)).json()).toMatchObject({
    intact: false,
    brokenAt: entry,
  });
  const entries: { readonly entry: number }[] = [];
  let next = "";
  do {
    const answer = await send("GET", `/audit?limit=7${next === "" ? "" : `&cursor=${next}`}`);
    const page: { items: { entry: number }[]; next?: string } = answer.json();
    entries.push(...page.items);
    next = page.next ?? "";
  } while (next !== "");
  expect(entries.map((each) => each.entry)).toEqual(
    Array.from({ length: verdict.entries }, (_, i) => verdict.entries - i),
  );
  expect(JSON.stringify(entries)).not.toContain(TEST_PASSWORD);
  const owners = (
    await send("GET", `/audit?action=owner.&actor=${encodeURIComponent(`${admin.login} (token`)}`)
  ).json();
  expect(owners.items).toEqual([]);
  expect((await verifyAudit(server.store, tenantId)).intact).toBe(true);
});

test("an address with a port, a name or a query of SQL in it finds nothing and breaks nothing", async () => {
  for (const text of ["' OR 1=1 --", "%", "\\", "_", "owner.'", "x".repeat(200)]) {
    for (const path of ["/audit?actor=", "/audit?action=", "/audit?subject=", "/accounts?search=", "/owners?search="]) {
      const answer = await send("GET", `${path}${encodeURIComponent(text)}`);
      expect([answer.statusCode, answer.json().items.length > 3]).toEqual([200, false]);
    }
  }
});
