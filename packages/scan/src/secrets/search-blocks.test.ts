import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRules, createRuleMatcher } from "./match-rules.ts";
import { expandSample } from "./sample.ts";
import { searchInBlocks } from "./search-blocks.ts";
import { shippedRules } from "./testing/shipped-rules.ts";

const BLOCK = 100_000;
const matcher = createRuleMatcher(compileRules([await shippedRules()], "value"));
const search = (bytes: Uint8Array) =>
  matcher.search(
    bytes,
    "app/x",
    ({ rule }) => rule.paths.length === 0,
    () => [],
  );
const told = ({ matches }: ReturnType<typeof search>) =>
  matches.map(({ rule, value, valueStart }) => `${valueStart} ${rule.id} ${value}`).sort();

describe("search in blocks", () => {
  const samples = [
    "ghp_{alnum:36}",
    "-----BEGIN RSA PRIVATE KEY-----\n{b64:64}\n{b64:64}\n-----END RSA PRIVATE KEY-----",
    "DATABASE_URL=postgres://app:{alnum:16}@db.internal:5432/app",
    'api_key = "{alnum:32}"',
  ];

  it("finds what a search of the whole finds, wherever it stands", () => {
    const place = fc.tuple(
      fc.constantFrom(...samples),
      fc.oneof(
        fc.nat(4 * BLOCK),
        fc
          .tuple(fc.constantFrom(1, 2, 3), fc.integer({ min: -1_200, max: 1_200 }))
          .map(([block, by]) => block * BLOCK + by),
      ),
    );
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), (places) => {
        const bytes = Buffer.alloc(4 * BLOCK, "line of text\n");
        for (const [at, [sample, from]] of places.entries())
          bytes.write(`\n${expandSample(sample, `${at}`)}\n`, Math.max(0, from));
        expect(told(searchInBlocks(bytes, search, BLOCK))).toEqual(told(search(bytes)));
      }),
      { numRuns: 60 },
    );
  });
});
