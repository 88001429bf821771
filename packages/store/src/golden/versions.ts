import { sql } from "kysely";
import { announce } from "../jobs/events.ts";
import { giveNotice, type NoticeEvent } from "../notifications/notices.ts";
import type { TenantQueries } from "../open-store.ts";
import type { StoredViolation } from "./assessments.ts";
import { noteGolden } from "./golden.ts";
import type { GoldenVersionState } from "./paths.ts";

const MAX_VERSIONS = 500;
const MAX_CANDIDATES = 500;

/** A version of a golden image: an image of it for one platform. */
export interface GoldenVersion {
  readonly id: number;
  readonly goldenId: number;
  readonly imageId: number;
  readonly digest: string;
  readonly chain: string;
  readonly layers: number;
  readonly platform: string;
  readonly tag: string;
  /** What changed since the version before. */
  readonly description: string;
  readonly state: GoldenVersionState;
  readonly previousId: number | null;
  readonly publishedBy: string;
  readonly publishedAt: string;
  readonly changedAt: string;
  readonly reason: string;
  readonly passed: boolean | null;
  readonly violations: readonly StoredViolation[];
  /** Living images that stand on it. */
  readonly consumers: number;
}

const VERSION = sql`v.id, v.golden_id AS "goldenId", v.image_id AS "imageId", i.digest, v.chain, v.layers, v.platform, v.tag, v.description,
  v.state, v.previous_id AS "previousId", v.published_by AS "publishedBy", to_json(v.published_at)#>>'{}' AS "publishedAt",
  to_json(v.changed_at)#>>'{}' AS "changedAt", v.reason, a.passed, coalesce(a.violations, '[]') AS violations,
  coalesce(n.beneath, 0) AS consumers`;
const FROM = sql`golden_version v JOIN image i ON i.id = v.image_id LEFT JOIN image_assessment a ON a.image_id = v.image_id
  LEFT JOIN lineage_node n ON n.chain_id = i.chain_id`;

/** Versions of a golden image, the newest first. */
export async function goldenVersions(db: TenantQueries, goldenId: number): Promise<readonly GoldenVersion[]> {
  const { rows } = await sql<GoldenVersion>`
    SELECT ${VERSION} FROM ${FROM} WHERE v.golden_id = ${goldenId} ORDER BY v.id DESC LIMIT ${MAX_VERSIONS}`.execute(
    db,
  );
  return rows;
}

/** An image that a tag of a golden repository names, and what the rules say of it. */
export interface GoldenCandidate {
  readonly imageId: number;
  readonly digest: string;
  readonly tag: string;
  readonly platform: string;
  readonly chain: string | null;
  readonly layers: number;
  readonly isScanned: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly versionId: number | null;
  /** Null until it is assessed. */
  readonly passed: boolean | null;
  readonly violations: readonly StoredViolation[];
}

/**
 * Images of a golden repository by tag: what could be published, and what is.
 *
 * @param tag of this one alone; left out: of all, those that moved last first
 */
export async function goldenCandidates(
  db: TenantQueries,
  goldenId: number,
  tag?: string,
): Promise<readonly GoldenCandidate[]> {
  const { rows } = await sql<GoldenCandidate>`
    SELECT i.id AS "imageId", i.digest, t.name AS tag, i.platform, c.digest AS chain, i.layer_count AS layers,
      i.state = 'scanned' AS "isScanned", i.image_labels AS labels, v.id AS "versionId", a.passed,
      coalesce(a.violations, '[]') AS violations
    FROM golden g JOIN tag t ON t.repository_id = g.repository_id JOIN tag_image ti ON ti.tag_id = t.id
      JOIN image i ON i.id = ti.image_id LEFT JOIN chain c ON c.id = i.chain_id
      LEFT JOIN golden_version v ON v.golden_id = g.id AND v.image_id = i.id
      LEFT JOIN image_assessment a ON a.image_id = i.id AND NOT a.stale
    WHERE g.id = ${goldenId} AND t.gone_at IS NULL AND g.digest IN ('', i.digest)
      AND ${tag === undefined ? sql`true` : sql`t.name = ${tag}`}
    ORDER BY t.moved_at DESC, t.name, i.platform LIMIT ${MAX_CANDIDATES}`.execute(db);
  return rows;
}

