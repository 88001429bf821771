import type { VersionScheme } from "@bulwark/model";
import { compareDigits, isDigit, isLetter, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

/** A Debian version in its three parts; a missing epoch is 0, a missing revision equals `0`. */
export interface DpkgVersion {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

/** dpkg keeps the epoch in a C int. */
const MAX_EPOCH = 2_147_483_647;
const UPSTREAM = /^[A-Za-z0-9.+~:-]+$/;
const REVISION = /^[A-Za-z0-9.+~]+$/;

/**
 * Debian's version order: deb-version(7), "Sorting algorithm".
 *
 * @example dpkgVersions.compare(dpkgVersions.parse("1.0~rc1")!, dpkgVersions.parse("1.0")!) < 0
 */
export const dpkgVersions: VersionScheme<DpkgVersion> = {
  id: "dpkg",
  parse(version) {
    const text = version.trim();
    if (text.length > MAX_VERSION_LENGTH) return undefined;
    const colon = text.indexOf(":");
    const epoch = colon < 0 ? "0" : text.slice(0, colon);
    if (!/^[0-9]{1,10}$/.test(epoch) || Number(epoch) > MAX_EPOCH) return undefined;
    const hyphen = text.lastIndexOf("-");
    const upstream = text.slice(colon + 1, hyphen < 0 ? text.length : hyphen);
    const revision = hyphen < 0 ? "0" : text.slice(hyphen + 1);
    if (!UPSTREAM.test(upstream) || !REVISION.test(revision)) return undefined;
    return { epoch: Number(epoch), upstream, revision };
  },
  compare(a, b) {
    return a.epoch - b.epoch || compareParts(a.upstream, b.upstream) || compareParts(a.revision, b.revision);
  },
};

/** Alternates between a run without digits, compared by {@link weight}, and a number. */
function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const order = weight(a, i) - weight(b, j);
      if (order !== 0) return order;
      i++;
      j++;
    }
    const endA = endOfDigits(a, i);
    const endB = endOfDigits(b, j);
    const order = compareDigits(significantDigits(a.slice(i, endA)), significantDigits(b.slice(j, endB)));
    if (order !== 0) return order;
    i = endA;
    j = endB;
  }
  return 0;
}

/** Tilde before the end of the part, then letters, then everything else. Digits count as the end. */
function weight(text: string, index: number): number {
  if (index >= text.length) return 0;
  const code = text.charCodeAt(index);
  if (isDigit(code)) return 0;
  if (code === 0x7e) return -1;
  return isLetter(code) ? code : code + 256;
}

function endOfDigits(text: string, start: number): number {
  let end = start;
  while (end < text.length && isDigit(text.charCodeAt(end))) end++;
  return end;
}
