import type { Increment } from "../../api/contract.ts";

type Row = Increment["weeks"][number];

/** What is counted of new images, in one week or by one owner. */
export interface Passed {
  readonly passed: number;
  readonly failed: number;
  readonly waiting: number;
}

/** The weeks in their order, all owners together. */
export function byWeek(rows: readonly Row[]): readonly (Passed & { readonly week: string })[] {
  const weeks = [...new Set(rows.map(({ week }) => week))].sort();
  return weeks.map((week) => ({ week, ...sumOf(rows.filter((row) => row.week === week)) }));
}

/** Owners over all weeks, those with the most images that failed first. */
export function byOwner(rows: readonly Row[]): readonly (Passed & { readonly owner: Row["owner"] })[] {
  const owners = new Map(rows.map(({ owner }) => [owner?.id, owner]));
  return [...owners.values()]
    .map((owner) => ({ owner, ...sumOf(rows.filter((row) => row.owner?.id === owner?.id)) }))
    .sort((a, b) => b.failed - a.failed);
}

/** 0 to 1 of what was assessed; undefined where nothing was. */
export function rateOf({ passed, failed }: Passed): number | undefined {
  return passed + failed === 0 ? undefined : passed / (passed + failed);
}

function sumOf(rows: readonly Row[]): Passed {
  const sum = (key: keyof Passed) => rows.reduce((total, row) => total + row[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), waiting: sum("waiting") };
}
