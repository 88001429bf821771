import { type AuditEntry, listAudit, verifyAudit } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { ServerError } from "../errors.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";

const tags = ["audit"];
const config = { scope: "audit:read" } as const;

const Entry = Type.Object({
  entry: Type.Integer({ description: "counts from 1 without gaps" }),
  at: Type.String({ format: "date-time" }),
  actor: Type.String(),
  actorId: Type.Optional(Type.Integer()),
  action: Type.String(),
  subject: Type.String(),
  detail: Type.Record(Type.String(), Type.Unknown()),
  address: Type.String(),
  requestId: Type.String(),
  hash: Type.String({ description: "SHA-256 over the entry and the hash of the one before" }),
});
const Text = Type.Optional(Type.String({ maxLength: 200 }));
const Time = Type.Optional(Type.String({ format: "date-time" }));
const AuditQuery = Type.Object(
  {
    ...PageQuery,
    actor: Text,
    action: Type.Optional(
      Type.String({ maxLength: 200, description: "`owner.create`, or `owner.` for all of owners" }),
    ),
    subject: Text,
    from: Time,
    to: Time,
  },
  { additionalProperties: false },
);
const VerifyQuery = Type.Object(
  {
    entry: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    hash: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$", description: "of that entry, as noted earlier" })),
  },
  { additionalProperties: false },
);
const Verdict = Type.Object({
  entries: Type.Integer(),
  intact: Type.Boolean(),
  brokenAt: Type.Optional(Type.Integer({ description: "first entry that was changed or is missing" })),
  head: Type.Object(
    { entry: Type.Integer(), hash: Type.String() },
    { description: "newest entry; note it elsewhere to prove later that the log was not written anew" },
  ),
});

/** What was done, by whom and when. */
export const auditRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "The audit log, newest first",
    operationId: "listAudit",
    querystring: AuditQuery,
    response: { 200: PageOf(Entry) },
  };
  app.get("/api/v1/audit", { config, schema: list }, async (request) => {
    const { limit = DEFAULT_PAGE, cursor, from, to, ...texts } = request.query;
    const before = idOfCursor(cursor);
    const times = { from: timeOf(from), to: timeOf(to) };
    const rows = await deps.store.tenant(principalOf(request).tenantId, (db) =>
      listAudit(db, { ...texts, ...times, limit: limit + 1, before }),
    );
    return pageOf(rows, limit, (row) => [row.entry], entryOf);
  });

  const verify = {
    tags,
    summary: "Whether nobody changed the audit log",
    operationId: "verifyAudit",
    querystring: VerifyQuery,
    response: { 200: Verdict },
  };
  app.get("/api/v1/audit/verify", { config, schema: verify }, async (request) => {
    const { entry, hash } = request.query;
    if ((entry === undefined) !== (hash === undefined)) {
      throw new ServerError("INVALID_REQUEST", "entry and hash go together", "give both, or none");
    }
    const mark = entry === undefined || hash === undefined ? undefined : { entry, hash };
    return verifyAudit(deps.store, principalOf(request).tenantId, mark);
  });
};

/** RFC 3339 knows leap seconds, which no Date does. */
function timeOf(text: string | undefined): Date | undefined {
  const time = text === undefined ? undefined : new Date(text);
  if (time === undefined || !Number.isNaN(time.getTime())) return time;
  throw new ServerError("INVALID_REQUEST", `${text} is no time that can be searched for`);
}

function entryOf(row: AuditEntry) {
  const { actorId, at, detail, ...rest } = row;
  return { ...rest, at: at.toISOString(), detail: { ...detail }, ...(actorId === null ? {} : { actorId }) };
}
