import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export type AdmissionMode = "off" | "audit" | "enforce";

/** A policy that a tenant wrote. */
export interface StoredAdmissionPolicy {
  readonly id: number;
  readonly name: string;
  readonly content: string;
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: string;
}

/** A policy as it was after a change. */
export type AdmissionPolicyVersion = Omit<StoredAdmissionPolicy, "id">;

/** A mode that somebody chose. */
export interface ChosenMode {
  readonly policy: string;
  /** null: all clusters. */
  readonly cluster: { readonly id: number; readonly name: string } | null;
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly mode: AdmissionMode;
  readonly changedBy: string;
  readonly changedAt: string;
}

/** What a policy came to since a day. */
export interface PolicyCounts {
  readonly policy: string;
  readonly asked: number;
  readonly wouldDeny: number;
  readonly denied: number;
  readonly excepted: number;
  /** `YYYY-MM-DD`; the first day that is counted, null for none. */
  readonly since: string | null;
}

const VERSION = sql`name, content, version, changed_by AS "changedBy", to_json(changed_at)#>>'{}' AS "changedAt"`;

/** Counts a change of what admission judges by. Call it in the transaction of the change. */
export async function bumpAdmission(db: TenantQueries): Promise<number> {
  const { rows } = await sql<{ revision: number }>`
    INSERT INTO admission_state AS s (tenant_id) VALUES (current_tenant())
    ON CONFLICT (tenant_id) DO UPDATE SET revision = s.revision + 1 RETURNING revision`.execute(db);
  return rows[0]?.revision ?? 1;
}

export async function admissionState(
  db: TenantQueries,
): Promise<{ readonly revision: number; readonly dropped: number }> {
  const { rows } = await sql<{ revision: number; dropped: number }>`
    SELECT revision, dropped FROM admission_state`.execute(db);
  return rows[0] ?? { revision: 0, dropped: 0 };
}

export async function listAdmissionPolicies(db: TenantQueries): Promise<readonly StoredAdmissionPolicy[]> {
  const { rows } = await sql<StoredAdmissionPolicy>`SELECT id, ${VERSION} FROM admission_policy ORDER BY name`.execute(
    db,
  );
  return rows;
}

/** Adds a policy, or a new version of one of the same name. */
export async function putAdmissionPolicy(
  db: TenantQueries,
  policy: { readonly name: string; readonly content: string; readonly by: string; readonly now: Date },
): Promise<StoredAdmissionPolicy> {
  // A policy that was removed and comes back goes on counting: no version means two things.
  const { rows } = await sql<StoredAdmissionPolicy>`
    INSERT INTO admission_policy AS p (tenant_id, name, content, version, changed_by, changed_at)
    VALUES (current_tenant(), ${policy.name}, ${policy.content},
      1 + coalesce((SELECT max(version) FROM admission_policy_version WHERE name = ${policy.name}), 0), ${policy.by}, ${policy.now})
    ON CONFLICT (tenant_id, name) DO UPDATE SET content = excluded.content, version = excluded.version,
      changed_by = excluded.changed_by, changed_at = excluded.changed_at
    RETURNING id, ${VERSION}`.execute(db);
  const [made] = rows;
  if (made === undefined) throw new TypeError("an upsert gives its row");
  await sql`INSERT INTO admission_policy_version (tenant_id, name, version, content, changed_by, changed_at)
    VALUES (current_tenant(), ${made.name}, ${made.version}, ${made.content}, ${policy.by}, ${policy.now})`.execute(db);
  return made;
}

/** @returns its name; undefined where there was none */
export async function removeAdmissionPolicy(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`DELETE FROM admission_policy WHERE id = ${id} RETURNING name`.execute(
    db,
  );
  const name = rows[0]?.name;
  if (name !== undefined) await sql`DELETE FROM admission_mode WHERE policy = ${name}`.execute(db);
  return name;
}

/** Versions of a policy, the newest first. */
export async function admissionPolicyVersions(
  db: TenantQueries,
  name: string,
): Promise<readonly AdmissionPolicyVersion[]> {
  const { rows } = await sql<AdmissionPolicyVersion>`
    SELECT ${VERSION} FROM admission_policy_version WHERE name = ${name} ORDER BY version DESC LIMIT 100`.execute(db);
  return rows;
}

export async function listAdmissionModes(db: TenantQueries): Promise<readonly ChosenMode[]> {
  const { rows } = await sql<ChosenMode>`
    SELECT m.policy, m.namespace, m.mode, m.changed_by AS "changedBy", to_json(m.changed_at)#>>'{}' AS "changedAt",
      CASE WHEN c.id IS NOT NULL THEN jsonb_build_object('id', c.id, 'name', c.name) END AS cluster
    FROM admission_mode m LEFT JOIN cluster c ON c.id = m.cluster_id WHERE c.removed_at IS NULL
    ORDER BY m.policy, m.namespace, c.name NULLS FIRST`.execute(db);
  return rows;
}

/** @param chosen.mode undefined: as the policy itself, or what the place lies in, has it */
export async function setAdmissionMode(
  db: TenantQueries,
  chosen: {
    readonly policy: string;
    readonly clusterId: number | null;
    readonly namespace: string;
    readonly mode: AdmissionMode | undefined;
    readonly by: string;
    readonly now: Date;
  },
): Promise<void> {
  const { policy, clusterId, namespace, mode, by, now } = chosen;
  if (mode === undefined) {
    await sql`DELETE FROM admission_mode WHERE policy = ${policy} AND namespace = ${namespace}
      AND cluster_id IS NOT DISTINCT FROM ${clusterId}::bigint`.execute(db);
    return;
  }
  await sql`
    INSERT INTO admission_mode (tenant_id, policy, cluster_id, namespace, mode, changed_by, changed_at)
    VALUES (current_tenant(), ${policy}, ${clusterId}, ${namespace}, ${mode}, ${by}, ${now})
    ON CONFLICT (tenant_id, policy, coalesce(cluster_id, 0), namespace) DO UPDATE SET mode = excluded.mode, changed_by = excluded.changed_by,
      changed_at = excluded.changed_at`.execute(db);
}

/** What each policy came to since a day. */
export async function countPolicies(db: TenantQueries, since: Date): Promise<readonly PolicyCounts[]> {
  const { rows } = await sql<PolicyCounts>`
    SELECT policy, sum(asked)::bigint AS asked, sum(would_deny)::bigint AS "wouldDeny", sum(denied)::bigint AS denied,
      sum(excepted)::bigint AS excepted, min(day)::text AS since
    FROM admission_count WHERE day >= ${since}::date GROUP BY policy ORDER BY policy`.execute(db);
  return rows;
}

/** Namespaces in which a policy denied, or would have, the most first. */
export async function namespacesOfPolicy(
  db: TenantQueries,
  policy: string,
  since: Date,
): Promise<readonly (Omit<PolicyCounts, "policy" | "since"> & { readonly namespace: string })[]> {
  const { rows } = await sql<Omit<PolicyCounts, "policy" | "since"> & { namespace: string }>`
    SELECT namespace, sum(asked)::bigint AS asked, sum(would_deny)::bigint AS "wouldDeny", sum(denied)::bigint AS denied,
      sum(excepted)::bigint AS excepted
    FROM admission_count WHERE policy = ${policy} AND day >= ${since}::date GROUP BY namespace
    ORDER BY sum(would_deny) + sum(denied) DESC, namespace LIMIT 200`.execute(db);
  return rows;
}
