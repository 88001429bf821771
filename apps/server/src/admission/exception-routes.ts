import { randomBytes } from "node:crypto";
import {
  type AdmissionException,
  type AdmissionGrant,
  addAdmissionException,
  addGrant,
  announce,
  approveAdmissionException,
  endGrant,
  getAdmissionException,
  listAdmissionExceptions,
  listBrakes,
  listDecisions,
  listGrants,
  pullBrake,
  releaseBrake,
  removeAdmissionException,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { demandCluster } from "../clusters/demand-cluster.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { changed } from "./policy-routes.ts";
import { policyNamed } from "./policy-set.ts";
import {
  BrakeShape,
  DecisionShape,
  ExceptionShape,
  Glob,
  GrantShape,
  Namespace,
  PolicyName,
  Reason,
} from "./shapes.ts";
import { VERDICTS } from "./source.ts";

const tags = ["admission"];
const read = { scope: "runtime:read" } as const;
/** Who takes something on looks at it again after a year at most. */
const MAX_EXCEPTION_DAYS = 366;
/** Break-glass is for the hours of an outage. */
const MAX_GRANT_MINUTES = 24 * 60;
const CODE_BYTES = 16;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FLAW = /^[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9-]{1,60}$/;
const DIGEST = /^sha(?:256:[a-f0-9]{64}|512:[a-f0-9]{128})$/;

/** Exceptions, the emergency brake, break-glass, and what was decided. */
export const admissionExceptionRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;

  app.get(
    "/api/v1/admission/decisions",
    {
      config: read,
      schema: {
        tags,
        operationId: "listAdmissionDecisions",
        summary: "What was decided, the newest first; the same decisions of an hour are one",
        querystring: Type.Object({
          ...PageQuery,
          verdict: Type.Optional(Type.String({ maxLength: 100, description: "verdicts, separated by commas" })),
          policy: Type.Optional(PolicyName),
          namespace: Type.Optional(Type.String({ maxLength: 63 })),
          cluster: Type.Optional(Id),
          wouldDeny: Type.Optional(Type.Boolean()),
        }),
        response: { 200: PageOf(DecisionShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, verdict, ...rest } = request.query;
      const filter = { ...rest, verdicts: listOf(verdict, VERDICTS), before: idOfCursor(cursor), limit: limit + 1 };
      return pageById(await store.tenant(principalOf(request).tenantId, (db) => listDecisions(db, filter)), limit);
    },
  );

  app.get(
    "/api/v1/admission/exceptions",
    {
      config: read,
      schema: {
        tags,
        operationId: "listAdmissionExceptions",
        summary: "Exceptions, the newest first",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(ExceptionShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const page = { before: idOfCursor(cursor), limit: limit + 1 };
      return pageById(
        await store.tenant(principalOf(request).tenantId, (db) => listAdmissionExceptions(db, page)),
        limit,
      );
    },
  );

  app.post(
    "/api/v1/admission/exceptions",
    {
      config: { scope: "findings:write" },
      schema: {
        tags,
        operationId: "askAdmissionException",
        summary: "Ask for an exception in one namespace, until a time; a second person has to approve",
        body: Type.Object(
          {
            cluster: Type.Optional(Id),
            policy: Type.String({ maxLength: 63, examples: ["no-privileged"] }),
            rule: Type.Optional(PolicyName),
            namespace: Namespace,
            object: Type.Optional(Glob),
            image: Type.Optional(Glob),
            reason: Reason,
            until: Type.String({ format: "date-time", examples: ["2026-06-20T00:00:00Z"] }),
          },
          { additionalProperties: false },
        ),
        response: { 201: ExceptionShape },
      },
    },
    async (request, reply) => {
      const { tenantId, accountId, name } = principalOf(request);
      const { cluster, policy, rule = "", namespace, object = "*", image = "*", reason } = request.body;
      const now = clock();
      const until = untilOf(request.body.until, now, MAX_EXCEPTION_DAYS * DAY_MS);
      const made = await store.tenant(tenantId, async (db) => {
        const found = await policyNamed(db, policy);
        if (found === undefined) throw notFound("policy", policy);
        if (rule !== "" && !found.policy.rules.some(({ id }) => id === rule)) throw notFound(`rule of ${policy}`, rule);
        await demandCluster(db, cluster, now);
        const asked = { clusterId: cluster ?? null, policy, rule, namespace, object, image, reason, until };
        const exception = await addAdmissionException(db, { ...asked, by: { accountId, name }, now });
        const about = { policy, rule, namespace, object, image, until: request.body.until };
        await audit(db, request, "admission.exception-ask", `admission-exception/${exception.id}`, about);
        return exception;
      });
      return reply.status(201).send(made);
    },
  );

  app.post(
    "/api/v1/admission/exceptions/:id/approve",
    {
      config: { scope: "findings:approve" },
      schema: {
        tags,
        operationId: "approveAdmissionException",
        summary: "Approve the exception that somebody else asked for",
        params: IdParams,
        response: { 200: ExceptionShape },
      },
    },
    async (request) => {
      const { tenantId, accountId, name } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const before = await foundException(db, id);
        const isDone = await approveAdmissionException(db, id, { accountId, name, now: clock() });
        if (!isDone) throw refusal(before, accountId);
        await changed(db);
        const about = { policy: before.policy, namespace: before.namespace };
        await audit(db, request, "admission.exception-approve", `admission-exception/${id}`, about);
        return foundException(db, id);
      });
    },
  );

  app.delete(
    "/api/v1/admission/exceptions/:id",
    {
      config: { scope: "findings:write" },
      schema: {
        tags,
        operationId: "deleteAdmissionException",
        summary: "Take an exception back, or refuse it",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      await store.tenant(principal.tenantId, async (db) => {
        const { askedBy, policy, namespace } = await foundException(db, id);
        if (askedBy.id !== principal.accountId && !principal.scopes.has("findings:approve"))
          throw new ServerError("FORBIDDEN", "somebody else asked for it", "ask who may approve exceptions");
        await removeAdmissionException(db, id);
        await changed(db);
        await audit(db, request, "admission.exception-delete", `admission-exception/${id}`, { policy, namespace });
      });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/api/v1/admission/brakes",
    {
      config: read,
      schema: {
        tags,
        operationId: "listBrakes",
        summary: "What the emergency brake denies, and denied, the newest first",
        querystring: Type.Object({ ...PageQuery, on: Type.Optional(Type.Boolean()) }),
        response: { 200: PageOf(BrakeShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, on } = request.query;
      const page = { before: idOfCursor(cursor), limit: limit + 1, ...(on === true ? { isOn: true } : {}) };
      return pageById(await store.tenant(principalOf(request).tenantId, (db) => listBrakes(db, page)), limit);
    },
  );

  app.post(
    "/api/v1/admission/brakes",
    {
      config: { scope: "responses:write" },
      schema: {
        tags,
        operationId: "pullBrake",
        summary: "Deny a flaw, a package or an image in every cluster, at once, whatever modes and exceptions say",
        body: Type.Object(
          {
            kind: Type.Enum(["flaw", "package", "digest"]),
            pattern: Type.String({
              minLength: 4,
              maxLength: 500,
              examples: ["CVE-2021-44228"],
              description: "a CVE's id, a glob over package URLs, or an image's digest",
            }),
            reason: Reason,
            denyUnknown: Type.Optional(
              Type.Boolean({ description: "also what nobody has scanned yet; yes if left out" }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 201: BrakeShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: by } = principalOf(request);
      const { kind, pattern, reason, denyUnknown = true } = request.body;
      demandPattern(kind, pattern);
      const made = await store.tenant(tenantId, async (db) => {
        const brake = await pullBrake(db, { kind, pattern, reason, denyUnknown, by, now: clock() });
        if (brake === undefined)
          throw new ServerError("CONFLICT", `the brake is on for ${pattern} already`, "release it first");
        await changed(db);
        await audit(db, request, "admission.brake", `admission-brake/${brake.id}`, {
          kind,
          pattern,
          reason,
          denyUnknown,
        });
        return brake;
      });
      return reply.status(201).send(made);
    },
  );

  app.post(
    "/api/v1/admission/brakes/:id/release",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "releaseBrake",
        summary: "Release the brake: policies alone judge again",
        params: IdParams,
        response: { 200: BrakeShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const released = await releaseBrake(db, id, { by, now: clock() });
        if (released === undefined) throw notFound("brake that is on", id);
        await changed(db);
        const { kind, pattern } = released;
        await audit(db, request, "admission.brake-release", `admission-brake/${id}`, { kind, pattern });
        return released;
      });
    },
  );

  app.get(
    "/api/v1/admission/grants",
    {
      config: read,
      schema: {
        tags,
        operationId: "listGrants",
        summary: "Break-glass: who was let pass, for how long and why, the newest first",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(GrantShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const page = { before: idOfCursor(cursor), limit: limit + 1 };
      const rows = await store.tenant(principalOf(request).tenantId, (db) => listGrants(db, page));
      return pageById(rows.map(shownGrant), limit);
    },
  );

  app.post(
    "/api/v1/admission/grants",
    {
      config: { scope: "responses:approve" },
      schema: {
        tags,
        operationId: "giveGrant",
        summary: "Break glass: let a user, or who has the code, pass every policy of a namespace for some minutes",
        body: Type.Object(
          {
            cluster: Type.Optional(Id),
            user: Type.Optional(
              Type.String({ minLength: 1, maxLength: 300, description: "of Kubernetes; left out: who has the code" }),
            ),
            namespace: Type.Union([Namespace, Type.Literal("*")], { examples: ["shop"] }),
            minutes: Type.Integer({ minimum: 1, maximum: MAX_GRANT_MINUTES }),
            passesBrake: Type.Optional(Type.Boolean()),
            reason: Reason,
          },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object({
            ...GrantShape.properties,
            code: Type.String({
              description:
                "shown this once: what the annotation bulwark.dev/break-glass says; empty where the user is named",
            }),
          }),
        },
      },
    },
    async (request, reply) => {
      const { tenantId, name: by } = principalOf(request);
      const { cluster, user, namespace, minutes, passesBrake = false, reason } = request.body;
      if (user !== undefined && /^\**$/.test(user))
        throw new ServerError("INVALID_REQUEST", "a pattern for every user is no user", "leave it out to get a code");
      const now = clock();
      const code = user === undefined ? randomBytes(CODE_BYTES).toString("hex") : "";
      const until = new Date(now.getTime() + minutes * MINUTE_MS);
      const made = await store.tenant(tenantId, async (db) => {
        await demandCluster(db, cluster, now);
        const given = { clusterId: cluster ?? null, code, user: user ?? "*", namespace, reason, until, passesBrake };
        const grant = await addGrant(db, { ...given, by, now });
        await changed(db);
        const about = { namespace, user: user ?? "", minutes, passesBrake, reason };
        await audit(db, request, "admission.grant", `admission-grant/${grant.id}`, about);
        return grant;
      });
      return reply.status(201).send({ ...shownGrant(made), code });
    },
  );

  app.post(
    "/api/v1/admission/grants/:id/end",
    {
      config: { scope: "responses:write" },
      schema: {
        tags,
        operationId: "endGrant",
        summary: "End break-glass before its time",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        if (!(await endGrant(db, id, clock()))) throw notFound("break-glass in force", id);
        await changed(db);
        await audit(db, request, "admission.grant-end", `admission-grant/${id}`);
        await announce(db, { topic: "decisions", id });
      });
      return reply.status(204).send(null);
    },
  );
};

async function foundException(db: TenantQueries, id: number): Promise<AdmissionException> {
  const found = await getAdmissionException(db, id);
  if (found === undefined) throw notFound("exception", id);
  return found;
}

function refusal({ askedBy, approver }: AdmissionException, accountId: number): ServerError {
  if (approver === null && askedBy.id === accountId)
    return new ServerError(
      "FORBIDDEN",
      "nobody approves what they asked for themselves",
      "let somebody else approve it",
    );
  return new ServerError("CONFLICT", "it is approved already, or its time is over", "ask for a new one");
}

function untilOf(text: string, now: Date, mostMs: number): Date {
  const until = new Date(text);
  const leftMs = until.getTime() - now.getTime();
  if (leftMs > 0 && leftMs <= mostMs) return until;
  const days = Math.round(mostMs / DAY_MS);
  throw new ServerError(
    "INVALID_REQUEST",
    `until must lie within the next ${days} days`,
    "choose a time until which it is needed",
  );
}

function demandPattern(kind: "flaw" | "package" | "digest", pattern: string): void {
  const isFine = kind === "flaw" ? FLAW.test(pattern) : kind === "digest" ? DIGEST.test(pattern) : isPackage(pattern);
  if (isFine) return;
  const next = "give an id such as CVE-2021-44228, a package URL such as pkg:maven/org.example/lib@1.*, or sha256:…";
  throw new ServerError("INVALID_REQUEST", `"${pattern}" names no ${kind}`, next);
}

/** A pattern for every package would stop the estate by a slip. */
function isPackage(pattern: string): boolean {
  return /^pkg:[a-z]+\/[^*?]/.test(pattern);
}

function shownGrant({ code, ...grant }: AdmissionGrant) {
  return { ...grant, byCode: code !== "" };
}
