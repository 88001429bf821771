import fc from "fast-check";
import { expect, test } from "vitest";
import type { RangeEvent } from "./osv-record.ts";
import { compileRanges } from "./ranges.ts";
import { plainVersions } from "./testing/catalog.ts";

const event = (text: string): RangeEvent => {
  const [kind = "", version = ""] = text.split(" ");
  return { kind: kind as RangeEvent["kind"], version };
};
const evaluate = (version: string, ...ranges: readonly (readonly string[])[]) =>
  compileRanges(
    ranges.map((events) => events.map(event)),
    plainVersions,
  )(version);

test.each([
  ["1.0", ["introduced 0", "fixed 2.0"], "inside", "2.0"],
  ["2.0", ["introduced 0", "fixed 2.0"], "outside", ""],
  ["0.9", ["introduced 1.0", "fixed 2.0"], "outside", ""],
  ["1.0", ["introduced 1.0", "fixed 2.0"], "inside", "2.0"],
  ["2.0", ["introduced 0", "last_affected 2.0"], "inside", ""],
  ["2.1", ["introduced 0", "last_affected 2.0"], "outside", ""],
  ["9.9", ["introduced 0"], "inside", ""],
  ["3.0", ["introduced 0", "fixed 2.0", "introduced 3.0", "fixed 3.1"], "inside", "3.1"],
  ["2.5", ["introduced 0", "fixed 2.0", "introduced 3.0", "fixed 3.1"], "outside", ""],
  ["1.0", ["fixed 2.0", "introduced 0"], "inside", "2.0"],
  ["1.0", ["introduced 0", "limit 1.5"], "inside", ""],
  ["1.5", ["introduced 0", "limit 1.5"], "outside", ""],
  ["9.0", ["introduced 0", "limit *"], "inside", ""],
  ["1.0", [], "outside", ""],
])("%s in %j is %s", (version, events, kind, fixed) => {
  expect(evaluate(version, events)).toMatchObject(kind === "inside" ? { kind, fixed } : { kind });
});

test("any of several ranges holds a version", () => {
  expect(evaluate("3.5", ["introduced 1", "fixed 2"], ["introduced 3", "fixed 4"])).toMatchObject({
    kind: "inside",
    fixed: "4",
  });
});

test("the range in words is the part that holds the version", () => {
  expect(evaluate("3.0", ["introduced 0", "fixed 2.0", "introduced 3.0", "fixed 3.1"])).toMatchObject({
    range: "introduced 3.0, fixed 3.1",
  });
  expect(evaluate("1.0", ["introduced 0", "last_affected 2.0"])).toMatchObject({ range: "last affected 2.0" });
  expect(evaluate("1.0", ["introduced 0"])).toMatchObject({ range: "all versions" });
});

test("what cannot be compared is undetermined, never outside", () => {
  expect(evaluate("abc", ["introduced 0"])).toMatchObject({ kind: "undetermined" });
  expect(evaluate("1.0", ["introduced x", "fixed 2.0"])).toMatchObject({ kind: "undetermined" });
  expect(evaluate("1.0", ["introduced x"], ["introduced 0"])).toMatchObject({ kind: "inside" });
});

test("evaluation agrees with the schema's own algorithm, word for word", () => {
  const version = fc.integer({ min: 0, max: 12 }).map(String);
  const kinds = fc.constantFrom("introduced", "fixed", "last_affected", "limit");
  // Events of one version in several kinds have no order of their own in the schema.
  const events = fc.uniqueArray(fc.tuple(kinds, version), { maxLength: 6, selector: ([, at]) => at });
  fc.assert(
    fc.property(version, fc.array(events, { maxLength: 3 }), (subject, ranges) => {
      const texts = ranges.map((range) => range.map(([kind, at]) => `${kind} ${at}`));
      expect(evaluate(subject, ...texts).kind).toBe(isAffected(Number(subject), ranges) ? "inside" : "outside");
    }),
    { numRuns: 5_000 },
  );
});

/** OSV schema, "Evaluation", written down plainly. */
function isAffected(version: number, ranges: readonly (readonly (readonly [string, string])[])[]): boolean {
  return ranges.some((events) => {
    const limits = events.filter(([kind]) => kind === "limit");
    if (limits.length > 0 && !limits.some(([, at]) => version < Number(at))) return false;
    let vulnerable = false;
    for (const [kind, at] of [...events].sort((a, b) => Number(a[1]) - Number(b[1]))) {
      if (kind === "introduced" && version >= Number(at)) vulnerable = true;
      if (kind === "fixed" && version >= Number(at)) vulnerable = false;
      if (kind === "last_affected" && version > Number(at)) vulnerable = false;
    }
    return vulnerable;
  });
}
