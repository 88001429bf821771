import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestApp } from "../../testing/test-app.ts";

/** A provider that hands out whatever token a test forges: what no real one can be made to do. */
const SECRET = "the secret of this client, known to the forger";
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const strangers = generateKeyPairSync("rsa", { modulusLength: 2048 });

let server: TestApp;
let issuer: Server;
let origin: string;
let id: string;
let token = "";

beforeAll(async () => {
  server = await openTestApp({ publicUrl: "http://127.0.0.1:8080" });
  const admin = await server.account("admin");
  issuer = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answers()[request.url ?? ""] ?? {}));
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const payload = { name: "Forger", issuer: origin, clientId: "bulwark", clientSecret: SECRET, defaultRole: "admin" };
  const made = await server.app.inject({
    method: "POST",
    url: "/api/v1/identity-providers",
    headers: admin.bearer,
    payload: { ...payload, allowPrivate: true },
  });
  id = made.json().id;
});
afterAll(async () => {
  issuer.closeAllConnections();
  issuer.close();
  await server.close();
});

const answers = (): Readonly<Record<string, unknown>> => ({
  "/.well-known/openid-configuration": {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/keys`,
    id_token_signing_alg_values_supported: ["RS256"],
  },
  "/keys": { keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k", alg: "RS256", use: "sig" }] },
  "/token": { access_token: "a", token_type: "Bearer", id_token: token },
});

type Claims = Readonly<Record<string, unknown>>;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const input = (header: object, claims: Claims) => `${part(header)}.${part(claims)}`;

function signed(claims: Claims, key: KeyObject = keys.privateKey): string {
  const text = input({ alg: "RS256", kid: "k" }, claims);
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

function macked(claims: Claims, secret: string | Buffer): string {
  const text = input({ alg: "HS256", kid: "k" }, claims);
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

/** Logs in with the token that `forge` makes of right claims. */
async function logInWith(forge: (claims: Claims) => string): Promise<string> {
  const browser = server.browser();
  const started = await browser.send({ url: `/api/v1/session/oidc/${id}/start` });
  const { searchParams } = new URL(String(started.headers.location));
  const now = Math.floor(Date.now() / 1000);
  const right = { iss: origin, aud: "bulwark", sub: "eve", iat: now, exp: now + 60, nonce: searchParams.get("nonce") };
  token = forge(right);
  const url = `/api/v1/session/oidc/${id}/callback?code=c&state=${searchParams.get("state")}`;
  return String((await browser.send({ url })).headers.location);
}

test("a right token is taken", async () => {
  expect(await logInWith((claims) => signed(claims))).toBe("/");
});

test.each<[string, (claims: Claims) => string]>([
  ["signed by nobody", (claims) => `${input({ alg: "none" }, claims)}.`],
  ["signed by somebody else", (claims) => signed(claims, strangers.privateKey)],
  ["authenticated with the client's secret", (claims) => macked(claims, SECRET)],
  [
    "authenticated with the public key",
    (claims) => macked(claims, keys.publicKey.export({ type: "spki", format: "pem" })),
  ],
  ["for another client", (claims) => signed({ ...claims, aud: "another" })],
  ["for several clients, told for another", (claims) => signed({ ...claims, aud: ["bulwark", "b"], azp: "b" })],
  ["of another issuer", (claims) => signed({ ...claims, iss: "https://accounts.example.org" })],
  ["of another login", (claims) => signed({ ...claims, nonce: "x" })],
  ["of no login", ({ nonce: _, ...claims }) => signed(claims)],
  ["of yesterday", (claims) => signed({ ...claims, iat: 1, exp: 2 })],
  ["without an end", ({ exp: _, ...claims }) => signed(claims)],
  ["of nobody", ({ sub: _, ...claims }) => signed(claims)],
  [
    "changed after it was signed",
    (claims) => signed(claims).replace(/\.[^.]+\./, `.${part({ ...claims, sub: "root" })}.`),
  ],
  ["that is none", () => "x.y.z"],
  ["that is missing", () => ""],
])("a token %s is refused", async (_what, forge) => {
  expect(await logInWith(forge)).toBe("/login?refused=FAILED");
});

test.each([
  ["empty", "", "/login?refused=NO_ROLE"],
  ["endless", "x".repeat(10_000), "/login?refused=NO_ROLE"],
])("a subject that is %s is nobody's", async (_what, sub, location) => {
  expect([location, "/login?refused=FAILED"]).toContain(await logInWith((claims) => signed({ ...claims, sub })));
});

test("a name full of markup, control characters and half characters becomes one that can be stored and shown", async () => {
  const name = "<img src=x onerror=alert(1)>\u0000\u001b[2J\ud800";
  expect(
    await logInWith((claims) => signed({ ...claims, sub: "odd", name, preferred_username: "../\u0000<b>É" })),
  ).toBe("/");
  const [made] = await server.store.tenant(1, (db) =>
    db.selectFrom("account").select(["login", "name"]).where("identity", "=", `${id}:odd`).execute(),
  );
  expect(made).toEqual({ login: "b-", name: "<img src=x onerror=alert(1)> [2J\ufffd" });
});
