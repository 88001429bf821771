import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** What somebody answers for in one namespace, until a time. It counts once a second person approved. */
export interface AdmissionException {
  readonly id: number;
  readonly cluster: { readonly id: number; readonly name: string } | null;
  readonly policy: string;
  readonly rule: string;
  readonly namespace: string;
  readonly object: string;
  readonly image: string;
  readonly reason: string;
  readonly until: string;
  readonly askedBy: { readonly id: number; readonly name: string };
  readonly approver: { readonly id: number; readonly name: string } | null;
  readonly createdAt: string;
}

/** What is denied everywhere, now. */
export interface AdmissionBrake {
  readonly id: number;
  readonly kind: "flaw" | "package" | "digest";
  readonly pattern: string;
  readonly reason: string;
  readonly denyUnknown: boolean;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly releasedBy: string;
  readonly releasedAt: string | null;
}

/** Leave to pass for a while. */
export interface AdmissionGrant {
  readonly id: number;
  readonly cluster: { readonly id: number; readonly name: string } | null;
  /** Empty where the user alone is asked. Shown to whom it is given, and to replicas. */
  readonly code: string;
  readonly user: string;
  readonly namespace: string;
  readonly reason: string;
  readonly until: string;
  readonly passesBrake: boolean;
  readonly grantedBy: string;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly used: number;
  readonly lastUsedAt: string | null;
}

const CLUSTER = sql`(SELECT jsonb_build_object('id', c.id, 'name', c.name) FROM cluster c WHERE c.id = x.cluster_id) AS cluster`;
const EXCEPTION = sql`x.id, ${CLUSTER}, x.policy, x.rule, x.namespace, x.object, x.image, x.reason, to_json(x.until)#>>'{}' AS until,
  jsonb_build_object('id', x.asked_by, 'name', x.asked_name) AS "askedBy",
  CASE WHEN x.approved_by IS NULL THEN NULL ELSE jsonb_build_object('id', x.approved_by, 'name', x.approved_name) END AS approver,
  to_json(x.created_at)#>>'{}' AS "createdAt"`;
const BRAKE = sql`id, kind, pattern, reason, deny_unknown AS "denyUnknown", created_by AS "createdBy",
  to_json(created_at)#>>'{}' AS "createdAt", released_by AS "releasedBy", to_json(released_at)#>>'{}' AS "releasedAt"`;
const GRANT = sql`x.id, ${CLUSTER}, x.code, x.user_name AS "user", x.namespace, x.reason, to_json(x.until)#>>'{}' AS until,
  x.passes_brake AS "passesBrake", x.granted_by AS "grantedBy", to_json(x.created_at)#>>'{}' AS "createdAt",
  to_json(x.ended_at)#>>'{}' AS "endedAt", x.used, to_json(x.last_used_at)#>>'{}' AS "lastUsedAt"`;

interface Page {
  readonly before?: number | undefined;
  readonly limit: number;
}

export async function addAdmissionException(
  db: TenantQueries,
  asked: {
    readonly clusterId: number | null;
    readonly policy: string;
    readonly rule: string;
    readonly namespace: string;
    readonly object: string;
    readonly image: string;
    readonly reason: string;
    readonly until: Date;
    readonly by: { readonly accountId: number; readonly name: string };
    readonly now: Date;
  },
): Promise<AdmissionException> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO admission_exception (tenant_id, cluster_id, policy, rule, namespace, object, image, reason, until, asked_by, asked_name, created_at)
    VALUES (current_tenant(), ${asked.clusterId}, ${asked.policy}, ${asked.rule}, ${asked.namespace}, ${asked.object}, ${asked.image},
      ${asked.reason}, ${asked.until}, ${asked.by.accountId}, ${asked.by.name}, ${asked.now}) RETURNING id`.execute(db);
  const made = await getAdmissionException(db, rows[0]?.id ?? 0);
  if (made === undefined) throw new TypeError("an insert gives its row");
  return made;
}

export async function getAdmissionException(db: TenantQueries, id: number): Promise<AdmissionException | undefined> {
  const { rows } =
    await sql<AdmissionException>`SELECT ${EXCEPTION} FROM admission_exception x WHERE x.id = ${id}`.execute(db);
  return rows[0];
}

/** @param inForceAt only those that count at that time */
export async function listAdmissionExceptions(
  db: TenantQueries,
  { before, limit, inForceAt }: Page & { readonly inForceAt?: Date },
): Promise<readonly AdmissionException[]> {
  const { rows } = await sql<AdmissionException>`
    SELECT ${EXCEPTION} FROM admission_exception x WHERE (${before ?? null}::bigint IS NULL OR x.id < ${before ?? null})
      AND (${inForceAt === undefined} OR (x.approved_by IS NOT NULL AND x.until > ${inForceAt ?? new Date(0)}))
    ORDER BY x.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** @returns whether it could be approved: by somebody else than who asked, once, and before it ends */
