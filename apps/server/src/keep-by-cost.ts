import { LRUCache } from "lru-cache";

/** Asked for so seldom for its cost, what is dear takes a tenth of the time at most, however many ask. */
const TIMES_ITS_COST = 10;
/** What takes less is asked for anew each time. */
const CHEAP_MS = 1_000;
const MAX_KEPT = 1_000;

/**
 * Keeps answers of dear questions: who asks while one is under way gets the same, and one that took long is given again for a multiple of
 * that time.
 *
 * @param now milliseconds
 * @example const counts = keepByCost<Counts>(); await counts(`${tenantId}`, () => count(tenantId));
 */
export function keepByCost<Answer>(now: () => number = () => performance.now()) {
  const kept = new LRUCache<string, { readonly answer: Promise<Answer>; until: number }>({ max: MAX_KEPT });
  return (key: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const known = kept.get(key);
    if (known !== undefined && now() < known.until) return known.answer;
    const began = now();
    const entry = { answer: ask(), until: Number.POSITIVE_INFINITY };
    kept.set(key, entry);
    entry.answer.then(
      () => {
        const tookMs = now() - began;
        entry.until = tookMs < CHEAP_MS ? 0 : now() + TIMES_ITS_COST * tookMs;
      },
      () => kept.delete(key),
    );
    return entry.answer;
  };
}
