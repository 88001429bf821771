import type { AdvisoryMatch } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export interface SubjectMatchSet {
  readonly subjectId: number;
  readonly matches: readonly AdvisoryMatch[];
}

/** Writes what advisories say about subjects that had no matches yet. */
export async function storeMatches(db: TenantQueries, sets: readonly SubjectMatchSet[], now: Date): Promise<void> {
  const rows = sets.flatMap(({ subjectId, matches }) =>
    matches.filter(isAffected).map((match) => matchRow(subjectId, match)),
  );
  if (rows.length === 0) return;
  await storeVulnerabilities(
    db,
    sets.flatMap(({ matches }) => matches.filter(isAffected)),
  );
  await sql`
    INSERT INTO subject_match (tenant_id, subject_id, vulnerability_id, severity, status, fixed_version, range, advisories,
      priority, reasons, exploited, malicious, first_seen)
    SELECT current_tenant(), subject_id, vulnerability_id, severity, status, fixed_version, range,
      ARRAY(SELECT jsonb_array_elements_text(advisories)), priority, reasons, exploited, malicious, ${now}
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(subject_id bigint, vulnerability_id text, severity text,
      status text, fixed_version text, range text, advisories jsonb, priority smallint, reasons jsonb, exploited boolean,
      malicious boolean)
    ON CONFLICT (subject_id, vulnerability_id) DO NOTHING`.execute(db);
}

/** A record that says "not affected" is no finding. */
export function isAffected({ status }: AdvisoryMatch): boolean {
  return status !== "not-affected";
}

/** A match as its table holds it. */
export function matchRow(subjectId: number, match: AdvisoryMatch) {
  return {
    subject_id: subjectId,
    vulnerability_id: match.id,
    severity: match.severity,
    status: match.status,
    fixed_version: match.fixedVersion,
    range: match.range,
    advisories: match.advisories,
    priority: Math.round(match.priority.score),
    reasons: match.priority.reasons,
    exploited: match.kev !== undefined,
    malicious: match.malicious,
  };
}

/** Writes what is publicly known of vulnerabilities; newer knowledge replaces older. */
export async function storeVulnerabilities(db: TenantQueries, matches: readonly AdvisoryMatch[]): Promise<void> {
  const distinct = [...new Map(matches.map((match) => [match.id, match])).values()];
  const rows = distinct
    .map(({ id, title, severity, malicious, cvss, kev, epss, publicExploit, aliases, references }) => ({
      id,
      title,
      severity,
      malicious,
      cvss: cvss ?? null,
      cvss_score: cvss?.score ?? null,
      kev: kev ?? null,
      epss: epss ?? null,
      epss_score: epss?.score ?? null,
      public_exploit: publicExploit,
      aliases,
      references,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  await sql`
    INSERT INTO vulnerability AS known (id, title, severity, malicious, cvss, cvss_score, kev, epss, epss_score, public_exploit,
      aliases, "references")
    SELECT id, title, severity, malicious, nullif(cvss, 'null'), cvss_score, nullif(kev, 'null'), nullif(epss, 'null'),
      epss_score, public_exploit, ARRAY(SELECT jsonb_array_elements_text(aliases)),
      ARRAY(SELECT jsonb_array_elements_text("references"))
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(id text, title text, severity text, malicious boolean,
      cvss jsonb, cvss_score real, kev jsonb, epss jsonb, epss_score real, public_exploit boolean, aliases jsonb,
      "references" jsonb)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, severity = excluded.severity, cvss = excluded.cvss,
      cvss_score = excluded.cvss_score, kev = excluded.kev, epss = excluded.epss, epss_score = excluded.epss_score,
      public_exploit = excluded.public_exploit, aliases = excluded.aliases, "references" = excluded."references",
      changed_at = now()
    WHERE (known.title, known.severity, known.kev, known.epss_score, known.cvss_score, known.public_exploit, known.aliases)
      IS DISTINCT FROM (excluded.title, excluded.severity, excluded.kev, excluded.epss_score, excluded.cvss_score,
        excluded.public_exploit, excluded.aliases)`.execute(db);
}
