import type { AdvisoryMatch, AdvisorySubject } from "@bulwark/model";
import { sql } from "kysely";
import { giveNotice } from "../notifications/notices.ts";
import type { TenantQueries } from "../open-store.ts";
import { isAffected, matchRow, type SubjectMatchSet, storeVulnerabilities } from "./matches.ts";
import { asSubject } from "./subject-rows.ts";

/**
 * Counts are shifted by differences: an image must not be counted by one transaction while another shifts the counts. Who
 * takes images in holds this lock with others, who applies matches alone.
 */
export const COUNTS_LOCK = 0x636e74;
/** Package versions that are matched and sent at once. */
const BATCH_SUBJECTS = 5_000;
/** New vulnerabilities that a notice names; the worst of them. */
const NEWS_SHOWN = 20;

export interface StoredSubject extends AdvisorySubject {
  readonly id: number;
}

/** What a new state of advisories changed for a tenant. */
export interface AppliedMatches {
  /** Package versions that were matched. */
  readonly subjects: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Vulnerabilities that became known, were withdrawn, or weigh otherwise than before. */
  readonly vulnerabilities: readonly string[];
  /** Images whose findings changed. */
  readonly images: readonly number[];
}

/** Asks advisories about subjects; gives a list for each, in their order. */
type MatchSubjects = (subjects: readonly StoredSubject[]) => readonly (readonly AdvisoryMatch[])[];

/**
 * Makes a new state of advisories the estate's: every distinct package version that was matched with another state is
 * matched anew, what differs from the matches kept is written, and the counts of every image that holds such a package
 * change by the difference. No image is read again, and each is counted once, however many advisories are new.
 */
export async function applyMatches(
  db: TenantQueries,
  match: MatchSubjects,
  { matchedWith, now }: { readonly matchedWith: string; readonly now: Date },
): Promise<AppliedMatches> {
  await sql`SELECT pg_advisory_xact_lock(${COUNTS_LOCK}, current_tenant())`.execute(db);
  await sql`CREATE TEMPORARY TABLE asked (subject_id bigint PRIMARY KEY) ON COMMIT DROP`.execute(db);
  await sql`
    CREATE TEMPORARY TABLE wanted (subject_id bigint, vulnerability_id text, severity text, status text, fixed_version text,
      range text, advisories jsonb, priority smallint, reasons jsonb, exploited boolean, malicious boolean) ON COMMIT DROP`.execute(
    db,
  );
  let subjects = 0;
  for (let last = 0; ; ) {
    const batch = await subjectsAfter(db, matchedWith, last);
    const tail = batch.at(-1);
    if (tail === undefined) break;
    last = tail.id;
    subjects += batch.length;
    const found = match(batch);
    await fillWanted(
      db,
      batch.map(({ id }, index) => ({ subjectId: id, matches: found[index] ?? [] })),
    );
  }
  if (subjects === 0) return { subjects, added: 0, removed: 0, changed: 0, images: [], vulnerabilities: [] };
  return { subjects, ...(await applyDifference(db, matchedWith, now)) };
}

/** Distinct package versions of the estate that were matched with another state of advisories, or with none. */
async function subjectsAfter(db: TenantQueries, current: string, after: number): Promise<readonly StoredSubject[]> {
  const rows = await db
    .selectFrom("subject")
    .select(["id", "ecosystem", "name", "version", "module"])
    .where("matched_with", "<>", current)
    .where("id", ">", after)
    .orderBy("id")
    .limit(BATCH_SUBJECTS)
    .execute();
  return rows.map(asSubject);
}

