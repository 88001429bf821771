import { sql } from "kysely";
import { type ImageItem, imageItems } from "../images/image-items.ts";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";
import { type BaseOnPath, basesOfImages } from "./paths.ts";

/** Names of packages that rules see of one image. */
const MAX_PACKAGES = 5_000;
/** Assessments of images that are gone which are dropped at once. */
const GONE_AT_ONCE = 5_000;

/** A rule that an image breaks. */
export interface StoredViolation {
  readonly policy: string;
  readonly rule: string;
  readonly level: "deny" | "warn";
  readonly message: string;
}

export interface StoredAssessment {
  readonly passed: boolean;
  readonly violations: readonly StoredViolation[];
  readonly rulesVersion: string;
  readonly assessedAt: string;
  /** What it stands on: `golden`, `at-risk`, `deprecated`, `revoked`, `unapproved` or `none`. */
  readonly baseState: string;
}

/** What build rules look at. */
export interface AssessmentSubject {
  readonly item: ImageItem;
  readonly labels: Readonly<Record<string, string>>;
  readonly checks: readonly string[];
  readonly packages: readonly string[];
  readonly fixableCritical: number;
  readonly fixableHigh: number;
  readonly fixableExploited: number;
  readonly denied: number;
  /** A golden image, a candidate, or one that images of other repositories stand on. */
  readonly isBase: boolean;
  readonly bases: readonly BaseOnPath[];
}

const ASSESSMENTS_LOCK = 0x61737365;

