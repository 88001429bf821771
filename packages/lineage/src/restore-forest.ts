import { BASE_HOWS, CLAIMS, type Forest, NODE_KINDS, SEVERAL_REPOSITORIES } from "./forest.ts";
import { countStanding } from "./standing.ts";

const KNOWN = NODE_KINDS.indexOf("known");
const DELETED = NODE_KINDS.indexOf("deleted");
const ANONYMOUS = NODE_KINDS.indexOf("anonymous");
const CACHE = NODE_KINDS.indexOf("cache");
const BY_LAYERS = BASE_HOWS.indexOf("layers");
const BY_WORD = BASE_HOWS.indexOf("declared");
const NONE = CLAIMS.indexOf("none");
const USED = CLAIMS.indexOf("used");

/** What has to be kept of a forest, an entry for each node; a node comes after those below it by layers. */
export interface KeptColumns {
  readonly size: number;
  readonly layers: Int16Array;
  readonly parents: Int32Array;
  readonly declared: Int32Array;
  /** 1 where images stand on what is declared. */
  readonly isUsed: Uint8Array;
  readonly images: Int32Array;
  readonly live: Int32Array;
  readonly repositories: Int32Array;
}

/**
 * Makes a forest again of what was kept of it. Rows of chains are those of nodes, and of single images it knows nothing.
 *
 * @example restoreForest(kept).base
 */
export function restoreForest(kept: KeptColumns): Forest {
  const { size, parents, declared, isUsed, images, live, repositories } = kept;
  const rows = Int32Array.from({ length: size }, (_, row) => row);
  const kind = rows.map((row) => kindOf(images[row] ?? 0, live[row] ?? 0, repositories[row] ?? -1));
  const base = new Int32Array(size);
  const how = new Uint8Array(size);
  for (const row of rows) {
    const below = parents[row] ?? -1;
    base[row] = below < 0 || kind[below] !== CACHE ? below : (base[below] ?? -1);
    if (base[row] >= 0) how[row] = BY_LAYERS;
    if (isUsed[row] !== 1) continue;
    base[row] = declared[row] ?? -1;
    how[row] = BY_WORD;
  }
  const lower = rows.map((row) => (how[row] === BY_WORD ? base[row] : parents[row]) ?? -1);
  const kinds = Uint8Array.from(kind);
  return {
    ...{
      size,
      chain: rows,
      layers: kept.layers,
      parent: parents,
      edge: rows,
      kind: kinds,
      base,
      how,
      ends: images,
      own: live,
    },
    ...countStanding({ size, lower, base, kind: kinds, own: live }),
    ...{ representative: new Int32Array(size).fill(-1), repository: repositories, declared },
    claim: isUsed.map((used) => (used === 1 ? USED : NONE)),
    images: { node: new Int32Array(0), base: new Int32Array(0), claim: new Uint8Array(0) },
  };
}

function kindOf(images: number, live: number, repository: number): number {
  if (images > 0) return live > 0 ? KNOWN : DELETED;
  return repository === SEVERAL_REPOSITORIES ? ANONYMOUS : CACHE;
}
