import type { ContentFact } from "@bulwark/model";
import type { RuleMatch } from "./match-rules.ts";
import { detailOf, fingerprintOf, redact } from "./redact.ts";

const NEWLINE = 0x0a;
const MAX_NAME_BYTES = 40;
const NAME_BYTE = /[A-Za-z0-9_.-]/;

/** Facts of one file and how many were left out. */
export interface FileFacts {
  readonly facts: readonly ContentFact[];
  readonly leftOut: number;
}

/** Chooses between rules that found the same span or the same value, and puts what is left in the order of the file. */
export function chooseMatches(matches: readonly RuleMatch[]): readonly RuleMatch[] {
  const ranked = matches.toSorted(
    (a, b) =>
      Number(a.rule.generic) - Number(b.rule.generic) ||
      b.rule.precedence - a.rule.precedence ||
      b.value.length - a.value.length ||
      a.valueStart - b.valueStart ||
      (a.rule.id < b.rule.id ? -1 : 1),
  );
  const values = new Set<string>();
  const taken: RuleMatch[] = []; // by place
  for (const match of ranked) {
    if (values.has(match.value)) continue;
    const at = placeOf(taken, match.valueStart);
    const before = taken[at - 1];
    const after = taken[at];
    if (before !== undefined && endOf(before) > match.valueStart) continue;
    if (after !== undefined && endOf(match) > after.valueStart) continue;
    values.add(match.value);
    taken.splice(at, 0, match);
  }
  return taken;
}

function endOf(match: RuleMatch): number {
  return match.valueStart + match.value.length;
}

/** Number of matches that begin before a place. */
function placeOf(taken: readonly RuleMatch[], start: number): number {
  let low = 0;
  let high = taken.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((taken[middle] as RuleMatch).valueStart < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes facts of the matches of one file, at most `limit`. */
export function factsOf(matches: readonly RuleMatch[], bytes: Uint8Array, limit: number): FileFacts {
  if (matches.length === 0) return { facts: [], leftOut: 0 };
  const chosen = chooseMatches(matches);
  const kept = chosen.slice(0, limit);
  let line = 1;
  let counted = 0;
  const facts = kept.map((match) => {
    for (
      let at = bytes.indexOf(NEWLINE, counted);
      at >= 0 && at < match.valueStart;
      at = bytes.indexOf(NEWLINE, at + 1)
    ) {
      line++;
      counted = at + 1;
    }
    return factOf(match, { line, detail: safeDetail(nameBefore(match, bytes), match, chosen) });
  });
  return { facts, leftOut: chosen.length - kept.length };
}

/** One match as a fact. */
export function factOf({ rule, value }: RuleMatch, more: Pick<ContentFact, "line" | "detail">): ContentFact {
  return {
    kind: "secret",
    id: rule.id,
    severity: rule.severity,
    title: rule.title,
    advice: rule.advice,
    ...more,
    fingerprint: fingerprintOf(value),
    ...(rule.references.length > 0 ? { references: rule.references } : {}),
  };
}

/** What stands before the value in its match, and the rest of the name to the left of it. A user's pattern tells nothing. */
function nameBefore(match: RuleMatch, bytes: Uint8Array): string {
  if (!match.rule.trusted) return "";
  let from = match.matchStart;
  const least = Math.max(0, from - MAX_NAME_BYTES);
  while (from > least && NAME_BYTE.test(String.fromCharCode(bytes[from - 1] ?? 0))) from--;
  return Buffer.from(bytes.subarray(from, match.valueStart)).toString("latin1");
}

/** The name is left out where it holds another value, which may stand right before this one. */
function safeDetail(name: string, match: RuleMatch, all: readonly RuleMatch[]): string {
  const near = all.some(({ value }) => value.length > 0 && name.includes(value));
  const touched = all.some(
    (one) => one !== match && endOf(one) > match.matchStart - MAX_NAME_BYTES && one.valueStart < match.valueStart,
  );
  return near || touched ? redact(match.value) : detailOf(name, match.value);
}
