import {
  addBenchmarkException,
  approveBenchmarkException,
  type BenchmarkScope,
  getBenchmarkException,
  hasBenchmarkPlace,
  listBenchmarkExceptions,
  listBenchmarkSchedules,
  listBenchmarkTunings,
  removeBenchmarkException,
  removeBenchmarkSchedule,
  removeBenchmarkTuning,
  setBenchmarkSchedule,
  setBenchmarkTuning,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { nextTime } from "../schedules/next-time.ts";
import { benchmarkContent, profileNamed } from "./content.ts";
import { judgeStale, markScope } from "./run-benchmarks.ts";
import { CheckId, MaybeId, MaybeText, Profile, ScopeFields, Text } from "./shapes.ts";

const MAX_DAYS = 731;
const DAY_MS = 86_400_000;
const MAX_TEXTS = 200;
/** Places that a change is judged for while somebody waits. */
const JUDGED_AT_ONCE = 20;
const MAX_TEXT_LENGTH = 1_000;

const Person = Type.Object({ id: Type.Integer(), name: Text });
const PlaceFields = {
  id: Type.Integer(),
  check: Text,
  scope: Text,
  scopeId: MaybeId,
  namespace: Text,
  place: Text,
  reason: Text,
};
const ExceptionShape = Type.Object({
  ...PlaceFields,
  until: Text,
  askedBy: Person,
  approver: Type.Union([Person, Type.Null()]),
  createdAt: Text,
});
const TuningShape = Type.Object({
  ...PlaceFields,
  off: Type.Boolean(),
  parameters: Type.Record(Text, Type.Unknown()),
  changedBy: Text,
  changedAt: Text,
});
const ScheduleShape = Type.Object({
  ...{ id: Type.Integer(), name: Text, cron: Text, timeZone: Text, profile: Text, enabled: Type.Boolean() },
  ...{ nextAt: MaybeText, lastAt: MaybeText, createdBy: Text },
});
const Reason = Type.String({ minLength: 1, maxLength: 2_000 });

/** How benchmarks differ from place to place: exceptions with an end, tunings, and schedules. */
export const benchmarkRuleRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["benchmarks"];

  app.get(
    "/api/v1/benchmark-exceptions",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listBenchmarkExceptions",
        summary: "Exceptions, the newest first",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(ExceptionShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const before = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listBenchmarkExceptions(db, { before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.post(
    "/api/v1/benchmark-exceptions",
    {
      config: { scope: "runtime:write" },
      schema: {
        ...{
          tags,
          operationId: "askBenchmarkException",
          summary: "Ask that a check may fail at a place until a day; a second person has to approve",
        },
        body: Type.Object(
          {
            check: CheckId,
            ...ScopeFields,
            reason: Reason,
            until: Type.String({ format: "date", description: "the last day on which it counts" }),
          },
          { additionalProperties: false },
        ),
        response: { 201: ExceptionShape },
      },
    },
    async (request, reply) => {
      const { tenantId, accountId } = principalOf(request);
      const now = clock();
      const { check, reason, until } = request.body;
      const days = (Date.parse(until) - now.getTime()) / DAY_MS;
      if (!(days > -1 && days <= MAX_DAYS)) {
        throw new ServerError(
          "INVALID_REQUEST",
          `an exception ends after today and within ${MAX_DAYS} days`,
          "give another day",
        );
      }
      const made = await store.tenant(tenantId, async (db) => {
        const scope = await demandScope(db, request.body);
        const id = await addBenchmarkException(db, { ...scope, check, reason, until, askedBy: accountId, now });
        await audit(db, request, "benchmark-exception.ask", `benchmark-exception/${id}`, {
          check,
          scope: scope.scope,
          scopeId: scope.scopeId,
        });
        return demandException(db, id);
      });
      return reply.status(201).send(made);
    },
  );

  app.post(
    "/api/v1/benchmark-exceptions/:id/approve",
    {
      config: { scope: "findings:approve" },
      schema: {
        tags,
        operationId: "approveBenchmarkException",
        summary: "Approve what somebody else asked for",
        params: IdParams,
        response: { 200: ExceptionShape },
      },
    },
    async (request) => {
      const { tenantId, accountId } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const exception = await demandException(db, id);
        if (!(await approveBenchmarkException(db, id, { accountId, now: clock() }))) {
          const isOwn = exception.askedBy.id === accountId;
          const why = isOwn
            ? "nobody approves what they asked for"
            : exception.approver === null
              ? "its time is up"
              : "it is approved already";
          throw new ServerError(
            isOwn ? "FORBIDDEN" : "CONFLICT",
            `exception ${id} cannot be approved: ${why}`,
            "let somebody else approve it",
          );
        }
        await audit(db, request, "benchmark-exception.approve", `benchmark-exception/${id}`, {
          check: exception.check,
        });
        await judgeScope(db, exception, clock());
        return demandException(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/benchmark-exceptions/:id",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "removeBenchmarkException",
        summary: "Take an exception back",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const exception = await demandException(db, id);
        await removeBenchmarkException(db, id);
        await audit(db, request, "benchmark-exception.remove", `benchmark-exception/${id}`, { check: exception.check });
        await judgeScope(db, exception, clock());
      });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/api/v1/benchmark-tunings",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listBenchmarkTunings",
        summary: "Checks that are off, or have other parameters, somewhere",
        response: { 200: PageOf(TuningShape) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listBenchmarkTunings) }),
  );

  app.post(
    "/api/v1/benchmark-tunings",
    {
      config: { scope: "runtime:write" },
      schema: {
        ...{
          tags,
          operationId: "setBenchmarkTuning",
          summary: "Switch a check off, or give it other parameters, at a place",
        },
        body: Type.Object(
          {
            ...{ check: CheckId, ...ScopeFields, reason: Reason, off: Type.Optional(Type.Boolean()) },
            parameters: Type.Optional(Type.Record(Type.String({ maxLength: 100 }), Type.Unknown())),
          },
          { additionalProperties: false },
        ),
        response: { 201: TuningShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: changedBy } = principalOf(request);
      const { check, reason, off = false, parameters = {} } = request.body;
      const made = await store.tenant(tenantId, async (db) => {
        const scope = await demandScope(db, request.body);
        demandParameters(check, parameters);
        const id = await setBenchmarkTuning(db, { ...scope, check, off, parameters, reason, changedBy, now: clock() });
        await audit(db, request, "benchmark-tuning.set", `benchmark-tuning/${id}`, {
          check,
          off,
          scope: scope.scope,
          scopeId: scope.scopeId,
        });
        await judgeScope(db, scope, clock());
        return (await listBenchmarkTunings(db)).find((each) => each.id === id)!;
      });
      return reply.status(201).send(made);
    },
  );

  app.delete(
    "/api/v1/benchmark-tunings/:id",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "removeBenchmarkTuning",
        summary: "Let a check be what it is again",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const tuning = (await listBenchmarkTunings(db)).find((each) => each.id === id);
        if (tuning === undefined) throw notFound("tuning", id);
        await removeBenchmarkTuning(db, id);
        await audit(db, request, "benchmark-tuning.remove", `benchmark-tuning/${id}`, { check: tuning.check });
        await judgeScope(db, tuning, clock());
      });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/api/v1/benchmark-schedules",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listBenchmarkSchedules",
        summary: "When benchmarks run by themselves",
        response: { 200: PageOf(ScheduleShape) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listBenchmarkSchedules) }),
  );

  app.post(
    "/api/v1/benchmark-schedules",
    {
      config: { scope: "runtime:write" },
      schema: {
        ...{
          tags,
          operationId: "setBenchmarkSchedule",
          summary: "Run benchmarks at times of a cron expression; one of the same name is replaced",
        },
        body: Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 100 }),
            cron: Type.String({
              minLength: 9,
              maxLength: 100,
              description: "minute, hour, day of month, month, day of week",
            }),
            timeZone: Type.Optional(
              Type.String({ minLength: 1, maxLength: 60, description: "IANA name; UTC if left out" }),
            ),
            profile: Type.Optional(Profile),
            enabled: Type.Optional(Type.Boolean()),
          },
          { additionalProperties: false },
        ),
        response: { 201: ScheduleShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: createdBy } = principalOf(request);
      const { name, cron, timeZone = "UTC", profile = "recommended", enabled = true } = request.body;
      profileNamed(profile);
      const nextAt = nextTime(cron, timeZone, clock());
      const made = await store.tenant(tenantId, async (db) => {
        const id = await setBenchmarkSchedule(db, { name, cron, timeZone, profile, enabled, createdBy, nextAt });
        await audit(db, request, "benchmark-schedule.set", `benchmark-schedule/${id}`, { name, cron, profile });
        return (await listBenchmarkSchedules(db)).find((each) => each.id === id)!;
      });
      return reply.status(201).send(made);
    },
  );

  app.delete(
    "/api/v1/benchmark-schedules/:id",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "removeBenchmarkSchedule",
        summary: "Remove a schedule",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeBenchmarkSchedule(db, id);
        if (name === undefined) throw notFound("schedule", id);
        await audit(db, request, "benchmark-schedule.remove", `benchmark-schedule/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );
};

async function demandScope(
  db: TenantQueries,
  body: { check: string; scope: BenchmarkScope["scope"]; scopeId?: number; namespace?: string },
): Promise<BenchmarkScope> {
  if (!benchmarkContent().byId.has(body.check))
    throw new ServerError("INVALID_REQUEST", `there is no check ${body.check}`, "see the list of checks");
  const { scope, scopeId = null, namespace = "" } = body;
  const fits =
    scope === "namespace" ? namespace !== "" : namespace === "" && (scope === "tenant") === (scopeId === null);
  if (!fits) {
    const next = "a node and a cluster have a scopeId, a namespace has its name, and the tenant has neither";
    throw new ServerError("INVALID_REQUEST", `the scope ${scope} does not go with these`, next);
  }
  if (!(await hasBenchmarkPlace(db, { scope, scopeId, namespace }))) throw notFound(scope, scopeId ?? "");
  return { scope, scopeId, namespace };
}

/** Parameters have the kind that the check's own have. */
function demandParameters(check: string, given: Readonly<Record<string, unknown>>): void {
  const known = benchmarkContent().byId.get(check)?.parameters ?? {};
  for (const [name, value] of Object.entries(given)) {
    const own = Object.hasOwn(known, name) ? known[name] : undefined;
    if (own !== undefined && isLike(own, value)) continue;
    const names = Object.entries(known).map(
      ([each, kind]) => `${each} (${Array.isArray(kind) ? "list" : typeof kind})`,
    );
    const next = names.length === 0 ? "it has no parameters" : `it has ${names.join(", ")}`;
    throw new ServerError("INVALID_REQUEST", `${check} takes no such parameter ${name.slice(0, 60)}`, next);
  }
}

function isLike(own: unknown, value: unknown): boolean {
  const isText = (each: unknown) =>
    typeof each === "string" && each.length <= MAX_TEXT_LENGTH && each.isWellFormed() && !each.includes("\0");
  if (Array.isArray(own)) return Array.isArray(value) && value.length <= MAX_TEXTS && value.every(isText);
  return typeof own === "string" ? isText(value) : typeof own === typeof value;
}

/** What is known of the places is judged anew: of few places at once, of many within minutes. */
async function judgeScope(db: TenantQueries, scope: BenchmarkScope, now: Date): Promise<void> {
  await markScope(db, scope);
  await judgeStale(db, now, JUDGED_AT_ONCE);
}

async function demandException(db: TenantQueries, id: number) {
  const exception = await getBenchmarkException(db, id);
  if (exception === undefined) throw notFound("exception", id);
  return exception;
}
