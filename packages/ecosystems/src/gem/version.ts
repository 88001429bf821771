import type { VersionScheme } from "@bulwark/model";
import { compareDigits, compareLists, compareText, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

interface Segment {
  readonly numeric: boolean;
  readonly text: string;
}

export type GemVersion = readonly Segment[];

const SHAPE = /^[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const ZERO: Segment = { numeric: true, text: "" };

/**
 * RubyGems' order: Gem::Version. Texts come before numbers, a hyphen means `.pre.`, and trailing zeros do not count,
 * neither at the end nor before the first text.
 *
 * @example gemVersions.compare(gemVersions.parse("1.0.a")!, gemVersions.parse("1")!) < 0
 */
export const gemVersions: VersionScheme<GemVersion> = {
  id: "rubygems",
  parse(version) {
    const text = version.trim();
    if (text.length > MAX_VERSION_LENGTH || !SHAPE.test(text)) return undefined;
    const segments = (text.replaceAll("-", ".pre.").match(/[0-9]+|[A-Za-z]+/g) ?? []).map(segmentOf);
    const firstText = segments.findIndex((segment) => !segment.numeric);
    if (firstText < 0) return withoutTrailingZeros(segments);
    return [...withoutTrailingZeros(segments.slice(0, firstText)), ...segments.slice(firstText)];
  },
  compare: (a, b) => compareLists(a, b, ZERO, compareSegments),
};

function segmentOf(text: string): Segment {
  const numeric = /^[0-9]/.test(text);
  return { numeric, text: numeric ? significantDigits(text) : text };
}

function withoutTrailingZeros(segments: readonly Segment[]): readonly Segment[] {
  return segments.slice(0, segments.findLastIndex((segment) => segment.text !== "") + 1);
}

function compareSegments(a: Segment, b: Segment): number {
  if (a.numeric !== b.numeric) return a.numeric ? 1 : -1;
  return a.numeric ? compareDigits(a.text, b.text) : compareText(a.text, b.text);
}
