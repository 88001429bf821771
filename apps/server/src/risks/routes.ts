import { SEVERITIES } from "@bulwark/model";
import {
  findAccount,
  getRisk,
  listRisks,
  measureRisks,
  type RiskStep,
  riskKey,
  stepRisk,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf, type Scope } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { AcceptBody, AssignBody, CommentBody, MeasuresShape, RiskDetailShape, RiskShape } from "./shapes.ts";

const Flag = Type.Optional(Type.Boolean());
const States = ["open", "assigned", "fixing", "fixed", "reopened", "accepted"] as const;

/** The closed loop: found, assigned, being fixed, fixed by a scan that sees it gone, or accepted by a second person. */
export const riskRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["risks"];
  const read = { scope: "findings:read" } as const;

  app.get(
    "/api/v1/risks",
    {
      config: read,
      schema: {
        tags,
        operationId: "listRisks",
        summary: "Risks in the order in which they are due",
        querystring: Type.Object({
          ...PageQuery,
          state: Type.Optional(Type.String({ maxLength: 100, description: "states, separated by commas" })),
          severity: Type.Optional(Type.String({ maxLength: 100, description: "severities, separated by commas" })),
          overdue: Flag,
          waiting: Type.Optional(Type.Boolean({ description: "an acceptance waits for its approval" })),
          assignee: Type.Optional(Id),
          owner: Type.Optional(Id),
          actor: Type.Optional(Id),
          verdict: Type.Optional(Type.Enum(["base", "own"])),
          repository: Type.Optional(Id),
          search: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
        }),
        response: { 200: PageOf(RiskShape) },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const {
        cursor,
        limit = DEFAULT_PAGE,
        state,
        severity,
        assignee,
        owner,
        actor,
        repository,
        ...filter
      } = request.query;
      const after = decodeCursor(cursor, ["number", "integer"]) as readonly [number, number] | undefined;
      const rows = await store.tenant(tenantId, (db) =>
        listRisks(db, {
          ...filter,
          sight: owners,
          states: listOf(state, States),
          severities: listOf(severity, SEVERITIES),
          ...(assignee === undefined ? {} : { assigneeId: assignee }),
          ...(owner === undefined ? {} : { ownerId: owner }),
          ...(actor === undefined ? {} : { actorId: actor }),
          ...(repository === undefined ? {} : { repositoryId: repository }),
          now: deps.clock(),
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        }),
      );
      return pageOf(rows, limit, riskKey, (row) => row);
    },
  );

  app.get(
    "/api/v1/risks/measures",
    {
      config: read,
      schema: {
        tags,
        operationId: "measureRisks",
        summary: "How well risks are closed, and how many before their release",
        response: { 200: MeasuresShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => measureRisks(db, deps.clock())),
  );

  app.get(
    "/api/v1/risks/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getRisk",
        summary: "One risk, with its history",
        params: IdParams,
        response: { 200: RiskDetailShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      return store.tenant(principal.tenantId, (db) => seen(db, request.params.id, principal, deps.clock()));
    },
  );

  const step = (
    action: string,
    scope: Scope,
    summary: string,
    body: typeof AssignBody | typeof AcceptBody | typeof CommentBody | undefined,
    stepOf: (body: Record<string, unknown>, principal: Principal, db: TenantQueries) => Promise<RiskStep>,
  ) =>
    app.post(
      `/api/v1/risks/:id/${action}`,
      {
        config: { scope },
        schema: {
          tags,
          operationId: `${action}Risk`,
          summary,
          params: IdParams,
          ...(body === undefined ? {} : { body }),
          response: { 200: RiskDetailShape },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const { id } = request.params;
        return store.tenant(principal.tenantId, async (db) => {
          const risk = await seen(db, id, principal, deps.clock());
          const taken = await stepOf(request.body as Record<string, unknown>, principal, db);
          const isDone = await stepRisk(db, id, taken, { name: principal.name, now: deps.clock() });
          if (!isDone) throw refusal(id, risk.state, taken, principal, risk.accepted?.askedBy);
          const changed = await seen(db, id, principal, deps.clock());
          await audit(db, request, `risk.${taken.action}`, `risk/${id}`, { finding: risk.finding });
          return changed;
        });
      },
    );

  step("assign", "findings:write", "Say who fixes it", AssignBody, async ({ accountId }, _principal, db) => {
    const assigneeId = Number(accountId);
    if ((await findAccount(db, assigneeId)) === undefined) throw notFound("account", assigneeId);
    return { action: "assign", assigneeId };
  });
  step("start", "findings:write", "Say that somebody works on it", undefined, async () => ({ action: "start" }));
  step(
    "accept",
    "findings:write",
    "Ask for its acceptance until a day; a second person has to approve",
    AcceptBody,
    async (body, { accountId }) => ({
      action: "ask",
      reason: String(body.reason),
      until: String(body.until),
      accountId,
    }),
  );
  step(
    "approve",
    "findings:approve",
    "Accept the risk that somebody else asked to be accepted",
    undefined,
    async (_body, { accountId }) => ({ action: "approve", accountId }),
  );
  step("refuse", "findings:approve", "Refuse the acceptance that was asked for", undefined, async () => ({
    action: "refuse",
  }));
  step("comment", "findings:write", "Add to its history", CommentBody, async ({ text }) => ({
    action: "comment",
    text: String(text),
  }));
};

async function seen(db: TenantQueries, id: number, { owners }: Principal, now: Date) {
  const risk = await getRisk(db, id, owners, now);
  if (risk === undefined) throw notFound("risk", id);
  return risk;
}

function refusal(
  id: number,
  state: string,
  { action }: RiskStep,
  { accountId }: Principal,
  askedBy: number | undefined,
): ServerError {
  if (action === "approve" && askedBy === accountId) {
    return new ServerError(
      "FORBIDDEN",
      "nobody approves what they asked for themselves",
      "let somebody else approve it",
    );
  }
  return new ServerError(
    "CONFLICT",
    `risk ${id} is ${state}: "${action}" does not fit`,
    "look at its state and at what was asked for",
  );
}
