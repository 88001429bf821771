import type { VersionScheme } from "@bulwark/model";
import { compareDigits, compareLists, compareText, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

interface Token {
  readonly rank: number;
  readonly text: string;
}

export type GenericVersion = readonly Token[];

/** Words that come before the release they belong to, lowest first. */
const PRE_RELEASES = ["dev", "snapshot", "alpha", "beta", "milestone", "pre", "preview", "rc"];
const RANK = { end: PRE_RELEASES.length, word: PRE_RELEASES.length + 1, number: PRE_RELEASES.length + 2 };
const END: Token = { rank: RANK.end, text: "" };
const SHAPE = /^v?[0-9][0-9A-Za-z._~-]*(?:\+[0-9A-Za-z.+_-]*)?$/;

/**
 * For software that is versioned by hand (OpenSSL's `1.1.1w`, Java's `1.8.0_392`, nginx) and for Bitnami's advisories:
 * numbers and words in turn; known pre-release words sort before the release, all other words after it; zeros before a
 * word or at the end do not count; what follows a `+` is build metadata.
 *
 * @example genericVersions.compare(genericVersions.parse("1.1.1w")!, genericVersions.parse("1.1.1")!) > 0
 */
export const genericVersions: VersionScheme<GenericVersion> = {
  id: "generic",
  parse(version) {
    const text = version.trim();
    if (text.length > MAX_VERSION_LENGTH || !SHAPE.test(text)) return undefined;
    const tokens: Token[] = [];
    for (const part of text.replace(/^v|\+.*$/g, "").match(/[0-9]+|[A-Za-z]+/g) ?? []) {
      if (!/^[0-9]/.test(part)) trimZeros(tokens);
      tokens.push(tokenOf(part));
    }
    trimZeros(tokens);
    return tokens;
  },
  compare: (a, b) =>
    compareLists(a, b, END, (x, y) => {
      if (x.rank !== y.rank) return x.rank - y.rank;
      return x.rank === RANK.number ? compareDigits(x.text, y.text) : compareText(x.text, y.text);
    }),
};

function tokenOf(part: string): Token {
  if (/^[0-9]/.test(part)) return { rank: RANK.number, text: significantDigits(part) };
  const word = part.toLowerCase();
  const preRelease = PRE_RELEASES.indexOf(word);
  return preRelease < 0 ? { rank: RANK.word, text: word } : { rank: preRelease, text: "" };
}

function trimZeros(tokens: Token[]): void {
  for (let last = tokens.at(-1); last?.rank === RANK.number && last.text === ""; last = tokens.at(-1)) tokens.pop();
}