async function applyDifference(
  db: TenantQueries,
  matchedWith: string,
  now: Date,
): Promise<Omit<AppliedMatches, "subjects">> {
  await sql`ANALYZE asked, wanted`.execute(db);
  await sql`
    CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
    SELECT coalesce(w.subject_id, k.subject_id) AS subject_id, coalesce(w.vulnerability_id, k.vulnerability_id) AS vulnerability_id,
      w.subject_id IS NOT NULL AS is_wanted, k.subject_id IS NOT NULL AS is_kept,
      k.severity AS old_severity, k.exploited AS old_exploited, k.malicious AS old_malicious, k.fixed_version <> '' AS old_fixable
    FROM wanted w FULL JOIN (SELECT m.* FROM subject_match m JOIN asked USING (subject_id)) k USING (subject_id, vulnerability_id)
    WHERE w.subject_id IS NULL OR k.subject_id IS NULL
      OR (w.severity, w.status, w.fixed_version, w.range, w.exploited, w.malicious, w.priority)
        IS DISTINCT FROM (k.severity, k.status, k.fixed_version, k.range, k.exploited, k.malicious, k.priority)`.execute(
    db,
  );
  await writeDifference(db, now);
  const images = await shiftCounts(db);
  await sql`UPDATE subject s SET matched_with = ${matchedWith} FROM asked a WHERE s.id = a.subject_id`.execute(db);
  const { rows } = await sql<{ added: number; removed: number; changed: number }>`
    SELECT count(*) FILTER (WHERE NOT is_kept) AS added, count(*) FILTER (WHERE NOT is_wanted) AS removed,
      count(*) FILTER (WHERE is_kept AND is_wanted) AS changed FROM difference`.execute(db);
  const touched = await sql<{ id: string }>`
    SELECT DISTINCT d.vulnerability_id AS id FROM difference d LEFT JOIN wanted w USING (subject_id, vulnerability_id)
    WHERE NOT (d.is_kept AND d.is_wanted) OR (d.old_severity, d.old_exploited, d.old_malicious, d.old_fixable)
      IS DISTINCT FROM (w.severity, w.exploited, w.malicious, w.fixed_version <> '')`.execute(db);
  const vulnerabilities = touched.rows.map(({ id }) => id);
  const counted = rows[0] ?? { added: 0, removed: 0, changed: 0 };
  if (counted.added > 0) await noticeAdded(db, { added: counted.added, images: images.length }, now);
  return { ...counted, images, vulnerabilities };
}

/** One notice for all that is new, however many images hold it. */
async function noticeAdded(db: TenantQueries, counts: { added: number; images: number }, now: Date): Promise<void> {
  const { rows } = await sql<{ id: string; severity: string; exploited: boolean; package: string; title: string }>`
    SELECT m.vulnerability_id AS id, m.severity, m.exploited, s.name AS package, v.title
    FROM (SELECT DISTINCT ON (vulnerability_id) m.* FROM difference d JOIN subject_match m USING (subject_id, vulnerability_id)
        WHERE NOT d.is_kept ORDER BY vulnerability_id, m.priority DESC) m
      JOIN subject s ON s.id = m.subject_id JOIN vulnerability v ON v.id = m.vulnerability_id
    ORDER BY m.exploited DESC, m.priority DESC, m.vulnerability_id LIMIT ${NEWS_SHOWN}`.execute(db);
  await giveNotice(db, "advisories.new", { facts: { ...counts, vulnerabilities: rows } }, now);
}

async function fillWanted(db: TenantQueries, sets: readonly SubjectMatchSet[]): Promise<void> {
  await sql`INSERT INTO asked SELECT unnest(${sets.map(({ subjectId }) => subjectId)}::bigint[])`.execute(db);
  const rows = sets.flatMap(({ subjectId, matches }) =>
    matches.filter(isAffected).map((match) => matchRow(subjectId, match)),
  );
  if (rows.length === 0) return;
  await sql`
    INSERT INTO wanted SELECT * FROM jsonb_populate_recordset(NULL::wanted, ${JSON.stringify(rows)}::jsonb)`.execute(
    db,
  );
  await storeVulnerabilities(
    db,
    sets.flatMap(({ matches }) => matches.filter(isAffected)),
  );
}

