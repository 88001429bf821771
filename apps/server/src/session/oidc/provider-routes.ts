import { randomBytes } from "node:crypto";
import { Type } from "typebox";
import { principalOf } from "../../access.ts";
import { audit } from "../../audit/audit.ts";
import { notFound, ServerError } from "../../errors.ts";
import type { Routes } from "../../routes.ts";
import { findProvider, keepProvider, listProviders, type Provider, ProviderBody, removeProvider } from "./provider.ts";
import { callbackOf } from "./routes.ts";

const ID_BYTES = 6;
const MAX_OF_TENANT = 20;

const tags = ["identity providers"];
const read = { scope: "admin:read" } as const;
const write = { scope: "admin:write" } as const;
const params = Type.Object({ id: Type.String({ pattern: "^[0-9a-f]{12}$" }) });
const { clientSecret: _, ...shown } = ProviderBody.properties;
const Shown = Type.Object({
  id: Type.String(),
  ...shown,
  hasSecret: Type.Boolean(),
  callback: Type.String({ description: "redirect address to register at the provider" }),
});

/** Which identity providers people log in through. */
export const identityProviderRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "Identity providers",
    operationId: "listIdentityProviders",
    response: { 200: Type.Object({ items: Type.Array(Shown) }) },
  };
  app.get("/api/v1/identity-providers", { config: read, schema: list }, async (request) => {
    const providers = await deps.store.tenant(principalOf(request).tenantId, listProviders);
    return { items: providers.map((provider) => shownOf(provider, callbackOf(deps, request, provider.id))) };
  });

  const make = {
    tags,
    summary: "Add an identity provider",
    operationId: "createIdentityProvider",
    body: ProviderBody,
    response: { 201: Shown },
  };
  app.post("/api/v1/identity-providers", { config: write, schema: make }, async (request, reply) => {
    const { tenantId } = principalOf(request);
    checkIssuer(request.body.issuer, request.body.allowPrivate === true);
    const id = randomBytes(ID_BYTES).toString("hex");
    const provider = await deps.store.tenant(tenantId, async (db) => {
      if ((await listProviders(db)).length >= MAX_OF_TENANT) {
        throw new ServerError("CONFLICT", `there are ${MAX_OF_TENANT} identity providers`, "delete one first");
      }
      const kept = await keepProvider(db, deps.secrets, tenantId, id, request.body);
      await audit(db, request, "identity-provider.create", `identity-provider/${id}`, toldOf(kept));
      return kept;
    });
    return reply.code(201).send(shownOf(provider, callbackOf(deps, request, id)));
  });

  const change = {
    tags,
    summary: "Describe an identity provider anew",
    operationId: "updateIdentityProvider",
    params,
    body: ProviderBody,
    response: { 200: Shown },
  };
  app.put("/api/v1/identity-providers/:id", { config: write, schema: change }, async (request) => {
    const { tenantId } = principalOf(request);
    const { id } = request.params;
    checkIssuer(request.body.issuer, request.body.allowPrivate === true);
    const provider = await deps.store.tenant(tenantId, async (db) => {
      const before = await findProvider(db, id);
      if (before === undefined) throw notFound("identity provider", id);
      // The secret was entrusted for one issuer: it must not be sent to the next one that somebody enters.
      if (
        before.issuer !== request.body.issuer &&
        before.secret !== undefined &&
        request.body.clientSecret === undefined
      ) {
        throw new ServerError("INVALID_REQUEST", "the issuer changed", "give the client secret of the new issuer");
      }
      const kept = await keepProvider(db, deps.secrets, tenantId, id, request.body);
      await audit(db, request, "identity-provider.change", `identity-provider/${id}`, toldOf(kept));
      return kept;
    });
    return shownOf(provider, callbackOf(deps, request, id));
  });

  const remove = {
    tags,
    summary: "Delete an identity provider; its people cannot log in any more",
    operationId: "deleteIdentityProvider",
    params,
    response: { 204: Type.Null() },
  };
  app.delete("/api/v1/identity-providers/:id", { config: write, schema: remove }, async (request, reply) => {
    const { id } = request.params;
    await deps.store.tenant(principalOf(request).tenantId, async (db) => {
      const provider = await findProvider(db, id);
      if (provider === undefined) throw notFound("identity provider", id);
      await removeProvider(db, id);
      await audit(db, request, "identity-provider.delete", `identity-provider/${id}`, { name: provider.name });
    });
    return reply.code(204).send(null);
  });
};

function checkIssuer(issuer: string, allowPrivate: boolean): void {
  const url = URL.parse(issuer);
  if (url === null || url.username !== "" || url.password !== "") {
    throw new ServerError(
      "INVALID_REQUEST",
      "the issuer is no address",
      "copy it from the provider's discovery document",
    );
  }
  if (url.protocol === "https:" || allowPrivate) return;
  throw new ServerError("INVALID_REQUEST", "the issuer speaks no TLS", "use https, or allow private networks for it");
}

function shownOf(provider: Provider, callback: string) {
  const { secret, ...rest } = provider;
  return { ...rest, hasSecret: secret !== undefined, callback };
}

function toldOf({ name, issuer, clientId, roleClaim, roles, defaultRole, allowPrivate }: Provider) {
  const mapped = roles?.map(({ value, role }) => `${value} → ${role}`);
  return { name, issuer, clientId, roleClaim, roles: mapped, defaultRole, allowPrivate };
}