export interface NewVersion {
  readonly goldenId: number;
  readonly imageId: number;
  readonly chain: string;
  readonly layers: number;
  readonly platform: string;
  readonly tag: string;
  readonly description: string;
  readonly previousId: number | null;
  readonly name: string;
  readonly now: Date;
}

/** @returns its id; undefined where the image is a version already */
export async function publishVersion(db: TenantQueries, version: NewVersion): Promise<number | undefined> {
  const { goldenId, imageId, chain, layers, platform, tag, description, previousId, name, now } = version;
  const { rows } = await sql<{ id: number }>`
    INSERT INTO golden_version (tenant_id, golden_id, image_id, chain, layers, platform, tag, description, state, previous_id,
      published_by, published_at, changed_at)
    VALUES (current_tenant(), ${goldenId}, ${imageId}, ${chain}, ${layers}, ${platform}, ${tag}, ${description}, 'published',
      ${previousId}, ${name}, ${now}, ${now}) ON CONFLICT (golden_id, image_id) DO NOTHING RETURNING id`.execute(db);
  const id = rows[0]?.id;
  if (id === undefined) return undefined;
  await sql`UPDATE golden SET state = 'published', reason = '' WHERE id = ${goldenId} AND state <> 'revoked'`.execute(
    db,
  );
  await noteGolden(db, {
    id: goldenId,
    versionId: id,
    actor: name,
    action: "published",
    detail: `${tag}: ${description}`,
    now,
  });
  return id;
}

/** Versions among these images that lost their standing by their newest assessment, or have it again. */
export async function settleGolden(
  db: TenantQueries,
  images: readonly number[],
  now: Date,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: number; goldenId: number; chain: string; state: GoldenVersionState; rules: string }>`
    UPDATE golden_version v SET state = CASE WHEN a.passed THEN 'published' ELSE 'at-risk' END, changed_at = ${now}
    FROM image_assessment a
    WHERE v.image_id = ANY(${images}::bigint[]) AND a.image_id = v.image_id
      AND ((v.state = 'published' AND NOT a.passed) OR (v.state = 'at-risk' AND a.passed))
    RETURNING v.id, v.golden_id AS "goldenId", v.chain, v.state,
      (SELECT coalesce(string_agg(x->>'rule', ', '), '') FROM jsonb_array_elements(a.violations) x WHERE x->>'level' = 'deny') AS rules`.execute(
    db,
  );
  for (const { id, goldenId, state, rules } of rows) {
    const action = state === "at-risk" ? "at-risk" : "restored";
    await noteGolden(db, { id: goldenId, versionId: id, actor: "system", action, detail: rules, now });
    if (state === "at-risk") await tellOfGolden(db, goldenId, "golden.at-risk", { versionId: id, reason: rules }, now);
    await announce(db, { topic: "golden", id: goldenId });
  }
  return rows.map(({ chain }) => chain);
}

/** Who is concerned by a golden image: owners of images that stand on its versions. */
export interface GoldenConsumer {
  readonly id: number | null;
  readonly name: string;
  readonly images: number;
  readonly repositories: number;
}

