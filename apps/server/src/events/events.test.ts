import { announce, changeAccount } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, TEST_PASSWORD, type TestAccount, type TestApp } from "../testing/test-app.ts";

let server: TestApp;
let address: string;
beforeAll(async () => {
  server = await openTestApp();
  address = await server.app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(() => server.close());

interface Stream {
  readonly headers: Headers;
  /** Everything that came, once the server ended it. */
  readonly whole: Promise<string>;
}

async function open(headers: Readonly<Record<string, string>>): Promise<Stream> {
  const answer = await fetch(`${address}/api/v1/events`, { headers });
  expect(answer.status).toBe(200);
  return { headers: answer.headers, whole: answer.text() };
}

async function logIn(account: TestAccount): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(`${address}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login: account.login, password: TEST_PASSWORD }),
  });
  const { csrf } = (await answer.json()) as { csrf: string };
  return { cookie: (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "", "x-csrf-token": csrf };
}

const tell = (id: number) => server.store.tenant(1, (db) => announce(db, { topic: "risks", id }));

test("a stream carries the headers that keep browsers in check, tells what changes, and ends with the account's rights", async () => {
  const account = await server.account("auditor");
  const stream = await open(account.bearer);
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
  expect(stream.headers.get("x-content-type-options")).toBe("nosniff");
  expect(stream.headers.get("content-security-policy")).toContain("default-src 'none'");
  await tell(7);
  await server.store.tenant(1, (db) => changeAccount(db, account.id, { enabled: false }));
  expect(await stream.whole).toBe(': connected\n\nevent: risks\ndata: {"topic":"risks","id":"7"}\n\n');
});

test("a stream ends with the session that opened it, while others of the account go on until the role changes", async () => {
  const account = await server.account("security");
  const [one, other] = [await logIn(account), await logIn(account)];
  const [ending, staying] = [await open(one), await open(other)];
  expect((await fetch(`${address}/api/v1/session`, { method: "DELETE", headers: one })).status).toBe(204);
  expect(await ending.whole).not.toContain("risks");
  await tell(8);
  await server.store.tenant(1, (db) => changeAccount(db, account.id, { role: "auditor" }));
  expect(await staying.whole).toContain('"id":"8"');
});

test("a stream ends when its token is taken back, and when a developer belongs to other owners", async () => {
  const admin = await server.account("admin");
  const developer = await server.account("developer");
  const call = (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", url: string, payload?: object) =>
    server.app.inject({ method, url: `/api/v1${url}`, headers: admin.bearer, ...(payload && { payload }) });
  const byOwners = await open(developer.bearer);
  const { id } = (await call("POST", "/owners", { name: "payments" })).json();
  const set = await call("PUT", `/owners/${id}/accounts`, { accounts: [developer.id] });
  expect(set.statusCode, set.body).toBe(200);
  expect(await byOwners.whole).toContain("connected");
  const byToken = await open(developer.bearer);
  const { items } = (await call("GET", "/tokens?all=true&limit=200")).json();
  const mine = items.find(({ account }: { account: { id: number } }) => account.id === developer.id);
  expect((await call("DELETE", `/tokens/${mine.id}`)).statusCode).toBe(204);
  expect(await byToken.whole).toContain("connected");
});
