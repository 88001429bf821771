import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sarif } from "../formats/sarif.ts";
import { hostileInput, renderInput } from "../testing/report.ts";
import { addOutside } from "./add-outside.ts";
import { readSarif } from "./read-sarif.ts";

const FILE = "analyser.sarif";

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** A log of one run; a result is completed to one that names a rule. */
function log(results: unknown, run: object = {}): Uint8Array {
  const tool = { driver: { name: "Looker", version: "1.2", rules: [] } };
  return bytesOf({ version: "2.1.0", runs: [{ tool, results, ...run }] });
}

function first(result: object, run: object = {}) {
  return readSarif(log([{ ruleId: "R1", message: { text: "Something" }, ...result }], run), FILE).findings[0];
}

function at(uri: string, more: object = {}): object {
  return { locations: [{ physicalLocation: { artifactLocation: { uri, ...more }, region: { startLine: 3 } } }] };
}

// The shape that Bandit 1.9 writes: relative addresses, the level only with the result.
const BANDIT = {
  version: "2.1.0",
  runs: [
    {
      tool: {
        driver: {
          name: "Bandit",
          semanticVersion: "1.9.4",
          rules: [{ id: "B602", name: "subprocess_shell", helpUri: "https://docs.example/b602" }],
        },
      },
      invocations: [{ executionSuccessful: true }],
      results: [
        {
          message: { text: "A shell is started." },
          level: "error",
          locations: [
            { physicalLocation: { artifactLocation: { uri: "app/t.py" }, region: { startLine: 2, startColumn: 1 } } },
          ],
          ruleId: "B602",
          ruleIndex: 0,
        },
      ],
    },
  ],
};

test("a result of an analyser becomes a finding with tool, rule, place and reference", () => {
  const { findings, suppressed, problems } = readSarif(bytesOf(BANDIT), FILE);
  expect({ suppressed, problems }).toEqual({ suppressed: [], problems: [] });
  expect(findings).toEqual([
    {
      kind: "misconfiguration",
      id: "B602",
      severity: "high",
      title: "A shell is started.",
      path: "/app/t.py",
      line: 2,
      layer: 0,
      origin: "own",
      evidence: {
        foundBy: "Bandit",
        version: "1.9.4",
        detail: "subprocess_shell",
        references: ["https://docs.example/b602"],
      },
      advice: "Correct it as Bandit explains for B602, or suppress it there with a reason.",
    },
  ]);
});

test("results of several runs are all there", () => {
  const run = (name: string) => ({ tool: { driver: { name } }, results: [{ ruleId: "A" }, { ruleId: "B" }] });
  const { findings } = readSarif(bytesOf({ version: "2.1.0", runs: [run("One"), run("Two")] }), FILE);
  expect(findings.map(({ id, evidence }) => `${evidence?.foundBy} ${id}`)).toEqual([
    "One A",
    "One B",
    "Two A",
    "Two B",
  ]);
});

describe("severity", () => {
  test.each([
    [{ level: "error" }, {}, "high"],
    [{ level: "warning" }, {}, "medium"],
    [{ level: "note" }, {}, "low"],
    [{ level: "none" }, {}, "negligible"],
    [{ level: "loud" }, {}, "unknown"],
    [{}, {}, "medium"],
    [{}, { defaultConfiguration: { level: "error" } }, "high"],
    [{ level: "note" }, { properties: { "security-severity": "9.8" } }, "critical"],
    [{ level: "error" }, { properties: { "security-severity": 3 } }, "low"],
    [
      { level: "error", properties: { "security-severity": "5.0" } },
      { properties: { "security-severity": "9" } },
      "medium",
    ],
    [{ level: "error" }, { properties: { "security-severity": "0.0" } }, "high"],
    [{ level: "error" }, { properties: { "security-severity": "much" } }, "high"],
    [{ rank: 95 }, {}, "critical"],
    [{ rank: -1, level: "note" }, {}, "low"],
  ])("%j of rule %j is %s", (result, rule, severity) => {
    expect(first(result, { tool: { driver: { name: "L", rules: [{ id: "R1", ...rule }] } } })).toMatchObject({
      severity,
    });
  });
});

describe("rules", () => {
  const extension = { name: "x", rules: [{ id: "E1", shortDescription: { text: "Of the extension" } }] };
  const tool = {
    driver: { name: "L", rules: [{ id: "D1", messageStrings: { m: { text: "{0} by {1}" } } }] },
    extensions: [extension],
  };
  const read = (result: object) => readSarif(log([result], { tool }), FILE);
  test("are found by index, in the driver or the extension that is named", () => {
    expect(read({ ruleIndex: 0 }).findings[0]?.id).toBe("D1");
    expect(read({ rule: { index: 0, toolComponent: { index: 0 } } }).findings[0]).toMatchObject({
      id: "E1",
      title: "Of the extension",
    });
  });
  test("a sub-rule takes what its rule tells", () => {
    expect(read({ ruleId: "E1/2" }).findings[0]).toMatchObject({ id: "E1/2", title: "Of the extension" });
  });
  test("messages kept with the rule are filled with their arguments", () => {
    expect(read({ ruleId: "D1", message: { id: "m", arguments: ["Overflow", "input"] } }).findings[0]?.title).toBe(
      "Overflow by input",
    );
  });
  test.each(["__proto__", "constructor", "toString"])("a message named %s is none", (id) => {
    expect(read({ ruleId: "D1", message: { id } }).findings[0]?.title).toBe("D1");
  });
  test("a result that names none is left out and told", () => {
    const { findings, problems } = read({ message: { text: "x" } });
    expect(findings).toEqual([]);
    expect(problems).toEqual(["analyser.sarif, run 1: 1 results of L name no rule and were left out"]);
  });
});

