import type { FindingKind, Severity } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";

/** What rules look at in a risk. */
export interface RoutedRisk {
  readonly id: number;
  readonly severity: Severity;
  readonly kind: FindingKind;
  readonly grade: string | null;
  readonly ownerId: number | null;
  readonly ownerEmail: string;
}

/** A risk as messages tell it. */
export interface ToldRisk {
  readonly id: number;
  readonly severity: Severity;
  readonly finding: string;
  readonly title: string;
  readonly package: string;
  readonly path: string;
  readonly fixedVersion: string;
  readonly exploited: boolean;
  readonly repository: string;
  readonly registry: string;
  readonly owner: string;
  readonly due: string | null;
  readonly state: string;
  readonly reason: string;
}

const ORDER = sql`${severityOrder("k.severity")},
  k.exploited DESC, k.id`;

/** The risks of these ids that are still there, the worst first. */
export async function routedRisks(db: TenantQueries, ids: readonly number[]): Promise<readonly RoutedRisk[]> {
  const { rows } = await sql<RoutedRisk>`
    SELECT k.id, k.severity, k.kind, coalesce(r.grade, g.grade) AS grade, o.id AS "ownerId", coalesce(o.email, '') AS "ownerEmail"
    FROM risk k JOIN repository r ON r.id = k.repository_id JOIN registry g ON g.id = r.registry_id
      LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    WHERE k.id = ANY(${ids}::bigint[]) ORDER BY ${ORDER}`.execute(db);
  return rows;
}

/** What messages tell of these risks, the worst first. */
export async function toldRisks(db: TenantQueries, ids: readonly number[]): Promise<readonly ToldRisk[]> {
  const { rows } = await sql<ToldRisk>`
    SELECT k.id, k.severity, k.finding, k.title, k.package, k.path, k.fixed_version AS "fixedVersion", k.exploited,
      r.name AS repository, g.name AS registry, coalesce(o.name, '') AS owner, to_json(k.due_at)#>>'{}' AS due, k.state,
      k.accept_reason AS reason
    FROM risk k JOIN repository r ON r.id = k.repository_id JOIN registry g ON g.id = r.registry_id
      LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    WHERE k.id = ANY(${ids}::bigint[]) ORDER BY ${ORDER}`.execute(db);
  return rows;
}
