import type { Guard } from "./match-rules.ts";
import type { SecretRule } from "./rule.ts";
import { createTimeBound } from "./time-bound.ts";

/** Time for one user's pattern on one text. */
export const PATTERN_TIMEOUT_MS = 500;
/** A rule that was cut off this often is not tried any more: a layer has many files. */
const MAX_TIMEOUTS_PER_RULE = 3;

/** Runs steps of users' rules within a bound of time; what is cut off or left out is told in `problems`. */
export type ReportingGuard = (steps: Parameters<Guard>[0], problems: string[]) => readonly SecretRule[];

export function createGuard(timeoutMs: number): ReportingGuard {
  const bound = createTimeBound(timeoutMs);
  const timeouts = new Map<SecretRule, number>();
  return (steps, problems) => {
    const late: SecretRule[] = [];
    const tried = steps.filter(({ rule }) => {
      if ((timeouts.get(rule) ?? 0) < MAX_TIMEOUTS_PER_RULE) return true;
      problems.push(`rule ${rule.id} (${rule.origin}) was not tried: it took too long ${MAX_TIMEOUTS_PER_RULE} times`);
      return false;
    });
    bound.run(
      tried.map(({ run }) => run),
      (index) => {
        const rule = tried[index]?.rule;
        if (rule === undefined) return;
        late.push(rule);
        timeouts.set(rule, (timeouts.get(rule) ?? 0) + 1);
        problems.push(`rule ${rule.id} (${rule.origin}) was cut off: its pattern took longer than ${timeoutMs} ms`);
      },
    );
    return late;
  };
}
