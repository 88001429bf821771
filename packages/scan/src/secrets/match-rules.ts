import { type Candidate, type CompiledAllow, compileAllow, shannonEntropy } from "./judge.ts";
import { createKeywordIndex, type KeywordIndex } from "./keyword-index.ts";
import { compile, START } from "./pattern.ts";
import type { Allow, SecretRule, SecretRules } from "./rule.ts";

/** Seen to the left of a place where a pattern is tried, so that `\b` and lookbehind tell the truth. */
const MARGIN_BYTES = 64;
const AFTER_BYTES = 400;
/** A match that ends with its window is tried again on a wider one. PEM keys and base64 values are that long. */
const WIDE_AFTER_BYTES = 16 * 1024;
/** More candidates of one rule in a file are not looked at; more findings than that are not reported anyhow. */
const MAX_VALUES_PER_RULE = 1_000;

const NOTHING: TextSearch = { matches: [], late: [], overfull: [] };
const WORD_BYTE = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9_-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** A rule ready to run. */
export interface CompiledRule {
  readonly rule: SecretRule;
  readonly pattern: RegExp;
  /** The pattern wants no letter, digit, `_` or `-` before its keyword: asked before the pattern is tried. */
  readonly startsWord: boolean;
  readonly paths: readonly RegExp[];
  readonly allow: readonly CompiledAllow[];
}

/** A candidate that its rule's entropy bound and allow-lists let through. */
export interface RuleMatch extends Candidate {
  readonly rule: SecretRule;
  readonly matchStart: number;
}

/** What the search of one text tells. */
export interface TextSearch {
  readonly matches: readonly RuleMatch[];
  /** Rules that were cut off by the bound of time. */
  readonly late: readonly SecretRule[];
  /** Rules that found more values than are looked at. */
  readonly overfull: readonly SecretRule[];
}

export interface RuleMatcher {
  /**
   * @param bytes the text as bytes
   * @param path of the file, or empty
   * @param applies which rules are of use for this file
   * @param guard runs the rules of users, each within a bound of time
   */
  search(bytes: Uint8Array, path: string, applies: (rule: CompiledRule) => boolean, guard: Guard): TextSearch;
}

export type Guard = (steps: readonly { readonly rule: SecretRule; run(): void }[]) => readonly SecretRule[];

/** Compiles the value rules of a set, with the allow-lists of their own sets. */
export function compileRules(sets: readonly SecretRules[], kind: SecretRule["kind"]): readonly CompiledRule[] {
  const byId = new Map<string, CompiledRule>();
  for (const { rules, allow } of sets) {
    const shared = allow.map(compileAllow);
    for (const rule of rules) {
      if (rule.kind !== kind) continue;
      // A later file's rule takes the place of an earlier one with its id.
      byId.set(rule.id, compileRule(rule, shared));
    }
  }
  return [...byId.values()];
}

function compileRule(rule: SecretRule, shared: readonly CompiledAllow[]): CompiledRule {
  const sticky = rule.before === 0 && !rule.wholeFile;
  return {
    rule,
    startsWord: sticky && rule.pattern?.source.startsWith(START) === true,
    pattern: compile(rule.pattern ?? { source: "", flags: "" }, sticky ? "y" : "g"),
    paths: rule.paths.map((pattern) => compile(pattern, "")),
    allow: [...rule.allow.map((allow: Allow) => compileAllow(allow)), ...shared],
  };
}

/** Prepares the search for values: one pass for all keywords, then each pattern only where its keywords stand. */
export function createRuleMatcher(rules: readonly CompiledRule[]): RuleMatcher {
  const keywords = [...new Set(rules.flatMap(({ rule }) => rule.keywords))];
  const position = new Map(keywords.map((keyword, index) => [keyword, index]));
  const rulesOf: number[][] = keywords.map(() => []);
  for (const [at, { rule }] of rules.entries())
    for (const keyword of new Set(rule.keywords)) rulesOf[position.get(keyword) ?? -1]?.push(at);
  const everywhere = [...rules.keys()].filter((at) => rules[at]?.rule.keywords.length === 0);
  const index: KeywordIndex = createKeywordIndex(keywords);

  return {
    search(bytes, path, applies, guard) {
      const content: Content = { bytes, path, text: undefined };
      // Undefined: not asked yet. Null: the rule is of no use for this file.
      const trials: (Trial | null | undefined)[] = new Array(rules.length);
      const begun: Trial[] = [];
      const begin = (at: number): Trial | null => {
        const rule = rules[at] as CompiledRule;
        const trial = applies(rule) ? createTrial(rule, content) : null;
        trials[at] = trial;
        if (trial !== null) begun.push(trial);
        return trial;
      };
      for (const at of everywhere) begin(at);
      index.search(bytes, (keyword, start) => {
        const before = start === 0 ? 0 : (WORD_BYTE[bytes[start - 1] as number] as number);
        for (const at of rulesOf[keyword] as number[]) {
          if (before === 1 && (rules[at] as CompiledRule).startsWord) continue;
          const known = trials[at];
          const trial = known === undefined ? begin(at) : known;
          if (trial !== null) trial.hit(start);
        }
      });
      return begun.length === 0 ? NOTHING : conclude(begun, guard);
    },
  };
}

/** The file being searched; its text is made when the first pattern needs it. */
interface Content {
  readonly bytes: Uint8Array;
  readonly path: string;
  text: string | undefined;
}

