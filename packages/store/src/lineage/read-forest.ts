import type { Store } from "../open-store.ts";
import { copyNumbers } from "./copy-numbers.ts";
import { RowIndex } from "./row-index.ts";

/** The forest as it is kept, in columns; nodes lie in the order of their layers, so that each comes after those below it. */
export interface KeptForest {
  readonly size: number;
  /** Id of each node's chain. */
  readonly ids: Float64Array;
  readonly layers: Int16Array;
  /** Rows of nodes; -1 for none. */
  readonly parents: Int32Array;
  readonly declared: Int32Array;
  /** 1 where images stand on what is declared. */
  readonly isUsed: Uint8Array;
  readonly images: Int32Array;
  readonly live: Int32Array;
  readonly beneath: Int32Array;
  /** Id of the repository; -1 for none, -2 for several. */
  readonly repositories: Int32Array;
  readonly imageIds: Float64Array;
  rowOf(chainId: number): number;
}

/** Findings with a fix that nodes' own layers bring, or take away of what lower ones brought, in columns. */
export interface KeptRisk {
  /** Rows of nodes. */
  readonly nodes: Int32Array;
  readonly fromDepths: Int16Array;
  readonly critical: Float64Array;
  readonly high: Float64Array;
  readonly medium: Float64Array;
  readonly exploited: Float64Array;
}

/** Reads a tenant's forest and, where asked for, its risks. */
export async function readForest(
  store: Store,
  tenantId: number,
): Promise<{ readonly forest: KeptForest; readonly risk: KeptRisk }> {
  const client = await store.pool.connect();
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;
      SELECT set_config('bulwark.tenant', '${tenantId}', true)`);
    const forest = forestOf(
      await copyNumbers(
        client,
        `SELECT chain_id, layers::int8, parent_id, declared_id, (claim = 'used')::int::int8, images::int8, live::int8,
           beneath::int8, CASE WHEN several THEN -2 ELSE coalesce(repository_id, -1) END, image_id
         FROM lineage_node ORDER BY layers, chain_id`,
        10,
      ),
    );
    const risk = riskOf(
      await copyNumbers(
        client,
        `SELECT chain_id, from_depth::int8, critical::int8, high::int8, medium::int8, exploited::int8
         FROM lineage_risk JOIN lineage_node USING (chain_id)`,
        6,
      ),
      forest,
    );
    await client.query("COMMIT");
    client.release();
    return { forest, risk };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

function forestOf(columns: readonly Float64Array[]): KeptForest {
  const column = (number: number) => columns[number] ?? new Float64Array(0);
  const ids = column(0);
  const rows = new RowIndex(ids);
  return {
    size: ids.length,
    ids,
    layers: Int16Array.from(column(1)),
    parents: Int32Array.from(column(2), (id) => rows.rowOf(id)),
    declared: Int32Array.from(column(3), (id) => rows.rowOf(id)),
    isUsed: Uint8Array.from(column(4)),
    images: Int32Array.from(column(5)),
    live: Int32Array.from(column(6)),
    beneath: Int32Array.from(column(7)),
    repositories: Int32Array.from(column(8)),
    imageIds: column(9),
    rowOf: (chainId) => rows.rowOf(chainId),
  };
}

function riskOf(columns: readonly Float64Array[], forest: KeptForest): KeptRisk {
  const column = (number: number) => columns[number] ?? new Float64Array(0);
  return {
    nodes: Int32Array.from(column(0), (id) => forest.rowOf(id)),
    fromDepths: Int16Array.from(column(1)),
    critical: column(2),
    high: column(3),
    medium: column(4),
    exploited: column(5),
  };
}
