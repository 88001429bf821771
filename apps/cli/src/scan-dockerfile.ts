import { constants, open } from "node:fs/promises";
import { join } from "node:path";
import {
  type DockerfileFact,
  fixDockerfile,
  lintDockerfile,
  readChecks,
  type SuppressedFact,
} from "@bulwark/benchmark";
import { type ContentFact, type Finding, type SuppressedFinding, wholeFile } from "@bulwark/model";
import { type ScanResult, summarize } from "@bulwark/scan";
import { contentDirectory, filesBelow, makeScanners } from "@bulwark/scan/shipped";
import packageJson from "../../../package.json" with { type: "json" };
import { CliError } from "./failure.ts";
import type { ScanArguments } from "./scan-options.ts";
import { readTextFile } from "./text-files.ts";

const VERSION = packageJson.version;

/**
 * Judges a Dockerfile by itself: the checks of Dockerfiles, and secrets in it. With `fix` the safe fixes are written back,
 * and what is left is reported.
 *
 * @returns a report whose image has no layers; findings name the file and the line
 * @throws CliError `FILE_UNREADABLE`, `OUTPUT_UNWRITABLE`
 */
export async function scanDockerfile(file: string, options: ScanArguments): Promise<ScanResult> {
  const checks = filesBelow(join(contentDirectory, "checks/dockerfile"), [".yaml"]).flatMap(({ name, text }) =>
    readChecks(text, name),
  );
  const lint = (content: string) => lintDockerfile(content, checks, { registries: options.registries });
  let text = await readTextFile(file, "Dockerfile");
  let linted = lint(text);
  if (options.fix) {
    const fixed = fixDockerfile(text, linted.facts);
    if (fixed.text !== text) {
      if (text.includes("\ufffd")) throw unwritable(file, "it is not UTF-8, and would not be the same any more");
      await write(file, fixed.text);
      for (const applied of fixed.applied) process.stderr.write(`fixed: ${applied}\n`);
      text = fixed.text;
      linted = lint(text);
    }
  }
  const secrets = await secretsIn(file, text, options);
  // A secret in ENV or ARG is told by the check of the instruction, which knows more.
  const told = new Set(linted.facts.filter(({ id }) => id.startsWith("dockerfile-secret")).map(({ line }) => line));
  const findings = [
    ...linted.facts.map((fact) => findingOf(fact, file, "dockerfile", fixAdvice(fact))),
    ...secrets.facts.filter(({ line }) => !told.has(line)).map((fact) => findingOf(fact, file, "secrets", fact.advice)),
  ].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const problems = [...linted.problems, ...secrets.problems].map((what) => ({ path: file, layer: -1, what }));
  return {
    packages: [],
    report: {
      schemaVersion: 1,
      image: { reference: file, digest: "", platform: "", os: null, created: "", size: 0, layers: [], base: null },
      packages: [],
      findings,
      suppressed: linted.suppressed.map((each) => suppressedOf(each, file)),
      summary: summarize(findings),
      complete: problems.length === 0,
      problems,
      scanners: options.scanners.filter((scanner) => scanner === "secret" || scanner === "config"),
      database: null,
    },
  };
}

/** A link in somebody's source tree may lead to any file of who runs this: fixes are written through none. */
async function write(file: string, text: string): Promise<void> {
  try {
    const handle = await open(file, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) throw new Error("it is no regular file");
      await handle.truncate();
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const isLink = cause instanceof Error && "code" in cause && cause.code === "ELOOP";
    const why = isLink ? "it is a symbolic link" : cause instanceof Error ? cause.message : String(cause);
    throw unwritable(file, why, cause);
  }
}

function unwritable(file: string, why: string, cause?: unknown): CliError {
  const next = "leave --fix out to see the findings";
  return new CliError("OUTPUT_UNWRITABLE", `${file} cannot be written: ${why}`, next, cause);
}

async function secretsIn(file: string, text: string, options: ScanArguments) {
  if (!options.scanners.includes("secret")) return { facts: [], problems: [] };
  const scanners = await makeScanners({ ...options, scanners: ["secret"] });
  const found = (scanners.content.scanners ?? []).map((scanner) => scanner.scan(wholeFile(file, Buffer.from(text))));
  return {
    facts: found.flatMap(({ facts = [] }) => facts),
    problems: [...found.flatMap(({ problems = [] }) => problems), ...scanners.problems],
  };
}

function fixAdvice({ fix, advice }: DockerfileFact): string {
  return fix === undefined ? advice : `${advice} --fix does it.`;
}

function findingOf(fact: ContentFact, file: string, foundBy: string, advice: string): Finding {
  const { id, severity, title, line, detail, fingerprint, references } = fact;
  return {
    // A secret in ENV or ARG is one, whichever check told it: policies on secrets hold for it.
    kind: id.startsWith("dockerfile-secret") ? "secret" : fact.kind,
    id,
    severity,
    title,
    path: file,
    ...(line === undefined ? {} : { line }),
    layer: -1,
    origin: "own",
    evidence: {
      foundBy,
      version: VERSION,
      ...(detail === undefined ? {} : { detail }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(references === undefined ? {} : { references }),
    },
    advice,
  };
}

/** A comment in the file takes a finding out, with its reason. */
function suppressedOf({ fact, reason, line }: SuppressedFact, file: string): SuppressedFinding {
  const finding = findingOf(fact, file, "dockerfile", fact.advice);
  return { finding, by: "comment", source: `${file}:${line}`, reason, until: "" };
}