describe("places", () => {
  const root = "/home/ci/work";
  const bases = {
    "%SRCROOT%": { uri: "file:///somewhere/else/" },
    HERE: { uri: "file:///home/ci/work/pkg" },
    LIB: { uri: "lib/", uriBaseId: "%SRCROOT%" },
    LOOP: { uri: "l/", uriBaseId: "LOOP" },
  };
  test.each([
    ["src/a.py", {}, "/src/a.py"],
    ["./src/a.py", {}, "/src/a.py"],
    ["src/a%20b.py", { uriBaseId: "%SRCROOT%" }, "/src/a b.py"],
    ["a.py", { uriBaseId: "LIB" }, "/lib/a.py"],
    ["a.py", { uriBaseId: "HERE" }, "/pkg/a.py"],
    ["a.py", { uriBaseId: "__proto__" }, "/a.py"],
    ["file:///home/ci/work/src/a.py", {}, "/src/a.py"],
    ["file:/home/ci/work/a.py", {}, "/a.py"],
    ["file:///home/ci/workshop/a.py", {}, "/home/ci/workshop/a.py"],
    ["/home/ci/work/a.py", {}, "/a.py"],
    ["../../../etc/passwd", {}, "/etc/passwd"],
    ["%2e%2e/%2e%2e/etc/passwd", {}, "/etc/passwd"],
    ["100%.py", {}, "/100%.py"],
  ])("%s with %j is %s", (uri, more, path) => {
    const bytes = log([{ ruleId: "R", ...at(uri, more) }], { originalUriBaseIds: bases });
    expect(readSarif(bytes, FILE, { root }).findings[0]).toMatchObject({ path, line: 3 });
  });
  test("base ids that go round end", () => {
    const bytes = log([{ ruleId: "R", ...at("a.py", { uriBaseId: "LOOP" }) }], { originalUriBaseIds: bases });
    expect(readSarif(bytes, FILE).findings[0]?.path).toMatch(/^\/(?:l\/)+a\.py$/);
  });
  test("an address of another scheme is no path", () => {
    const finding = first(at("https://evil.example/a.py"));
    expect(finding?.path).toBeUndefined();
    expect(finding?.evidence?.detail).toBe("in https://evil.example/a.py");
  });
  test("a place may be told by the run's list of files", () => {
    const location = { locations: [{ physicalLocation: { artifactLocation: { index: 0 } } }] };
    expect(first(location, { artifacts: [{ location: { uri: "b.py" } }] })).toMatchObject({ path: "/b.py" });
    expect(first(location, { artifacts: "no list" })?.path).toBeUndefined();
  });
});

describe("what is no finding", () => {
  test.each([{ kind: "pass" }, { kind: "notApplicable" }, { baselineState: "absent" }])("%j", (result) => {
    expect(first(result)).toBeUndefined();
  });
  test("suppressed results are kept apart with their reason", () => {
    const result = { ruleId: "R", suppressions: [{ kind: "inSource", justification: "checked by hand" }] };
    const { findings, suppressed } = readSarif(log([result]), FILE);
    expect(findings).toEqual([]);
    expect(suppressed).toMatchObject([
      { by: "analyser", source: FILE, reason: "checked by hand", finding: { id: "R" } },
    ]);
  });
  test("a suppression that was refused or waits for somebody suppresses nothing", () => {
    expect(first({ suppressions: [{ kind: "external", status: "rejected" }] })).toBeDefined();
    expect(first({ suppressions: [{ kind: "external", status: "underReview" }] })).toBeDefined();
    expect(first({ suppressions: [] })).toBeDefined();
  });
});

test("the same fingerprint gives the same, another another", () => {
  const print = (value: string) => first({ partialFingerprints: { "a/v1": value } })?.evidence?.fingerprint;
  expect(print("x")).toMatch(/^[0-9a-f]{16}$/);
  expect(print("x")).toBe(print("x"));
  expect(print("x")).not.toBe(print("y"));
});

describe("an analyser that did not get through makes the report incomplete", () => {
  test.each([
    [{ results: null }, /gives no results/],
    [{ invocations: [{ executionSuccessful: false }] }, /could not do all of its work/],
    [{ externalPropertyFileReferences: { results: [{ location: {} }] } }, /in 1 other files/],
  ])("%j", (run, what) => {
    expect(readSarif(log([], run), FILE).problems.join()).toMatch(what);
  });
});

