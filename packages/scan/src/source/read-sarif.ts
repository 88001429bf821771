import { hash } from "node:crypto";
import { type Fields, type Finding, fieldsOf, listOf, type SuppressedFinding, textOf } from "@bulwark/model";
import { ScanError } from "../errors.ts";
import { type PathContext, pathOf } from "./sarif-path.ts";
import { isFinding, isSuppressed, messageOf, type Rules, reasonOf, rulesOf, severityOf } from "./sarif-result.ts";

/** Bytes of a file that are read. */
export const MAX_SARIF_BYTES = 64 * 1024 * 1024;
/** Results of one file that become findings: nobody reads more, and a report of them stays in memory. */
const MAX_RESULTS = 20_000;
const MAX_RUNS = 100;
const MAX_NAME = 100;
const MAX_ID = 200;
const MAX_TEXT = 200;
const NEXT = "give a SARIF 2.1.0 log, as analysers write it with an option such as --format sarif";

/** What an outside analyser found. */
export interface OutsideResults {
  readonly findings: readonly Finding[];
  /** Results that the analyser's own report holds as suppressed. */
  readonly suppressed: readonly SuppressedFinding[];
  /** What could not be taken in, as sentences. */
  readonly problems: readonly string[];
}

/** Where results belong. */
export interface SarifPlace {
  /** Absolute path of the directory that was scanned, where there is one: absolute addresses below it become relative. */
  readonly root?: string;
}

/**
 * Reads the results of an outside analyser (SARIF 2.1.0, OASIS) as findings of kind "misconfiguration" in what the team
 * wrote itself. Results that passed, that are gone since the baseline or that the source suppresses are no findings.
 *
 * @param bytes the file's content: UTF-8, or UTF-16 with a byte order mark
 * @param file its name, for messages
 * @throws ScanError `SARIF_INVALID` when it is no SARIF log
 * @example readSarif(await readFile("semgrep.sarif"), "semgrep.sarif", { root: "/src/app" }).findings;
 */
export function readSarif(bytes: Uint8Array, file: string, place: SarifPlace = {}): OutsideResults {
  const log = readLog(bytes, file);
  const findings: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  const problems: string[] = [];
  const runs = listOf(log.runs);
  let left = MAX_RESULTS;
  if (runs.length > MAX_RUNS) problems.push(`${file}: only the first ${MAX_RUNS} of ${runs.length} runs were taken in`);
  for (const [index, value] of runs.slice(0, MAX_RUNS).entries()) {
    const run = readRun(fieldsOf(value), file, place, left);
    left -= run.findings.length + run.suppressed.length;
    findings.push(...run.findings);
    suppressed.push(...run.suppressed);
    problems.push(...run.problems.map((what) => `${file}, run ${index + 1}: ${what}`));
  }
  return { findings, suppressed, problems };
}

