const HALVINGS = 60;
const EULER_MASCHERONI = 0.577_215_664_901_532_9;
/** Sums are exact, quotients are not: what a bound may be off by before it is rounded up. */
const SLACK = 1e-6;

/**
 * The least that any plan costs which clears `needed` more, whatever was cleared so far: since what fixes gain only falls,
 * it cannot do better than with whole and broken fixes at their present gains, the cheapest for their gain first. (The
 * linear programme's dual, which is a bound at every rate.)
 */
export function leastCost(gains: Float64Array, costs: Float64Array, needed: number): number {
  if (needed <= 0) return 0;
  const capped = gains.map((gain) => Math.min(gain, needed));
  const rate = searchRate(capped, costs, (gain) => gain >= needed);
  const above = sumAbove(capped, costs, rate);
  const least = above.cost + (needed - above.gain) / rate;
  return costs.every(Number.isInteger) ? Math.ceil(least - SLACK) : least;
}

/** The most that so many fixes can clear: none of them more than it would clear now. */
export function mostCleared(gains: Float64Array, fixes: number): number {
  const ones = new Float64Array(gains.length).fill(1);
  const rate = searchRate(gains, ones, (_gain, cost) => cost >= fixes);
  const above = sumAbove(gains, ones, rate);
  return Math.floor(above.gain + Math.max(0, fixes - above.cost) * rate + SLACK);
}

/** The highest rate of gain for cost, nearly, at which the fixes above it are enough. */
function searchRate(
  gains: Float64Array,
  costs: Float64Array,
  isEnough: (gain: number, cost: number) => boolean,
): number {
  let [low, high] = [0, 0];
  for (let fix = 0; fix < gains.length; fix++) high = Math.max(high, gains[fix]! / costs[fix]!);
  for (let halving = 0; halving < HALVINGS && low < high; halving++) {
    const middle = (low + high) / 2;
    const { gain, cost } = sumAbove(gains, costs, middle);
    if (isEnough(gain, cost)) low = middle;
    else high = middle;
  }
  return high;
}

function sumAbove(gains: Float64Array, costs: Float64Array, rate: number) {
  let [gain, cost] = [0, 0];
  for (let fix = 0; fix < gains.length; fix++) {
    if (gains[fix]! <= rate * costs[fix]!) continue;
    gain += gains[fix]!;
    cost += costs[fix]!;
  }
  return { gain, cost };
}

/** 1 + 1/2 + … + 1/n, from above: exactly for small n. */
export function harmonic(n: number): number {
  if (n > 1_000) return Math.log(n) + EULER_MASCHERONI + 1 / (2 * n);
  let sum = 0;
  for (let term = n; term >= 1; term--) sum += 1 / term;
  return sum;
}
