import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";

/**
 * Counts every vulnerability over the images of the estate, and writes today's point of the trend. It takes seconds in a
 * large estate, so it runs in the background; lists show its latest result.
 */
export async function countEstate(db: TenantQueries, now: Date): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
    WITH standing AS (
      SELECT ic.chain_id, count(*) AS images FROM image_chain ic JOIN image i ON i.id = ic.image_id
      WHERE i.state <> 'gone' GROUP BY 1),
    holding AS (
      -- An image that holds a subject from two of its layers is counted once for each: rare, and never too few.
      SELECT cs.subject_id, sum(cs.delta * standing.images) AS images
      FROM chain_subject cs JOIN standing USING (chain_id) GROUP BY 1 HAVING sum(cs.delta * standing.images) > 0)
    SELECT m.vulnerability_id,
      (array_agg(m.severity ORDER BY ${severityOrder("m.severity")}))[1] AS severity,
      bool_or(m.exploited) AS exploited, bool_or(m.fixed_version <> '') AS fixable, max(h.images) AS images,
      (array_agg(DISTINCT s.name))[1:5] AS packages,
      array_remove((array_agg(DISTINCT m.fixed_version))[1:5], '') AS fixed_versions,
      min(m.first_seen) AS first_seen, max(m.priority) AS priority
    FROM holding h JOIN subject_match m USING (subject_id) JOIN subject s ON s.id = h.subject_id GROUP BY 1`.execute(
    db,
  );
  await db.deleteFrom("estate_vulnerability").execute();
  await sql`
    INSERT INTO estate_vulnerability (tenant_id, vulnerability_id, severity, exploited, fixable, images, packages,
      fixed_versions, first_seen, rank)
    SELECT current_tenant(), vulnerability_id, severity, exploited, fixable, images, packages, fixed_versions, first_seen,
      ${severityOrder("severity")} * 1000 - priority FROM counted`.execute(db);
  await sql`
    WITH counted AS (
      SELECT i.id, (SELECT count(*) FROM image_chain ic JOIN image o ON o.id = ic.image_id
        WHERE ic.chain_id = i.chain_id AND o.chain_id <> i.chain_id AND o.state <> 'gone') AS dependents
      FROM image i WHERE i.chain_id IN (SELECT parent_id FROM chain))
    UPDATE image i SET dependents = counted.dependents FROM counted
    WHERE i.id = counted.id AND i.dependents <> counted.dependents`.execute(db);
  await sql`
    INSERT INTO estate_day (tenant_id, day, images, critical, high, exploited, secrets, malware, open_risks)
    SELECT current_tenant(), ${now.toISOString().slice(0, 10)}::date, count(*), coalesce(sum(critical), 0),
      coalesce(sum(high), 0), coalesce(sum(exploited), 0), coalesce(sum(secrets), 0), coalesce(sum(malware), 0),
      (SELECT count(*) FROM risk WHERE state NOT IN ('fixed', 'accepted'))
    FROM image WHERE state = 'scanned'
    ON CONFLICT (tenant_id, day) DO UPDATE SET images = excluded.images, critical = excluded.critical, high = excluded.high,
      exploited = excluded.exploited, secrets = excluded.secrets, malware = excluded.malware,
      open_risks = excluded.open_risks`.execute(db);
}
