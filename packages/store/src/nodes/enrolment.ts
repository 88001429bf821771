import { sql } from "kysely";
import { claimKey, releaseKey } from "../accounts/accounts.ts";
import type { Store, TenantQueries } from "../open-store.ts";

/** A token that lets nodes enrol; only its SHA-256 is kept. */
export interface EnrolmentToken {
  readonly id: number;
  readonly name: string;
  readonly usesLeft: number;
  readonly expiresAt: string;
  readonly createdBy: string;
  readonly createdAt: string;
}

const TOKEN = sql`id, name, uses_left AS "usesLeft", to_json(expires_at)#>>'{}' AS "expiresAt", created_by AS "createdBy",
  to_json(created_at)#>>'{}' AS "createdAt"`;

/** @param token.hash SHA-256 of the token, hexadecimal */
export async function addEnrolmentToken(
  db: TenantQueries,
  tenantId: number,
  token: {
    readonly name: string;
    readonly hash: string;
    readonly uses: number;
    readonly expiresAt: Date;
    readonly createdBy: string;
    readonly now: Date;
  },
): Promise<EnrolmentToken> {
  await claimKey(db, "enrolment", token.hash, tenantId);
  const { rows } = await sql<EnrolmentToken>`
    INSERT INTO enrolment_token (tenant_id, name, hash, uses_left, expires_at, created_by, created_at)
    VALUES (current_tenant(), ${token.name}, ${token.hash}, ${token.uses}, ${token.expiresAt}, ${token.createdBy}, ${token.now})
    RETURNING ${TOKEN}`.execute(db);
  return rows[0]!;
}

export async function listEnrolmentTokens(db: TenantQueries, now: Date): Promise<readonly EnrolmentToken[]> {
  const { rows } = await sql<EnrolmentToken>`
    SELECT ${TOKEN} FROM enrolment_token WHERE uses_left > 0 AND expires_at > ${now} ORDER BY id DESC LIMIT 500`.execute(
    db,
  );
  return rows;
}

/** @returns the name of what was removed; undefined where there is none */
export async function removeEnrolmentToken(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string; hash: string }>`
    DELETE FROM enrolment_token WHERE id = ${id} RETURNING name, hash`.execute(db);
  const [removed] = rows;
  if (removed !== undefined) await releaseKey(db, "enrolment", removed.hash);
  return removed?.name;
}

/**
 * Uses a token up once.
 *
 * @returns the tenant whose token it is; undefined when it is unknown, used up or expired
 */
export async function takeEnrolmentToken(store: Store, hash: string, now: Date): Promise<number | undefined> {
  const owner = await store.system
    .selectFrom("directory")
    .select("tenant_id")
    .where("kind", "=", "enrolment")
    .where("key", "=", hash)
    .executeTakeFirst();
  if (owner === undefined) return undefined;
  const taken = await store.tenant(owner.tenant_id, (db) =>
    sql`UPDATE enrolment_token SET uses_left = uses_left - 1
      WHERE hash = ${hash} AND uses_left > 0 AND expires_at > ${now} RETURNING id`.execute(db),
  );
  return taken.rows.length === 0 ? undefined : owner.tenant_id;
}
