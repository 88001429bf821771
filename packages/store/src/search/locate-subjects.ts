import { sql } from "kysely";
import { type ImageItem, imageItems } from "../images/image-items.ts";
import { isVisible, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** Risk and id of the last image of a page. */
export type ImagePlace = readonly [number, number];

/** Where package versions are, and whose that is. */
export interface Located {
  readonly summary: {
    readonly images: number;
    readonly layers: number;
    readonly bases: number;
    readonly owners: number;
    readonly unowned: number;
    readonly repositories: number;
  };
  /** A page of them, by risk. */
  readonly images: readonly ImageItem[];
  /** Where the next page of images begins; undefined on the last one. */
  readonly next: ImagePlace | undefined;
  /** Layers that bring one of the versions, those that most images share first. */
  readonly layers: readonly {
    readonly diffId: string;
    readonly depth: number;
    readonly images: number;
    readonly createdBy: string;
  }[];
  /** Known images that others of the found images stand on. */
  readonly bases: readonly { readonly digest: string; readonly reference: string; readonly images: number }[];
  readonly owners: readonly {
    readonly id: number;
    readonly name: string;
    readonly email: string;
    readonly images: number;
  }[];
  readonly repositories: readonly {
    readonly id: number;
    readonly registry: string;
    readonly name: string;
    readonly images: number;
  }[];
}

const SHOWN_IMAGES = 50;
const SHOWN = 100;

/** Finds the images that hold any of these package versions, with their layers, bases and owners. */
export async function locateSubjects(
  db: TenantQueries,
  subjects: readonly number[],
  sight: Sight,
  after?: ImagePlace,
): Promise<Located> {
  await fillLocated(db, subjects, sight);
  const top = await sql<{ image_id: number; risk: number }>`
    SELECT image_id, risk FROM located
    WHERE ${after === undefined} OR (risk, image_id) < (${after?.[0] ?? 0}, ${after?.[1] ?? 0})
    ORDER BY risk DESC, image_id DESC LIMIT ${SHOWN_IMAGES + 1}`.execute(db);
  const shown = top.rows.slice(0, SHOWN_IMAGES);
  const last = shown.at(-1);
  const places = await placesOf(db);
  const owners = await ownersOf(db, places);
  const layers = await layersOf(db);
  const bases = await basesOf(db);
  const { rows } = await sql<{ images: number }>`SELECT count(*) AS images FROM located`.execute(db);
  const images = rows[0]?.images ?? 0;
  const named = owners.filter((owner) => owner.id !== null);
  const owned = named.reduce((sum, owner) => sum + owner.images, 0);
  const result = {
    summary: {
      images,
      layers: layers.length,
      bases: bases.length,
      owners: named.length,
      unowned: images - owned,
      repositories: places.length,
    },
    images: await imageItems(
      db,
      shown.map(({ image_id }) => image_id),
    ),
    next: top.rows.length > SHOWN_IMAGES && last !== undefined ? ([last.risk, last.image_id] as const) : undefined,
    layers: await withInstructions(db, layers.slice(0, SHOWN)),
    bases: await withNames(db, bases.slice(0, SHOWN)),
    owners: named.map(({ id, name, email, images: held }) => ({ id: id ?? 0, name, email, images: held })),
    repositories: places.slice(0, SHOWN).map(({ owner_id: _owner, ...place }) => place),
  };
  await sql`DROP TABLE standing, located`.execute(db);
  return result;
}

/**
 * `standing`: each image with the chain that brings the versions; `located`: the images themselves, those left out that a
 * layer above frees of them. Only where one does is anything summed up.
 */
async function fillLocated(db: TenantQueries, subjects: readonly number[], sight: Sight): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE standing ON COMMIT DROP AS
    SELECT ic.image_id, ic.chain_id FROM image_chain ic
    WHERE ic.chain_id IN (SELECT chain_id FROM chain_subject WHERE subject_id = ANY(${subjects}::bigint[]) AND delta > 0)`.execute(
    db,
  );
  // The planner knows nothing of a temporary table: it would look up a hundred thousand images one by one.
  // A rough idea is enough, and takes a tenth of the time.
  await sql`SET LOCAL default_statistics_target = 10`.execute(db);
  await sql`ANALYZE standing (image_id)`.execute(db);
  await sql`
    CREATE TEMPORARY TABLE located ON COMMIT DROP AS
    WITH doubtful AS MATERIALIZED (
      SELECT DISTINCT image_id FROM image_chain
      WHERE chain_id IN (SELECT chain_id FROM chain_subject WHERE subject_id = ANY(${subjects}::bigint[]) AND delta < 0)),
    freed AS MATERIALIZED (
      SELECT image_id FROM (
        SELECT d.image_id, cs.subject_id, cs.from_depth, sum(cs.delta) AS held
        FROM doubtful d JOIN image_chain ic USING (image_id) JOIN chain_subject cs USING (chain_id)
        WHERE cs.subject_id = ANY(${subjects}::bigint[]) GROUP BY 1, 2, 3) summed GROUP BY 1 HAVING max(held) <= 0)
    SELECT i.id AS image_id, i.risk, i.owner_id, i.dependents FROM image i
    WHERE i.id IN (SELECT image_id FROM standing) AND i.id NOT IN (SELECT image_id FROM freed)
      AND i.state <> 'gone' AND ${isVisible(sight)}`.execute(db);
  await sql`ANALYZE located (image_id)`.execute(db);
}

interface Place {
  readonly id: number;
  readonly registry: string;
  readonly name: string;
  readonly images: number;
  readonly owner_id: number | null;
}

/** Repositories with the located images in them, those with most first. */
async function placesOf(db: TenantQueries): Promise<readonly Place[]> {
  const { rows } = await sql<Place>`
    WITH held AS (SELECT l.repository_id, count(*) AS images FROM image_location l JOIN located USING (image_id)
      WHERE l.gone_at IS NULL GROUP BY 1)
    SELECT r.id, g.name AS registry, r.name, held.images, coalesce(r.owner_id, g.owner_id) AS owner_id
    FROM held JOIN repository r ON r.id = held.repository_id JOIN registry g ON g.id = r.registry_id
    ORDER BY held.images DESC, r.name`.execute(db);
  return rows;
}

interface HeldByOwner {
  readonly id: number | null;
  readonly name: string;
  readonly email: string;
  readonly images: number;
}

/** Owners through the repositories, and those that single images have of their own. */
async function ownersOf(db: TenantQueries, places: readonly Place[]): Promise<readonly HeldByOwner[]> {
  const own = await sql<{ id: number; images: number }>`
    SELECT owner_id AS id, count(*) AS images FROM located WHERE owner_id IS NOT NULL GROUP BY 1`.execute(db);
  const counted = new Map<number, number>();
  for (const { owner_id: id, images } of places) if (id !== null) counted.set(id, (counted.get(id) ?? 0) + images);
  for (const { id, images } of own.rows) counted.set(id, (counted.get(id) ?? 0) + images);
  const { rows } = await sql<{ id: number; name: string; email: string }>`
    SELECT id, name, email FROM owner WHERE id = ANY(${[...counted.keys()]}::bigint[])`.execute(db);
  return rows
    .map((owner) => ({ ...owner, images: counted.get(owner.id) ?? 0 }))
    .sort((a, b) => b.images - a.images || (a.name < b.name ? -1 : 1));
}

interface CountedChain {
  readonly chain_id: number;
  readonly images: number;
}

/** The chains that bring the versions, those that most images share first. */
async function layersOf(db: TenantQueries): Promise<readonly CountedChain[]> {
  const { rows } = await sql<CountedChain>`
    SELECT chain_id, count(*) AS images FROM standing GROUP BY 1 ORDER BY images DESC, chain_id`.execute(db);
  return rows;
}

async function withInstructions(db: TenantQueries, chains: readonly CountedChain[]): Promise<Located["layers"]> {
  const { rows } = await sql<Located["layers"][number] & { chain_id: number }>`
    SELECT c.id AS chain_id, l.diff_id AS "diffId", c.depth, 0 AS images, coalesce((SELECT i.instructions->>c.depth FROM image_chain ic
      JOIN image i ON i.id = ic.image_id WHERE ic.chain_id = c.id ORDER BY ic.image_id LIMIT 1), '') AS "createdBy"
    FROM chain c JOIN layer l ON l.id = c.layer_id
    WHERE c.id = ANY(${chains.map(({ chain_id }) => chain_id)}::bigint[])`.execute(db);
  const known = new Map(rows.map(({ chain_id, ...row }) => [chain_id, row]));
  return chains.flatMap(({ chain_id, images }) => {
    const row = known.get(chain_id);
    return row === undefined ? [] : [{ ...row, images }];
  });
}

interface Base {
  readonly image_id: number;
  readonly images: number;
}

/** Located images that other images stand on, as counted last. */
async function basesOf(db: TenantQueries): Promise<readonly Base[]> {
  const { rows } = await sql<Base>`
    SELECT image_id, dependents AS images FROM located WHERE dependents > 0 ORDER BY dependents DESC, image_id`.execute(
    db,
  );
  return rows;
}

async function withNames(db: TenantQueries, bases: readonly Base[]): Promise<Located["bases"]> {
  const { rows } = await sql<{ id: number; digest: string; reference: string }>`
    SELECT i.id, i.digest, coalesce((SELECT g.name || '/' || r.name FROM image_location il
      JOIN repository r ON r.id = il.repository_id JOIN registry g ON g.id = r.registry_id
      WHERE il.image_id = i.id ORDER BY il.first_seen LIMIT 1), '') AS reference
    FROM image i WHERE i.id = ANY(${bases.map(({ image_id }) => image_id)}::bigint[])`.execute(db);
  const known = new Map(rows.map((row) => [row.id, row]));
  return bases.flatMap(({ image_id, images }) => {
    const row = known.get(image_id);
    return row === undefined ? [] : [{ digest: row.digest, reference: row.reference, images }];
  });
}
