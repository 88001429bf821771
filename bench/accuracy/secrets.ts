import { join } from "node:path";
import { wholeFile } from "@bulwark/model";
import { createSecretScanner, loadSecretRules } from "@bulwark/scan/secrets";
import { harmlessFiles } from "./secrets-harmless.ts";
import { plantedSecrets } from "./secrets-planted.ts";

/** One labelled file. */
export interface LabelledSample {
  readonly name: string;
  readonly path: string;
  readonly content: Uint8Array;
  /** Ids of rules of which at least one must be found; empty for a file that holds no secret. */
  readonly expected: readonly string[];
}

/** How the labelled corpus was judged. */
export interface Accuracy {
  readonly positives: number;
  readonly negatives: number;
  readonly found: number;
  readonly falseAlarms: number;
  /** Share of what was reported that is a secret, 0 to 1. */
  readonly precision: number;
  /** Share of the planted secrets that were reported, 0 to 1. */
  readonly recall: number;
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
}

const RULES = join(import.meta.dirname, "../../content/secrets");

/** The labelled corpus: the same on every machine, made in memory, written without the rules at hand. */
function secretSamples(): readonly LabelledSample[] {
  return [...plantedSecrets(), ...harmlessFiles()];
}

/**
 * Scans the corpus. A planted secret counts as found when one of its expected rules reports it; every finding in a file
 * that holds none is a false alarm, and so is one of another kind in a file that holds one.
 */
export async function measureSecrets(samples: readonly LabelledSample[] = secretSamples()): Promise<Accuracy> {
  const scanner = createSecretScanner([await loadSecretRules(RULES)]);
  const missed: string[] = [];
  const wrong: string[] = [];
  let reported = 0;
  let found = 0;
  for (const { name, path, content, expected } of samples) {
    const { facts = [] } = scanner.scan(wholeFile(path, content));
    reported += facts.length;
    const right = facts.filter(({ id }) => expected.includes(id));
    if (right.length > 0) found++;
    else if (expected.length > 0) missed.push(`${name}: ${path}`);
    for (const { id, line } of facts) if (!expected.includes(id)) wrong.push(`${name}: ${path}:${line} ${id}`);
  }
  const positives = samples.filter(({ expected }) => expected.length > 0).length;
  return {
    positives,
    negatives: samples.length - positives,
    found,
    falseAlarms: wrong.length,
    precision: (reported - wrong.length) / reported,
    recall: found / positives,
    missed,
    wrong,
  };
}
