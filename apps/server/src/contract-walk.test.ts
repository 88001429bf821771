import { Ajv } from "ajv";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCOPES } from "./access.ts";
import {
  membersOf,
  type Operation,
  operationsOf,
  type Parameter,
  type Schema,
  sampleOf,
  urlOf,
  wrongsOf,
} from "./testing/contract.ts";
import { seedTenant } from "./testing/tenant-fixture.ts";
import { openTestApp, type TestAccount } from "./testing/test-app.ts";

/** The whole contract, walked as it is published: a route that is added later is tried here without a line more. */
const server = await openTestApp();
const operations = await operationsOf(server.app);
const guarded = operations.filter(({ scope }) => scope !== "public");
const MAX_ID = Number.MAX_SAFE_INTEGER;

let ours: TestAccount;
let theirs: TestAccount;
/** Ids of the things of each tenant, by the noun before them in the path. */
let ownIds: ReadonlyMap<string, string>;
let foreignIds: ReadonlyMap<string, string>;
beforeAll(async () => {
  ours = await server.account("admin", await server.tenant());
  theirs = await server.account("admin", await server.tenant());
  ownIds = await seedTenant(server, ours);
  foreignIds = await seedTenant(server, theirs);
});
afterAll(() => server.close());

const unknownId = (parameter: Parameter) => {
  if (parameter.schema.type === "integer") return String(MAX_ID - 1);
  return String(sampleOf(parameter.schema));
};

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly payload?: unknown;
}

async function send(operation: Operation, sent: Sent = {}): Promise<LightMyRequestResponse> {
  const payload =
    sent.payload ?? (operation.body === undefined ? undefined : sampleOf(operation.body, String(counter++)));
  const answer = await server.app.inject({
    method: operation.method,
    url: sent.url ?? urlOf(operation, unknownId),
    headers: { ...(payload === undefined ? {} : { "content-type": "application/json" }), ...sent.headers },
    ...(payload === undefined ? {} : { payload: typeof payload === "string" ? payload : JSON.stringify(payload) }),
  });
  expect(answer.statusCode, `${operation.title}: ${answer.body}`).not.toBe(500);
  return answer;
}
let counter = 0;

/** Every refusal is a problem document with a code (RFC 9457). */
function expectProblem(answer: LightMyRequestResponse, status: number): void {
  expect([answer.statusCode, answer.headers["content-type"]], answer.body).toEqual([
    status,
    expect.stringContaining("application/problem+json"),
  ]);
  expect(answer.json()).toMatchObject({ status, code: expect.stringMatching(/^[A-Z_]+$/), title: expect.any(String) });
}

test("the contract names routes, each with an id, a noun, a summary and a scope that exists", () => {
  expect(operations.length).toBeGreaterThan(20);
  const known = new Set<string>([...SCOPES, "public", "session"]);
  expect(operations.filter(({ scope }) => !known.has(scope)).map(({ title }) => title)).toEqual([]);
});

describe("nobody who is not logged in gets in", () => {
  test.each(guarded)("$title", async (operation) => {
    expectProblem(await send(operation), 401);
    expectProblem(await send(operation, { headers: { cookie: "bulwark_session=x" } }), 401);
    expectProblem(await send(operation, { headers: { authorization: `Bearer bwk_${"0".repeat(43)}` } }), 401);
  });
});

describe("a token that lacks the scope is refused", () => {
  test.each(guarded.filter(({ scope }) => scope !== "session"))("$title", async (operation) => {
    const others = SCOPES.filter((scope) => scope !== operation.scope);
    expectProblem(await send(operation, { headers: await server.token(ours, others) }), 403);
  });
});

describe("what has a wrong type, is missing or is not known is refused", () => {
  test.each(guarded.filter(({ body }) => body !== undefined))("body of $title", async (operation) => {
    for (const [what, payload] of wrongsOf(operation.body!)) {
      const answer = await send(operation, { headers: ours.bearer, payload: JSON.stringify(payload) });
      expect([what, answer.statusCode]).toEqual([what, 400]);
    }
    for (const payload of ["{", "{}}", '{"__proto__":{"role":"admin"}}', '{"constructor":{"prototype":{}}}']) {
      expectProblem(await send(operation, { headers: ours.bearer, payload }), 400);
    }
  });

  const withIds = guarded.filter(({ params }) => params.some(({ schema }) => schema.type === "integer"));
  test.each(withIds)("id of $title", async (operation) => {
    for (const id of ["x", "1.5", "-1", "1e999", "9".repeat(30), "'", "%00"]) {
      const url = urlOf(operation, () => "ID").replaceAll("ID", id === "%00" ? id : encodeURIComponent(id));
      const answer = await send(operation, { headers: ours.bearer, url });
      expect([id, answer.statusCode]).toEqual([id, 400]);
    }
  });

  const withQuery = guarded.filter(({ query, streams }) => query.length > 0 && !streams);
  test.each(withQuery)("query of $title", async (operation) => {
    const ajv = new Ajv({ strict: false, coerceTypes: "array" });
    const url = urlOf(operation, unknownId);
    const hostile = ["", "x", "-1", "1e9", "\0", "\ud800", "'; DROP TABLE account; --", "{}", "x".repeat(5_000)];
    for (const { name, schema } of operation.query) {
      const { format: _, ...typed } = schema;
      for (const text of hostile) {
        const value = text === "\ud800" ? "%ED%A0%80" : encodeURIComponent(text);
        const answer = await send(operation, { headers: ours.bearer, url: `${url}?${name}=${value}` });
        const fits = ajv.validate(typed, text);
        if (!fits || text === "\0") expect([name, text, answer.statusCode]).toEqual([name, text, 400]);
      }
    }
    expectProblem(await send(operation, { headers: ours.bearer, url: `${url}?no-such-thing=1` }), 400);
  });

  test.each(withQuery.filter(({ query }) => query.some(({ name }) => name === "cursor")))(
    "cursor of $title",
    async (operation) => {
      const keys = [
        "[]",
        "[null]",
        "[1.5]",
        "[-1e308]",
        '["\\u0000"]',
        '["\\ud800"]',
        "[{}]",
        "{",
        "[[[]]]",
        "[1,2,3,4,5]",
      ];
      for (const key of keys) {
        const cursor = Buffer.from(key).toString("base64url");
        const url = `${urlOf(operation, unknownId)}?cursor=${cursor}`;
        expect([200, 400, 403, 404]).toContain((await send(operation, { headers: ours.bearer, url })).statusCode);
      }
    },
  );
});

