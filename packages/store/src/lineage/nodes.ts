import { type RawBuilder, sql } from "kysely";
import { type ImageItem, imageItems } from "../images/image-items.ts";
import { isVisible, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";
import type { ClaimState } from "../schema/lineage.ts";

export type NodeKind = "known" | "deleted" | "anonymous" | "cache";

/** A node of the forest as lists show it. */
export interface LineageNode {
  /** Id of its chain. */
  readonly id: number;
  /** ChainID (OCI image specification) of its layers. */
  readonly chain: string;
  readonly kind: NodeKind;
  readonly layers: number;
  /** The node below by layers or by declaration, whichever counts. */
  readonly below: number | null;
  readonly how: "none" | "layers" | "declared";
  readonly claim: ClaimState;
  /** Images that end there, those of them that are alive, and living images that stand on it. */
  readonly images: number;
  readonly live: number;
  readonly beneath: number;
  /** Nodes that stand right on it. */
  readonly children: number;
  /** The only repository of all images at and above it; null where several have. */
  readonly repository: string | null;
  /** Stands for the images that end there. */
  readonly image: ImageItem | null;
}

interface Row extends Omit<LineageNode, "image"> {
  readonly imageId: number | null;
}

const KIND = sql`CASE WHEN n.images > 0 THEN CASE WHEN n.live > 0 THEN 'known' ELSE 'deleted' END
  WHEN n.several THEN 'anonymous' ELSE 'cache' END`;
const COLUMNS = sql`n.chain_id AS id, c.digest AS chain, ${KIND} AS kind, n.layers, n.claim, n.images, n.live, n.beneath,
  CASE WHEN n.claim = 'used' THEN n.declared_id ELSE n.parent_id END AS below,
  CASE WHEN n.claim = 'used' THEN 'declared' WHEN n.parent_id IS NULL THEN 'none' ELSE 'layers' END AS how,
  (SELECT count(*) FROM lineage_node k WHERE k.parent_id = n.chain_id AND k.claim <> 'used')
    + (SELECT count(*) FROM lineage_node k WHERE k.declared_id = n.chain_id AND k.claim = 'used') AS children,
  (SELECT g.name || '/' || r.name FROM repository r JOIN registry g ON g.id = r.registry_id WHERE r.id = n.repository_id) AS repository,
  n.image_id AS "imageId"`;

async function nodesOf(db: TenantQueries, rest: RawBuilder<unknown>): Promise<readonly LineageNode[]> {
  const { rows } =
    await sql<Row>`SELECT ${COLUMNS} FROM lineage_node n JOIN chain c ON c.id = n.chain_id ${rest}`.execute(db);
  const items = await imageItems(
    db,
    rows.flatMap(({ imageId }) => (imageId === null ? [] : [imageId])),
  );
  const byId = new Map(items.map((item) => [item.id, item]));
  return rows.map(({ imageId, ...node }) => ({ ...node, image: byId.get(imageId ?? -1) ?? null }));
}

/** Nodes by id, in no order. */
export function lineageNodes(db: TenantQueries, ids: readonly number[]): Promise<readonly LineageNode[]> {
  return nodesOf(db, sql`WHERE n.chain_id = ANY(${ids}::bigint[])`);
}

export interface NodePage {
  readonly sight: Sight;
  /** Of the nodes that stand right on this one; without it, of those that stand on nothing. */
  readonly under?: number;
  /** Leaves out what carries fewer images. */
  readonly least?: number;
  /** Images beneath and id of the last node of the page before. */
  readonly after?: readonly [number, number];
  readonly limit: number;
}

/** Nodes of one height, those that carry the most images first. Nodes without any living image are left out. */
export async function nodesUnder(db: TenantQueries, page: NodePage): Promise<readonly LineageNode[]> {
  const { sight, under, least = 0, after, limit } = page;
  const on =
    under === undefined
      ? sql`n.parent_id IS NULL AND n.claim <> 'used'`
      : sql`((n.parent_id = ${under} AND n.claim <> 'used') OR (n.declared_id = ${under} AND n.claim = 'used'))`;
  const beyond = after === undefined ? sql`true` : sql`(n.beneath, -n.chain_id) < (${after[0]}, ${-after[1]}::bigint)`;
  return nodesOf(
    db,
    sql`WHERE ${on} AND ${beyond} AND n.live + n.beneath > 0 AND n.beneath >= ${least}
      AND ${sight === undefined ? sql`true` : carriesVisible(sql`n.chain_id`, sight)}
      ORDER BY n.beneath DESC, n.chain_id LIMIT ${limit}`,
  );
}

/** What an image stands on, the lowest first and the image's own node last; empty for one without layers. */
export async function pathOfImage(db: TenantQueries, imageId: number): Promise<readonly LineageNode[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT coalesce(n.chain_id, (SELECT l.chain_id FROM image_chain ic JOIN lineage_node l ON l.chain_id = ic.chain_id
      WHERE ic.image_id = i.id ORDER BY ic.depth DESC LIMIT 1)) AS id
    FROM image i LEFT JOIN lineage_node n ON n.chain_id = i.chain_id WHERE i.id = ${imageId}`.execute(db);
  const top = rows[0]?.id;
  return top === undefined || top === null ? [] : pathOfNode(db, top);
}

/** What a node stands on, the lowest first and itself last. Build caches are left out. */
export async function pathOfNode(db: TenantQueries, id: number): Promise<readonly LineageNode[]> {
  const { rows } = await sql<{ id: number; isBase: boolean }>`
    WITH RECURSIVE way AS (
      SELECT chain_id, CASE WHEN claim = 'used' THEN declared_id ELSE parent_id END AS below, true AS is_base, 0 AS step
      FROM lineage_node WHERE chain_id = ${id}
      UNION ALL SELECT n.chain_id, CASE WHEN n.claim = 'used' THEN n.declared_id ELSE n.parent_id END,
        n.images > 0 OR n.several, w.step + 1
      FROM way w JOIN lineage_node n ON n.chain_id = w.below)
    SELECT chain_id AS id, is_base AS "isBase" FROM way ORDER BY step DESC`.execute(db);
  const ids = rows.filter(({ isBase }) => isBase).map((row) => row.id);
  const nodes = new Map((await lineageNodes(db, ids)).map((node) => [node.id, node]));
  return ids.flatMap((each) => nodes.get(each) ?? []);
}

/** Who stands on a node: living images by repository and owner, those with most first. */
export interface StandingSummary {
  readonly images: number;
  readonly repositories: number;
  readonly owners: readonly { readonly id: number | null; readonly name: string; readonly images: number }[];
}

/** Nodes that stand right on a node, by layers or by declaration. */
function standingRightOn(chain: RawBuilder<unknown>): RawBuilder<unknown> {
  const columns = sql`n.chain_id, n.several, n.repository_id, n.live, n.beneath`;
  return sql`SELECT ${columns} FROM lineage_node n WHERE n.parent_id = ${chain} AND n.claim <> 'used'
    UNION ALL SELECT ${columns} FROM lineage_node n WHERE n.declared_id = ${chain} AND n.claim = 'used'`;
}

export async function standingOn(db: TenantQueries, id: number): Promise<StandingSummary> {
  const held = await heldByRepository(db, id);
  const { rows } = await sql<{ id: number | null; name: string; images: number; repositories: number }>`
    SELECT o.id, coalesce(o.name, '') AS name, sum(held.images)::float8 AS images, count(*) AS repositories
    FROM unnest(${[...held.keys()]}::bigint[], ${[...held.values()]}::bigint[]) AS held(repository_id, images)
      JOIN LATERAL (SELECT owner_id, registry_id FROM repository WHERE id = held.repository_id OFFSET 0) r ON true
      JOIN registry g ON g.id = r.registry_id LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    GROUP BY 1, 2 ORDER BY 3 DESC, 2`.execute(db);
  const node = await db.selectFrom("lineage_node").select("beneath").where("chain_id", "=", id).executeTakeFirst();
  return {
    images: node?.beneath ?? 0,
    repositories: held.size,
    owners: rows.map(({ id: owner, name, images }) => ({ id: owner, name, images })),
  };
}

/**
 * Living images on a node by repository. A node whose images are all of one repository counts as a whole: what stands on it
 * is not looked at. In steps, since nobody can tell beforehand how much stands on a node: the planner would read everything.
 */
async function heldByRepository(db: TenantQueries, id: number): Promise<ReadonlyMap<number, number>> {
  const { rows } = await sql<{ repository: number | null; chain: number | null; images: number }>`
    WITH RECURSIVE above AS (
      SELECT k.* FROM (${standingRightOn(sql`${id}`)}) k
      UNION ALL SELECT k.* FROM above a JOIN LATERAL (${standingRightOn(sql`a.chain_id`)}) k ON true WHERE a.several)
    SELECT repository_id AS repository, NULL::bigint AS chain, sum(live + beneath)::float8 AS images FROM above
    WHERE repository_id IS NOT NULL AND live + beneath > 0 GROUP BY 1
    UNION ALL SELECT NULL, chain_id, live FROM above WHERE several AND live > 0`.execute(db);
  const held = new Map<number, number>();
  for (const { repository, images } of rows) if (repository !== null) held.set(repository, images);
  const shared = rows.flatMap(({ chain }) => (chain === null ? [] : [chain]));
  const placed = await sql<{ repository: number; images: number }>`
    SELECT l.repository_id AS repository, count(*)::float8 AS images FROM image i
      JOIN LATERAL (SELECT repository_id FROM image_location WHERE image_id = i.id AND gone_at IS NULL OFFSET 0) l ON true
    WHERE i.chain_id = ANY(${shared}::bigint[]) AND i.state <> 'gone' GROUP BY 1`.execute(db);
  for (const { repository, images } of placed.rows) held.set(repository, (held.get(repository) ?? 0) + images);
  return held;
}

/** Containers that run an image that stands on a node; a runtime names an image by its manifest or by its index. */
export async function containersOn(db: TenantQueries, id: number): Promise<number> {
  const { rows } = await sql<{ containers: number }>`
    WITH standing AS MATERIALIZED (SELECT DISTINCT r.digest FROM running_image r
      WHERE r.image_id IN (SELECT image_id FROM image_chain WHERE chain_id = ${id}))
    SELECT coalesce(sum(k.containers), 0)::int8 AS containers FROM standing s CROSS JOIN LATERAL (
      SELECT count(*) AS containers FROM container WHERE image_digest = s.digest AND stopped_at IS NULL) k`.execute(db);
  return rows[0]?.containers ?? 0;
}

/** The latest measurement of the spread; undefined before the first. */
export async function latestSpread(
  db: TenantQueries,
): Promise<{ readonly measuredAt: string; readonly spread: unknown } | undefined> {
  const { rows } = await sql<{ measuredAt: string; spread: unknown }>`
    SELECT to_json(measured_at)#>>'{}' AS "measuredAt", spread FROM lineage_spread ORDER BY day DESC LIMIT 1`.execute(
    db,
  );
  return rows[0];
}

export async function saveSpread(db: TenantQueries, spread: unknown, now: Date): Promise<void> {
  await sql`
    INSERT INTO lineage_spread (tenant_id, day, measured_at, spread)
    VALUES (current_tenant(), ${now.toISOString().slice(0, 10)}::date, ${now}, ${JSON.stringify(spread)}::jsonb)
    ON CONFLICT (tenant_id, day) DO UPDATE SET measured_at = excluded.measured_at, spread = excluded.spread`.execute(
    db,
  );
}

/** Whether a node carries an image that this person may see: then it concerns them, whoever built it. */
export async function nodeIsVisible(db: TenantQueries, id: number, sight: Sight): Promise<boolean> {
  if (sight === undefined) return true;
  const { rows } = await sql<{ seen: boolean }>`SELECT ${carriesVisible(sql`${id}`, sight)} AS seen`.execute(db);
  return rows[0]?.seen ?? false;
}

function carriesVisible(chain: RawBuilder<unknown>, sight: Sight): RawBuilder<unknown> {
  return sql`EXISTS (SELECT FROM image_chain ic JOIN image i ON i.id = ic.image_id
    WHERE ic.chain_id = ${chain} AND ${isVisible(sight)})`;
}
