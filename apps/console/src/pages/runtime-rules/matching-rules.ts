import type { RuleMode, RuntimeRule } from "../../api/contract.ts";

interface Wanted {
  readonly search: string;
  readonly tactic: string | undefined;
  readonly mode: RuleMode | undefined;
  /** A rule's name in the reader's language, by which it is also found. */
  readonly titleOf: (name: string) => string;
}

/** Rules that meet all of the filters; each word of the search stands somewhere in the rule. */
export function matchingRules(rules: readonly RuntimeRule[], wanted: Wanted): readonly RuntimeRule[] {
  const words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
  return rules.filter((rule) => {
    const { name, description, tags, techniques, file } = rule;
    const ids = techniques.map((technique) => `${technique.id} ${technique.name}`);
    const text = [name, wanted.titleOf(name), description, file, ...tags, ...ids].join(" ").toLowerCase();
    const fits = wanted.tactic === undefined || rule.tactics.includes(wanted.tactic);
    return (
      fits && (wanted.mode === undefined || rule.mode === wanted.mode) && words.every((word) => text.includes(word))
    );
  });
}

/** Tactics that some rule serves. */
export function tacticsOf(rules: readonly RuntimeRule[]): readonly string[] {
  return [...new Set(rules.flatMap(({ tactics }) => tactics))].sort();
}
