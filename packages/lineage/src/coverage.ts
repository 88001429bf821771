/** A curve is drawn from no more points than this. */
export const MAX_CURVE_POINTS = 200;
/** Shares, in percent, for which the curve says exactly how many bases it takes. */
export const COVERAGE_PERCENTS = [50, 80, 90, 95, 99] as const;

/** How many images the k bases with the most images carry together. */
export interface Coverage {
  /** Images in all. */
  readonly images: number;
  /** Bases in all: those that carry any. */
  readonly bases: number;
  /** The least number of bases that carry at least this many percent; none where there are no images. */
  readonly reached: readonly { readonly percent: number; readonly bases: number }[];
  /** Points of the curve, ascending, dense at its beginning; the first, the last and those of `reached` are among them. */
  readonly points: readonly { readonly bases: number; readonly images: number }[];
}

/** @param carried images of each base; entries without any are left out */
export function coverageOf(carried: Int32Array): Coverage {
  const sums = Float64Array.from(
    carried
      .filter((images) => images > 0)
      .sort()
      .reverse(),
  );
  for (let index = 1; index < sums.length; index++) sums[index]! += sums[index - 1]!;
  const images = sums.at(-1) ?? 0;
  if (images === 0) return { images, bases: 0, reached: [], points: [] };
  const reached = COVERAGE_PERCENTS.map((percent) => ({ percent, bases: 1 + firstAtLeast(sums, images * percent) }));
  const drawn = new Set([...spaced(sums.length), ...reached.map(({ bases }) => bases)]);
  const points = [...drawn].toSorted((one, other) => one - other).map((bases) => ({ bases, images: sums[bases - 1]! }));
  return { images, bases: sums.length, reached, points };
}

/** Index of the first sum that is at least so many hundredths. */
function firstAtLeast(sums: Float64Array, hundredths: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle]! * 100 >= hundredths) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Numbers from 1 to `last`, at equal distances on a logarithmic axis. */
function spaced(last: number): readonly number[] {
  const steps = MAX_CURVE_POINTS - COVERAGE_PERCENTS.length - 1;
  return Array.from({ length: steps + 1 }, (_, step) => Math.round(last ** (step / steps)));
}