export async function goldenConsumers(
  db: TenantQueries,
  goldenId: number,
  versionId?: number,
): Promise<readonly GoldenConsumer[]> {
  const { rows } = await sql<GoldenConsumer>`
    WITH held AS MATERIALIZED (
      SELECT DISTINCT l.repository_id, i.id AS image_id FROM golden_version v JOIN chain c ON c.digest = v.chain
        JOIN image_chain ic ON ic.chain_id = c.id JOIN image i ON i.id = ic.image_id
        JOIN image_location l ON l.image_id = i.id AND l.gone_at IS NULL
      WHERE v.golden_id = ${goldenId} AND ${versionId === undefined ? sql`true` : sql`v.id = ${versionId}`}
        AND i.state <> 'gone' AND i.chain_id <> c.id
        AND l.repository_id <> (SELECT repository_id FROM golden WHERE id = ${goldenId}))
    SELECT o.id, coalesce(o.name, '') AS name, count(DISTINCT held.image_id) AS images, count(DISTINCT held.repository_id) AS repositories
    FROM held JOIN image i ON i.id = held.image_id JOIN repository r ON r.id = held.repository_id
      JOIN registry g ON g.id = r.registry_id LEFT JOIN owner o ON o.id = coalesce(i.owner_id, r.owner_id, g.owner_id)
    GROUP BY 1, 2 ORDER BY 3 DESC, 2`.execute(db);
  return rows;
}

/** Tells the owner of a golden image, and each owner of images that stand on it, once. */
export async function tellOfGolden(
  db: TenantQueries,
  goldenId: number,
  event: Extract<NoticeEvent, `golden.${string}`>,
  about: { readonly versionId?: number; readonly reason: string },
  now: Date,
): Promise<void> {
  const { rows } = await sql<Record<string, unknown> & { readonly ownerId: number | null; readonly owner: string }>`
    SELECT g.id AS golden, reg.name AS registry, r.name AS repository, coalesce(v.tag, '') AS tag, ${about.reason}::text AS reason,
      CASE WHEN sr.id IS NULL THEN '' ELSE sreg.name || '/' || sr.name END AS successor, o.id AS "ownerId",
      coalesce(o.name, '') AS owner, coalesce(r.grade, reg.grade) AS grade
    FROM golden g JOIN repository r ON r.id = g.repository_id JOIN registry reg ON reg.id = r.registry_id
      LEFT JOIN owner o ON o.id = coalesce(g.owner_id, r.owner_id, reg.owner_id)
      LEFT JOIN golden_version v ON v.id = ${about.versionId ?? null} LEFT JOIN golden s ON s.id = g.successor_id
      LEFT JOIN repository sr ON sr.id = s.repository_id LEFT JOIN registry sreg ON sreg.id = sr.registry_id
    WHERE g.id = ${goldenId}`.execute(db);
  const [facts] = rows;
  if (facts === undefined) return;
  const consumers = await goldenConsumers(db, goldenId, event === "golden.published" ? undefined : about.versionId);
  const total = consumers.reduce((sum, { images }) => sum + images, 0);
  await giveNotice(db, event, { facts: { ...facts, images: total } }, now);
  for (const { id, name, images } of consumers) {
    if (id === null || id === facts.ownerId) continue;
    await giveNotice(db, event, { facts: { ...facts, ownerId: id, owner: name, images } }, now);
  }
}

/** One version as lists of bases for CI hold it. */
export interface ExportedGolden {
  readonly chain: string;
  readonly layers: number;
  readonly state: GoldenVersionState;
  readonly reference: string;
  readonly digest: string;
  readonly platform: string;
  readonly tag: string;
  readonly host: string;
  readonly reason: string;
}

/** All versions that have or had a standing. Of equal chains the worst comes first. */
export async function exportGolden(db: TenantQueries, limit: number): Promise<readonly ExportedGolden[]> {
  const { rows } = await sql<ExportedGolden>`
    SELECT v.chain, v.layers, v.state, reg.name || '/' || r.name || ':' || v.tag AS reference, i.digest, v.platform, v.tag, v.reason,
      regexp_replace(regexp_replace(reg.address, '^[a-z]+://', ''), '/.*$', '') AS host
    FROM golden_version v JOIN image i ON i.id = v.image_id JOIN golden g ON g.id = v.golden_id
      JOIN repository r ON r.id = g.repository_id JOIN registry reg ON reg.id = r.registry_id
    ORDER BY array_position(ARRAY['revoked', 'at-risk', 'published', 'deprecated'], v.state), v.id DESC LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}
