import type { FindingKind, FixStatus, Severity } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";
import { isInForce, isOfImage } from "../waivers/in-force.ts";
import { heldContent, heldPackages, heldSubjects } from "./held.ts";

/** A finding of an image, as the list shows it. */
export interface ImageFinding {
  /** Order of the list: the most urgent first. */
  readonly rank: number;
  readonly key: string;
  readonly kind: FindingKind;
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly package?: { readonly purl: string; readonly name: string; readonly version: string };
  /** Names of all packages that share the finding. */
  readonly packages?: readonly string[];
  readonly fixedVersion?: string;
  readonly status?: FixStatus;
  readonly path: string;
  readonly line?: number;
  readonly layer: number;
  readonly origin: "base" | "own";
  readonly removedIn?: number;
  readonly exploited: boolean;
  readonly epss?: number;
  readonly cvss?: number;
  readonly priority?: number;
  readonly reasons?: readonly string[];
  readonly range?: string;
  readonly advisories?: readonly string[];
  readonly advice: string;
  readonly detail?: string;
  readonly fingerprint?: string;
  readonly foundBy: string;
  readonly references: readonly string[];
  readonly firstSeen: Date;
  /** Somebody took it on until a day, and somebody else approved. */
  readonly waived?: { readonly reason: string; readonly until: string; readonly approver: string };
}

export interface FindingFilter {
  readonly kinds?: readonly FindingKind[];
  readonly severities?: readonly Severity[];
  readonly origin?: "base" | "own";
  readonly layer?: number;
  /** Part of an id, a package's name, a title or a path. */
  readonly search?: string;
  readonly exploited?: boolean;
  readonly fixable?: boolean;
  /** Rank and key of the last finding of the page before. */
  readonly after?: readonly [number, string];
  readonly limit: number;
  /** On which day waivers are looked at; the database's own time when left out. */
  readonly now?: Date;
}

