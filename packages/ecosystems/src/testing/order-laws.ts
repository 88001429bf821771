import type { VersionScheme } from "@bulwark/model";
import fc from "fast-check";
import { expect, test } from "vitest";

/** What a version of the scheme is made of, in one string of pieces separated by blanks. */
export interface OrderLaws {
  readonly scheme: VersionScheme;
  readonly pieces: string;
  /** Each list ascends strictly; spellings of the same version stand together in one string, with a blank between. */
  readonly ascending: readonly (readonly string[])[];
  readonly unparsable: readonly string[];
}

/** The laws that every version order keeps; registers the tests. */
export function testOrderLaws({ scheme, pieces, ascending, unparsable }: OrderLaws): void {
  const versions = versionsOf(pieces);
  const parsed = versions.map((text) => scheme.parse(text)).filter((version) => version !== undefined);

  test("parse never throws, whatever the string, and refuses one beyond all bounds", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), versions), (text) => void scheme.parse(text)),
    );
    expect(scheme.parse(`1.${"0".repeat(100_000)}`)).toBeUndefined();
  });

  test("the generated versions are valid often enough, so that the laws are tried on something", () => {
    const valid = fc.sample(versions, { numRuns: 500, seed: 1 }).filter((text) => scheme.parse(text) !== undefined);
    expect(valid.length).toBeGreaterThan(50);
  });

  test("every version equals itself, and swapping two turns the answer around", () => {
    fc.assert(
      fc.property(parsed, parsed, (a, b) => {
        expect(scheme.compare(a, a)).toBe(0);
        expect(Math.sign(scheme.compare(a, b)) + Math.sign(scheme.compare(b, a))).toBe(0);
      }),
    );
  });

  test("the order is transitive", () => {
    fc.assert(
      fc.property(fc.tuple(parsed, parsed, parsed), (three) => {
        const [a, b, c] = three.toSorted((x, y) => scheme.compare(x, y));
        expect(scheme.compare(a!, c!)).toBeLessThanOrEqual(0);
        if (scheme.compare(a!, b!) === 0 && scheme.compare(b!, c!) === 0) expect(scheme.compare(a!, c!)).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(ascending.map((list) => [list.join(" < "), list] as const))("%s", (_, list) => {
    const steps = list.flatMap((spellings, step) => spellings.split(" ").map((text) => ({ text, step })));
    for (const a of steps) {
      for (const b of steps) {
        const [left, right] = [scheme.parse(a.text), scheme.parse(b.text)];
        const answer = left === undefined || right === undefined ? undefined : Math.sign(scheme.compare(left, right));
        expect({ a: a.text, b: b.text, answer }).toEqual({ a: a.text, b: b.text, answer: Math.sign(a.step - b.step) });
      }
    }
  });

  test.each(unparsable)("%j is no version", (text) => {
    expect(scheme.parse(text)).toBeUndefined();
  });
}

/** Strings of one to eight of the pieces, beginning with a digit as most orders ask. */
function versionsOf(pieces: string): fc.Arbitrary<string> {
  const piece = fc.constantFrom(...pieces.split(" "));
  return fc
    .tuple(fc.constantFrom("0", "1", "2", "10"), fc.array(piece, { maxLength: 7 }))
    .map(([first, rest]) => first + rest.join(""));
}

/** A fixed list of pairs, half of them close relatives: what a slow reference is asked about in one batch. */
export function pairsOf(pieces: string, count: number): readonly (readonly [string, string])[] {
  const piece = fc.constantFrom(...pieces.split(" "));
  const versions = versionsOf(pieces);
  const relatives = fc
    .tuple(versions, fc.array(piece, { maxLength: 2 }), fc.array(piece, { maxLength: 2 }))
    .map(([stem, a, b]) => [stem + a.join(""), stem + b.join("")] as const);
  return fc.sample(fc.oneof(relatives, fc.tuple(versions, versions)), { numRuns: count, seed: 42 });
}
