import { deepStrictEqual } from "node:assert";
import {
  type Forest,
  measureSpread,
  NODE_KINDS,
  type PlanInput,
  type Spread,
  type SpreadFacts,
  traceRisks,
} from "@bulwark/lineage";
import type { LineageEstate, SpreadTruth } from "./lineage-data.ts";

const DAY_MS = 86_400_000;
const KNOWN = NODE_KINDS.indexOf("known");

/** The spread of a forest with the facts of the estate that it was built from. */
export function spreadOf(forest: Forest, estate: LineageEstate): Spread {
  const { critical, high, medium, low } = estate.chains;
  const ofNodes = (column: Int32Array) => forest.chain.map((row) => column[row]!);
  const facts: SpreadFacts = {
    ...{ critical: ofNodes(critical), high: ofNodes(high), medium: ofNodes(medium), low: ofNodes(low) },
    builtAt: Float64Array.from(forest.representative, (image) =>
      image < 0 ? Number.NaN : -estate.images.ageDays[image]! * DAY_MS,
    ),
    now: 0,
  };
  return measureSpread(forest, estate.images, facts);
}

/** @throws AssertionError where the spread does not say exactly what the estate was made to be */
export function assertTruth(spread: Spread, truth: SpreadTruth): void {
  const rest = Object.fromEntries(Object.entries(spread).filter(([name]) => name in truth));
  const { byRoot, byBase } = spread;
  const thresholds = ({ images, bases, reached }: Spread["byRoot"]) => ({ images, bases, reached });
  deepStrictEqual({ ...rest, byRoot: thresholds(byRoot), byBase: thresholds(byBase) }, truth);
}

/** Images of one repository are rebuilt together; who builds an anonymous base, nobody knows. */
export function planInputOf(forest: Forest, { chains }: LineageEstate): PlanInput {
  const { kind, beneath, repository } = forest;
  const brought = chains.risk.map((risk, row) => risk - (chains.risk[chains.parents[row]!] ?? 0));
  const rows = Int32Array.from(brought.keys()).filter((row) => brought[row] !== 0);
  const changes = {
    chains: rows,
    fromDepths: Int16Array.from(rows, (row) => chains.depths[row]!),
    weights: Float64Array.from(rows, (row) => brought[row]!),
  };
  return {
    forest,
    risks: traceRisks(forest, chains, changes).risks,
    candidates: kind.map((code) => Number(code === KNOWN)),
    groups: repository.map((number, node) => (beneath[node]! > 0 || number < 0 ? -1 : number)),
  };
}
