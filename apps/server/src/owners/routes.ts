import {
  addOwner,
  changeOwner,
  findOwner,
  listOwners,
  type Owner as OwnerRow,
  removeOwner,
  setMembers,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { Id } from "../accounts/schemas.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";

const MAX_MEMBERS = 1_000;

const tags = ["owners"];
const read = { scope: "images:read" } as const;
const write = { scope: "images:write" } as const;
/** Who belongs to an owner sees what it owns: that is a matter of rights. */
const grant = { scope: "admin:write" } as const;

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Email = Type.String({ maxLength: 320, pattern: "^([^\\s@]+@[^\\s@]+)?$" });
const Owner = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  email: Type.String(),
  accounts: Type.Array(Type.Integer(), { description: "accounts that belong to it" }),
});
const NewOwner = Type.Object({ name: Name, email: Type.Optional(Email) }, { additionalProperties: false });
const OwnerChange = Type.Object(
  { name: Type.Optional(Name), email: Type.Optional(Email) },
  { additionalProperties: false },
);
const Members = Type.Object(
  { accounts: Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), { maxItems: MAX_MEMBERS }) },
  { additionalProperties: false },
);
const OwnerQuery = Type.Object(
  { ...PageQuery, search: Type.Optional(Type.String({ maxLength: 200 })) },
  { additionalProperties: false },
);

/** People and teams who answer for images. */
export const ownerRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "Owners by name; a developer sees the own ones",
    operationId: "listOwners",
    querystring: OwnerQuery,
    response: { 200: PageOf(Owner) },
  };
  app.get("/api/v1/owners", { config: read, schema: list }, async (request) => {
    const { tenantId, owners: only } = principalOf(request);
    const { limit = DEFAULT_PAGE, cursor, search } = request.query;
    const after = decodeCursor(cursor, ["string"])?.[0] as string | undefined;
    const rows = await deps.store.tenant(tenantId, (db) => listOwners(db, { limit: limit + 1, after, search, only }));
    return pageOf(rows, limit, (row) => [row.name], ownerOf);
  });

  const make = { tags, summary: "Add an owner", operationId: "createOwner", body: NewOwner, response: { 201: Owner } };
  app.post("/api/v1/owners", { config: write, schema: make }, async (request, reply) => {
    const { tenantId } = principalOf(request);
    const { name, email = "" } = request.body;
    const owner = await deps.store.tenant(tenantId, async (db) => {
      const added = await addOwner(db, { tenantId, name, email });
      if (added === undefined) throw taken(name);
      await audit(db, request, "owner.create", `owner/${added.id}`, { name, email });
      return added;
    });
    return reply.code(201).send(ownerOf(owner));
  });

  const change = {
    tags,
    summary: "Change an owner",
    operationId: "updateOwner",
    params: Id,
    body: OwnerChange,
    response: { 200: Owner },
  };
  app.patch("/api/v1/owners/:id", { config: write, schema: change }, async (request) => {
    const { id } = request.params;
    return deps.store.tenant(principalOf(request).tenantId, async (db) => {
      const changed = await changeOwner(db, id, request.body);
      if (changed === undefined) throw notFound("owner", id);
      if (changed === "taken") throw taken(request.body.name ?? "");
      await audit(db, request, "owner.change", `owner/${id}`, { ...request.body });
      return ownerOf(changed);
    });
  });

  const remove = {
    tags,
    summary: "Delete an owner; what it owned stays",
    operationId: "deleteOwner",
    params: Id,
    response: { 204: Type.Null() },
  };
  app.delete("/api/v1/owners/:id", { config: write, schema: remove }, async (request, reply) => {
    const { id } = request.params;
    await deps.store.tenant(principalOf(request).tenantId, async (db) => {
      const owner = await findOwner(db, id);
      if (owner === undefined || !(await removeOwner(db, id))) throw notFound("owner", id);
      await audit(db, request, "owner.delete", `owner/${id}`, { name: owner.name });
    });
    return reply.code(204).send(null);
  });

  const members = {
    tags,
    summary: "Set who belongs to an owner",
    operationId: "setOwnerAccounts",
    params: Id,
    body: Members,
    response: { 200: Owner },
  };
  app.put("/api/v1/owners/:id/accounts", { config: grant, schema: members }, async (request) => {
    const { id } = request.params;
    const { tenantId } = principalOf(request);
    const accounts = [...new Set(request.body.accounts)];
    return deps.store.tenant(tenantId, async (db) => {
      if ((await findOwner(db, id)) === undefined) throw notFound("owner", id);
      const [unknown] = await setMembers(db, tenantId, id, accounts);
      if (unknown !== undefined) throw notFound("account", unknown);
      await audit(db, request, "owner.accounts", `owner/${id}`, { accounts });
      return ownerOf((await findOwner(db, id))!);
    });
  });
};

function ownerOf(owner: OwnerRow) {
  return { ...owner, accounts: [...owner.accounts] };
}

function taken(name: string): ServerError {
  return new ServerError("CONFLICT", `there is an owner named ${name}`, "choose another name");
}
