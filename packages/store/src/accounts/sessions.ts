import { announce } from "../jobs/events.ts";
import type { TenantQueries } from "../open-store.ts";
import { claimKey } from "./accounts.ts";

export interface NewSession {
  /** SHA-256 of the secret, hexadecimal. */
  readonly id: string;
  readonly tenantId: number;
  readonly accountId: number;
  readonly now: Date;
  readonly expiresAt: Date;
  readonly address: string;
}

export interface SessionFound {
  readonly accountId: number;
  readonly seenAt: Date;
  readonly expiresAt: Date;
}

/** Adds a session. Of an account's sessions only the newest `keep` stay, and the tenant's expired ones go. */
export async function addSession(db: TenantQueries, session: NewSession, keep: number): Promise<void> {
  await claimKey(db, "session", session.id, session.tenantId);
  await db
    .insertInto("session")
    .values({
      id: session.id,
      tenant_id: session.tenantId,
      account_id: session.accountId,
      created_at: session.now,
      seen_at: session.now,
      expires_at: session.expiresAt,
      address: session.address,
    })
    .execute();
  await db.deleteFrom("session").where("expires_at", "<=", session.now).execute();
  const surplus = db
    .selectFrom("session")
    .select("id")
    .where("account_id", "=", session.accountId)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .offset(keep);
  await db.deleteFrom("session").where("id", "in", surplus).where("id", "<>", session.id).execute();
}

export async function findSession(db: TenantQueries, id: string): Promise<SessionFound | undefined> {
  const row = await db
    .selectFrom("session")
    .select(["account_id", "seen_at", "expires_at"])
    .where("id", "=", id)
    .executeTakeFirst();
  return row && { accountId: row.account_id, seenAt: row.seen_at, expiresAt: row.expires_at };
}

export async function touchSession(db: TenantQueries, id: string, now: Date): Promise<void> {
  await db.updateTable("session").set({ seen_at: now }).where("id", "=", id).execute();
}

export async function endSession(db: TenantQueries, id: string): Promise<void> {
  const ended = await db.deleteFrom("session").where("id", "=", id).returning("account_id").executeTakeFirst();
  if (ended !== undefined) await announce(db, { topic: "access", id: ended.account_id });
}

/** Ends all sessions of an account but one. */
export async function endSessions(db: TenantQueries, accountId: number, but?: string): Promise<void> {
  let query = db.deleteFrom("session").where("account_id", "=", accountId);
  if (but !== undefined) query = query.where("id", "<>", but);
  await query.execute();
  await announce(db, { topic: "access", id: accountId });
}
