import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wholeFile } from "@bulwark/model";
import {
  type Check,
  CONFIG_READERS,
  createAppConfigScanner,
  lintDockerfile,
  readChecks,
} from "../../packages/benchmark/src/index.ts";
import { CLEAN_APPS, FAULTY_APPS } from "./config-apps.ts";
import { BASES, FAULTY_DOCKERFILES, FAULTY_LINES, HARMLESS_LINES } from "./config-dockerfiles.ts";

/** A labelled sample: a file as it would lie in an image or a source tree, and the checks that must speak, all of them. */
export interface ConfigSample {
  readonly name: string;
  /** `Dockerfile`, or where the file lies in an image. */
  readonly path: string;
  readonly content: string;
  /** Ids of checks; empty: a clean file. */
  readonly expected: readonly string[];
}

const CHECKS = join(import.meta.dirname, "../../content/checks");

/** The labelled corpus of configuration: written apart from the samples that stand beside the checks. */
export function configSamples(): readonly ConfigSample[] {
  const faultyLines = FAULTY_LINES.map(([lines, ...expected], at) =>
    dockerfile(`faulty line ${at + 1}`, at, lines, expected),
  );
  const faultyFiles = FAULTY_DOCKERFILES.map(([content, ...expected], at) => ({
    name: `faulty Dockerfile ${at + 1}`,
    path: "Dockerfile",
    content,
    expected,
  }));
  const cleanFiles = HARMLESS_LINES.flatMap((lines, at) =>
    BASES.map((_, base) => dockerfile(`clean Dockerfile ${at + 1}.${base + 1}`, base, lines, [])),
  );
  const faultyApps = FAULTY_APPS.map(([path, content, ...expected], at) => ({
    name: `faulty configuration ${at + 1}`,
    path,
    content,
    expected,
  }));
  const cleanApps = CLEAN_APPS.map(([path, content], at) => ({
    name: `clean configuration ${at + 1}`,
    path,
    content,
    expected: [],
  }));
  return [...faultyLines, ...faultyFiles, ...cleanFiles, ...faultyApps, ...cleanApps];
}

/** A Dockerfile that is clean but for the lines put into its last stage. */
function dockerfile(name: string, base: number, lines: string, expected: readonly string[]): ConfigSample {
  const content = (BASES[base % BASES.length] as string).replace("%LINES%", lines);
  return { name, path: "Dockerfile", content, expected };
}

export interface Accuracy {
  readonly positives: number;
  readonly negatives: number;
  readonly precision: number;
  readonly recall: number;
  /** What went wrong, one line each. */
  readonly wrong: readonly string[];
}

/** Precision and recall over single findings: each (sample, check) pair counts once. */
export function measureConfig(): Accuracy {
  const checks = shippedChecks();
  const samples = configSamples();
  let hits = 0;
  let extra = 0;
  let missed = 0;
  const wrong: string[] = [];
  for (const sample of samples) {
    const found = new Set(foundIn(sample, checks));
    for (const id of sample.expected) {
      if (found.has(id)) hits++;
      else {
        missed++;
        wrong.push(`${sample.name}: ${id} is missed`);
      }
    }
    for (const id of found) {
      if (sample.expected.includes(id)) continue;
      extra++;
      wrong.push(`${sample.name}: ${id} is wrong`);
    }
  }
  return {
    positives: samples.filter(({ expected }) => expected.length > 0).length,
    negatives: samples.filter(({ expected }) => expected.length === 0).length,
    precision: hits / (hits + extra),
    recall: hits / (hits + missed),
    wrong,
  };
}

function foundIn(sample: ConfigSample, checks: readonly Check[]): readonly string[] {
  if (sample.path === "Dockerfile") return lintDockerfile(sample.content, checks).facts.map(({ id }) => id);
  const bytes = new TextEncoder().encode(sample.content);
  const scanner = createAppConfigScanner(CONFIG_READERS, checks);
  const head = { path: sample.path, mode: 0o644, sizeBytes: bytes.length };
  if (!scanner.wants(head)) return ["no reader wants the path"];
  return (scanner.scan(wholeFile(sample.path, bytes)).facts ?? []).map(({ id }) => id);
}

function shippedChecks(): readonly Check[] {
  return readdirSync(CHECKS, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml"))
    .flatMap((path) => readChecks(readFileSync(join(CHECKS, path), "utf8"), path));
}
