import type { Severity } from "@bulwark/model";
import { sql } from "kysely";
import { containing } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";

/** A vulnerability over the estate. */
export interface EstateVulnerability {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly cvss: number | null;
  readonly epss: number | null;
  readonly exploited: boolean;
  readonly fixable: boolean;
  readonly images: number;
  readonly packages: readonly string[];
  readonly fixedVersions: readonly string[];
  readonly firstSeen: string;
  readonly rank: number;
}

export interface VulnerabilityFilter {
  readonly search?: string;
  readonly severities?: readonly Severity[];
  readonly exploited?: boolean;
  readonly fixable?: boolean;
  readonly sort: "rank" | "images" | "firstSeen";
  readonly after?: readonly [number, string];
  readonly limit: number;
}

const SORTS = {
  rank: { key: "e.rank", order: "ASC", beyond: ">" },
  images: { key: "e.images", order: "DESC", beyond: "<" },
  firstSeen: { key: "extract(epoch FROM e.first_seen)::double precision", order: "DESC", beyond: "<" },
};

/** The sort key of an item, for the next page. */
export function vulnerabilityKey(
  item: EstateVulnerability,
  sort: VulnerabilityFilter["sort"],
): readonly [number, string] {
  const keys = { rank: item.rank, images: item.images, firstSeen: Date.parse(item.firstSeen) / 1_000 };
  return [keys[sort], item.id];
}

/** Vulnerabilities of the estate as they were counted last, the most urgent first. */
export async function listVulnerabilities(
  db: TenantQueries,
  { search, severities = [], exploited, fixable, sort, after, limit }: VulnerabilityFilter,
): Promise<readonly EstateVulnerability[]> {
  const { key, order, beyond } = SORTS[sort];
  const like = search === undefined ? null : containing(search);
  const { rows } = await sql<EstateVulnerability>`
    SELECT e.vulnerability_id AS id, v.title, e.severity, v.cvss_score AS cvss, v.epss_score AS epss, e.exploited, e.fixable,
      e.images, e.packages, e.fixed_versions AS "fixedVersions", to_json(e.first_seen)#>>'{}' AS "firstSeen", e.rank
    FROM estate_vulnerability e JOIN vulnerability v ON v.id = e.vulnerability_id
    WHERE (${like}::text IS NULL OR v.id ILIKE ${like} OR v.title ILIKE ${like} OR array_to_string(e.packages, ' ') ILIKE ${like})
      AND (${severities.length === 0} OR e.severity = ANY(${severities}))
      AND (${exploited ?? null}::boolean IS NULL OR e.exploited = ${exploited ?? null})
      AND (${fixable ?? null}::boolean IS NULL OR e.fixable = ${fixable ?? null})
      AND (${after === undefined} OR (${sql.raw(key)}, e.vulnerability_id) ${sql.raw(beyond)} (${after?.[0] ?? 0}, ${after?.[1] ?? ""}))
    ORDER BY ${sql.raw(key)} ${sql.raw(order)}, e.vulnerability_id ${sql.raw(order)} LIMIT ${limit}`.execute(db);
  return rows;
}

export interface VulnerabilityDetail {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly cvss: unknown;
  readonly kev: unknown;
  readonly epss: unknown;
  readonly publicExploit: boolean;
  readonly aliases: readonly string[];
  readonly references: readonly string[];
  readonly subjects: readonly {
    readonly ecosystem: string;
    readonly name: string;
    readonly version: string;
    readonly fixedVersion: string;
    readonly status: string;
    readonly severity: Severity;
    readonly images: number;
  }[];
}

/** What is known of a vulnerability, and which package versions of the tenant's estate have it. */
export async function getVulnerability(db: TenantQueries, id: string): Promise<VulnerabilityDetail | undefined> {
  const known = await sql<Omit<VulnerabilityDetail, "subjects">>`
    SELECT id, title, severity, cvss, kev, epss, public_exploit AS "publicExploit", aliases, "references" FROM vulnerability v
    WHERE id = ${id} AND EXISTS (SELECT FROM subject_match m WHERE m.vulnerability_id = v.id)`.execute(db);
  const [found] = known.rows;
  if (found === undefined) return undefined;
  const { rows } = await sql<VulnerabilityDetail["subjects"][number]>`
    SELECT s.ecosystem, s.name, s.version, m.fixed_version AS "fixedVersion", m.status, m.severity,
      coalesce((SELECT sum(cs.delta * (SELECT count(*) FROM image_chain ic WHERE ic.chain_id = cs.chain_id))
        FROM chain_subject cs WHERE cs.subject_id = s.id), 0) AS images
    FROM subject_match m JOIN subject s ON s.id = m.subject_id WHERE m.vulnerability_id = ${id}
    ORDER BY images DESC, s.name, s.version LIMIT 500`.execute(db);
  return { ...found, subjects: rows };
}

export interface EstatePackage {
  readonly type: string;
  readonly name: string;
  readonly versions: number;
  readonly worst: string | null;
}

/** Packages of the estate by name. */
export async function listPackages(
  db: TenantQueries,
  filter: {
    readonly search?: string;
    readonly type?: string;
    readonly after?: readonly [string, string];
    readonly limit: number;
  },
): Promise<readonly EstatePackage[]> {
  const { search, type, after, limit } = filter;
  const like = search === undefined ? null : containing(search);
  const { rows } = await sql<EstatePackage>`
    SELECT p.type, p.name, count(DISTINCT p.version) AS versions,
      (SELECT m.severity FROM subject_match m WHERE m.subject_id IN (SELECT unnest(q.subject_ids) FROM package_version q
        WHERE q.name = p.name AND q.type = p.type)
        ORDER BY ${severityOrder("m.severity")} LIMIT 1) AS worst
    FROM package_version p
    WHERE (${like}::text IS NULL OR p.name ILIKE ${like}) AND (${type ?? null}::text IS NULL OR p.type = ${type ?? null})
      AND (${after === undefined} OR (p.name, p.type) > (${after?.[0] ?? ""}, ${after?.[1] ?? ""}))
    GROUP BY p.name, p.type ORDER BY p.name, p.type LIMIT ${limit}`.execute(db);
  return rows;
}
