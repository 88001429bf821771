import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { Row } from "../schema.ts";
import { canonicalJson, type Plain } from "./canonical-json.ts";

/** What somebody did. Never holds a secret. */
export interface AuditEntry {
  /** Counts from 1 in each tenant, without gaps. */
  readonly entry: number;
  readonly at: Date;
  readonly actor: string;
  readonly actorId: number | null;
  /** `noun.verb`, such as `registry.create`. */
  readonly action: string;
  /** `noun/id`, such as `registry/7`. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, Plain | undefined>>;
  /** Address that the request came from; empty for what no request asked for. */
  readonly address: string;
  readonly requestId: string;
  readonly hash: string;
}

export type NewAuditEntry = Omit<AuditEntry, "entry" | "hash"> & { readonly tenantId: number };

/**
 * Adds an entry to the tenant's chain, in the transaction of the change that it tells of: both are kept, or neither. Other
 * writers of this tenant wait until the transaction ends, so call it last.
 */
export async function appendAudit(db: TenantQueries, entry: NewAuditEntry): Promise<void> {
  const { tenantId } = entry;
  await db
    .insertInto("audit_head")
    .values({ tenant_id: tenantId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const head = await db
    .selectFrom("audit_head")
    .select(["entries", "hash"])
    .where("tenant_id", "=", tenantId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const numbered = { ...entry, entry: head.entries + 1 };
  const hash = hashOf(tenantId, numbered, head.hash);
  await db
    .insertInto("audit")
    .values({
      tenant_id: tenantId,
      entry: numbered.entry,
      at: entry.at,
      actor: entry.actor,
      actor_id: entry.actorId,
      action: entry.action,
      subject: entry.subject,
      detail: JSON.stringify(entry.detail),
      address: entry.address,
      request_id: entry.requestId,
      hash,
    })
    .execute();
  await db.updateTable("audit_head").set({ entries: numbered.entry, hash }).where("tenant_id", "=", tenantId).execute();
}

/** SHA-256 over the canonical JSON of an entry with the hash of the one before; empty before the first. */
export function hashOf(tenantId: number, entry: Omit<AuditEntry, "hash">, previous: string): string {
  const told = canonicalJson({
    tenant: tenantId,
    entry: entry.entry,
    at: entry.at.toISOString(),
    actor: entry.actor,
    actorId: entry.actorId,
    action: entry.action,
    subject: entry.subject,
    detail: entry.detail,
    address: entry.address,
    requestId: entry.requestId,
    previous,
  });
  return createHash("sha256").update(told).digest("hex");
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  /** An action, or with a `.` at its end all of a noun. */
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/** Entries, newest first, before the entry `before`. */
export async function listAudit(
  db: TenantQueries,
  filter: AuditFilter & { readonly limit: number; readonly before?: number | undefined },
): Promise<readonly AuditEntry[]> {
  let query = db.selectFrom("audit").selectAll().orderBy("entry", "desc").limit(filter.limit);
  if (filter.before !== undefined) query = query.where("entry", "<", filter.before);
  if (filter.actor !== undefined) query = query.where("actor", "=", filter.actor);
  if (filter.action?.endsWith(".")) query = query.where(sql<boolean>`starts_with(action, ${filter.action})`);
  else if (filter.action !== undefined) query = query.where("action", "=", filter.action);
  if (filter.subject !== undefined) query = query.where("subject", "=", filter.subject);
  if (filter.from !== undefined) query = query.where("at", ">=", filter.from);
  if (filter.to !== undefined) query = query.where("at", "<", filter.to);
  return (await query.execute()).map(entryOf);
}

export function entryOf(row: Row<"audit">): AuditEntry {
  return {
    entry: row.entry,
    at: row.at,
    actor: row.actor,
    actorId: row.actor_id,
    action: row.action,
    subject: row.subject,
    detail: row.detail as AuditEntry["detail"],
    address: row.address,
    requestId: row.request_id,
    hash: row.hash,
  };
}