/** The findings of an image, most urgent first. */
export async function imageFindings(
  db: TenantQueries,
  image: { readonly id: number; readonly baseLayers: number },
  filter: FindingFilter,
): Promise<readonly ImageFinding[]> {
  const { kinds = [], severities = [], origin, layer, search, exploited, fixable, after, limit, now } = filter;
  const like = search === undefined ? null : `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await sql<{ row: ImageFinding & { firstSeen: string } }>`
    WITH packages AS (
      SELECT h.from_depth, u.subject_id, min(h.path) AS path, array_agg(DISTINCT p.name ORDER BY p.name) AS names,
        (array_agg(p.id ORDER BY (h.evidence = 'locked'), (p.name <> s.name AND p.fact ? 'source'), p.name))[1] AS shown
      FROM ${heldPackages(image.id)} h JOIN package_version p ON p.id = h.package_id
        CROSS JOIN LATERAL unnest(p.subject_ids) AS u(subject_id) JOIN subject s ON s.id = u.subject_id GROUP BY 1, 2),
    flaws AS (
      SELECT ${severityOrder("m.severity")} * 1000 - m.priority AS rank, s.id || ' ' || m.vulnerability_id || ' ' || h.from_depth AS key,
        CASE WHEN m.malicious THEN 'malware' ELSE 'vulnerability' END AS kind, m.vulnerability_id AS id, m.severity, v.title,
        jsonb_build_object('purl', p.purl, 'name', p.name, 'version', p.version) AS package, k.names AS packages,
        m.fixed_version, m.status, k.path, NULL::integer AS line, h.from_depth AS layer, NULL::smallint AS removed_in,
        m.exploited, v.epss_score, v.cvss_score, m.priority, m.reasons, m.range, m.advisories, NULL AS advice, '' AS detail,
        '' AS fingerprint, 'advisory' AS found_by, v."references", m.first_seen
      FROM ${heldSubjects(image.id)} h JOIN subject_match m USING (subject_id) JOIN subject s ON s.id = h.subject_id
        JOIN vulnerability v ON v.id = m.vulnerability_id
        JOIN packages k ON k.subject_id = h.subject_id AND k.from_depth = h.from_depth JOIN package_version p ON p.id = k.shown),
    content AS (
      SELECT ${severityOrder("f.severity")} * 1000 AS rank, f.id || ' ' || h.from_depth AS key, f.kind, f.rule_id AS id, f.severity, f.title,
        NULL::jsonb AS package, NULL::text[] AS packages, NULL AS fixed_version, NULL AS status, f.path, f.line,
        h.from_depth AS layer, h.removed_at AS removed_in, false AS exploited, NULL::real AS epss_score,
        NULL::real AS cvss_score, NULL::smallint AS priority, NULL::jsonb AS reasons, NULL AS range, NULL::text[] AS advisories,
        f.advice, f.detail, f.fingerprint, f.found_by, f."references", f.first_seen
      FROM ${heldContent(image.id)} h JOIN content_fact f ON f.id = h.fact_id),
    waivers AS (
      SELECT w.finding, w.path, jsonb_build_object('reason', w.reason, 'until', w.until, 'approver', coalesce(a.name, '')) AS waived,
        w.until FROM waiver w LEFT JOIN account a ON a.id = w.approved_by WHERE ${isInForce(now)} AND ${isOfImage(image.id)}),
    found AS (SELECT *, CASE WHEN layer < ${image.baseLayers} THEN 'base' ELSE 'own' END AS origin
      FROM (SELECT * FROM flaws UNION ALL SELECT * FROM content) both_kinds)
    SELECT jsonb_strip_nulls(jsonb_build_object('rank', rank, 'key', key, 'kind', kind, 'id', id, 'severity', severity,
      'title', title, 'package', package, 'packages', packages, 'fixedVersion', fixed_version, 'status', status,
      'path', path, 'line', line, 'layer', layer, 'origin', origin, 'removedIn', removed_in, 'exploited', exploited,
      'epss', epss_score, 'cvss', cvss_score, 'priority', priority, 'reasons', reasons, 'range', range,
      'advisories', advisories, 'advice', advice, 'detail', detail, 'fingerprint', fingerprint, 'foundBy', found_by,
      'references', "references", 'firstSeen', first_seen, 'waived', waived)) AS row
    FROM found LEFT JOIN LATERAL (SELECT waived FROM waivers w WHERE w.finding = found.id AND w.path IN ('', found.path)
      ORDER BY w.until DESC LIMIT 1) waiver ON true
    WHERE (${kinds.length === 0} OR kind = ANY(${kinds})) AND (${severities.length === 0} OR severity = ANY(${severities}))
      AND (${origin ?? null}::text IS NULL OR origin = ${origin ?? null}) AND (${layer ?? null}::integer IS NULL OR layer = ${layer ?? null})
      AND (${like}::text IS NULL OR id ILIKE ${like} OR title ILIKE ${like} OR path ILIKE ${like} OR package->>'name' ILIKE ${like})
      AND (${exploited ?? null}::boolean IS NULL OR exploited = ${exploited ?? null})
      AND (${fixable ?? null}::boolean IS NULL OR (coalesce(fixed_version, '') <> '') = ${fixable ?? null})
      AND (${after === undefined} OR (rank, key) > (${after?.[0] ?? 0}, ${after?.[1] ?? ""}))
    ORDER BY rank, key LIMIT ${limit}`.execute(db);
  return rows.map(({ row }) => ({ ...row, advice: row.advice ?? adviceFor(row), firstSeen: new Date(row.firstSeen) }));
}

/** What to do about a flaw: who has to act, and with which version. */
function adviceFor({ fixedVersion = "", package: found, origin, kind }: ImageFinding): string {
  const name = found?.name ?? "the package";
  if (kind === "malware")
    return `Remove ${name} and replace every secret that the image could reach: the package is malicious.`;
  const place = origin === "base" ? "It came with the base image: " : "It came with a layer of your own: ";
  if (fixedVersion === "") return `${place}no fixed version is known yet; remove ${name} if it is not needed.`;
  if (origin === "base")
    return `${place}wait for a base that holds ${name} ${fixedVersion}, or move to one, and rebuild.`;
  return `${place}update ${name} to ${fixedVersion} and rebuild.`;
}
