import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv04 from "ajv-draft-04";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { hostileInput, renderInput } from "../testing/report.ts";
import { cyclonedx } from "./cyclonedx.ts";
import type { RenderInput } from "./format.ts";
import { formats } from "./formats.ts";
import { html } from "./html.ts";
import { sarif } from "./sarif.ts";
import { spdx } from "./spdx.ts";
import { table } from "./table.ts";

const SCHEMAS = join(import.meta.dirname, "../../fixtures/schemas");
// One pattern of the CycloneDX schema is only valid without the u flag.
const OPTIONS = { strict: false, allErrors: true, unicodeRegExp: false } as const;

function schema(file: string): object {
  return JSON.parse(readFileSync(file, "utf8"));
}

function cycloneDxSchema(name: string): object {
  const library = createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library");
  const root = library.slice(0, library.lastIndexOf("cyclonedx-library") + "cyclonedx-library".length);
  return schema(join(root, "res/schema", name));
}

const validators = {
  sarif: () => withFormats(new Ajv04.default(OPTIONS)).compile(schema(join(SCHEMAS, "sarif-2.1.0.schema.json"))),
  spdx: () => withFormats(new Ajv2019.default(OPTIONS)).compile(schema(join(SCHEMAS, "spdx-2.3.schema.json"))),
  cyclonedx: () => {
    const ajv = withFormats(new Ajv.default(OPTIONS));
    ajv.addSchema(
      cycloneDxSchema("spdx.SNAPSHOT.schema.json"),
      "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json",
    );
    ajv.addSchema(
      cycloneDxSchema("jsf-0.82.SNAPSHOT.schema.json"),
      "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json",
    );
    return ajv.compile(cycloneDxSchema("bom-1.6.SNAPSHOT.schema.json"));
  },
};

function withFormats<A extends Ajv.default>(ajv: A): A {
  addFormats.default(ajv);
  for (const format of ["iri-reference", "idn-email"]) ajv.addFormat(format, true);
  return ajv;
}

const suppressed = () => {
  const input = renderInput();
  const [finding] = input.report.findings;
  if (finding === undefined) throw new Error("the sample has findings");
  const entry = { finding, by: "waiver" as const, source: "gate.yaml", reason: "not reachable", until: "2030-01-01" };
  return renderInput({ suppressed: [entry], problems: [{ path: "/x.jar", layer: 1, what: "torn" }], complete: false });
};

test.each([
  ["an ordinary report", renderInput()],
  ["no findings", renderInput({ findings: [] })],
  ["suppressed findings and problems", suppressed()],
  ["no database and no operating system", renderInput({ database: null, findings: [] })],
  ["hostile names", hostileInput()],
])("SARIF, CycloneDX and SPDX of %s satisfy their published schemas", (_what, input) => {
  for (const format of [sarif, cyclonedx, spdx]) {
    const validate = validators[format.id as keyof typeof validators]();
    validate(JSON.parse(format.render(input)));
    expect({ format: format.id, errors: validate.errors }).toEqual({ format: format.id, errors: null });
  }
});

test("the validators find a document that is wrong", () => {
  for (const [id, make] of Object.entries(validators)) {
    const format = formats.find((candidate) => candidate.id === id);
    const document = JSON.parse(format?.render(renderInput()) ?? "{}");
    const broken = JSON.parse(
      JSON.stringify(document).replaceAll('"lodash"', "7").replaceAll('"ruleId":"CVE', '"ruleId":7,"x":"'),
    );
    expect(make()(broken)).toBe(false);
  }
});

test("the same input gives the same document", () => {
  for (const format of formats) expect(format.render(renderInput())).toBe(format.render(renderInput()));
});

test("names out of an image neither become markup nor move the terminal", () => {
  const page = html.render(hostileInput());
  expect(page).not.toMatch(/<img/);
  expect(page.match(/<script>/g)).toHaveLength(1);
  for (const format of [html, table]) expect(format.render(hostileInput())).not.toMatch(/[\u001b\u202e]/);
  expect(table.render(hostileInput()).split("\n")).not.toContain("REFUSED & more");
});

