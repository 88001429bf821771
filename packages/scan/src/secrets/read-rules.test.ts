import { describe, expect, it } from "vitest";
import { readSecretRules } from "./read-rules.ts";

function errorsOf(yaml: string): readonly string[] {
  return readSecretRules(yaml, "mine.yaml").errors.map(({ message }) => message);
}

const GOOD = "  - {id: good, title: Good rule, severity: low, keywords: [good], pattern: 'good_(\\w+)'}\n";

describe("rules in our form", () => {
  it("take the file's defaults", () => {
    const { rules } = readSecretRules(
      `defaults: {entropy: 2.5, references: ["https://example.org"]}\nrules:\n${GOOD}`,
      "f.yaml",
    );
    expect(rules).toMatchObject([
      { id: "good", entropy: 2.5, references: ["https://example.org"], origin: "f.yaml:3", trusted: false },
    ]);
  });

  it("that are wrong are told with file, line and rule, and the others load", () => {
    const yaml = `rules:\n  - id: bad-one\n    title: Bad\n    severity: low\n    keywords: [x]\n    pattern: '('\n${GOOD}  - {id: Bad_Id}\n`;
    const read = readSecretRules(yaml, "mine.yaml");
    expect(read.rules.map(({ id }) => id)).toEqual(["good"]);
    expect(read.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^mine\.yaml:2: rule bad-one: keywords must be lower case/),
      expect.stringMatching(/^mine\.yaml:8: rule Bad_Id: the id must be kebab case/),
    ]);
    expect(read.errors[0]).toMatchObject({ code: "SECRET_RULES_INVALID", file: "mine.yaml", line: 2 });
    expect(read.errors[0]?.next).not.toBe("");
  });

  it.each([
    ["severity: hot, pattern: a", /"severity" must be one of/],
    ["severity: low, pattern: '('", /Invalid regular expression/],
    ["severity: low, pattern: '%{NOPE}'", /unknown shorthand %\{NOPE\}/],
    ["severity: low, pattern: a, entropy: 9", /"entropy" must be 0 to 8/],
    ["severity: low, pattern: a, colour: red", /unknown key "colour"/],
    ["severity: low, pattern: a, allow: {value: [x]}", /unknown key "value"/],
    ["severity: low", /it needs "pattern"/],
    ["severity: low, kind: file", /needs "paths"/],
    ["severity: low, pattern: '[é]'", /only ASCII/],
  ])("refuse %s", (fields, reason) => {
    expect(errorsOf(`rules: [{id: one, title: One rule, keywords: [one], ${fields}}]`)).toEqual([
      expect.stringMatching(reason),
    ]);
  });

  it("refuse two rules of one id", () => {
    expect(errorsOf(`rules:\n${GOOD}${GOOD}`)).toEqual(["mine.yaml:3: rule good: its id stands twice in the file"]);
  });

  it("that are no YAML give one error with its line", () => {
    expect(errorsOf("rules:\n  - {id: [\n")).toEqual([expect.stringMatching(/^mine\.yaml:\d: not YAML: /)]);
    expect(errorsOf("rules: 3")).toEqual(["mine.yaml: rules must be a list"]);
    expect(errorsOf("just text")).toEqual([]);
  });

  it("withstand aliases that multiply", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nrules: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(errorsOf(bomb)[0]).toMatch(/not usable YAML/);
  });
});
