import type { BenchmarkCheck, Standard } from "@bulwark/benchmark/benchmark";

/** How a section of a document stands, over all places. */
export interface SectionState {
  readonly section: string;
  /** `met` where every check that applies passed or is excepted. */
  readonly state: "met" | "not-met" | "undetermined" | "by-people" | "not-judged";
  readonly checks: readonly string[];
  readonly pass: number;
  readonly fail: number;
  readonly undetermined: number;
  readonly excepted: number;
  readonly manual: number;
}

/**
 * The sections of a document that checks cover, in their order, each with what its checks found. What is not judged, or could
 * not be, is never met.
 */
export function complianceOf(
  standard: Standard,
  checks: readonly BenchmarkCheck[],
  outcomes: readonly { readonly check: string; readonly outcome: string; readonly places: number }[],
): readonly SectionState[] {
  const bySection = new Map<string, string[]>();
  for (const { id, references } of checks) {
    for (const section of references[standard] ?? []) bySection.set(section, [...(bySection.get(section) ?? []), id]);
  }
  const byCheck = Map.groupBy(outcomes, ({ check }) => check);
  return [...bySection]
    .map(([section, ids]) =>
      stateOf(
        section,
        ids,
        ids.flatMap((id) => byCheck.get(id) ?? []),
      ),
    )
    .sort((a, b) => inOrder(a.section, b.section));
}

function stateOf(
  section: string,
  checks: readonly string[],
  found: readonly { readonly outcome: string; readonly places: number }[],
): SectionState {
  const count = (outcome: string) => found.reduce((sum, each) => sum + (each.outcome === outcome ? each.places : 0), 0);
  const counts = { pass: count("pass"), fail: count("fail"), undetermined: count("undetermined") };
  const [excepted, manual] = [count("excepted"), count("manual")];
  const judged = counts.pass + counts.fail + counts.undetermined + excepted;
  const state =
    counts.fail > 0
      ? "not-met"
      : counts.undetermined > 0
        ? "undetermined"
        : judged > 0
          ? "met"
          : manual > 0
            ? "by-people"
            : "not-judged";
  return { section, state, checks, ...counts, excepted, manual };
}

/** `1.2.10` after `1.2.9`. */
function inOrder(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
