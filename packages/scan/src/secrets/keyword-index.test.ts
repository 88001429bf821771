import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeywordIndex } from "./keyword-index.ts";

type Place = readonly [keyword: number, start: number];

function indexed(keywords: readonly string[], bytes: Uint8Array): readonly Place[] {
  const places: Place[] = [];
  createKeywordIndex(keywords).search(bytes, (keyword, start) => places.push([keyword, start]));
  return sorted(places);
}

function naive(keywords: readonly string[], bytes: Uint8Array): readonly Place[] {
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const places: Place[] = [];
  for (const [index, keyword] of keywords.entries()) {
    const word = Buffer.from(keyword).toString("latin1");
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) places.push([index, at]);
  }
  return sorted(places);
}

function sorted(places: readonly Place[]): readonly Place[] {
  return places.toSorted((a, b) => a[1] - b[1] || a[0] - b[0]);
}

describe("keyword index", () => {
  it("finds words within words, at both ends, in any case", () => {
    const bytes = Buffer.from("HERSHEY she");
    expect(indexed(["he", "she", "hers"], bytes)).toEqual([
      [0, 0],
      [2, 0],
      [1, 3],
      [0, 4],
      [1, 8],
      [0, 9],
    ]);
  });

  it("finds words beyond ASCII by their bytes", () => {
    expect(indexed(["密码"], Buffer.from("数据库密码: x"))).toEqual([[0, 9]]);
  });

  it("finds nothing without keywords or without text", () => {
    expect(indexed([], Buffer.from("abc"))).toEqual([]);
    expect(indexed(["a"], new Uint8Array())).toEqual([]);
  });

  it("finds what a naive search finds", () => {
    const letters = fc.constantFrom("a", "b", "A", "B", "-", "_", "\0", "é");
    const word = fc.string({ unit: fc.constantFrom("a", "b", "-", "_", "é"), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { maxLength: 12 }),
        fc.string({ unit: letters, maxLength: 200 }),
        (keywords, text) => {
          const bytes = Buffer.from(text);
          expect(indexed(keywords, bytes)).toEqual(naive(keywords, bytes));
        },
      ),
    );
  });

  it("reads any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(indexed(["key", "-----", "e"], bytes)).toEqual(naive(["key", "-----", "e"], bytes));
      }),
    );
  });
});
