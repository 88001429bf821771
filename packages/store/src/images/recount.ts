import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/**
 * Counts the findings of some images anew from their chains. What is already counted is kept up to date by deltas (see
 * apply-matches.ts); this is for images whose layers became known or changed.
 */
export async function recountImages(db: TenantQueries, images: readonly number[]): Promise<void> {
  await sql`
    WITH held AS (
      SELECT ic.image_id, cs.subject_id, cs.from_depth
      FROM image_chain ic JOIN chain_subject cs USING (chain_id)
      WHERE ic.image_id = ANY(${images}) GROUP BY 1, 2, 3 HAVING sum(cs.delta) > 0),
    flaws AS (
      SELECT held.image_id,
        count(*) FILTER (WHERE m.severity = 'critical' AND NOT m.malicious) AS critical,
        count(*) FILTER (WHERE m.severity = 'high' AND NOT m.malicious) AS high,
        count(*) FILTER (WHERE m.severity = 'medium' AND NOT m.malicious) AS medium,
        count(*) FILTER (WHERE m.severity = 'low' AND NOT m.malicious) AS low,
        count(*) FILTER (WHERE m.severity IN ('negligible', 'unknown') AND NOT m.malicious) AS other,
        count(*) FILTER (WHERE m.severity = 'critical' AND NOT m.malicious AND held.from_depth < i.base_layers) AS base_critical,
        count(*) FILTER (WHERE m.severity = 'high' AND NOT m.malicious AND held.from_depth < i.base_layers) AS base_high,
        count(*) FILTER (WHERE m.exploited AND NOT m.malicious) AS exploited,
        count(*) FILTER (WHERE m.fixed_version <> '' AND NOT m.malicious) AS fixable,
        count(*) FILTER (WHERE m.malicious) AS malicious
      FROM held JOIN image i ON i.id = held.image_id JOIN subject_match m USING (subject_id) GROUP BY 1),
    content AS (
      SELECT image_id, fact_id FROM (
        SELECT ic.image_id, cc.fact_id, cc.from_depth, sum(cc.delta) AS held
        FROM image_chain ic JOIN chain_content cc USING (chain_id) WHERE ic.image_id = ANY(${images}) GROUP BY 1, 2, 3
      ) summed WHERE held > 0
      UNION ALL SELECT image_id, fact_id FROM image_content WHERE image_id = ANY(${images})),
    found AS (
      SELECT image_id,
        count(*) FILTER (WHERE f.kind = 'secret') AS secrets,
        count(*) FILTER (WHERE f.kind IN ('malware', 'webshell')) AS malware,
        count(*) FILTER (WHERE f.kind = 'misconfiguration') AS misconfigurations
      FROM content JOIN content_fact f ON f.id = content.fact_id GROUP BY 1)
    UPDATE image SET
      critical = coalesce(flaws.critical, 0), high = coalesce(flaws.high, 0), medium = coalesce(flaws.medium, 0),
      low = coalesce(flaws.low, 0), other = coalesce(flaws.other, 0),
      base_critical = coalesce(flaws.base_critical, 0), base_high = coalesce(flaws.base_high, 0),
      exploited = coalesce(flaws.exploited, 0), fixable = coalesce(flaws.fixable, 0),
      secrets = coalesce(found.secrets, 0), malware = coalesce(found.malware, 0) + coalesce(flaws.malicious, 0),
      misconfigurations = coalesce(found.misconfigurations, 0)
    FROM (SELECT unnest(${images}::bigint[]) AS id) wanted
      LEFT JOIN flaws ON flaws.image_id = wanted.id LEFT JOIN found ON found.image_id = wanted.id
    WHERE image.id = wanted.id`.execute(db);
}
