import { sql } from "kysely";
import { type ImageItem, imageItems } from "../images/image-items.ts";
import { isVisible, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

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
  /** The first ones, by risk. */
  readonly images: readonly ImageItem[];
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
export async function locateSubjects(db: TenantQueries, subjects: readonly number[], sight: Sight): Promise<Located> {
  await sql`CREATE TEMPORARY TABLE IF NOT EXISTS located (image_id bigint PRIMARY KEY, risk integer, owner_id bigint, chain_id bigint) ON COMMIT DROP`.execute(
    db,
  );
  await sql`TRUNCATE located`.execute(db);
  await sql`
    INSERT INTO located
    SELECT i.id, i.risk, coalesce(i.owner_id, place.owner_id), i.chain_id FROM image i
      LEFT JOIN LATERAL (SELECT min(coalesce(r.owner_id, g.owner_id)) AS owner_id FROM image_location l
        JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
        WHERE l.image_id = i.id AND l.gone_at IS NULL) place ON i.owner_id IS NULL
    WHERE i.state <> 'gone' AND ${isVisible(sight)} AND i.id IN (
      SELECT image_id FROM (
        SELECT ic.image_id, cs.subject_id, cs.from_depth, sum(cs.delta) AS held
        FROM chain_subject cs JOIN image_chain ic USING (chain_id)
        WHERE cs.subject_id = ANY(${subjects}) GROUP BY 1, 2, 3) summed WHERE held > 0)`.execute(db);
  const top = await sql<{
    image_id: number;
  }>`SELECT image_id FROM located ORDER BY risk DESC, image_id DESC LIMIT ${SHOWN_IMAGES}`.execute(db);
  const [summary, layers, bases, owners, repositories] = [
    await summaryOf(db),
    await layersOf(db, subjects),
    await basesOf(db),
    await ownersOf(db),
    await repositoriesOf(db),
  ];
  return {
    summary: { ...summary, layers: layers.length, bases: bases.length },
    images: await imageItems(
      db,
      top.rows.map(({ image_id }) => image_id),
    ),
    layers: layers.slice(0, SHOWN),
    bases: bases.slice(0, SHOWN),
    owners,
    repositories: repositories.slice(0, SHOWN),
  };
}

async function summaryOf(db: TenantQueries) {
  const { rows } = await sql<{ images: number; owners: number; unowned: number; repositories: number }>`
    SELECT count(*) AS images, count(DISTINCT owner_id) AS owners, count(*) FILTER (WHERE owner_id IS NULL) AS unowned,
      (SELECT count(DISTINCT repository_id) FROM image_location JOIN located USING (image_id) WHERE gone_at IS NULL) AS repositories
    FROM located`.execute(db);
  return rows[0] ?? { images: 0, owners: 0, unowned: 0, repositories: 0 };
}

async function layersOf(db: TenantQueries, subjects: readonly number[]): Promise<Located["layers"]> {
  const { rows } = await sql<Located["layers"][number]>`
    WITH bringing AS (SELECT DISTINCT chain_id FROM chain_subject WHERE subject_id = ANY(${subjects}) AND delta > 0),
    counted AS (SELECT ic.chain_id, count(*) AS images, min(ic.image_id) AS sample
      FROM image_chain ic JOIN bringing USING (chain_id) JOIN located USING (image_id) GROUP BY 1)
    SELECT l.diff_id AS "diffId", c.depth, counted.images, coalesce(i.instructions->>c.depth, '') AS "createdBy"
    FROM counted JOIN chain c ON c.id = counted.chain_id JOIN layer l ON l.id = c.layer_id JOIN image i ON i.id = counted.sample
    ORDER BY counted.images DESC, l.diff_id LIMIT 1000`.execute(db);
  return rows;
}

async function basesOf(db: TenantQueries): Promise<Located["bases"]> {
  const { rows } = await sql<Located["bases"][number]>`
    WITH tops AS (SELECT image_id, chain_id FROM located WHERE chain_id IS NOT NULL),
    under AS (SELECT ic.chain_id, count(*) AS images FROM image_chain ic JOIN located l USING (image_id)
      WHERE ic.chain_id IN (SELECT chain_id FROM tops) AND ic.chain_id <> l.chain_id GROUP BY 1)
    SELECT i.digest, coalesce((SELECT g.name || '/' || r.name FROM image_location il JOIN repository r ON r.id = il.repository_id
      JOIN registry g ON g.id = r.registry_id WHERE il.image_id = i.id ORDER BY il.first_seen LIMIT 1), '') AS reference, u.images
    FROM under u JOIN LATERAL (SELECT image_id FROM tops WHERE tops.chain_id = u.chain_id ORDER BY image_id LIMIT 1) t ON true
      JOIN image i ON i.id = t.image_id ORDER BY u.images DESC, i.digest LIMIT 1000`.execute(db);
  return rows;
}

async function ownersOf(db: TenantQueries): Promise<Located["owners"]> {
  const { rows } = await sql<Located["owners"][number]>`
    SELECT o.id, o.name, o.email, count(*) AS images FROM located JOIN owner o ON o.id = located.owner_id
    GROUP BY o.id ORDER BY images DESC, o.name`.execute(db);
  return rows;
}

async function repositoriesOf(db: TenantQueries): Promise<Located["repositories"]> {
  const { rows } = await sql<Located["repositories"][number]>`
    SELECT r.id, g.name AS registry, r.name, count(*) AS images FROM located JOIN image_location l USING (image_id)
      JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id WHERE l.gone_at IS NULL
    GROUP BY r.id, g.name ORDER BY images DESC, r.name LIMIT 1000`.execute(db);
  return rows;
}