async function writeDifference(db: TenantQueries, now: Date): Promise<void> {
  await sql`
    DELETE FROM subject_match m USING difference d
    WHERE NOT d.is_wanted AND m.subject_id = d.subject_id AND m.vulnerability_id = d.vulnerability_id`.execute(db);
  await sql`
    INSERT INTO subject_match (tenant_id, subject_id, vulnerability_id, severity, status, fixed_version, range, advisories,
      priority, reasons, exploited, malicious, first_seen)
    SELECT current_tenant(), w.subject_id, w.vulnerability_id, w.severity, w.status, w.fixed_version, w.range,
      ARRAY(SELECT jsonb_array_elements_text(w.advisories)), w.priority, w.reasons, w.exploited, w.malicious, ${now}
    FROM wanted w JOIN difference USING (subject_id, vulnerability_id)
    ON CONFLICT (subject_id, vulnerability_id) DO UPDATE SET severity = excluded.severity, status = excluded.status,
      fixed_version = excluded.fixed_version, range = excluded.range, advisories = excluded.advisories,
      priority = excluded.priority, reasons = excluded.reasons, exploited = excluded.exploited,
      malicious = excluded.malicious`.execute(db);
}

/** Adds the difference to the counts of the images that hold the packages; gives the images. */
async function shiftCounts(db: TenantQueries): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    WITH signed AS (
      SELECT d.subject_id, -1 AS sign, old_severity AS severity, old_exploited AS exploited, old_malicious AS malicious,
        old_fixable AS fixable FROM difference d WHERE is_kept
      UNION ALL
      SELECT w.subject_id, 1, w.severity, w.exploited, w.malicious, w.fixed_version <> ''
      FROM wanted w JOIN difference USING (subject_id, vulnerability_id)),
    per_subject AS (
      SELECT subject_id,
        sum(sign) FILTER (WHERE severity = 'critical' AND NOT malicious) AS critical,
        sum(sign) FILTER (WHERE severity = 'high' AND NOT malicious) AS high,
        sum(sign) FILTER (WHERE severity = 'medium' AND NOT malicious) AS medium,
        sum(sign) FILTER (WHERE severity = 'low' AND NOT malicious) AS low,
        sum(sign) FILTER (WHERE severity IN ('negligible', 'unknown') AND NOT malicious) AS other,
        sum(sign) FILTER (WHERE exploited AND NOT malicious) AS exploited,
        sum(sign) FILTER (WHERE fixable AND NOT malicious) AS fixable,
        sum(sign) FILTER (WHERE malicious) AS malware
      FROM signed GROUP BY 1),
    per_chain AS (
      SELECT cs.chain_id, cs.from_depth,
        sum(cs.delta * critical) AS critical, sum(cs.delta * high) AS high, sum(cs.delta * medium) AS medium,
        sum(cs.delta * low) AS low, sum(cs.delta * other) AS other, sum(cs.delta * exploited) AS exploited,
        sum(cs.delta * fixable) AS fixable, sum(cs.delta * malware) AS malware
      FROM per_subject JOIN chain_subject cs USING (subject_id) GROUP BY 1, 2),
    per_image AS (
      SELECT ic.image_id,
        sum(pc.critical) AS critical, sum(pc.high) AS high, sum(pc.medium) AS medium, sum(low) AS low, sum(other) AS other,
        sum(exploited) AS exploited, sum(fixable) AS fixable, sum(malware) AS malware,
        sum(critical) FILTER (WHERE pc.from_depth < b.base_layers) AS base_critical,
        sum(high) FILTER (WHERE pc.from_depth < b.base_layers) AS base_high
      FROM per_chain pc JOIN image_chain ic USING (chain_id) JOIN (SELECT id, base_layers FROM image) b ON b.id = ic.image_id
      GROUP BY 1)
    UPDATE image i SET
      critical = i.critical + coalesce(d.critical, 0), high = i.high + coalesce(d.high, 0),
      medium = i.medium + coalesce(d.medium, 0), low = i.low + coalesce(d.low, 0), other = i.other + coalesce(d.other, 0),
      exploited = i.exploited + coalesce(d.exploited, 0), fixable = i.fixable + coalesce(d.fixable, 0),
      malware = i.malware + coalesce(d.malware, 0),
      base_critical = i.base_critical + coalesce(d.base_critical, 0), base_high = i.base_high + coalesce(d.base_high, 0)
    FROM per_image d WHERE i.id = d.image_id RETURNING i.id`.execute(db);
  return rows.map(({ id }) => id);
}
