import type { VersionScheme } from "@bulwark/model";
import { compareDigits, compareLists, compareText, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

/** One part of the version: how its kind ranks, and its value within the kind. */
interface Part {
  readonly rank: number;
  readonly text: string;
}

export type ApkVersion = readonly Part[];

/**
 * Where the version ends, a longer one is greater unless it goes on with a pre-release suffix; where two versions go on
 * differently, an earlier kind of the grammar is greater. Written as ranks, so that one lexicographic comparison does.
 */
const RANK = {
  preRelease: 0,
  end: 9,
  revision: 10,
  hash: 11,
  suffixNumber: 12,
  postRelease: 13,
  letter: 20,
  digits: 21,
};
const PRE_RELEASES = ["alpha", "beta", "pre", "rc"];
const POST_RELEASES = ["cvs", "svn", "git", "hg", "p"];
const END: Part = { rank: RANK.end, text: "" };

const SHAPE = /^([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_[a-z]+[0-9]*)*)(~[0-9a-f]+)?(-r[0-9]+)?$/;

/**
 * Alpine's version order: apk-tools, apk-package(5) "pkgver" — `digits{.digits}{letter}{_suffix{number}}{~hash}{-rN}`.
 *
 * @example apkVersions.compare(apkVersions.parse("1.2_rc1-r0")!, apkVersions.parse("1.2-r0")!) < 0
 */
export const apkVersions: VersionScheme<ApkVersion> = {
  id: "apk",
  parse(version) {
    if (version.length > MAX_VERSION_LENGTH) return undefined;
    const match = SHAPE.exec(version);
    if (match === null) return undefined;
    const [, digits = "", letter = "", suffixes = "", hash = "", revision = ""] = match;
    const parts: Part[] = digits.split(".").map((text, index) => digitsPart(text, index > 0));
    if (letter !== "") parts.push({ rank: RANK.letter, text: letter });
    for (const suffix of suffixes.split("_").slice(1)) {
      const suffixParts = partsOfSuffix(suffix);
      if (suffixParts === undefined) return undefined;
      parts.push(...suffixParts);
    }
    if (hash !== "") parts.push({ rank: RANK.hash, text: hash.slice(1) });
    if (revision !== "") parts.push({ rank: RANK.revision, text: significantDigits(revision.slice(2)) });
    return parts;
  },
  compare: (a, b) => compareLists(a, b, END, compareParts),
};

/** After the first dot a number with a leading zero is compared as text, like a decimal fraction: 1.05 < 1.1. */
function digitsPart(text: string, mayBeFraction: boolean): Part {
  const isFraction = mayBeFraction && text.startsWith("0");
  return { rank: RANK.digits, text: isFraction ? text : significantDigits(text) };
}

function partsOfSuffix(suffix: string): Part[] | undefined {
  const name = suffix.replace(/[0-9]+$/, "");
  const number = suffix.slice(name.length);
  const before = PRE_RELEASES.indexOf(name);
  const after = POST_RELEASES.indexOf(name);
  if (before < 0 && after < 0) return undefined;
  const parts: Part[] = [{ rank: before >= 0 ? RANK.preRelease + before : RANK.postRelease + after, text: "" }];
  if (number !== "") parts.push({ rank: RANK.suffixNumber, text: significantDigits(number) });
  return parts;
}

function compareParts(a: Part, b: Part): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.rank === RANK.hash || isFraction(a) || isFraction(b)) return compareText(a.text, b.text);
  return compareDigits(a.text, b.text);
}

/** Zeros are stripped from all numbers but fractions. */
function isFraction(part: Part): boolean {
  return part.rank === RANK.digits && part.text.startsWith("0");
}
