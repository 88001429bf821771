import {
  addAccount,
  addTenant,
  appendAudit,
  FIRST_TENANT,
  listTenants,
  type Tenant as TenantRow,
} from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { checkPassword, randomPassword } from "../accounts/new-password.ts";
import { LoginName } from "../accounts/schemas.ts";
import { audit } from "../audit/audit.ts";
import { ServerError } from "../errors.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { hashPassword } from "../security/passwords.ts";

const tags = ["tenants"];

const Tenant = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  createdAt: Type.String({ format: "date-time" }),
});
const NewTenant = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    login: LoginName,
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
  },
  { additionalProperties: false },
);
const MadeTenant = Type.Object({
  ...Tenant.properties,
  login: Type.String(),
  password: Type.Optional(
    Type.String({ description: "of its first administrator where none was given; shown this once" }),
  ),
});

/** Tenants know nothing of each other. Those who administer the first one make the others, and see no more than their names. */
export const tenantRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "All tenants; for administrators of the first one",
    operationId: "listTenants",
    querystring: Type.Object(PageQuery, { additionalProperties: false }),
    response: { 200: PageOf(Tenant) },
  };
  app.get("/api/v1/tenants", { config: { scope: "admin:read" }, schema: list }, async (request) => {
    demandFirstTenant(request);
    const { limit = DEFAULT_PAGE, cursor } = request.query;
    const after = idOfCursor(cursor);
    const rows = await listTenants(deps.store, { limit: limit + 1, after });
    return pageOf(rows, limit, (row) => [row.id], tenantOf);
  });

  const make = {
    tags,
    summary: "Make a tenant with its first administrator",
    operationId: "createTenant",
    body: NewTenant,
    response: { 201: MadeTenant },
  };
  app.post("/api/v1/tenants", { config: { scope: "admin:write" }, schema: make }, async (request, reply) => {
    const { name } = request.body;
    const login = request.body.login.toLowerCase();
    const by = demandFirstTenant(request);
    if (request.body.password !== undefined) checkPassword(request.body.password, [login, name]);
    const password = request.body.password ?? randomPassword();
    const passwordHash = await hashPassword(password);
    const made = await addTenant(deps.store, name, async (db, { id }) => {
      const account = { tenantId: id, login, name: "Administrator", role: "admin", passwordHash };
      const added = await addAccount(db, account);
      if (added === undefined) throw new ServerError("CONFLICT", `the login ${login} is taken`, "choose another one");
      const entry = { tenantId: id, at: deps.clock(), actor: `${by.name} of the first tenant`, actorId: null };
      const told = { detail: { name, login }, address: request.ip, requestId: request.id };
      await appendAudit(db, { ...entry, ...told, action: "tenant.create", subject: `tenant/${id}` });
    });
    if (made === undefined) throw new ServerError("CONFLICT", `there is a tenant ${name}`, "choose another name");
    const { tenant } = made;
    await deps.store.tenant(by.tenantId, (db) =>
      audit(db, request, "tenant.create", `tenant/${tenant.id}`, { name, login }),
    );
    const shown = request.body.password === undefined ? { password } : {};
    return reply.code(201).send({ ...tenantOf(tenant), login, ...shown });
  });
};

/** @throws ServerError `FORBIDDEN` */
function demandFirstTenant(request: FastifyRequest) {
  const principal = principalOf(request);
  if (principal.tenantId === FIRST_TENANT) return principal;
  throw new ServerError("FORBIDDEN", "only administrators of the first tenant see and make tenants");
}

function tenantOf(tenant: TenantRow) {
  return { id: tenant.id, name: tenant.name, createdAt: tenant.createdAt.toISOString() };
}
