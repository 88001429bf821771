import type { VersionScheme } from "@bulwark/model";
import { compareDigits, compareLists, compareText, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

/** A part of the version: how its kind ranks, then its number. */
interface Mark {
  readonly rank: number;
  readonly number: string;
}

interface LocalSegment {
  /** Numbers sort after texts, and an absent segment before both. */
  readonly rank: number;
  readonly text: string;
}

export interface Pep440Version {
  readonly epoch: string;
  readonly release: readonly string[];
  readonly pre: Mark;
  readonly post: Mark;
  readonly dev: Mark;
  /** Undefined sorts before every local version. */
  readonly local: readonly LocalSegment[];
}

const PRE_RANK: Readonly<Record<string, number>> = { a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3, pre: 3, preview: 3 };
/** A developmental release of the final version sorts before its first alpha. */
const DEV_OF_RELEASE: Mark = { rank: 0, number: "" };
const NO_PRE: Mark = { rank: 4, number: "" };
const ABSENT: LocalSegment = { rank: 0, text: "" };

const SHAPE = new RegExp(
  [
    "^v?(?:([0-9]+)!)?([0-9]+(?:\\.[0-9]+)*)",
    "(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?",
    "(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?",
    "(?:[-_.]?(dev)[-_.]?([0-9]*))?",
    "(?:\\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$",
  ].join(""),
);

/**
 * Python's order: PEP 440, "Summary of permitted suffixes and relative ordering", with the normalisations of its
 * appendix B.
 *
 * @example pep440Versions.compare(pep440Versions.parse("1.0.dev1")!, pep440Versions.parse("1.0a1")!) < 0
 */
export const pep440Versions: VersionScheme<Pep440Version> = {
  id: "pep440",
  parse(version) {
    if (version.length > MAX_VERSION_LENGTH) return undefined;
    const match = SHAPE.exec(version.trim().toLowerCase());
    if (match === null) return undefined;
    const [
      ,
      epoch = "0",
      release = "",
      pre,
      preNumber = "",
      implicitPost,
      post,
      postNumber = "",
      dev,
      devNumber = "",
      local,
    ] = match;
    const isPost = implicitPost !== undefined || post !== undefined;
    return {
      epoch: significantDigits(epoch),
      release: release.split(".").map(significantDigits),
      pre: markOfPre(pre, preNumber, isPost, dev !== undefined),
      post: isPost ? { rank: 1, number: significantDigits(implicitPost ?? postNumber) } : { rank: 0, number: "" },
      dev: dev === undefined ? { rank: 1, number: "" } : { rank: 0, number: significantDigits(devNumber) },
      local: local === undefined ? [] : local.split(/[-_.]/).map(localSegmentOf),
    };
  },
  compare(a, b) {
    return (
      compareDigits(a.epoch, b.epoch) ||
      compareLists(a.release, b.release, "", compareDigits) ||
      compareMarks(a.pre, b.pre) ||
      compareMarks(a.post, b.post) ||
      compareMarks(a.dev, b.dev) ||
      compareLists(a.local, b.local, ABSENT, compareLocal)
    );
  },
};

function markOfPre(name: string | undefined, number: string, isPost: boolean, isDev: boolean): Mark {
  if (name !== undefined) return { rank: PRE_RANK[name] ?? 0, number: significantDigits(number) };
  return isDev && !isPost ? DEV_OF_RELEASE : NO_PRE;
}

function localSegmentOf(text: string): LocalSegment {
  return /^[0-9]+$/.test(text) ? { rank: 2, text: significantDigits(text) } : { rank: 1, text };
}

function compareMarks(a: Mark, b: Mark): number {
  return a.rank - b.rank || compareDigits(a.number, b.number);
}

function compareLocal(a: LocalSegment, b: LocalSegment): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.rank === 2 ? compareDigits(a.text, b.text) : compareText(a.text, b.text);
}
