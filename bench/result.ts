/** One line of the table. `ratio` is value over `against`, both measured in the same run. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, in words, and that figure. */
  readonly against: string;
  readonly ratio: number;
}

/** Small sizes: shows that the benchmark runs, not how fast anything is. */
export const smoke: boolean = process.env.BULWARK_BENCH_SMOKE === "1";

/** A result whose peer was measured beside it. */
export function compared(name: string, value: number, unit: string, peer: string, peerValue: number): BenchResult {
  return {
    name,
    value: round(value),
    unit,
    against: `${peer}: ${round(peerValue)} ${unit}`,
    ratio: round(value / peerValue),
  };
}

/** A result that is held against a stated limit. */
export function limited(name: string, value: number, unit: string, limit: number): BenchResult {
  return { name, value: round(value), unit, against: `limit ${limit} ${unit}`, ratio: round(value / limit) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** The middle of several runs. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** 95th percentile in milliseconds, after one warm-up. */
export async function p95(runs: readonly (() => Promise<unknown>)[]): Promise<number> {
  await runs[0]?.();
  const times: number[] = [];
  for (const run of runs) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN;
}
