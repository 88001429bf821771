import { tenantOf, tenantsOf } from "@bulwark/store";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import type { AppDeps } from "../../app.ts";
import { notFound, ServerError } from "../../errors.ts";
import type { Routes } from "../../routes.ts";
import { clearCookie, readCookie, setCookie } from "../cookie.ts";
import { startSession } from "../start-session.ts";
import { acceptIdentity } from "./accept-identity.ts";
import { findProvider, listProviders, type Provider } from "./provider.ts";
import { createRelyingParty, type KnownProviders, keepProviders, type Pending } from "./relying-party.ts";

const COOKIE = "bulwark_oidc";
const PATH = "/api/v1/session/oidc";
/** How long people may take at the provider. */
const PENDING_MS = 10 * 60_000;
const MAX_PROVIDERS = 100;
const CONSOLE = "/";
const REFUSED = "/login?refused=";

const tags = ["session"];
const config = { scope: "public" } as const;
const params = Type.Object({ id: Type.String({ pattern: "^[0-9a-f]{12}$" }) });
const Kept = Type.Object({
  state: Type.String(),
  nonce: Type.String(),
  verifier: Type.String(),
  until: Type.Number(),
});

/** Single sign-on. */
export const oidcRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "Identity providers to log in through",
    operationId: "listLoginProviders",
    response: { 200: Type.Object({ items: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })) }) },
  };
  app.get("/api/v1/session/providers", { config, schema: list }, async () => {
    const tenants = new Set(
      (await tenantsOf(deps.store.system, "oidc", MAX_PROVIDERS)).map(({ tenantId }) => tenantId),
    );
    const items: { id: string; name: string }[] = [];
    for (const tenantId of tenants) {
      const providers = await deps.store.tenant(tenantId, listProviders);
      items.push(...providers.map(({ id, name }) => ({ id, name })));
    }
    return { items };
  });

  const known = keepProviders();
  const start = {
    tags,
    summary: "Go to the identity provider",
    operationId: "startOidc",
    params,
    response: { 302: Type.Null() },
  };
  app.get(`${PATH}/:id/start`, { config, schema: start }, async (request, reply) => {
    const { tenantId, provider } = await providerFor(deps, request.params.id);
    const party = createRelyingParty({ ...deps, known }, tenantId, provider);
    const { url, pending } = await party.begin(callbackOf(deps, request, provider.id));
    keepPending(deps, request, reply, tenantId, provider.id, pending);
    return reply.redirect(url.href);
  });

  const callback = {
    tags,
    summary: "Come back from the identity provider",
    operationId: "finishOidc",
    params,
    response: { 302: Type.Null() },
  };
  app.get(`${PATH}/:id/callback`, { config, schema: callback }, async (request, reply) => {
    const { tenantId, provider } = await providerFor(deps, request.params.id);
    const pending = await takePending(deps, request, reply, tenantId, provider.id);
    return reply.redirect(await finish({ ...deps, known }, request, reply, tenantId, provider, pending));
  });
};

/** @returns where the browser goes on: people are told on the login page what went wrong */
async function finish(
  deps: AppDeps & { readonly known: KnownProviders },
  request: FastifyRequest,
  reply: FastifyReply,
  tenantId: number,
  provider: Provider,
  pending: Pending | undefined,
): Promise<string> {
  if (pending === undefined) return `${REFUSED}EXPIRED`;
  const answer = new URL(callbackOf(deps, request, provider.id));
  answer.search = new URL(request.url, answer).search;
  const party = createRelyingParty(deps, tenantId, provider);
  const identity = await party.finish(answer, pending).catch((error: unknown) => {
    if (!(error instanceof ServerError)) throw error;
    request.log.warn({ err: error, provider: provider.id }, "a login through an identity provider failed");
    return undefined;
  });
  if (identity === undefined) return `${REFUSED}FAILED`;
  const account = await deps.store.tenant(tenantId, (db) => acceptIdentity(db, request, tenantId, provider, identity));
  if (typeof account === "string") return `${REFUSED}${account}`;
  await startSession(deps, request, reply, account, `provider ${provider.id}`);
  return CONSOLE;
}

async function providerFor(deps: AppDeps, id: string) {
  const tenantId = await tenantOf(deps.store.system, "oidc", id);
  const provider = tenantId === undefined ? undefined : await deps.store.tenant(tenantId, (db) => findProvider(db, id));
  if (tenantId === undefined || provider === undefined) throw notFound("identity provider", id);
  return { tenantId, provider };
}

/** The redirect address, which the provider knows by heart. */
export function callbackOf(deps: AppDeps, request: FastifyRequest, id: string): string {
  const base = deps.publicUrl ?? `${request.protocol}://${request.host}`;
  return new URL(`${PATH}/${id}/callback`, base).href;
}

/**
 * What is pending stays with the browser that began, encrypted: an answer that another browser was lured with finds
 * nothing there (login CSRF). The cookie is Lax because the provider's redirect is another site's.
 */
function keepPending(
  deps: AppDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  tenantId: number,
  id: string,
  pending: Pending,
): void {
  const kept: Static<typeof Kept> = { ...pending, until: deps.clock().getTime() + PENDING_MS };
  const value = deps.secrets.seal(tenantId, `oidc-pending/${id}`, JSON.stringify(kept)).toString("base64url");
  setCookie(request, reply, COOKIE, value, { path: PATH, sameSite: "Lax", maxAgeS: PENDING_MS / 1000 });
}

async function takePending(
  deps: AppDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  tenantId: number,
  id: string,
): Promise<Pending | undefined> {
  const value = readCookie(request, COOKIE);
  if (value === undefined) return undefined;
  clearCookie(request, reply, COOKIE, PATH);
  try {
    const kept = JSON.parse(await deps.secrets.open(tenantId, `oidc-pending/${id}`, Buffer.from(value, "base64url")));
    return Value.Check(Kept, kept) && kept.until > deps.clock().getTime() ? kept : undefined;
  } catch (error) {
    request.log.info({ err: error }, "a cookie of a login was none of ours");
    return undefined;
  }
}