function readLog(bytes: Uint8Array, file: string): Fields {
  if (bytes.length > MAX_SARIF_BYTES) {
    throw invalid(file, `it has ${bytes.length} bytes, more than ${MAX_SARIF_BYTES}`);
  }
  let document: unknown;
  try {
    document = JSON.parse(decode(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause);
    throw invalid(file, `it is not JSON: ${why.slice(0, MAX_TEXT)}`, cause);
  }
  const log = fieldsOf(document);
  if (!Array.isArray(log.runs)) throw invalid(file, 'it is no SARIF log: there is no list "runs"');
  const version = textOf(log.version);
  if (version !== "2.1.0") {
    throw invalid(file, `its version is ${version === "" ? "not told" : `"${version.slice(0, MAX_NAME)}"`}, not 2.1.0`);
  }
  return log;
}

/** SARIF is UTF-8 (section 3.1), but shells of Windows write UTF-16 where output is redirected. */
function decode(bytes: Uint8Array): string {
  const [a, b] = bytes;
  const encoding = a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

function readRun(run: Fields, file: string, place: SarifPlace, left: number): OutsideResults {
  const driver = fieldsOf(fieldsOf(run.tool).driver);
  const tool = oneLine(textOf(driver.name), MAX_NAME) || "unnamed analyser";
  const version = oneLine(textOf(driver.semanticVersion) || textOf(driver.version), MAX_NAME);
  const problems = notDone(run, tool);
  const context: PathContext = {
    root: place.root ?? "",
    bases: fieldsOf(run.originalUriBaseIds),
    artifacts: listOf(run.artifacts),
  };
  const rules = rulesOf(fieldsOf(run.tool));
  const findings: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  let unread = 0;
  let over = 0;
  for (const value of listOf(run.results)) {
    const result = fieldsOf(value);
    const ruleId = rules.idOf(result);
    if (ruleId === "") {
      unread++;
      continue;
    }
    if (!isFinding(result)) continue;
    if (findings.length + suppressed.length >= left) {
      over++;
      continue;
    }
    const finding = findingOf(result, ruleId.slice(0, MAX_ID), rules, context, { tool, version });
    if (!isSuppressed(result)) findings.push(finding);
    else suppressed.push({ finding, by: "analyser", source: file, reason: reasonOf(result), until: "" });
  }
  if (unread > 0) problems.push(`${unread} results of ${tool} name no rule and were left out`);
  if (over > 0) problems.push(`${over} more results of ${tool} were left out (limit ${MAX_RESULTS} for a file)`);
  return { findings, suppressed, problems };
}

/** What says that the analyser has more to tell than is here. */
function notDone(run: Fields, tool: string): string[] {
  const problems: string[] = [];
  if (!Array.isArray(run.results)) problems.push(`${tool} gives no results: it did not get to look for any`);
  const failed = listOf(run.invocations).some((invocation) => fieldsOf(invocation).executionSuccessful === false);
  if (failed) problems.push(`${tool} says that it could not do all of its work`);
  const outside = listOf(fieldsOf(run.externalPropertyFileReferences).results).length;
  if (outside > 0) problems.push(`results of ${tool} are in ${outside} other files, which were not read`);
  return problems;
}

function findingOf(
  result: Fields,
  id: string,
  rules: Rules,
  context: PathContext,
  { tool, version }: { readonly tool: string; readonly version: string },
): Finding {
  const rule = rules.ruleOf(result);
  const physical = fieldsOf(fieldsOf(listOf(result.locations)[0]).physicalLocation);
  const path = pathOf(fieldsOf(physical.artifactLocation), context);
  const startLine = fieldsOf(physical.region).startLine;
  const line = Number.isSafeInteger(startLine) && Number(startLine) > 0 ? Number(startLine) : undefined;
  const title = oneLine(messageOf(result, rule, rules), MAX_TEXT);
  const about = oneLine(textOf(fieldsOf(rule.shortDescription).text) || textOf(rule.name), MAX_TEXT);
  const detail = path.detail ?? (about === title ? "" : about);
  const fingerprint = fingerprintOf(result);
  const help = textOf(rule.helpUri);
  return {
    kind: "misconfiguration",
    id,
    severity: severityOf(result, rule),
    title: title || about || id,
    ...(path.path === undefined ? {} : { path: path.path }),
    ...(line === undefined ? {} : { line }),
    layer: 0,
    origin: "own",
    evidence: {
      foundBy: tool,
      version,
      ...(detail === "" ? {} : { detail }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(/^https?:\/\//.test(help) && URL.canParse(help) ? { references: [new URL(help).href.slice(0, 1000)] } : {}),
    },
    advice: `Correct it as ${tool} explains for ${oneLine(id, MAX_NAME)}, or suppress it there with a reason.`,
  };
}

/** The first fingerprint by name, in our own form (section 3.27.17 and 3.27.18). */
function fingerprintOf(result: Fields): string | undefined {
  for (const given of [fieldsOf(result.fingerprints), fieldsOf(result.partialFingerprints)]) {
    const [first] = Object.entries(given)
      .filter(([, value]) => typeof value === "string" && value !== "")
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (first !== undefined) return hash("sha256", `${first[0]}\0${String(first[1])}`).slice(0, 16);
  }
  return undefined;
}

/** One printable line. */
function oneLine(text: string, most: number): string {
  const line = text
    .slice(0, most * 4)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

function invalid(file: string, what: string, cause?: unknown): ScanError {
  return new ScanError("SARIF_INVALID", `the SARIF file ${file} cannot be taken in: ${what}`, NEXT, cause);
}
