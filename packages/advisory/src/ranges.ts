import type { VersionScheme } from "@bulwark/model";
import type { RangeEvent } from "./osv-record.ts";

/** What the ranges say about a version. */
type RangeVerdict =
  | { readonly kind: "outside" }
  | {
      readonly kind: "inside";
      /** Smallest fixed version above it in the range that holds it, empty when there is none. */
      readonly fixed: string;
      /** The range in words. */
      readonly range: string;
    }
  | { readonly kind: "undetermined"; readonly why: string };

const OUTSIDE: RangeVerdict = { kind: "outside" };

interface Point<Parsed> {
  readonly event: RangeEvent;
  /** Undefined for "0", which is before every version. */
  readonly at: Parsed | undefined;
}

/** A range whose versions are parsed and sorted, or the reason why they cannot be. */
type CompiledRange<Parsed> =
  | { readonly points: readonly Point<Parsed>[]; readonly limits: readonly Parsed[] | undefined }
  | { readonly why: string };

/** Ranges ready to be asked about many versions. */
export type RangeEvaluator = (version: string) => RangeVerdict;

/**
 * Prepares the ranges of one affected package (OSV schema, "Evaluation"). A range that cannot be read leaves a verdict
 * undetermined, unless another range holds the version.
 *
 * @param ranges events of each range, in any order
 * @example compileRanges([[{ kind: "introduced", version: "0" }, { kind: "fixed", version: "2.0" }]], semver)("1.5").kind; // "inside"
 */
export function compileRanges(ranges: readonly (readonly RangeEvent[])[], scheme: VersionScheme): RangeEvaluator {
  const compiled = ranges.map((events) => compileRange(events, scheme));
  return (version) => {
    const parsed = scheme.parse(version);
    if (parsed === undefined) return { kind: "undetermined", why: `"${version}" is no ${scheme.id} version` };
    let undetermined: RangeVerdict | undefined;
    for (const range of compiled) {
      if ("why" in range) undetermined ??= { kind: "undetermined", why: range.why };
      else {
        const verdict = evaluateRange(parsed, range, scheme);
        if (verdict.kind === "inside") return verdict;
      }
    }
    return undetermined ?? OUTSIDE;
  };
}

function compileRange<Parsed>(events: readonly RangeEvent[], scheme: VersionScheme<Parsed>): CompiledRange<Parsed> {
  const points: Point<Parsed>[] = [];
  const limits: Parsed[] = [];
  let unlimited = !events.some(({ kind }) => kind === "limit");
  for (const event of events) {
    if (event.kind === "limit" && event.version === "*") {
      unlimited = true;
      continue;
    }
    const at = event.version === "0" ? undefined : scheme.parse(event.version);
    if (at === undefined && event.version !== "0") {
      return { why: `its range names "${event.version}", which is no ${scheme.id} version` };
    }
    if (event.kind !== "limit") points.push({ event, at });
    else if (at !== undefined) limits.push(at);
  }
  points.sort((a, b) => comparePoints(a, b, scheme));
  return { points, limits: unlimited ? undefined : limits };
}

function evaluateRange<Parsed>(
  version: Parsed,
  { points, limits }: Extract<CompiledRange<Parsed>, { points: unknown }>,
  scheme: VersionScheme<Parsed>,
): RangeVerdict {
  // Any of the limits suffices; without one there is no limit.
  if (limits !== undefined && !limits.some((limit) => scheme.compare(version, limit) < 0)) return OUTSIDE;
  let affected = false;
  for (const { event, at } of points) {
    const order = at === undefined ? 1 : scheme.compare(version, at);
    if (event.kind === "introduced" && order >= 0) affected = true;
    else if (event.kind === "fixed" && order >= 0) affected = false;
    else if (event.kind === "last_affected" && order > 0) affected = false;
  }
  if (!affected) return OUTSIDE;
  const isAbove = ({ at }: Point<Parsed>) => at !== undefined && scheme.compare(version, at) < 0;
  const fix = points.find((point) => point.event.kind === "fixed" && isAbove(point));
  const begin = points.findLast((point) => point.event.kind === "introduced" && !isAbove(point));
  const end = points.find(
    (point) => point.event.kind !== "introduced" && (isAbove(point) || point.event.kind === "last_affected"),
  );
  return { kind: "inside", fixed: fix?.event.version ?? "", range: inWords(begin?.event, end?.event) };
}

function comparePoints<Parsed>(a: Point<Parsed>, b: Point<Parsed>, scheme: VersionScheme<Parsed>): number {
  if (a.at === undefined || b.at === undefined) return (a.at === undefined ? 0 : 1) - (b.at === undefined ? 0 : 1);
  return scheme.compare(a.at, b.at);
}

/** The part of a range that holds the version. */
function inWords(begin: RangeEvent | undefined, end: RangeEvent | undefined): string {
  const words = [
    begin === undefined || begin.version === "0" ? "" : `introduced ${begin.version}`,
    end === undefined ? "" : `${end.kind === "last_affected" ? "last affected" : end.kind} ${end.version}`,
  ].filter((part) => part !== "");
  return words.length === 0 ? "all versions" : words.join(", ");
}
