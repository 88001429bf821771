import {
  addWaiver,
  announce,
  approveWaiver,
  getWaiver,
  hasWaiverPlace,
  listWaivers,
  removeWaiver,
  type TenantQueries,
  type Waiver,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";

/** Who takes something on looks at it again after two years at most. */
const MAX_DAYS = 731;
const DAY_MS = 86_400_000;

const Text = Type.String();
const Person = Type.Object({ id: Type.Integer(), name: Text });
const Finding = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "the id of a finding, such as CVE-2026-0001",
});

const WaiverShape = Type.Object({
  id: Type.Integer(),
  scope: Type.Enum(["tenant", "registry", "repository", "image"]),
  scopeId: Type.Union([Type.Integer(), Type.Null()]),
  place: Text,
  finding: Text,
  path: Text,
  reason: Text,
  until: Text,
  askedBy: Person,
  approver: Type.Union([Person, Type.Null()]),
  createdAt: Text,
  risks: Type.Integer({ description: "risks that it accepts now" }),
});

const WaiverBody = Type.Object(
  {
    scope: Type.Enum(["tenant", "registry", "repository", "image"]),
    scopeId: Type.Optional(Id),
    finding: Finding,
    path: Type.Optional(Type.String({ maxLength: 4_096, description: "only where the finding is in this file" })),
    reason: Type.String({ minLength: 1, maxLength: 2_000 }),
    until: Type.String({ format: "date", description: "the last day on which it counts" }),
  },
  { additionalProperties: false },
);

/** Waivers: findings that are taken on below a place until a day, asked for by one person and approved by another. */
export const waiverRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["waivers"];

  app.get(
    "/api/v1/waivers",
    {
      config: { scope: "findings:read" },
      schema: {
        tags,
        operationId: "listWaivers",
        summary: "Waivers, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          finding: Type.Optional(Finding),
          waiting: Type.Optional(Type.Boolean({ description: "nobody approved them yet" })),
        }),
        response: { 200: PageOf(WaiverShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const before = idOfCursor(cursor);
      const { tenantId, ...who } = principalOf(request);
      const rows = await store.tenant(tenantId, (db) =>
        listWaivers(db, { ...sightOf(who), ...filter, before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.post(
    "/api/v1/waivers",
    {
      config: { scope: "findings:write" },
      schema: {
        tags,
        operationId: "askWaiver",
        summary: "Ask for a waiver; a second person has to approve",
        body: WaiverBody,
        response: { 201: WaiverShape },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { scope, scopeId = null, path = "", ...rest } = request.body;
      const now = deps.clock();
      if ((scope === "tenant") !== (scopeId === null)) {
        const next = "leave scopeId out for the whole tenant, and give it for every other scope";
        throw new ServerError("INVALID_REQUEST", `the scope ${scope} does not go with this scopeId`, next);
      }
      checkUntil(rest.until, now);
      const made = await store.tenant(principal.tenantId, async (db) => {
        if (!(await hasWaiverPlace(db, { scope, scopeId }, principal.owners))) throw notFound(scope, scopeId ?? "");
        const id = await addWaiver(db, { scope, scopeId, path, ...rest, askedBy: principal.accountId, now });
        await audit(db, request, "waiver.ask", `waiver/${id}`, { finding: rest.finding, scope, scopeId });
        return found(db, id, principal);
      });
      return reply.status(201).send(made);
    },
  );

  app.post(
    "/api/v1/waivers/:id/approve",
    {
      config: { scope: "findings:approve" },
      schema: {
        tags,
        operationId: "approveWaiver",
        summary: "Approve the waiver that somebody else asked for",
        params: IdParams,
        response: { 200: WaiverShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { accountId, name } = principal;
      const { id } = request.params;
      return store.tenant(principal.tenantId, async (db) => {
        const waiver = await found(db, id, principal);
        const isDone = await approveWaiver(db, id, { accountId, name, now: deps.clock() });
        if (!isDone) throw refusal(waiver, accountId);
        await audit(db, request, "waiver.approve", `waiver/${id}`, { finding: waiver.finding, scope: waiver.scope });
        // Admission does not count what is waived.
        await announce(db, { topic: "images", id: "waivers" });
        return found(db, id, principal);
      });
    },
  );

  app.delete(
    "/api/v1/waivers/:id",
    {
      config: { scope: "findings:write" },
      schema: {
        tags,
        operationId: "deleteWaiver",
        summary: "Take a waiver back, or refuse it; the risks that it accepted are open again",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      await store.tenant(principal.tenantId, async (db) => {
        const waiver = await found(db, id, principal);
        if (waiver.askedBy.id !== principal.accountId && !principal.scopes.has("findings:approve")) {
          throw new ServerError("FORBIDDEN", "somebody else asked for this waiver", "ask who may approve waivers");
        }
        await removeWaiver(db, id, { name: principal.name, now: deps.clock() });
        await audit(db, request, "waiver.delete", `waiver/${id}`, { finding: waiver.finding, scope: waiver.scope });
        // Admission does not count what is waived.
        await announce(db, { topic: "images", id: "waivers" });
      });
      return reply.status(204).send(null);
    },
  );
};

function sightOf({ owners, accountId }: Pick<Principal, "owners" | "accountId">) {
  return { sight: owners, accountId };
}

async function found(db: TenantQueries, id: number, principal: Principal): Promise<Waiver> {
  const waiver = await getWaiver(db, id, sightOf(principal));
  if (waiver === undefined) throw notFound("waiver", id);
  return waiver;
}

function checkUntil(until: string, now: Date): void {
  const days = (Date.parse(until) - now.getTime()) / DAY_MS;
  if (days > -1 && days <= MAX_DAYS) return;
  throw new ServerError("INVALID_REQUEST", `a waiver ends after today and within ${MAX_DAYS} days`, "give another day");
}

function refusal({ id, askedBy, approver }: Waiver, accountId: number): ServerError {
  if (askedBy.id === accountId) {
    const next = "let somebody else approve it";
    return new ServerError("FORBIDDEN", "nobody approves what they asked for themselves", next);
  }
  const why = approver === null ? "its time is up" : `${approver.name} approved it already`;
  return new ServerError("CONFLICT", `waiver ${id} cannot be approved: ${why}`, "look at the list of waivers");
}