test("documents for programs keep every name as it is, and hold nothing that a terminal obeys", () => {
  const [finding] = renderInput().report.findings;
  if (finding === undefined) throw new Error("the sample has findings");
  const title = "a\u009b2Jb\u001b[31m\u202ec\u007f\u061c";
  const input = renderInput({ findings: [{ ...finding, title }] });
  for (const format of formats) expect(format.render(input)).not.toMatch(/[\u001b\u007f-\u009f\u061c\u202e]/);
  const text = formats.find(({ id }) => id === "json")?.render(input) ?? "";
  expect(JSON.parse(text).findings[0].title).toBe(title);
  expect(text.split("\n").length).toBeGreaterThan(10);
});

test("the page loads nothing from elsewhere", () => {
  expect(html.render(renderInput())).not.toMatch(/(?:src|href)=|url\(|@import/);
});

test("the table parts base from own, says where each comes from, and fits the terminal", () => {
  const text = table.render(renderInput());
  expect(text.indexOf("From the base image")).toBeLessThan(text.indexOf("From own layers"));
  expect(text).toMatch(/lodash 4\.17\.4\n {2}\/app\/node_modules\/lodash\/package\.json · layer 1 · COPY app \/app/);
  expect(text).toMatch(/CRITICAL +CVE-2019-10744 +fixed in 4\.17\.12, EPSS 2\.5 %/);
  expect(text).toMatch(/PASSED/);
  for (const columns of [60, 80, 120]) {
    const narrow = table.render({ ...renderInput(), terminal: { columns, colour: false } });
    expect(Math.max(...narrow.split("\n").map((line) => line.length))).toBeLessThanOrEqual(columns);
  }
});

test.each<[string, RenderInput, RegExp]>([
  ["without a database", renderInput({ database: null, findings: [] }), /listed, not judged/],
  [
    "with the seed alone",
    renderInput({ database: { built: "", records: 60, seedOnly: true } }),
    /Only the shipped seed/,
  ],
  ["that is not complete", suppressed(), /not complete/],
  ["without packages", renderInput({ packages: [], findings: [] }), /nothing was judged/i],
])("a report %s says so to people", (_what, input, message) => {
  expect(table.render(input)).toMatch(message);
});

test("a waiver is no claim that the image does not have the flaw; a VEX statement is", () => {
  const [finding] = renderInput().report.findings;
  if (finding === undefined) throw new Error("the sample has findings");
  const entry = { finding, source: "x", reason: "why", until: "2030-01-01" };
  const entries = [
    { ...entry, by: "waiver" as const },
    { ...entry, by: "vex" as const, until: "" },
  ];
  const document = JSON.parse(cyclonedx.render(renderInput({ findings: [], suppressed: entries })));
  expect(document.vulnerabilities.map(({ analysis }: { analysis: object }) => analysis)).toEqual([
    { response: ["will_not_fix"], detail: "why (x, until 2030-01-01)" },
    { state: "not_affected", detail: "why (x)" },
  ]);
});

test("SARIF's number agrees with the severity where the packager does not follow the score", () => {
  const [finding] = renderInput().report.findings;
  if (finding === undefined) throw new Error("the sample has findings");
  const numberOf = (severity: "critical" | "low") => {
    const log = JSON.parse(sarif.render(renderInput({ findings: [{ ...finding, severity }] })));
    return log.runs[0].tool.driver.rules[0].properties["security-severity"];
  };
  expect([numberOf("critical"), numberOf("low")]).toEqual(["9.1", "2.5"]);
});

test("halves of characters in a document from elsewhere do not keep a report from being made", () => {
  const [finding] = renderInput().report.findings;
  if (finding === undefined) throw new Error("the sample has findings");
  const input = renderInput({ findings: [{ ...finding, path: "/a\ud800b", id: "X-\udfff" }] });
  for (const format of formats) expect(format.render(input).length).toBeGreaterThan(0);
});

test("CycloneDX names as vulnerabilities what components have, not secrets in files", () => {
  const [finding] = renderInput().report.findings;
  if (finding === undefined) throw new Error("the sample has findings");
  const { package: _, ...secret } = { ...finding, kind: "secret" as const, id: "key" };
  const document = JSON.parse(cyclonedx.render(renderInput({ findings: [finding, secret] })));
  expect(document.vulnerabilities.map(({ id }: { id: string }) => id)).toEqual([finding.id]);
});
