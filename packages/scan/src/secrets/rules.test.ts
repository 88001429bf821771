import { describe, expect, it } from "vitest";
import { createConfigSecretScan } from "./config-scan.ts";
import { compileRules, createRuleMatcher } from "./match-rules.ts";
import type { Sample, SecretRule } from "./rule.ts";
import { expandSample } from "./sample.ts";
import { createSecretScanner } from "./scanner.ts";
import { imageConfig } from "./testing/image-config.ts";
import { idsOf, scanText, shippedRules } from "./testing/shipped-rules.ts";
import { createTimeBound } from "./time-bound.ts";

const LEAST_RULES = 120;
const SEEDS = ["one", "two", "three"];
/** Far above what any of our patterns takes, far below what a pattern takes that blows up. */
const HOSTILE_MS = 5_000;

const shipped = await shippedRules();
const scanner = createSecretScanner([shipped]);
const configScan = createConfigSecretScan([shipped]);

function idsFor(rule: SecretRule, sample: Sample, seed: string): readonly string[] {
  const text = expandSample(sample.text, `${rule.id}/${seed}`);
  if (rule.kind === "variable") return idsOf(configScan(imageConfig({ env: [text] })).facts);
  return idsOf(scanText(scanner, text, sample.path).facts);
}

describe("shipped secret rules", () => {
  it("load without an error", () => {
    expect(shipped.errors.map(({ message }) => message)).toEqual([]);
    expect(shipped.rules.length).toBeGreaterThanOrEqual(LEAST_RULES);
  });

  it("have ids of their own", () => {
    const ids = shipped.rules.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it.each(shipped.rules.map((rule) => [rule.id, rule] as const))("%s is complete", (_id, rule) => {
    expect(rule.title).toMatch(/^[A-Za-z0-9.].{4,100}$/);
    expect(rule.title).not.toMatch(/\.$/);
    expect(rule.advice).toMatch(/^[A-Z].{10,200}\.$/);
    expect(rule.references.length).toBeGreaterThan(0);
    for (const reference of rule.references) expect(reference).toMatch(/^https:\/\/[\w.-]+\/?\S*$/);
    expect(rule.samples.match.length).toBeGreaterThan(0);
    expect(rule.samples.ignore.length).toBeGreaterThan(0);
  });

  it.each(shipped.rules.map((rule) => [rule.id, rule] as const))(
    "%s finds its samples, and nothing else",
    (id, rule) => {
      for (const sample of rule.samples.match)
        for (const seed of SEEDS)
          expect(idsFor(rule, sample, seed), expandSample(sample.text, `${id}/${seed}`)).toContain(id);
      for (const sample of rule.samples.ignore) expect(idsFor(rule, sample, "ignore"), sample.text).not.toContain(id);
    },
  );

  it("tell nothing of a value beyond its first four characters", () => {
    const matcher = createRuleMatcher(compileRules([shipped], "value"));
    for (const rule of shipped.rules.filter(({ kind }) => kind === "value")) {
      for (const sample of rule.samples.match) {
        const text = expandSample(sample.text, rule.id);
        const values = matcher
          .search(
            Buffer.from(text),
            sample.path,
            () => true,
            () => [],
          )
          .matches.map(({ value }) => value);
        expect(values).not.toEqual([]);
        for (const { detail } of scanText(scanner, text, sample.path).facts ?? []) {
          if (detail === undefined) continue; // a rule on the file as a whole
          expect(detail).toMatch(/^[\x20-\x7e]{0,196}\*{4}$/);
          for (const value of values) expect(detail).not.toContain(value.slice(0, 6));
        }
      }
    }
  });
});

describe("hostile text", () => {
  const rows = [..."aA0 =:\"'/+-_.@\\\n\t<$*x"].map((letter) => letter.repeat(30_000));
  const mixtures = ["a=", "a:", "ab-", "\\n", "a1 ", '" ', "=\n ", "://a:", "a@", "k: v\n", "A-Za-z0-9+/="].map(
    (part) => part.repeat(10_000),
  );
  const bound = createTimeBound(HOSTILE_MS);

  it.each(
    [...compileRules([shipped], "value"), ...compileRules([shipped], "variable")].map(
      (one) => [one.rule.id, one] as const,
    ),
  )("%s ends soon on text made against it", (_id, { rule, pattern }) => {
    // The beginning of what the rule finds, then a long run that never completes it.
    const beginnings = rule.samples.match.map(({ text }) => expandSample(text, rule.id));
    const starts = [...rule.keywords, ...beginnings, ...beginnings.map((text) => text.slice(0, text.length >> 1))];
    const late: string[] = [];
    const steps = starts.flatMap((start) =>
      [...rows, ...mixtures].map((run) => () => {
        pattern.lastIndex = 0;
        pattern.exec(start + run);
        pattern.lastIndex = 0;
        pattern.exec(`${start}=${run}`);
      }),
    );
    bound.run(steps, (index) => late.push(String(index)));
    expect(late).toEqual([]);
  });

  it("ends soon where every keyword stands everywhere", () => {
    const keywords = [...new Set(shipped.rules.flatMap((rule) => rule.keywords))];
    const text = `${keywords.join("=")} ${keywords.join(': "')}`.repeat(20);
    const late: number[] = [];
    bound.run([() => scanText(scanner, text)], (index) => late.push(index));
    expect(late).toEqual([]);
  });

  it("has allow-lists that end soon", () => {
    const patterns = [...shipped.allow, ...shipped.rules.flatMap(({ allow }) => allow)].flatMap((allow) => [
      ...allow.values,
      ...allow.matches,
      ...allow.lines,
      ...allow.paths,
    ]);
    const late: string[] = [];
    const steps = patterns.map(({ source, flags }) => () => {
      const pattern = new RegExp(source, flags);
      // As long as the longest value that a pattern can give, and as a path can be.
      for (const run of [...rows, ...mixtures]) pattern.test(run.slice(0, 4_000));
    });
    bound.run(steps, (index) => late.push(patterns[index]?.source ?? ""));
    expect(late).toEqual([]);
  });
});