describe("text that no database holds is refused", () => {
  test.each(guarded.filter(({ body }) => body !== undefined))("$title", async (operation) => {
    const body = JSON.stringify(sampleOf(operation.body!));
    for (const text of ["\\u0000", "\\ud800"]) {
      for (const payload of [body.replace(/":"[^"]*"/g, `":"${text}"`), body.replace(/\{/, `{"${text}":1,`)]) {
        if (payload === body) continue;
        expectProblem(await send(operation, { headers: ours.bearer, payload }), 400);
      }
    }
    const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expectProblem(await send(operation, { headers: ours.bearer, payload: deep }), 400);
  });
});

describe("a body of more than 1 MiB, or of what its route allows, is not read", () => {
  test.each(operations.filter(({ body }) => body !== undefined))("$title", async (operation) => {
    const payload = JSON.stringify({ x: "x".repeat(operation.bodyLimit) });
    expectProblem(await send(operation, { headers: ours.bearer, payload }), 413);
  });
});

describe("what does not exist, or is another tenant's, is not found", () => {
  test.each(guarded.filter(({ params, streams }) => params.length > 0 && !streams))("$title", async (operation) => {
    const unknown = await send(operation, { headers: ours.bearer });
    expectProblem(unknown, 404);
    const url = urlOf(operation, (parameter, noun) => foreignIds.get(noun) ?? unknownId(parameter));
    const foreign = await send(operation, { headers: ours.bearer, url });
    expectProblem(foreign, 404);
    expect(foreign.json().code).toBe(unknown.json().code);
  });
});

describe("nothing is tied to what does not exist, or is another tenant's", () => {
  const REFERENCE = /^(\w+?)Ids?$/;
  const namesRow = (schema: Schema): boolean =>
    [schema, schema.items, ...(schema.anyOf ?? [])].some((part) => part?.type === "integer");
  const nounOf = (name: string) => `${REFERENCE.exec(name)![1]!.replace(/y$/, "ie")}s`;
  const changing = guarded.filter(({ unaudited }) => unaudited === undefined);
  const referring = changing.flatMap((operation) =>
    Object.entries(membersOf(operation.body ?? {}))
      .filter(([name, schema]) => REFERENCE.test(name) && namesRow(schema))
      .map(([name, schema]) => ({ operation, name, isList: schema.type === "array" })),
  );
  test.each(referring)("$name of $operation.title", async ({ operation, name, isList }) => {
    const url = urlOf(operation, (parameter, noun) => ownIds.get(noun) ?? unknownId(parameter));
    for (const id of [MAX_ID - 1, Number(foreignIds.get(nounOf(name)) ?? MAX_ID - 2)]) {
      const body = { ...(sampleOf(operation.body!, String(counter++)) as object), [name]: isList ? [id] : id };
      const answer = await send(operation, { headers: ours.bearer, url, payload: JSON.stringify(body) });
      expect([400, 404, 409, 422], answer.body).toContain(answer.statusCode);
    }
  });
});

test("another tenant's things were there all the time", async () => {
  const after = await seedTenant(server, theirs);
  for (const noun of ["accounts", "owners", "tokens"]) expect(foreignIds.get(noun)).toBeDefined();
  expect([...after.keys()].sort()).toEqual([...foreignIds.keys()].sort());
});

describe("lists answer, and those of a tenant hold nothing of another", () => {
  const lists = guarded.filter(({ method, params, streams }) => method === "GET" && params.length === 0 && !streams);
  test.each(lists)("$title", async (operation) => {
    const answer = await send(operation, { headers: ours.bearer });
    expect(answer.body).not.toContain(theirs.login);
    if (operation.path !== "/api/v1/tenants") expect([200, 302, 400]).toContain(answer.statusCode);
  });
});

describe("a change is in the audit log, or says why it is not", () => {
  const changes = guarded.filter(({ method, path }) => method !== "GET" && path !== "/api/v1/session");
  test.each(changes)("$title", async (operation) => {
    if (operation.unaudited !== undefined) return expect(operation.unaudited).toMatch(/\w+ \w+/);
    // Another administrator: the walk deletes the first one, and the token.
    const { bearer } = await server.account("admin", theirs.tenantId);
    const count = async () =>
      (await server.app.inject({ url: "/api/v1/audit/verify", headers: bearer })).json().entries;
    const before = await count();
    const url = urlOf(operation, (parameter, noun) => foreignIds.get(noun) ?? unknownId(parameter));
    const answer = await send(operation, { headers: bearer, url });
    // What the sample is refused for is shown in the tests of the route itself: the server answers no change without an entry.
    if (answer.statusCode < 300) expect(await count()).toBeGreaterThan(before);
  });
});