describe("encodings", () => {
  const text = JSON.stringify(BANDIT);
  test.each([
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16, little end first", Buffer.from(`\ufeff${text}`, "utf16le")],
    ["UTF-16, big end first", Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
  ])("%s is read", (_name, bytes) => {
    expect(readSarif(bytes, FILE).findings).toHaveLength(1);
  });
});

describe("what is no SARIF is refused by name", () => {
  test.each([
    ["nothing", Buffer.alloc(0), /not JSON/],
    ["text", Buffer.from("Hello"), /not JSON/],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), /not JSON/],
    ["a list", Buffer.from("[]"), /no list "runs"/],
    ["null", Buffer.from("null"), /no list "runs"/],
    ["runs of a wrong type", bytesOf({ version: "2.1.0", runs: {} }), /no list "runs"/],
    ["another version", bytesOf({ version: "2.0.0", runs: [] }), /"2\.0\.0", not 2\.1\.0/],
    ["a prototype instead of runs", Buffer.from('{"__proto__":{"version":"2.1.0","runs":[]}}'), /no list "runs"/],
    ["a million brackets", Buffer.from("[".repeat(1_000_000)), /not JSON/],
  ])("%s", (_name, bytes, why) => {
    expect(() => readSarif(bytes, FILE)).toThrow(why);
    expect(() => readSarif(bytes, FILE)).toThrow(/analyser\.sarif/);
  });
});

describe("hostile logs", () => {
  test("values of wrong types everywhere are borne", () => {
    const result = {
      ruleId: "R",
      message: 5,
      level: {},
      locations: [{ physicalLocation: { artifactLocation: { uri: 7, index: -1 }, region: { startLine: "2" } } }],
      suppressions: "no",
      partialFingerprints: [1],
    };
    const run = { tool: { driver: { name: {}, rules: "R", globalMessageStrings: 1 }, extensions: 4 }, artifacts: 3 };
    expect(readSarif(log([result, null, 3, "x", []], run), FILE)).toMatchObject({
      findings: [{ id: "R", severity: "medium", title: "R", evidence: { foundBy: "unnamed analyser" } }],
      problems: [expect.stringMatching(/4 results of unnamed analyser name no rule/)],
    });
  });
  test("a million results are bounded and the rest is counted", () => {
    const one = '{"ruleId":"R"}';
    const results = `${`${one},`.repeat(999_999)}${one}`;
    const bytes = Buffer.from(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"L"}},"results":[${results}]}]}`);
    const { findings, problems } = readSarif(bytes, FILE);
    expect(findings).toHaveLength(20_000);
    expect(problems).toEqual([
      "analyser.sarif, run 1: 980000 more results of L were left out (limit 20000 for a file)",
    ]);
  });
  test("deep nesting within a result is passed over", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const bytes = Buffer.from(`{"version":"2.1.0","runs":[{"results":[{"ruleId":"R","properties":{"a":${deep}}}]}]}`);
    expect(readSarif(bytes, FILE).findings).toHaveLength(1);
  });
  test("texts are cut and made one line", () => {
    const finding = first({ ruleId: "R".repeat(10_000), message: { text: `a\u001b[31m\nb${"c".repeat(1e6)}` } });
    expect(finding?.id).toHaveLength(200);
    expect(finding?.title).toMatch(/^a \[31m bc+…$/);
    expect(finding?.title.length).toBeLessThanOrEqual(200);
  });
  test("any JSON in the place of a result, a run or a tool is borne", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const runs = [
          a,
          { tool: a, results: [b] },
          { results: [{ ruleId: "R", locations: [a], rule: b, message: a }] },
        ];
        expect(readSarif(bytesOf({ version: "2.1.0", runs }), FILE).findings.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe("our own SARIF read back", () => {
  test.each([
    ["an ordinary report", renderInput()],
    ["a report of hostile names", hostileInput()],
  ])("%s has as many findings and suppressed ones, of the same severities", (_name, input) => {
    const { findings, suppressed } = readSarif(Buffer.from(sarif.render(input)), FILE);
    expect(findings.map(({ id }) => id)).toEqual(input.report.findings.map(({ id }) => id.slice(0, 200)));
    expect(suppressed).toHaveLength(input.report.suppressed.length);
  });
});

test("results stand beside our own findings and count in the summary, in the uppermost layer", () => {
  const { report, packages } = renderInput();
  const outside = readSarif(log([{ ruleId: "R", level: "error" }, {}]), FILE);
  const joined = addOutside({ report, packages }, [outside]).report;
  expect(joined.findings).toHaveLength(report.findings.length + 1);
  expect(joined.findings.at(-1)?.layer).toBe(report.image.layers.length - 1);
  expect(joined.summary.byOrigin.own.high).toBe(report.summary.byOrigin.own.high + 1);
  expect(joined.complete).toBe(false);
});