export async function approveAdmissionException(
  db: TenantQueries,
  id: number,
  by: { readonly accountId: number; readonly name: string; readonly now: Date },
): Promise<boolean> {
  const changed = await sql`
    UPDATE admission_exception SET approved_by = ${by.accountId}, approved_name = ${by.name}
    WHERE id = ${id} AND approved_by IS NULL AND asked_by <> ${by.accountId} AND until > ${by.now}`.execute(db);
  return changed.numAffectedRows === 1n;
}

export async function removeAdmissionException(db: TenantQueries, id: number): Promise<void> {
  await sql`DELETE FROM admission_exception WHERE id = ${id}`.execute(db);
}

/** Pulls the brake. @returns undefined where it is pulled already */
export async function pullBrake(
  db: TenantQueries,
  brake: Pick<AdmissionBrake, "kind" | "pattern" | "reason" | "denyUnknown"> & {
    readonly by: string;
    readonly now: Date;
  },
): Promise<AdmissionBrake | undefined> {
  const { rows } = await sql<AdmissionBrake>`
    INSERT INTO admission_brake (tenant_id, kind, pattern, reason, deny_unknown, created_by, created_at)
    VALUES (current_tenant(), ${brake.kind}, ${brake.pattern}, ${brake.reason}, ${brake.denyUnknown}, ${brake.by}, ${brake.now})
    ON CONFLICT (tenant_id, kind, pattern) WHERE released_at IS NULL DO NOTHING RETURNING ${BRAKE}`.execute(db);
  return rows[0];
}

/** @returns what was released; undefined where it was not on */
export async function releaseBrake(
  db: TenantQueries,
  id: number,
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<AdmissionBrake | undefined> {
  const { rows } = await sql<AdmissionBrake>`
    UPDATE admission_brake SET released_by = ${by}, released_at = ${now} WHERE id = ${id} AND released_at IS NULL
    RETURNING ${BRAKE}`.execute(db);
  return rows[0];
}

/** Brakes that are on first, then the newest first. */
export async function listBrakes(
  db: TenantQueries,
  { before, limit, isOn }: Page & { readonly isOn?: boolean },
): Promise<readonly AdmissionBrake[]> {
  const { rows } = await sql<AdmissionBrake>`
    SELECT ${BRAKE} FROM admission_brake WHERE (${before ?? null}::bigint IS NULL OR id < ${before ?? null})
      AND (${isOn !== true} OR released_at IS NULL) ORDER BY id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function addGrant(
  db: TenantQueries,
  given: Pick<AdmissionGrant, "code" | "user" | "namespace" | "reason" | "passesBrake"> & {
    readonly clusterId: number | null;
    readonly until: Date;
    readonly by: string;
    readonly now: Date;
  },
): Promise<AdmissionGrant> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO admission_grant (tenant_id, cluster_id, code, user_name, namespace, reason, until, passes_brake, granted_by, created_at)
    VALUES (current_tenant(), ${given.clusterId}, ${given.code}, ${given.user}, ${given.namespace}, ${given.reason}, ${given.until},
      ${given.passesBrake}, ${given.by}, ${given.now}) RETURNING id`.execute(db);
  const [made] = await grants(db, sql`x.id = ${rows[0]?.id ?? 0}`, 1);
  if (made === undefined) throw new TypeError("an insert gives its row");
  return made;
}

/** @param inForceAt only those that count at that time */
export async function listGrants(
  db: TenantQueries,
  { before, limit, inForceAt }: Page & { readonly inForceAt?: Date },
): Promise<readonly AdmissionGrant[]> {
  return grants(
    db,
    sql`(${before ?? null}::bigint IS NULL OR x.id < ${before ?? null})
      AND (${inForceAt === undefined} OR (x.ended_at IS NULL AND x.until > ${inForceAt ?? new Date(0)}))`,
    limit,
  );
}

async function grants(
  db: TenantQueries,
  where: ReturnType<typeof sql>,
  limit: number,
): Promise<readonly AdmissionGrant[]> {
  const { rows } = await sql<AdmissionGrant>`
    SELECT ${GRANT} FROM admission_grant x WHERE ${where} ORDER BY x.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** @returns whether it was in force */
export async function endGrant(db: TenantQueries, id: number, now: Date): Promise<boolean> {
  const changed = await sql`
    UPDATE admission_grant SET ended_at = ${now} WHERE id = ${id} AND ended_at IS NULL AND until > ${now}`.execute(db);
  return changed.numAffectedRows === 1n;
}
