import { compile } from "./pattern.ts";
import type { Allow, Pattern } from "./rule.ts";

const MAX_LINE_CHARS = 1_000;

/** A value that a pattern found, before it is judged. */
export interface Candidate {
  readonly value: string;
  readonly valueStart: number;
  readonly match: string;
}

/** An allow-list with its expressions compiled. */
export interface CompiledAllow {
  holds(candidate: Candidate, text: string, path: string): boolean;
}

export function compileAllow(allow: Allow): CompiledAllow {
  const compiled = (patterns: readonly Pattern[]) => patterns.map((pattern) => compile(pattern, ""));
  const [values, matches, lines, paths] = [allow.values, allow.matches, allow.lines, allow.paths].map(compiled) as [
    RegExp[],
    RegExp[],
    RegExp[],
    RegExp[],
  ];
  return {
    holds(candidate, text, path) {
      const { value, match } = candidate;
      const tests: (() => boolean)[] = [];
      if (allow.words.length > 0) {
        const small = value.toLowerCase();
        tests.push(() => allow.words.some((word) => small.includes(word)));
      }
      if (values.length > 0) tests.push(() => values.some((one) => one.test(value)));
      if (matches.length > 0) tests.push(() => matches.some((one) => one.test(match)));
      if (lines.length > 0) {
        const line = lineAround(text, candidate.valueStart);
        tests.push(() => lines.some((one) => one.test(line)));
      }
      if (paths.length > 0) tests.push(() => paths.some((one) => one.test(path)));
      return tests.length > 0 && (allow.all ? tests.every((test) => test()) : tests.some((test) => test()));
    },
  };
}

/** The line that holds a place, cut to what stands near it. */
function lineAround(text: string, at: number): string {
  const from = Math.max(text.lastIndexOf("\n", at - 1) + 1, at - MAX_LINE_CHARS);
  const near = text.slice(at, at + MAX_LINE_CHARS);
  const newline = near.indexOf("\n");
  return text.slice(from, at + (newline < 0 ? near.length : newline));
}

/**
 * Shannon entropy, bits per character.
 *
 * @example shannonEntropy("aabb"); // 1
 */
export function shannonEntropy(value: string): number {
  const counts = new Map<string, number>();
  for (const letter of value) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}
