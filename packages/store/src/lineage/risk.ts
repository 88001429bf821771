import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { copyNumbers } from "./copy-numbers.ts";

const CHUNK = 4_096;

/** Findings that single layers bring or take away, in columns. */
export interface ChainRisk {
  readonly chains: Float64Array;
  /** Depth of the layer that brought them. */
  readonly fromDepths: Float64Array;
  readonly critical: Float64Array;
  readonly high: Float64Array;
  readonly medium: Float64Array;
  readonly low: Float64Array;
  /** Of those that have a fix. */
  readonly fixable: Readonly<Record<"critical" | "high" | "medium" | "exploited", Float64Array>>;
}

/** What each chain changes, summed by the layer that brought it. */
export async function readChainRisk(client: pg.ClientBase): Promise<ChainRisk> {
  // As many rows as package versions lie in chains: hashed in memory, which the sessions of requests do not get.
  await client.query("SET LOCAL work_mem = '256MB'");
  const sums = COUNTED.map((_, number) => `sum(cs.delta * w.n${number})::int8`).join(", ");
  const weights = COUNTED.map((which, number) => `count(*) FILTER (WHERE ${which}) AS n${number}`).join(", ");
  const columns = await copyNumbers(
    client,
    `WITH weight AS (SELECT subject_id, ${weights} FROM subject_match WHERE NOT malicious GROUP BY 1)
     SELECT cs.chain_id, cs.from_depth::int8, ${sums} FROM chain_subject cs JOIN weight w USING (subject_id) GROUP BY 1, 2`,
    2 + COUNTED.length,
  );
  const column = (number: number) => columns[number] ?? new Float64Array(0);
  const [critical, high, medium, low] = [column(2), column(3), column(4), column(5)];
  const fixable = { critical: column(6), high: column(7), medium: column(8), exploited: column(9) };
  return { chains: column(0), fromDepths: column(1), critical, high, medium, low, fixable };
}

const HAS_FIX = "fixed_version <> ''";
/** In the order of the columns. */
const COUNTED = [
  "severity = 'critical'",
  "severity = 'high'",
  "severity = 'medium'",
  "severity = 'low'",
  `severity = 'critical' AND ${HAS_FIX}`,
  `severity = 'high' AND ${HAS_FIX}`,
  `severity = 'medium' AND ${HAS_FIX}`,
  `exploited AND ${HAS_FIX}`,
];

/** A row of `lineage_risk`: chain of the node, depth of the layer that brought it, critical, high, medium, exploited. */
export type RiskRow = readonly [number, number, number, number, number, number];

/** Replaces what is kept of risks by these rows. */
export async function writeRisk(client: pg.ClientBase, tenantId: number, rows: Iterable<RiskRow>): Promise<void> {
  await client.query("DELETE FROM lineage_risk; CREATE TEMP TABLE risk_built (LIKE lineage_risk) ON COMMIT DROP");
  const into = client.query(
    copyFrom("COPY risk_built (tenant_id, chain_id, from_depth, critical, high, medium, exploited) FROM STDIN"),
  );
  await pipeline(Readable.from(textOf(tenantId, rows)), into);
  await client.query("INSERT INTO lineage_risk SELECT * FROM risk_built");
}

function* textOf(tenantId: number, rows: Iterable<RiskRow>): Generator<string> {
  let text = "";
  let count = 0;
  for (const row of rows) {
    text += `${tenantId}\t${row.join("\t")}\n`;
    if (++count % CHUNK === 0) {
      yield text;
      text = "";
    }
  }
  yield text;
}