/** One rule on one file. */
interface Trial {
  readonly rule: SecretRule;
  readonly matches: Map<string, RuleMatch>;
  overfull: boolean;
  /** A keyword of the rule stands here. */
  hit(start: number): void;
  /** What could not be tried at once: patterns of users, and those that begin before their keyword. */
  finish: (() => void) | undefined;
}

function createTrial(compiled: CompiledRule, content: Content): Trial {
  const { rule } = compiled;
  const starts: number[] = [];
  const take = (match: RuleMatch): void => {
    if (trial.matches.has(match.value) || !isWanted(compiled, match, textOf(content), content.path)) return;
    if (trial.matches.size === MAX_VALUES_PER_RULE) trial.overfull = true;
    else trial.matches.set(match.value, match);
  };
  const tryAt = (start: number): void => {
    if (trial.overfull) return;
    compiled.pattern.lastIndex = start;
    const match = compiled.pattern.exec(textOf(content));
    if (match !== null) take(ruleMatch(rule, match, start));
  };
  const atOnce = rule.trusted && rule.before === 0 && !rule.wholeFile;
  const trial: Trial = {
    rule,
    matches: new Map(),
    overfull: false,
    hit: atOnce ? tryAt : (start) => void starts.push(start),
    finish: undefined,
  };
  if (!atOnce) {
    trial.finish = () => {
      for (const match of matchesOf(compiled, starts, textOf(content))) {
        take(match);
        if (trial.overfull) return;
      }
    };
  }
  return trial;
}

/** Latin-1 gives every byte a letter of its own: places in the text are places in the file, and nothing is invalid. */
function textOf(content: Content): string {
  const { bytes } = content;
  content.text ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return content.text;
}

function conclude(trials: readonly Trial[], guard: Guard): TextSearch {
  const steps: { rule: SecretRule; run(): void }[] = [];
  for (const { rule, finish } of trials) {
    if (finish === undefined) continue;
    if (rule.trusted) finish();
    else steps.push({ rule, run: finish });
  }
  return {
    late: steps.length === 0 ? [] : guard(steps),
    matches: trials.flatMap(({ matches }) => [...matches.values()]),
    overfull: trials.filter(({ overfull }) => overfull).map(({ rule }) => rule),
  };
}

function isWanted({ rule, allow, paths }: CompiledRule, match: RuleMatch, text: string, path: string): boolean {
  // A user's path expressions run here, within the bound of time; ours were asked before the search.
  if (!rule.trusted && paths.length > 0 && !paths.some((one) => one.test(path))) return false;
  if (rule.entropy > 0 && shannonEntropy(match.value) < rule.entropy) return false;
  return !allow.some((one) => one.holds(match, text, path));
}

function* matchesOf(compiled: CompiledRule, starts: readonly number[], text: string): Generator<RuleMatch> {
  if (compiled.rule.wholeFile) yield* matchesBetween(compiled, text, 0, text.length, text.length);
  else if (compiled.rule.before === 0) yield* matchesAt(compiled, starts, text);
  else yield* matchesNear(compiled, starts, text);
}

/** The match begins with the keyword: the pattern is tried exactly there. */
function* matchesAt(compiled: CompiledRule, starts: readonly number[], text: string): Generator<RuleMatch> {
  const { pattern } = compiled;
  for (const start of starts) {
    pattern.lastIndex = start;
    const match = pattern.exec(text);
    if (match !== null) yield ruleMatch(compiled.rule, match, start);
  }
}

/** The match begins before the keyword: the pattern is tried on the text around it, no byte twice. */
function* matchesNear(compiled: CompiledRule, starts: readonly number[], text: string): Generator<RuleMatch> {
  const { before } = compiled.rule;
  for (let at = 0; at < starts.length; ) {
    const from = Math.max(0, (starts[at] as number) - before);
    let to = (starts[at] as number) + AFTER_BYTES;
    for (at++; at < starts.length && (starts[at] as number) - before <= to; at++)
      to = (starts[at] as number) + AFTER_BYTES;
    yield* matchesBetween(compiled, text, from, Math.min(to, text.length), to + WIDE_AFTER_BYTES);
  }
}

function* matchesBetween(
  { rule, pattern }: CompiledRule,
  text: string,
  from: number,
  to: number,
  furthest: number,
): Generator<RuleMatch> {
  const offset = Math.max(0, from - MARGIN_BYTES);
  let window = text.slice(offset, to);
  for (let at = from - offset; at <= window.length; ) {
    pattern.lastIndex = at;
    const match = pattern.exec(window);
    if (match === null) return;
    const end = match.index + match[0].length;
    const cut = offset + window.length;
    if (end >= window.length - 1 && cut < Math.min(furthest, text.length)) {
      window = text.slice(offset, Math.min(furthest, text.length));
      continue;
    }
    yield ruleMatch(rule, match, offset + match.index);
    at = Math.max(end, match.index + 1);
    if (offset + at >= to) return;
  }
}

function ruleMatch(rule: SecretRule, match: RegExpExecArray, matchStart: number): RuleMatch {
  const value = (rule.group > 0 ? match[rule.group] : match.slice(1).find((group) => group)) ?? match[0];
  const inside = match[0].lastIndexOf(value);
  return { rule, value, match: match[0], matchStart, valueStart: matchStart + Math.max(0, inside) };
}