/** Assessments and the standing of golden images are changed by one transaction at a time: call it before either is. */
export async function lockAssessments(db: TenantQueries): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${ASSESSMENTS_LOCK}, current_tenant())`.execute(db);
}

/**
 * Scanned images without an up-to-date assessment, those that were seen last first. What is gone and waits is dropped on the way: where
 * thousands of these come first nothing else would ever have its turn.
 */
export async function imagesToAssess(
  db: TenantQueries,
  rulesVersion: string,
  limit: number,
): Promise<readonly number[]> {
  for (let looked = limit; ; looked = Math.max(limit, GONE_AT_ONCE)) {
    const waiting = await waitingForRules(db, rulesVersion, looked);
    const gone = waiting.flatMap(({ id, isGone }) => (isGone ? [id] : []));
    const dropped = await dropAssessments(db, gone);
    const living = waiting.flatMap(({ id, isGone }) => (isGone ? [] : [id]));
    if (living.length > 0 || dropped === 0) return living.slice(0, limit);
  }
}

async function waitingForRules(
  db: TenantQueries,
  rulesVersion: string,
  limit: number,
): Promise<readonly { readonly id: number; readonly isGone: boolean }[]> {
  const { rows } = await sql<{ id: number; isGone: boolean }>`
    SELECT i.id, i.state <> 'scanned' AS "isGone" FROM (
      (SELECT image_id FROM image_assessment WHERE stale ORDER BY image_id DESC LIMIT ${limit})
      UNION (SELECT image_id FROM image_assessment WHERE rules_version < ${rulesVersion} LIMIT ${limit})
      UNION (SELECT image_id FROM image_assessment WHERE rules_version > ${rulesVersion} LIMIT ${limit})) a
      JOIN image i ON i.id = a.image_id ORDER BY i.id DESC`.execute(db);
  return rows;
}

/** Drops the assessments of images that are gone; one that comes back is noted anew by a trigger. @returns how many */
async function dropAssessments(db: TenantQueries, images: readonly number[]): Promise<number> {
  if (images.length === 0) return 0;
  await lockAssessments(db);
  // Held before the images are looked at: what comes back from here on waits, and is noted after this.
  const { rows } = await sql<{ id: number }>`
    SELECT image_id AS id FROM image_assessment WHERE image_id = ANY(${images}::bigint[]) FOR UPDATE SKIP LOCKED`.execute(
    db,
  );
  const { numAffectedRows } = await sql`
    DELETE FROM image_assessment a USING image i
    WHERE a.image_id = ANY(${rows.map(({ id }) => id)}::bigint[]) AND i.id = a.image_id AND i.state <> 'scanned'`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0);
}

/** What rules look at, of those of these images that were scanned. */
export async function assessmentSubjects(
  db: TenantQueries,
  images: readonly number[],
): Promise<readonly AssessmentSubject[]> {
  const { rows } = await sql<Omit<AssessmentSubject, "item" | "bases"> & { readonly id: number }>`
    SELECT i.id, i.image_labels AS labels, coalesce(content.checks, '{}') AS checks, coalesce(content.denied, 0) AS denied,
      coalesce(held.packages, '{}') AS packages, coalesce(flaws.critical, 0) AS "fixableCritical",
      coalesce(flaws.high, 0) AS "fixableHigh", coalesce(flaws.exploited, 0) AS "fixableExploited",
      EXISTS (SELECT FROM golden_version v WHERE v.image_id = i.id) OR EXISTS (SELECT FROM golden g JOIN image_location l
        ON l.repository_id = g.repository_id WHERE l.image_id = i.id AND l.gone_at IS NULL AND g.digest IN ('', i.digest))
        OR EXISTS (SELECT FROM lineage_node n WHERE n.chain_id = i.chain_id AND n.beneath > 0 AND n.several) AS "isBase"
    FROM image i
    LEFT JOIN LATERAL (
      SELECT array_agg(DISTINCT f.rule_id) FILTER (WHERE f.kind = 'misconfiguration') AS checks,
        count(*) FILTER (WHERE f.rule_id = 'denied-component') AS denied
      FROM (SELECT fact_id FROM (SELECT cc.fact_id, cc.from_depth, sum(cc.delta) AS held FROM image_chain ic
            JOIN chain_content cc USING (chain_id) WHERE ic.image_id = i.id GROUP BY 1, 2) summed WHERE held > 0
          UNION ALL SELECT fact_id FROM image_content WHERE image_id = i.id) facts
        JOIN content_fact f ON f.id = facts.fact_id) content ON true
    LEFT JOIN LATERAL (
      SELECT count(*) FILTER (WHERE m.severity = 'critical') AS critical, count(*) FILTER (WHERE m.severity = 'high') AS high,
        count(*) FILTER (WHERE m.exploited) AS exploited
      FROM (SELECT cs.subject_id FROM image_chain ic JOIN chain_subject cs USING (chain_id) WHERE ic.image_id = i.id
          GROUP BY cs.subject_id, cs.from_depth HAVING sum(cs.delta) > 0) subjects
        JOIN subject_match m USING (subject_id) WHERE m.fixed_version <> '' AND NOT m.malicious) flaws ON true
    LEFT JOIN LATERAL (
      SELECT (array_agg(DISTINCT p.name))[1:${sql.lit(MAX_PACKAGES)}] AS packages
      FROM (SELECT cp.package_id FROM image_chain ic JOIN chain_package cp USING (chain_id) WHERE ic.image_id = i.id
          GROUP BY cp.package_id, cp.from_depth, cp.path HAVING sum(cp.delta) > 0) names
        JOIN package_version p ON p.id = names.package_id) held ON true
    WHERE i.id = ANY(${images}::bigint[]) AND i.state = 'scanned'`.execute(db);
  const ids = rows.map(({ id }) => id);
  const items = new Map((await imageItems(db, ids)).map((item) => [item.id, item]));
  const bases = await basesOfImages(db, ids);
  return rows.flatMap(({ id, ...row }) => {
    const item = items.get(id);
    return item === undefined ? [] : [{ item, ...row, bases: bases.get(id) ?? [] }];
  });
}

export interface NewAssessment extends Omit<StoredAssessment, "rulesVersion" | "assessedAt"> {
  readonly imageId: number;
}

export async function saveAssessments(
  db: TenantQueries,
  assessments: readonly NewAssessment[],
  { rulesVersion, now }: { readonly rulesVersion: string; readonly now: Date },
): Promise<void> {
  await sql`
    INSERT INTO image_assessment AS kept (tenant_id, image_id, passed, violations, base_state, rules_version, assessed_at)
    SELECT current_tenant(), "imageId", passed, violations, "baseState", ${rulesVersion}, ${now}
    FROM jsonb_to_recordset(${jsonText(assessments)}::jsonb)
      AS told("imageId" bigint, passed boolean, violations jsonb, "baseState" text)
    ON CONFLICT (image_id) DO UPDATE SET passed = excluded.passed, violations = excluded.violations,
      base_state = excluded.base_state, rules_version = excluded.rules_version, assessed_at = excluded.assessed_at,
      stale = false`.execute(db);
}

/** What the rules said of an image; undefined before it was assessed. */
export async function getAssessment(db: TenantQueries, imageId: number): Promise<StoredAssessment | undefined> {
  const { rows } = await sql<StoredAssessment>`
    SELECT passed, violations, rules_version AS "rulesVersion", to_json(assessed_at)#>>'{}' AS "assessedAt",
      base_state AS "baseState" FROM image_assessment WHERE image_id = ${imageId} AND passed IS NOT NULL`.execute(db);
  return rows[0];
}

/** Makes these images be assessed again: something that rules look at changed. */
export async function staleAssessments(db: TenantQueries, images: readonly number[]): Promise<void> {
  if (images.length === 0) return;
  await lockAssessments(db);
  await sql`
    UPDATE image_assessment SET stale = true WHERE image_id = ANY(${images}::bigint[]) AND NOT stale`.execute(db);
}

/** The same for all images that stand on these chains, or end on them: what they stand on has another standing now. */
export async function staleOnChains(db: TenantQueries, chains: readonly string[]): Promise<void> {
  if (chains.length === 0) return;
  await lockAssessments(db);
  await sql`
    UPDATE image_assessment a SET stale = true FROM chain c JOIN image_chain ic ON ic.chain_id = c.id
    WHERE c.digest = ANY(${chains}::text[]) AND a.image_id = ic.image_id AND NOT a.stale`.execute(db);
}

/** The same for all images that stand on these nodes of the forest, or end on them. */
export async function staleOnNodes(db: TenantQueries, nodes: readonly number[]): Promise<void> {
  if (nodes.length === 0) return;
  await lockAssessments(db);
  await sql`
    UPDATE image_assessment a SET stale = true FROM image_chain ic
    WHERE ic.chain_id = ANY(${nodes}::bigint[]) AND a.image_id = ic.image_id AND NOT a.stale`.execute(db);
}

/** The same for the images of a repository. */
export async function staleInRepository(db: TenantQueries, repositoryId: number): Promise<void> {
  await lockAssessments(db);
  await sql`
    UPDATE image_assessment a SET stale = true FROM image_location l
    WHERE l.repository_id = ${repositoryId} AND a.image_id = l.image_id AND NOT a.stale`.execute(db);
}

/** A file of build rules that a tenant added to those that are shipped. */
export interface BuildRuleFile {
  readonly id: number;
  readonly name: string;
  readonly content: string;
  readonly enabled: boolean;
  readonly changedBy: string;
  readonly changedAt: string;
}

const FILE = sql`id, name, content, enabled, changed_by AS "changedBy", to_json(changed_at)#>>'{}' AS "changedAt"`;

