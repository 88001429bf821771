import type { AdvisorySubject } from "@bulwark/model";
import { sql } from "kysely";
import { asSubject } from "../images/subject-rows.ts";
import type { TenantQueries } from "../open-store.ts";

export interface FoundSubject extends AdvisorySubject {
  readonly id: number;
}

/**
 * Package versions of the estate whose name is the one asked for: as advisories spell it, or only its last part
 * (`log4j-core` finds `org.apache.logging.log4j:log4j-core`, `core` finds `@babel/core`).
 */
export async function subjectsByName(
  db: TenantQueries,
  name: string,
  options: { readonly ecosystem?: string; readonly limit: number },
): Promise<readonly FoundSubject[]> {
  const { ecosystem, limit } = options;
  const wanted = name.toLowerCase();
  const { rows } = await sql<FoundSubject>`
    SELECT DISTINCT id, ecosystem, name, version, module FROM (
      SELECT id, ecosystem, name, version, module FROM subject
      WHERE lower_name = ${wanted} OR short_name = ${wanted}
      UNION ALL
      -- Binary packages are matched by their source package: xz-utils for liblzma5.
      SELECT s.id, s.ecosystem, s.name, s.version, s.module FROM package_version p JOIN subject s ON s.id = ANY(p.subject_ids)
      WHERE p.lower_name = ${wanted}) found
    WHERE ${ecosystem ?? null}::text IS NULL OR ecosystem = ${ecosystem ?? null} OR ecosystem LIKE ${`${ecosystem ?? ""}:%`}
    ORDER BY name, ecosystem, version LIMIT ${limit}`.execute(db);
  return rows.map(asSubject);
}

/** Package versions that a vulnerability, or one it is an alias of, is known to hold. */
export async function subjectsByVulnerability(db: TenantQueries, id: string): Promise<readonly FoundSubject[]> {
  const { rows } = await sql<FoundSubject>`
    SELECT s.id, s.ecosystem, s.name, s.version, s.module FROM subject_match m JOIN subject s ON s.id = m.subject_id
    WHERE m.vulnerability_id IN (SELECT id FROM vulnerability WHERE id = ${id} OR aliases @> ARRAY[${id}])
    ORDER BY s.name, s.ecosystem, s.version`.execute(db);
  return rows.map(asSubject);
}
