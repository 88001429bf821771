/** Events that arrive within this time cause one reading. */
export const GATHER_MS = 400;
const MAX_GATHER_MS = 6_400;

/**
 * How long events are gathered before they are read: twice as long as the last time where the next one came soon after, and shortly once
 * it was quiet.
 *
 * @param last when they were read last, and how long they had been gathered
 */
export function nextWait(last: { readonly at: number; readonly waitMs: number } | undefined, now: number): number {
  if (last === undefined || now - last.at > 2 * last.waitMs) return GATHER_MS;
  return Math.min(2 * last.waitMs, MAX_GATHER_MS);
}
