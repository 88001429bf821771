import { appendAudit, type Plain, type TenantQueries } from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import { type Principal, principalOf } from "../access.ts";

/** What an entry tells beside who, when and what. Never a secret: no password, token, code, cookie or credential. */
export type AuditDetail = Readonly<Record<string, Plain | undefined>>;

declare module "fastify" {
  interface FastifyInstance {
    /** The server's clock. */
    readonly clock: () => Date;
  }
  interface FastifyRequest {
    /** Whether an audit entry was written for it. */
    audited: boolean;
  }
}

/**
 * Writes into the audit log that whoever sends the request did something. Call it last in the transaction of the change.
 *
 * @param action `noun.verb`
 * @param subject `noun/id`
 * @example await store.tenant(tenantId, async (db) => {
 *   const owner = await addOwner(db, …);
 *   await audit(db, request, "owner.create", `owner/${owner.id}`, { name: owner.name });
 * });
 */
export async function audit(
  db: TenantQueries,
  request: FastifyRequest,
  action: string,
  subject: string,
  detail: AuditDetail = {},
): Promise<void> {
  await auditAs(db, request, principalOf(request), action, subject, detail);
}

/** The same for requests of nobody who is logged in yet, or of somebody in another tenant. */
export async function auditAs(
  db: TenantQueries,
  request: FastifyRequest,
  actor: Pick<Principal, "tenantId" | "name"> & { readonly accountId: number | null },
  action: string,
  subject: string,
  detail: AuditDetail = {},
): Promise<void> {
  await appendAudit(db, {
    tenantId: actor.tenantId,
    at: request.server.clock(),
    actor: actor.name,
    actorId: actor.accountId,
    action,
    subject,
    detail,
    address: request.ip,
    requestId: request.id,
  });
  request.audited = true;
}

/** Writes what the server did by itself: jobs, schedules, first starts. `actor` is then `system`. */
export async function auditSystem(
  db: TenantQueries,
  at: Date,
  tenantId: number,
  action: string,
  subject: string,
  detail: AuditDetail = {},
): Promise<void> {
  const nobody = { actor: "system", actorId: null, address: "", requestId: "" };
  await appendAudit(db, { tenantId, at, ...nobody, action, subject, detail });
}
