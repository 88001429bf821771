import type { ContentFact } from "@bulwark/model";
import type { Check } from "../check.ts";
import { evaluateChecks } from "../evaluate.ts";
import { ignoresOf } from "./ignore.ts";
import { parseDockerfile } from "./parse.ts";
import { dockerfileModel, type LintOptions } from "./subject.ts";

/** A fact about a Dockerfile. `fix` names the safe fix that `fixDockerfile` knows for it. */
export type DockerfileFact = ContentFact & { readonly fix?: string };

export interface SuppressedFact {
  readonly fact: DockerfileFact;
  readonly reason: string;
  /** Line of the comment that asks for it. */
  readonly line: number;
}

export interface LintResult {
  /** In the order of their lines. */
  readonly facts: readonly DockerfileFact[];
  readonly suppressed: readonly SuppressedFact[];
  /** What could not be read or judged, as sentences. */
  readonly problems: readonly string[];
}

/**
 * Judges a Dockerfile by the checks for Dockerfiles; others in the list are left out. Never throws on what the file holds.
 *
 * @param text content of the file
 * @example lintDockerfile("FROM alpine\n", checks).facts.map(({ id, line }) => `${line}: ${id}`);
 */
export function lintDockerfile(text: string, checks: readonly Check[], options: LintOptions = {}): LintResult {
  const parsed = parseDockerfile(text);
  if (parsed.instructions.length === 0) return { facts: [], suppressed: [], problems: parsed.problems };
  const { subject, problems: cut } = dockerfileModel(parsed, options);
  const own = checks.filter((check) => check.subject === "dockerfile");
  const { hits, problems } = evaluateChecks(own, { ...subject });
  const ignoring = ignoresOf(parsed);
  const facts: DockerfileFact[] = [];
  const suppressed: SuppressedFact[] = [];
  for (const { check, fact } of hits) {
    const whole: DockerfileFact = check.fix === "" ? fact : { ...fact, fix: check.fix };
    const line = fact.line ?? 1;
    const ignore = ignoring.ignores.find(
      ({ ids, first, last }) => ids.includes(fact.id) && line >= first && line <= last,
    );
    if (ignore === undefined) facts.push(whole);
    else suppressed.push({ fact: whole, reason: ignore.reason, line: ignore.line });
  }
  facts.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.id < b.id ? -1 : 1));
  return { facts, suppressed, problems: [...parsed.problems, ...cut, ...ignoring.problems, ...problems] };
}
