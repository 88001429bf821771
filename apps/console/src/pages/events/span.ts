const HOUR_MS = 3_600_000;
/** Spans that end now, in milliseconds. */
const SPANS = {
  quarter: HOUR_MS / 4,
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  month: 31 * 24 * HOUR_MS,
} as const;

export const SPAN_NAMES = Object.keys(SPANS) as (keyof typeof SPANS)[];
export const USUAL_SPAN = "day";

/**
 * The span that the address asks for: named and ending now, or from one time to another.
 *
 * @param since, until times as ISO 8601 writes them; what is none is left out
 * @example spanOf("hour", undefined, undefined, new Date("2026-01-01T12:00:00Z")) // { since: "2026-01-01T11:00:00.000Z" }
 */
export function spanOf(
  name: string | undefined,
  since: string | undefined,
  until: string | undefined,
  now: Date,
): { readonly since: string; readonly until?: string } {
  const [from, to] = [timeOf(since), timeOf(until)];
  if (from !== undefined) return { since: from, ...(to === undefined ? {} : { until: to }) };
  const known = SPAN_NAMES.find((each) => each === name) ?? USUAL_SPAN;
  return { since: new Date(now.getTime() - SPANS[known]).toISOString() };
}

function timeOf(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
