import type { Severity } from "@bulwark/model";
import type { SecretRuleError } from "./errors.ts";

/** A regular expression as data: it is run over bytes read as Latin-1, so that no input is invalid. */
export interface Pattern {
  readonly source: string;
  /** `i`, `m`, `s` in any mixture; the engine adds its own. */
  readonly flags: string;
}

/** What is no secret although the pattern fits. One entry that holds is enough, unless `all` is set. */
export interface Allow {
  /** Tried on the value. */
  readonly values: readonly Pattern[];
  /** Tried on the whole match. */
  readonly matches: readonly Pattern[];
  /** Tried on the line that holds the value. */
  readonly lines: readonly Pattern[];
  /** Tried on the file's path. */
  readonly paths: readonly Pattern[];
  /** Lower case; allowed where the value holds one of them. */
  readonly words: readonly string[];
  /** True: every kind of entry that is there must hold, not just one. */
  readonly all: boolean;
}

/**
 * What a rule speaks of: a `value` in a file; a `file` that should not be there at all (its pattern, if any, is tried on
 * the first bytes); a `variable` of the image configuration, tried on `NAME=value`.
 */
export type SecretRuleKind = "value" | "file" | "variable";

/** Text that shows what a rule finds or leaves alone, before {@link expandSample}. */
export interface Sample {
  readonly path: string;
  readonly text: string;
}

/** One kind of secret. */
export interface SecretRule {
  readonly id: string;
  readonly kind: SecretRuleKind;
  readonly title: string;
  readonly severity: Severity;
  readonly advice: string;
  readonly references: readonly string[];
  /** Lower-case literals: the pattern is tried only where one of them stands. Empty: on the whole file. */
  readonly keywords: readonly string[];
  readonly pattern: Pattern | undefined;
  /** Number of the capture group that is the value; 0 for the first one that took part, or else the whole match. */
  readonly group: number;
  /** How far before its keyword a match may begin, in bytes. 0: exactly at the keyword. */
  readonly before: number;
  /** The keyword may stand anywhere in the file, even outside the match. */
  readonly wholeFile: boolean;
  /** Least Shannon entropy of the value, bits per character; 0 for any. */
  readonly entropy: number;
  /** Only in files whose path fits one of these; empty for all. */
  readonly paths: readonly Pattern[];
  readonly allow: readonly Allow[];
  /** The form is so telling that it is looked for in binary files too. */
  readonly binary: boolean;
  /** A guess by name and look: gives way to any other rule, and is not tried in files of hashes. */
  readonly generic: boolean;
  /** Not tried in tests, examples and documents of installed packages: what is published there is no secret. */
  readonly skipPublished: boolean;
  /** Where two rules find the same span, the higher one is reported. */
  readonly precedence: number;
  /** False: the pattern comes from a user and runs with a time bound. */
  readonly trusted: boolean;
  /** File and line, for messages. */
  readonly origin: string;
  readonly samples: { readonly match: readonly Sample[]; readonly ignore: readonly Sample[] };
}

/** Rules as read from files. Every allow-list of the set holds for every rule of the set. */
export interface SecretRules {
  readonly rules: readonly SecretRule[];
  readonly allow: readonly Allow[];
  /** Rules that were left out, each with file, line and reason. */
  readonly errors: readonly SecretRuleError[];
}

/** One set of all: rules of several files that share their allow-lists. */
export function joinSecretRules(sets: readonly SecretRules[]): SecretRules {
  return {
    rules: sets.flatMap(({ rules }) => rules),
    allow: sets.flatMap(({ allow }) => allow),
    errors: sets.flatMap(({ errors }) => errors),
  };
}
