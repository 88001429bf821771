import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CompiledRule, compileRules, createRuleMatcher } from "./match-rules.ts";
import type { SecretRule, SecretRules } from "./rule.ts";
import { expandSample } from "./sample.ts";
import { shippedRules } from "./testing/shipped-rules.ts";

const shipped = await shippedRules();
const engine = createRuleMatcher(compileRules([shipped], "value"));
/** Every pattern over the whole text, without keywords or windows. */
const slow = createRuleMatcher(compileRules([withoutKeywords(shipped)], "value"));

function withoutKeywords(rules: SecretRules): SecretRules {
  const whole = (rule: SecretRule): SecretRule => ({ ...rule, keywords: [], wholeFile: true, before: 0 });
  return { ...rules, rules: rules.rules.map(whole) };
}

const planted = shipped.rules
  .filter(({ kind, paths }) => kind === "value" && paths.length === 0)
  .flatMap((rule) => rule.samples.match.map(({ text }) => ({ id: rule.id, text })));
const filler = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.lorem({ maxCount: 20 }),
  fc.base64String({ maxLength: 120 }),
  fc.stringMatching(/^[a-z_]{1,12} ?[=:] ?["']?[a-z]{0,12}["']?$/),
  fc.constantFrom("\n", "\r\n", "\0", "password", "secret_key", "token: ", "https://", "-----BEGIN ", "sk-", "eyJ"),
);
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: filler },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...planted), fc.string({ maxLength: 4 }))
          .map(([one, seed]) => expandSample(one.text, seed)),
      },
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join("\n"));

const noPaths = ({ rule }: CompiledRule) => rule.paths.length === 0;

/** Which of two rules tells a value depends on where they were tried; that it is told does not. */
function found(matcher: typeof engine, bytes: Uint8Array): ReadonlySet<string> {
  const { matches } = matcher.search(bytes, "app/x", noPaths, () => []);
  return new Set(matches.map(({ value }) => value));
}

describe("search of a text", () => {
  it("loses nothing that every pattern over the whole text finds", () => {
    fc.assert(
      fc.property(text, (content) => {
        const bytes = Buffer.from(content);
        const fast = found(engine, bytes);
        expect([...found(slow, bytes)].filter((one) => !fast.has(one))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("finds nothing that its pattern does not find at that place of the whole text", () => {
    fc.assert(
      fc.property(text, (content) => {
        const bytes = Buffer.from(content);
        const whole = bytes.toString("latin1");
        for (const { rule, matchStart, match, valueStart, value } of engine.search(bytes, "app/x", noPaths, () => [])
          .matches) {
          const again = new RegExp(rule.pattern?.source ?? "", `${rule.pattern?.flags ?? ""}y`);
          again.lastIndex = matchStart;
          expect(again.exec(whole)?.[0]).toBe(match);
          expect(whole.slice(valueStart, valueStart + value.length)).toBe(value);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("finds a value that is longer than the window around its keyword", () => {
    const one = expandSample("-----BEGIN RSA PRIVATE KEY-----\n{b64:64}\n", "k");
    const key = `${one}${expandSample("{b64:64}\n", "l").repeat(200)}-----END RSA PRIVATE KEY-----`;
    const [match] = engine.search(Buffer.from(`x\n${key}\ny`), "app/x", noPaths, () => []).matches;
    expect(match?.rule.id).toBe("private-key-rsa");
    expect(match?.value.length).toBeGreaterThan(12_000);
  });
});
