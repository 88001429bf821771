import { SEVERITIES, type Severity } from "@bulwark/model";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import type { Check, CheckSample, CheckSubject } from "./check.ts";
import { checkEnvironment, kindOf, LISTS } from "./environment.ts";
import { BenchmarkError } from "./errors.ts";
import { templateParts } from "./template.ts";

const MAX_FILE_LENGTH = 1024 * 1024;
const MAX_ALIASES = 20;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const REQUIRED = ["id", "title", "severity", "description", "subject", "fails", "message", "advice"];
const OPTIONAL = ["each", "on", "at", "references", "fix", "unlessOwned", "samples"];

/** Where in which file something stands, for messages. */
interface Place {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/**
 * Reads one file of checks: a YAML mapping that is one check, or a list of them. Expressions and message templates are
 * parsed and type-checked here, so that a spelling mistake is told before anything is checked.
 *
 * @param text content of the file
 * @param file its path, for messages
 * @throws BenchmarkError `CHECK_INVALID` that names file, line, check and what is wrong
 * @example readChecks(text, "content/checks/image/user.yaml").map((check) => check.id); // ["image-root-user", …]
 */
export function readChecks(text: string, file: string): readonly Check[] {
  if (text.length > MAX_FILE_LENGTH) {
    throw invalid({ file, line: 1, what: "the file" }, `it is longer than ${MAX_FILE_LENGTH} characters`);
  }
  const lines = new LineCounter();
  const contents = parsed(text, file, lines);
  const nodes = isSeq(contents) ? contents.items : [contents];
  const lineOf = (node: unknown) => lines.linePos((node as Node | null)?.range?.[0] ?? 0).line;
  const checks = nodes.map((node, at) => {
    const place = { file, line: lineOf(node), what: `check ${at + 1}` };
    if (!isMap(node)) throw invalid(place, "it must be a mapping");
    return readCheck(node as YAMLMap, place, lineOf);
  });
  if (checks.length === 0) throw invalid({ file, line: 1, what: "the file" }, "it holds no checks");
  const ids = checks.map((check) => check.id);
  const twice = checks.find((check, at) => ids.indexOf(check.id) !== at);
  if (twice !== undefined)
    throw invalid(
      twice.line === 0 ? place(file) : { file, line: twice.line, what: `check "${twice.id}"` },
      "the id is taken by an earlier check",
    );
  return checks;
}

function place(file: string): Place {
  return { file, line: 1, what: "the file" };
}

function parsed(text: string, file: string, lineCounter: LineCounter): unknown {
  try {
    const document = parseDocument(text, { lineCounter });
    const [error] = document.errors;
    if (error !== undefined) {
      throw invalid({ file, line: error.linePos?.[0].line ?? 1, what: "the file" }, `not YAML: ${firstLine(error)}`);
    }
    // Resolves aliases within their bound once, so that a nest of them fails here.
    document.toJS({ maxAliasCount: MAX_ALIASES });
    return document.contents;
  } catch (cause) {
    if (cause instanceof BenchmarkError) throw cause;
    throw invalid(place(file), `not YAML: ${firstLine(cause)}`, cause);
  }
}

function readCheck(map: YAMLMap, start: Place, lineOf: (node: unknown) => number): Check {
  const nodes = new Map(map.items.map((pair) => [String(isScalar(pair.key) ? pair.key.value : pair.key), pair.value]));
  const id = typeof map.get("id") === "string" ? (map.get("id") as string) : "";
  const base: Place = id === "" ? start : { ...start, what: `check "${id}"` };
  const at = (key: string): Place => ({ ...base, line: nodes.has(key) ? lineOf(nodes.get(key)) : base.line });
  for (const pair of map.items) {
    const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
    if (![...REQUIRED, ...OPTIONAL].includes(key)) {
      throw invalid(
        { ...base, line: lineOf(pair.key) },
        `unknown key "${key}"; known are ${[...REQUIRED, ...OPTIONAL].join(", ")}`,
      );
    }
  }
  const text = (key: string): string => {
    const value = map.get(key);
    if (typeof value !== "string" || value.trim() === "") throw invalid(at(key), `"${key}" must be text`);
    return value.trim();
  };
  const optional = (key: string): string => (nodes.has(key) ? text(key) : "");
  const texts = (key: string): readonly string[] => {
    if (!nodes.has(key)) return [];
    const node = nodes.get(key);
    const values = isSeq(node) ? node.items.map((item) => (isScalar(item) ? item.value : undefined)) : [undefined];
    if (!values.every((value) => typeof value === "string")) throw invalid(at(key), `"${key}" must be a list of text`);
    return values as string[];
  };
  for (const key of REQUIRED) text(key);
  if (!KEBAB.test(id)) throw invalid(at("id"), "the id must be kebab case, such as image-root-user");
  const severity = text("severity");
  if (!(SEVERITIES as readonly string[]).includes(severity)) {
    throw invalid(at("severity"), `unknown severity "${severity}"; known are ${SEVERITIES.join(", ")}`);
  }
  const subject = readSubject(text("subject"), at("subject"));
  const each = optional("each");
  if (each !== "" && !LISTS[kindOf(subject)].includes(each)) {
    throw invalid(at("each"), `"${each}" is no list of this subject; known are ${LISTS[kindOf(subject)].join(", ")}`);
  }
  const on = texts("on");
  if (on.length > 0 && each === "") throw invalid(at("on"), `"on" needs "each"`);
  checkExpression(text("fails"), subject, at("fails"), "bool");
  checkTemplate(text("message"), subject, at("message"));
  const unlessOwned = map.get("unlessOwned") ?? false;
  if (typeof unlessOwned !== "boolean") throw invalid(at("unlessOwned"), `"unlessOwned" must be true or false`);
  return {
    id,
    title: text("title"),
    severity: severity as Severity,
    description: text("description"),
    subject,
    each,
    on,
    fails: text("fails"),
    at: texts("at"),
    message: text("message"),
    advice: text("advice"),
    references: texts("references"),
    fix: optional("fix"),
    unlessOwned,
    samples: readSamples(nodes.get("samples"), at("samples"), lineOf),
    file: base.file,
    line: base.line,
  };
}

function readSubject(text: string, where: Place): CheckSubject {
  if (text === "image" || text === "dockerfile") return text;
  if (/^app:[a-z0-9-]+$/.test(text)) return text as CheckSubject;
  throw invalid(where, `unknown subject "${text}"; known are image, dockerfile and app:NAME`);
}

function checkExpression(expression: string, subject: CheckSubject, where: Place, wanted: string): void {
  const checked = checkEnvironment(subject).check(expression);
  if (!checked.valid) throw invalid(where, firstLine(checked.error), checked.error);
  if (wanted !== "" && checked.type !== wanted && checked.type !== "dyn") {
    throw invalid(where, `the expression gives ${checked.type}, but needs ${wanted}`);
  }
}

function checkTemplate(message: string, subject: CheckSubject, where: Place): void {
  for (const part of templateParts(message)) {
    if (part.expression !== "") checkExpression(part.expression, subject, where, "");
  }
}

function readSamples(node: unknown, where: Place, lineOf: (node: unknown) => number): Check["samples"] {
  if (node === undefined) return { bad: [], good: [] };
  if (!isMap(node)) throw invalid(where, `"samples" must be a mapping of bad and good`);
  const of = (key: string): readonly CheckSample[] => {
    const list = node.get(key, true);
    if (list === undefined) return [];
    if (!isSeq(list)) throw invalid(where, `"samples.${key}" must be a list`);
    return list.items.map((item) => readSample(item, { ...where, line: lineOf(item) }));
  };
  return { bad: of("bad"), good: of("good") };
}

function readSample(node: unknown, where: Place): CheckSample {
  if (isScalar(node) && typeof node.value === "string") return { path: "", content: node.value, fields: {} };
  if (!isMap(node)) throw invalid(where, "a sample must be text, a path with its content, or fields of an image");
  const value = node.toJSON() as Readonly<Record<string, unknown>>;
  if (typeof value.content !== "string") return { path: "", content: "", fields: value };
  return { path: typeof value.path === "string" ? value.path : "", content: value.content, fields: {} };
}

function invalid(where: Place, what: string, cause?: unknown): BenchmarkError {
  return new BenchmarkError(
    "CHECK_INVALID",
    `${where.file}:${where.line}: ${where.what}: ${what}`,
    "correct the file; docs/configuration-checks.md shows the form",
    cause,
  );
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
