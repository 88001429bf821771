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
    const differed = (waiting.rowCount ?? 0) > 0 || (await differs(client, estate, forest, claims));
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
/** Keeps what stands for no repository above zero: remainders of negative numbers are of two minds. */
const REPOSITORIES = 1;
const SUMS = ["nodes", "carried", "links", "places", "words", "claims"] as const;
type Sums = Record<(typeof SUMS)[number], number>;

/** Compares sums over all nodes: of what they carry, of who stands on whom, of whose they are, and of what they declare. */
async function differs(
  client: pg.ClientBase,
  { chains }: EstateColumns,
  forest: BuiltForest,
  claims: readonly ClaimState[],
): Promise<boolean> {
  const mixed = (value: string) => `coalesce(sum((chain_id % ${MIX}) * ((${value}) % ${MIX} + 1) % ${MIX}), 0)::int8`;
  const names = claims.map((claim) => `'${claim}'`).join();
  const { rows } = await client.query<Sums>(`
    SELECT count(*) AS nodes, ${mixed("images::int8 * 7 + live::int8 * 3 + beneath")} AS carried,
      ${mixed("coalesce(parent_id, 0)")} AS links,
      ${mixed(`CASE WHEN several THEN 0 ELSE coalesce(repository_id, -1) END + ${REPOSITORIES}`)} AS places,
      ${mixed("coalesce(declared_id, 0)")} AS words, ${mixed(`array_position(ARRAY[${names}], claim) - 1`)} AS claims
    FROM lineage_node`);
  const [kept] = rows;
  const built = sumsOf(chains.ids, forest);
  return kept === undefined || SUMS.some((sum) => kept[sum] !== built[sum]);
}

function sumsOf(ids: Float64Array, forest: BuiltForest): Sums {
  const sums = { nodes: forest.size, carried: 0, links: 0, places: 0, words: 0, claims: 0 };
  const idOf = (node: number) => (node < 0 ? 0 : at(ids, at(forest.chain, node)));
  for (let node = 0; node < forest.size; node++) {
    const id = idOf(node) % MIX;
    const mixed = (value: number) => (id * ((value % MIX) + 1)) % MIX;
    const repository = at(forest.repository, node);
    sums.carried += mixed(at(forest.ends, node) * 7 + at(forest.own, node) * 3 + at(forest.beneath, node));
    sums.links += mixed(idOf(at(forest.parent, node)));
    sums.places += mixed((repository === -2 ? 0 : repository) + REPOSITORIES);
    sums.words += mixed(idOf(at(forest.declared, node)));
    sums.claims += mixed(at(forest.claim, node));
  }
  return sums;
}

/** What images stand on by what was built, and did not by what was kept; of a forest that was not there nothing was judged by another. */
const NOTE_FRESH_BASES = `
  INSERT INTO lineage_fresh_base (tenant_id, chain_id)
  SELECT b.tenant_id, b.chain_id FROM lineage_built b LEFT JOIN lineage_node n ON n.chain_id = b.chain_id
  WHERE b.beneath > 0 AND (b.images > 0 OR b.several) AND (n.images > 0 OR n.several) IS NOT TRUE AND EXISTS (SELECT FROM lineage_node)
  ON CONFLICT DO NOTHING`;

async function writeForest(
  client: pg.ClientBase,
  tenantId: number,
  estate: EstateColumns,
  forest: BuiltForest,
  claims: readonly ClaimState[],
): Promise<void> {
  // Into a table that separates tenants nothing can be copied (PostgreSQL documentation, COPY, "Notes").
  await client.query("CREATE TEMP TABLE lineage_built (LIKE lineage_node) ON COMMIT DROP");
  const into = client.query(
    copyFrom(`COPY lineage_built (tenant_id, chain_id, layers, parent_id, edge_id, images, live, beneath, repository_id, several,
      image_id, declared_id, claim) FROM STDIN`),
  );
  await pipeline(Readable.from(rowsOf(tenantId, estate, forest, claims)), into);
  await client.query(
    `${NOTE_FRESH_BASES}; DELETE FROM lineage_node; INSERT INTO lineage_node SELECT * FROM lineage_built`,
  );
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
