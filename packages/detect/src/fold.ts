import type { Alert } from "./alert.ts";

const DEFAULT_WINDOW_US = 5 * 60 * 1_000_000;
/** Keys that are remembered; beyond it the oldest are forgotten, so that their next repeat is an alert again. */
const MAX_KEYS = 50_000;

/** Repeats of an alert that was told before. */
export interface Repeat {
  readonly key: string;
  readonly rule: string;
  /** Since the alert, or since repeats were last taken. */
  readonly count: number;
  readonly lastUs: number;
}

export interface Folder {
  /** Whether it is to be told; if not it is counted. */
  readonly isNew: (alert: Pick<Alert, "key" | "rule" | "count" | "timeUs">, nowUs: number) => boolean;
  /** What was counted since the last call. */
  readonly takeRepeats: () => readonly Repeat[];
}

interface Entry {
  readonly key: string;
  readonly rule: string;
  readonly untilUs: number;
  count: number;
  lastUs: number;
}

/**
 * Folds alerts of one key within a window into the first of them.
 *
 * @param windowUs how long after an alert its repeats are only counted; 0 folds nothing
 */
export function createFolder(windowUs: number = DEFAULT_WINDOW_US): Folder {
  const known = new Map<string, Entry>();
  const counted = new Set<Entry>();
  return {
    isNew: (alert, nowUs) => {
      if (windowUs <= 0) return true;
      const entry = known.get(alert.key);
      // A clock that was set back must not silence a key for as long as it was off.
      if (entry !== undefined && nowUs < entry.untilUs && nowUs >= entry.untilUs - windowUs) {
        entry.count += alert.count;
        entry.lastUs = Math.max(entry.lastUs, alert.timeUs);
        counted.add(entry);
        return false;
      }
      known.delete(alert.key);
      known.set(alert.key, {
        key: alert.key,
        rule: alert.rule,
        untilUs: nowUs + windowUs,
        count: 0,
        lastUs: alert.timeUs,
      });
      if (known.size > MAX_KEYS) {
        const [oldest] = known.keys();
        if (oldest !== undefined) known.delete(oldest);
      }
      return true;
    },
    takeRepeats: () => {
      const repeats = [...counted].map(({ key, rule, count, lastUs }) => ({ key, rule, count, lastUs }));
      for (const entry of counted) entry.count = 0;
      counted.clear();
      return repeats;
    },
  };
}