/** Files in the order in which they are asked. */
export async function listBuildRules(db: TenantQueries): Promise<readonly BuildRuleFile[]> {
  const { rows } = await sql<BuildRuleFile>`SELECT ${FILE} FROM build_rule_file ORDER BY name`.execute(db);
  return rows;
}

/** Adds a file, or puts other content in the place of one of the same name. */
export async function putBuildRules(
  db: TenantQueries,
  file: Pick<BuildRuleFile, "name" | "content" | "enabled"> & { readonly by: string; readonly now: Date },
): Promise<BuildRuleFile> {
  const { rows } = await sql<BuildRuleFile>`
    INSERT INTO build_rule_file (tenant_id, name, content, enabled, changed_by, changed_at)
    VALUES (current_tenant(), ${file.name}, ${file.content}, ${file.enabled}, ${file.by}, ${file.now})
    ON CONFLICT (tenant_id, name) DO UPDATE SET content = excluded.content, enabled = excluded.enabled,
      changed_by = excluded.changed_by, changed_at = excluded.changed_at RETURNING ${FILE}`.execute(db);
  return rows[0]!;
}

/** @returns name of the file that was there */
export async function removeBuildRules(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`DELETE FROM build_rule_file WHERE id = ${id} RETURNING name`.execute(db);
  return rows[0]?.name;
}
