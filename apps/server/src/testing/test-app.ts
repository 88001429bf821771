import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addAccount, addTenant, addToken, type Store } from "@bulwark/store";
import { openTestStore } from "@bulwark/store/testing";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { ROLE_SCOPES, type Role, type Scope } from "../access.ts";
import { type App, type AppDeps, createApp } from "../app.ts";
import { openEventHub } from "../events/hub.ts";
import type { Queue } from "../jobs/queue.ts";
import { createAuthenticator, TOKEN_PREFIX } from "../security/authenticator.ts";
import { hashPassword } from "../security/passwords.ts";
import { randomSecret, sha256 } from "../security/random-secret.ts";
import { openSecretBox, type SecretBox } from "../security/secret-box.ts";

export const TEST_PASSWORD = "nine lanterns at sea";

/** Somebody with an account and a token for all that their role may do. */
export interface TestAccount {
  readonly id: number;
  readonly tenantId: number;
  readonly login: string;
  /** Header for `app.inject`. */
  readonly bearer: { readonly authorization: string };
}

/** A browser: keeps its cookies, and sends the CSRF token along once it is logged in. */
export interface TestBrowser {
  send(options: InjectOptions): Promise<LightMyRequestResponse>;
  logIn(login: string, password?: string, code?: string): Promise<LightMyRequestResponse>;
  readonly cookies: Map<string, string>;
}

/** A whole server on a real database of its own, whose clock stands still until it is set. */
export interface TestApp {
  readonly app: App;
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly clock: { now: Date };
  account(role: Role, tenantId?: number): Promise<TestAccount>;
  /** A token of an account for some scopes only. */
  token(account: TestAccount, scopes: readonly Scope[]): Promise<{ readonly authorization: string }>;
  tenant(): Promise<number>;
  browser(headers?: Readonly<Record<string, string>>): TestBrowser;
  close(): Promise<void>;
}

/** @param deps in place of the usual ones */
export async function openTestApp(deps: Partial<AppDeps> = {}): Promise<TestApp> {
  const opened = await openTestStore();
  const { store } = opened;
  const directory = mkdtempSync(join(tmpdir(), "bulwark-app-"));
  const secrets = await openSecretBox({ file: join(directory, "master-keys.json") });
  const clock = { now: new Date("2026-06-01T08:00:00Z") };
  const tell = () => clock.now;
  const authenticate = createAuthenticator({ store, clock: tell });
  const events = await openEventHub(store);
  const queue: Queue = { add: async () => {}, work: async () => {}, schedule: async () => {}, close: async () => {} };
  const app = await createApp({ store, clock: tell, secrets, authenticate, events, queue, ...deps });
  const passwordHash = await hashPassword(TEST_PASSWORD);

  const token: TestApp["token"] = async (account, scopes) => {
    const secret = `${TOKEN_PREFIX}${randomSecret()}`;
    const { id: accountId, tenantId } = account;
    const life = { now: clock.now, expiresAt: new Date(clock.now.getTime() + 3_600_000) };
    await store.tenant(tenantId, (db) =>
      addToken(db, { tenantId, accountId, name: randomUUID(), hash: sha256(secret), scopes, ...life }),
    );
    return { authorization: `Bearer ${secret}` };
  };

  return {
    app,
    store,
    secrets,
    clock,
    token,
    async account(role, tenantId = 1) {
      const login = `${role}-${randomUUID()}`;
      const given = { tenantId, login, name: `A ${role}`, role, passwordHash };
      const added = await store.tenant(tenantId, (db) => addAccount(db, given));
      const account = { id: added!.id, tenantId, login, bearer: { authorization: "" } };
      return { ...account, bearer: await token(account, ROLE_SCOPES[role]) };
    },
    async tenant() {
      const made = await addTenant(store, randomUUID(), async () => {});
      return made!.tenant.id;
    },
    browser: (headers = {}) => browserOf(app, headers),
    async close() {
      await app.close();
      await events.close();
      await opened.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function browserOf(app: App, own: Readonly<Record<string, string>>): TestBrowser {
  const cookies = new Map<string, string>();
  let csrf = "";
  const send: TestBrowser["send"] = async (options) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const kept = { ...(cookie === "" ? {} : { cookie }), ...(csrf === "" ? {} : { "x-csrf-token": csrf }) };
    const answer = await app.inject({ ...options, headers: { ...own, ...kept, ...options.headers } });
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  return {
    cookies,
    send,
    async logIn(login, password = TEST_PASSWORD, code) {
      const payload = { login, password, ...(code === undefined ? {} : { code }) };
      const answer = await send({ method: "POST", url: "/api/v1/session", payload });
      if (answer.statusCode === 200) csrf = answer.json().csrf;
      return answer;
    },
  };
}
