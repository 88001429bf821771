import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeywordFilter } from "./keyword-filter.ts";
import { createKeywordIndex } from "./keyword-index.ts";

type Place = readonly [keyword: number, start: number];

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

it("uses vectors on this machine", () => {
  expect(createKeywordFilter([Buffer.from("key")])).toBeDefined();
});

describe.each([
  ["with vectors", createKeywordFilter],
  ["without vectors", () => undefined],
])("keyword index %s", (_, filter) => {
  function indexed(keywords: readonly string[], bytes: Uint8Array): readonly Place[] {
    const places: Place[] = [];
    createKeywordIndex(keywords, filter).search(bytes, (keyword, start) => places.push([keyword, start]));
    return sorted(places);
  }

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

  it("finds words across the ends of its chunks, and none in what an earlier search left", () => {
    const keywords = ["k", "ke", "key", "key=", "secret-access"];
    const bytes = Buffer.alloc(100_000, " ");
    for (let at = 32 * 1024 - 20; at < 32 * 1024 + 20; at += 13) bytes.write("SECRET-ACCESS", at);
    bytes.write("Key=", 64 * 1024 - 2);
    bytes.write("ke", bytes.length - 2);
    expect(indexed(keywords, bytes)).toEqual(naive(keywords, bytes));
    const index = createKeywordIndex(keywords, filter);
    const starts: number[] = [];
    index.search(Buffer.from("12345678key="), () => {});
    index.search(Buffer.from("12345678k"), (_keyword, start) => starts.push(start));
    expect(starts).toEqual([8]);
  });

  it("tells places in the order in which they stand", () => {
    const starts: number[] = [];
    createKeywordIndex(["ab", "b", "a"], filter).search(Buffer.from("abab"), (_keyword, start) => starts.push(start));
    expect(starts).toEqual([0, 0, 1, 2, 2, 3]);
  });

  it("finds each of many words", () => {
    const keywords = Array.from({ length: 700 }, (_word, index) => `${index.toString(36)}-word`);
    const bytes = Buffer.from(keywords.join("\n").toUpperCase());
    expect(indexed(keywords, bytes)).toEqual(naive(keywords, bytes));
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
