import type { VersionScheme } from "@bulwark/model";
import {
  compareDigits,
  compareLists,
  compareText,
  isDigit,
  isLetter,
  MAX_VERSION_LENGTH,
  significantDigits,
} from "../versions.ts";

/** One segment: how its kind ranks, and its text. */
interface Segment {
  readonly rank: number;
  readonly text: string;
}

export interface RpmVersion {
  readonly epoch: string;
  readonly version: readonly Segment[];
  readonly release: readonly Segment[];
}

/** `~` sorts before the end, `^` just after it, letters before numbers: rpm-version(7). */
const RANK = { tilde: 0, end: 1, caret: 2, letters: 3, digits: 4 };
const END: Segment = { rank: RANK.end, text: "" };
const TILDE: Segment = { rank: RANK.tilde, text: "" };
const CARET: Segment = { rank: RANK.caret, text: "" };
const MAX_EPOCH_DIGITS = 10;

/**
 * The order of `[epoch:]version[-release]` as rpm's label comparison gives it. A missing epoch is 0; a missing release
 * sorts before every other.
 *
 * @example rpmVersions.compare(rpmVersions.parse("1:1.0-1.el9")!, rpmVersions.parse("2.0-1.el9")!) > 0
 */
export const rpmVersions: VersionScheme<RpmVersion> = {
  id: "rpm",
  parse(version) {
    const text = version.trim();
    if (text === "" || text.length > MAX_VERSION_LENGTH || /[^\x21-\x7e]/.test(text)) return undefined;
    const colon = text.indexOf(":");
    const epoch = colon < 0 ? "0" : text.slice(0, colon) || "0";
    if (epoch.length > MAX_EPOCH_DIGITS || !/^[0-9]+$/.test(epoch)) return undefined;
    const rest = text.slice(colon + 1);
    const hyphen = rest.lastIndexOf("-");
    const versionText = hyphen < 0 ? rest : rest.slice(0, hyphen);
    if (versionText === "") return undefined;
    return {
      epoch: significantDigits(epoch),
      version: segmentsOf(versionText),
      release: hyphen < 0 ? [] : segmentsOf(rest.slice(hyphen + 1)),
    };
  },
  compare(a, b) {
    return (
      compareDigits(a.epoch, b.epoch) ||
      compareLists(a.version, b.version, END, compareSegments) ||
      compareLists(a.release, b.release, END, compareSegments)
    );
  },
};

/** Splits into runs of letters and runs of digits; everything else but `~` and `^` only separates. */
function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (isDigit(code) || isLetter(code)) {
      const inRun = isDigit(code) ? isDigit : isLetter;
      let end = index + 1;
      while (end < text.length && inRun(text.charCodeAt(end))) end++;
      const run = text.slice(index, end);
      segments.push(
        inRun === isDigit ? { rank: RANK.digits, text: significantDigits(run) } : { rank: RANK.letters, text: run },
      );
      index = end;
      continue;
    }
    if (code === 0x7e) segments.push(TILDE);
    if (code === 0x5e) segments.push(CARET);
    index++;
  }
  return segments;
}

function compareSegments(a: Segment, b: Segment): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.rank === RANK.digits ? compareDigits(a.text, b.text) : compareText(a.text, b.text);
}
