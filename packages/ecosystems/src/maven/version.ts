import type { VersionScheme } from "@bulwark/model";
import {
  compareDigits,
  compareLists,
  compareText,
  isDigit,
  MAX_VERSION_LENGTH,
  significantDigits,
} from "../versions.ts";

interface Token {
  readonly rank: number;
  /** Significant digits of a number, or the qualifier. */
  readonly text: string;
}

export type MavenVersion = readonly Token[];

/**
 * Ranks of Maven's POM Reference, "Version Order Specification". A number after a hyphen (or after a change between
 * letters and digits) is less than one after a dot, and both are more than any qualifier.
 */
const QUALIFIERS = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RANK = { end: 5, otherQualifier: 7, hyphenNumber: 8, dotNumber: 9 };
const END: Token = { rank: RANK.end, text: "" };
const ALIASES: Readonly<Record<string, string>> = { cr: "rc", ga: "", final: "", release: "" };
/** One letter stands for the word only directly before a number. */
const SHORT: Readonly<Record<string, string>> = { a: "alpha", b: "beta", m: "milestone" };

/**
 * Maven's order: ComparableVersion. Zeros and empty qualifiers at the end of a run of numbers do not count. Where a
 * qualifier follows a dot it is treated as after a hyphen, as Maven does since 3.8.7, which makes the order transitive.
 *
 * @example mavenVersions.compare(mavenVersions.parse("1.0-rc1")!, mavenVersions.parse("1.0.0.Final")!) < 0
 */
export const mavenVersions: VersionScheme<MavenVersion> = {
  id: "maven",
  parse(version) {
    const text = version.trim().toLowerCase();
    // Control characters, blanks and brackets are ranges or rubbish, not versions.
    if (text === "" || text.length > MAX_VERSION_LENGTH || /[\x00-\x20,()[\]{}$]/.test(text)) return undefined;
    return tokensOf(text);
  },
  compare: (a, b) =>
    compareLists(a, b, END, (x, y) => {
      if (x.rank !== y.rank) return x.rank - y.rank;
      return x.rank >= RANK.hyphenNumber ? compareDigits(x.text, y.text) : compareText(x.text, y.text);
    }),
};

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let start = 0;
  let afterHyphen = false;
  for (let index = 0; index <= text.length; index++) {
    const isSeparator = index === text.length || text[index] === "." || text[index] === "-";
    const isChange =
      !isSeparator && index > start && isDigit(text.charCodeAt(index)) !== isDigit(text.charCodeAt(index - 1));
    if (!isSeparator && !isChange) continue;
    pushToken(tokens, text.slice(start, index), afterHyphen, isChange);
    afterHyphen = isChange || text[index] === "-";
    start = isChange ? index : index + 1;
  }
  trimNulls(tokens);
  return tokens;
}

/** An empty token is a zero. Every hyphen, written or meant, ends a run whose trailing nulls do not count. */
function pushToken(tokens: Token[], text: string, afterHyphen: boolean, beforeDigit: boolean): void {
  const isNumber = text === "" || isDigit(text.charCodeAt(0));
  if (afterHyphen || !isNumber) trimNulls(tokens);
  if (isNumber) {
    tokens.push({ rank: afterHyphen ? RANK.hyphenNumber : RANK.dotNumber, text: significantDigits(text) });
    return;
  }
  const word = (beforeDigit ? SHORT[text] : undefined) ?? ALIASES[text] ?? text;
  const rank = QUALIFIERS.indexOf(word);
  tokens.push(rank < 0 ? { rank: RANK.otherQualifier, text: word } : { rank, text: "" });
}

function trimNulls(tokens: Token[]): void {
  for (let last = tokens.at(-1); last !== undefined; last = tokens.at(-1)) {
    const isNull = last.text === "" && (last.rank === RANK.end || last.rank >= RANK.hyphenNumber);
    if (!isNull) return;
    tokens.pop();
  }
}
