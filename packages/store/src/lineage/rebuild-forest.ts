import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { Store } from "../open-store.ts";
import type { ClaimState } from "../schema/lineage.ts";
import { LINEAGE_LOCK } from "./grow-forest.ts";
import { type EstateColumns, readEstate } from "./read-estate.ts";
import { type ChainRisk, type RiskRow, readChainRisk, writeRisk } from "./risk.ts";

/** Rows that are sent at once. */
const CHUNK = 4_096;

/** A forest as it was built from the columns of an estate: an entry for each node, all rows those of the estate. */
export interface BuiltForest {
  readonly size: number;
  readonly chain: Int32Array;
  readonly layers: Int16Array;
  readonly parent: Int32Array;
  readonly edge: Int32Array;
  readonly ends: Int32Array;
  readonly own: Int32Array;
  readonly beneath: Int32Array;
  /** Id of the repository; -1 for none, -2 for several. */
  readonly repository: Int32Array;
  readonly representative: Int32Array;
  readonly declared: Int32Array;
  readonly claim: Uint8Array;
}

export interface Rebuilt<Result> {
  readonly result: Result;
  /** Whether the forest that was kept differed from the one that was built. */
  readonly differed: boolean;
}

/**
 * Builds a tenant's forest from all its images, and writes it where the one that grew differs. Nothing grows meanwhile; what
 * is pushed meanwhile waits.
 *
 * @param build makes the forest of the estate's columns, and whatever else the caller wants of them
 * @param claims names of the claims, by number
 */
export async function rebuildForest<Result>(
  store: Store,
  tenantId: number,
  claims: readonly ClaimState[],
  build: (
    estate: EstateColumns,
    risk: ChainRisk,
  ) => { readonly forest: BuiltForest; readonly risks: Iterable<RiskRow>; readonly result: Result },
): Promise<Rebuilt<Result>> {
  const client = await store.pool.connect();
  try {
    await client.query(`BEGIN; SET LOCAL statement_timeout = 0;
      SELECT set_config('bulwark.tenant', '${tenantId}', true); SELECT pg_advisory_xact_lock(${LINEAGE_LOCK}, ${tenantId})`);
    // What changes from here on is noted again: it is looked at twice rather than never.
    const waiting = await client.query("DELETE FROM lineage_change");
    const estate = await readEstate(client);
    const { forest, risks, result } = build(estate, await readChainRisk(client));
    const differed = (waiting.rowCount ?? 0) > 0 || (await differs(client, estate, forest));
    if (differed) await writeForest(client, tenantId, estate, forest, claims);
    await writeRisk(client, tenantId, risks);
    await client.query("COMMIT");
    client.release();
    return { result, differed };
  } catch (error) {
    // A connection in doubt is not used again.
    client.release(true);
    throw error;
  }
}

const MIX = 1_000_003;

/** Compares sums over all nodes: of what they carry, and of who stands on whom. */
async function differs(client: pg.ClientBase, { chains }: EstateColumns, forest: BuiltForest): Promise<boolean> {
  const { rows } = await client.query<Record<"nodes" | "carried" | "links", number>>(`
    SELECT count(*) AS nodes, coalesce(sum(live::int8 * 3 + beneath), 0)::int8 AS carried,
      coalesce(sum((chain_id % ${MIX}) * (coalesce(parent_id, 0) % ${MIX} + 1) % ${MIX}), 0)::int8 AS links FROM lineage_node`);
  let [carried, links] = [0, 0];
  for (let node = 0; node < forest.size; node++) {
    carried += at(forest.own, node) * 3 + at(forest.beneath, node);
    const id = at(chains.ids, at(forest.chain, node)) % MIX;
    const parent = at(forest.parent, node);
    const below = parent < 0 ? 0 : at(chains.ids, at(forest.chain, parent)) % MIX;
    links += (id * (below + 1)) % MIX;
  }
  const kept = rows[0];
  return kept === undefined || kept.nodes !== forest.size || kept.carried !== carried || kept.links !== links;
}

async function writeForest(
  client: pg.ClientBase,
  tenantId: number,
  estate: EstateColumns,
  forest: BuiltForest,
  claims: readonly ClaimState[],
): Promise<void> {
  // Into a table that separates tenants nothing can be copied (PostgreSQL documentation, COPY, "Notes").
  await client.query("DELETE FROM lineage_node; CREATE TEMP TABLE lineage_built (LIKE lineage_node) ON COMMIT DROP");
  const into = client.query(
    copyFrom(`COPY lineage_built (tenant_id, chain_id, layers, parent_id, edge_id, images, live, beneath, repository_id, several,
      image_id, declared_id, claim) FROM STDIN`),
  );
  await pipeline(Readable.from(rowsOf(tenantId, estate, forest, claims)), into);
  await client.query("INSERT INTO lineage_node SELECT * FROM lineage_built");
}

function* rowsOf(
  tenantId: number,
  { chains, images }: EstateColumns,
  forest: BuiltForest,
  claims: readonly ClaimState[],
): Generator<string> {
  const chainOf = (node: number) => (node < 0 ? "\\N" : at(chains.ids, at(forest.chain, node)));
  let text = "";
  for (let node = 0; node < forest.size; node++) {
    const repository = at(forest.repository, node);
    const image = at(forest.representative, node);
    const row = [
      tenantId,
      chainOf(node),
      at(forest.layers, node),
      chainOf(at(forest.parent, node)),
      at(chains.ids, at(forest.edge, node)),
      at(forest.ends, node),
      at(forest.own, node),
      at(forest.beneath, node),
      repository < 0 ? "\\N" : repository,
      repository === -2 ? "t" : "f",
      image < 0 ? "\\N" : at(images.ids, image),
      chainOf(at(forest.declared, node)),
      claims[at(forest.claim, node)] ?? "none",
    ];
    text += `${row.join("\t")}\n`;
    if (node % CHUNK === CHUNK - 1) {
      yield text;
      text = "";
    }
  }
  yield text;
}

function at(column: Int32Array | Int16Array | Uint8Array | Float64Array, row: number): number {
  return column[row] ?? -1;
}
