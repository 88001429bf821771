import type pg from "pg";
import { copyNumbers } from "./copy-numbers.ts";
import { RowIndex } from "./row-index.ts";

/** Every chain and image of a tenant, in columns; a row's number stands for its id. */
export interface EstateColumns {
  readonly chains: {
    readonly ids: Float64Array;
    /** Row of the chain below; -1 for a lowest layer. */
    readonly parents: Int32Array;
    /** Row of a chain's id; -1 for one that is not there. */
    rowOf(id: number): number;
  };
  /** First seen first, then by digest. */
  readonly images: {
    readonly ids: Float64Array;
    /** Row of the chain of all layers; -1 without layers. */
    readonly tops: Int32Array;
    /** 1 where it is still there. */
    readonly alive: Uint8Array;
    /** Id of its repository; -1 for none, -2 for several. */
    readonly repositories: Int32Array;
    /** Row of the image that it declares as its base; -1 for none, -2 for one that is not known. */
    readonly declared: Int32Array;
    readonly critical: Int32Array;
    readonly high: Int32Array;
    readonly medium: Int32Array;
    readonly low: Int32Array;
    /** Milliseconds since 1970; NaN where nobody says. */
    readonly builtAt: Float64Array;
  };
}

/** Reads the estate of the tenant that the client's transaction named. */
export async function readEstate(client: pg.ClientBase): Promise<EstateColumns> {
  const [chainIds = none(), below = none()] = await copyNumbers(client, "SELECT id, parent_id FROM chain", 2);
  const chainRows = new RowIndex(chainIds);
  const images = await copyNumbers(
    client,
    `SELECT id, chain_id, (state <> 'gone')::int::int8, critical::int8, high::int8, medium::int8, low::int8,
       (extract(epoch FROM built_at) * 1000)::int8, (declared_base IS NOT NULL)::int::int8
     FROM image ORDER BY first_seen, digest COLLATE "C"`,
    9,
  );
  const [ids = none(), tops = none(), alive = none(), critical = none(), high = none(), medium = none(), low = none()] =
    images;
  const imageRows = new RowIndex(ids);
  const declares = images[8] ?? none();
  return {
    chains: {
      ids: chainIds,
      parents: Int32Array.from(below, (id) => chainRows.rowOf(id)),
      rowOf: (id) => chainRows.rowOf(id),
    },
    images: {
      ids,
      tops: Int32Array.from(tops, (id) => chainRows.rowOf(id)),
      alive: Uint8Array.from(alive),
      repositories: await readRepositories(client, imageRows, ids.length),
      declared: await readDeclared(client, imageRows, declares),
      critical: Int32Array.from(critical),
      high: Int32Array.from(high),
      medium: Int32Array.from(medium),
      low: Int32Array.from(low),
      builtAt: images[7] ?? none(),
    },
  };
}

function none(): Float64Array {
  return new Float64Array(0);
}

async function readRepositories(client: pg.ClientBase, rows: RowIndex, images: number): Promise<Int32Array> {
  const [image = none(), repository = none()] = await copyNumbers(
    client,
    "SELECT image_id, repository_id FROM image_location",
    2,
  );
  const repositories = new Int32Array(images).fill(-1);
  for (const [at, id] of image.entries()) {
    const row = rows.rowOf(id);
    if (row < 0) continue;
    const known = repositories[row];
    repositories[row] = known === -1 || known === repository[at] ? (repository[at] ?? -1) : -2;
  }
  return repositories;
}

/** The base that each image declares: a manifest's digest, or an index's that a tag names, for the same platform. */
async function readDeclared(client: pg.ClientBase, rows: RowIndex, declares: Float64Array): Promise<Int32Array> {
  const declared = Int32Array.from(declares, (does) => (does === 1 ? -2 : -1));
  const [image = none(), base = none()] = await copyNumbers(
    client,
    `SELECT DISTINCT ON (id) id, base FROM (
       SELECT i.id, b.id AS base, b.chain_id, 0 AS rank FROM image i JOIN image b ON b.digest = i.declared_base
       UNION ALL SELECT i.id, b.id, b.chain_id, 1 FROM image i JOIN tag t ON t.digest = i.declared_base
         JOIN tag_image ti ON ti.tag_id = t.id JOIN image b ON b.id = ti.image_id AND b.platform = i.platform
     ) named WHERE chain_id IS NOT NULL ORDER BY id, rank, chain_id`,
    2,
  );
  for (const [at, id] of image.entries()) {
    const row = rows.rowOf(id);
    if (row >= 0) declared[row] = rows.rowOf(base[at] ?? -1);
  }
  return declared;
}
