import { type Fields, fieldsOf, SEVERITIES, type Severity } from "@bulwark/model";
import { isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { BenchmarkError } from "../errors.ts";
import { templateParts } from "../template.ts";
import {
  BENCHMARK_SUBJECTS,
  type BenchmarkCheck,
  type BenchmarkSubject,
  type FixSpec,
  factKindOf,
  type ParameterValue,
  STANDARDS,
} from "./check.ts";
import { BENCHMARK_LISTS, benchmarkEnvironment } from "./environment.ts";
import { nodeCalls, PROBE_IDS } from "./fact-request.ts";

const MAX_FILE_LENGTH = 1024 * 1024;
const MAX_ALIASES = 20;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** Sections as the documents number them: `1.2.3`, `8.1.4.1`, and chapters of guides by their number. */
const SECTION = /^\d+(\.\d+)*[a-z]?$/;
const KEYS = [
  ...["id", "title", "severity", "description", "subject", "level", "program", "applies", "each", "fails", "message"],
  ...["advice", "impact", "parameters", "references", "fix", "samples"],
];
/** Methods whose arguments are asked of a sensor: they must stand in the text. */
const ANY_ARGUMENTS = new Set(["listens"]);
const FORMATS = ["sshd", "json", "yaml"] as const;

interface Place {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/**
 * Reads one file of benchmark checks. Expressions are parsed and type-checked here, so that a mistake is told before anything is
 * judged.
 *
 * @param file its path, for messages
 * @throws BenchmarkError `CHECK_INVALID` that names file, line, check and what is wrong
 * @example readBenchmarks(text, "content/benchmarks/host/kernel.yaml").map(({ id }) => id);
 */
export function readBenchmarks(text: string, file: string): readonly BenchmarkCheck[] {
  const top: Place = { file, line: 1, what: "the file" };
  if (text.length > MAX_FILE_LENGTH) throw invalid(top, `it is longer than ${MAX_FILE_LENGTH} characters`);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [error] = document.errors;
  if (error !== undefined)
    throw invalid({ ...top, line: error.linePos?.[0].line ?? 1 }, `not YAML: ${firstLine(error)}`);
  const { contents } = document;
  if (!isSeq(contents) || contents.items.length === 0) throw invalid(top, "it must be a list of checks");
  const values = document.toJS({ maxAliasCount: MAX_ALIASES }) as readonly unknown[];
  const checks = values.map((value, at) => {
    const line = lineCounter.linePos((contents.items[at] as Node | null)?.range?.[0] ?? 0).line;
    return readOne(fieldsOf(value), { file, line, what: `check ${at + 1}` });
  });
  const ids = checks.map(({ id }) => id);
  const twice = checks.find(({ id }, at) => ids.indexOf(id) !== at);
  if (twice !== undefined)
    throw invalid({ ...top, line: twice.line }, `the id ${twice.id} is taken by an earlier check`);
  return checks;
}

function readOne(value: Fields, start: Place): BenchmarkCheck {
  const { id } = value;
  if (typeof id !== "string" || !KEBAB.test(id)) throw invalid(start, "the id must be kebab case");
  const place = { ...start, what: `check "${id}"` };
  for (const key of Object.keys(value)) if (!KEYS.includes(key)) throw invalid(place, `unknown key "${key}"`);
  const optional = (key: string): string => {
    const found = value[key] ?? "";
    if (typeof found !== "string") throw invalid(place, `"${key}" must be text`);
    return found.trim();
  };
  const text = (key: string): string => {
    const found = optional(key);
    if (found === "") throw invalid(place, `"${key}" must be text`);
    return found;
  };
  const severity = text("severity") as Severity;
  if (!SEVERITIES.includes(severity)) throw invalid(place, `unknown severity "${severity}"`);
  const subject = text("subject") as BenchmarkSubject;
  if (!BENCHMARK_SUBJECTS.includes(subject)) throw invalid(place, `unknown subject "${subject}"`);
  const level = value.level ?? 1;
  if (level !== 1 && level !== 2) throw invalid(place, "the level is 1 or 2");
  const each = optional("each");
  const lists = BENCHMARK_LISTS[factKindOf(subject)];
  if (each !== "" && !lists.includes(each))
    throw invalid(place, `"${each}" is no list of this subject; known are ${lists.join(", ")}`);
  const samples = fieldsOf(value.samples);
  const check: BenchmarkCheck = {
    ...{ id, title: text("title"), severity, description: text("description"), subject, level, each },
    ...{
      program: optional("program"),
      applies: optional("applies"),
      fails: optional("fails"),
      message: optional("message"),
    },
    ...{ advice: text("advice"), impact: optional("impact") },
    parameters: fieldsOf(value.parameters) as Readonly<Record<string, ParameterValue>>,
    references: readReferences(fieldsOf(value.references), place),
    fix: value.fix === undefined ? undefined : readFix(fieldsOf(value.fix), place),
    samples: { bad: readSamples(samples.bad), good: readSamples(samples.good) },
    ...{ file: place.file, line: place.line },
  };
  if (check.program !== "" && factKindOf(subject) !== "node") throw invalid(place, `"program" is for checks of nodes`);
  checkExpressions(check, place);
  return check;
}

function readSamples(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function readReferences(value: Fields, place: Place): BenchmarkCheck["references"] {
  for (const [standard, sections] of Object.entries(value)) {
    if (!(STANDARDS as readonly string[]).includes(standard)) throw invalid(place, `unknown standard "${standard}"`);
    const isGood = Array.isArray(sections) && sections.every((each) => typeof each === "string" && SECTION.test(each));
    if (!isGood) throw invalid(place, `sections of ${standard} are a list of numbers as text, such as "1.2.3"`);
  }
  return value as BenchmarkCheck["references"];
}

function readFix(value: Fields, place: Place): FixSpec {
  const text = (key: string): string => {
    const found = value[key];
    if (typeof found !== "string" || found === "") throw invalid(place, `"fix.${key}" must be text`);
    return found;
  };
  if ("sysctl" in value) return { kind: "sysctl", name: text("sysctl"), value: text("value") };
  if ("mode" in value) {
    const mask = Number.parseInt(text("mode"), 8);
    return { kind: "mode", path: text("path"), mask, ownByRoot: value.ownByRoot === true };
  }
  const format = text("format") as (typeof FORMATS)[number];
  if (!FORMATS.includes(format)) throw invalid(place, `"fix.format" is ${FORMATS.join(", ")}`);
  return {
    kind: "setting",
    path: text("path"),
    format,
    key: text("key"),
    value: text("value"),
    restart: text("restart"),
  };
}

function checkExpressions(check: BenchmarkCheck, place: Place): void {
  const environment = benchmarkEnvironment(check.subject);
  const valid = (expression: string, wanted: string) => {
    const checked = environment.check(expression);
    if (!checked.valid) throw invalid(place, firstLine(checked.error), checked.error);
    if (wanted !== "" && checked.type !== wanted && checked.type !== "dyn") {
      throw invalid(place, `the expression gives ${checked.type}, but needs ${wanted}`);
    }
  };
  if (check.fails !== "") {
    valid(check.fails, "bool");
    if (check.message === "") throw invalid(place, `"message" must be text`);
  }
  if (check.applies !== "") valid(check.applies, "bool");
  for (const { expression } of templateParts(check.message)) if (expression !== "") valid(expression, "");
  for (const { method, given } of nodeCalls(check)) {
    if (!ANY_ARGUMENTS.has(method) && given.includes(undefined)) {
      throw invalid(
        place,
        `arguments of node.${method} must stand in the expression, so that a sensor can be asked for them`,
      );
    }
    if (method === "probe" && !PROBE_IDS.includes(String(given[0])))
      throw invalid(place, `there is no port "${given[0]}"`);
  }
}

function invalid(place: Place, what: string, cause?: unknown): BenchmarkError {
  const next = "correct the file; docs/hardening.md shows the form";
  return new BenchmarkError("CHECK_INVALID", `${place.file}:${place.line}: ${place.what}: ${what}`, next, cause);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
