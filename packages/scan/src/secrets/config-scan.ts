import type { ImageConfig } from "@bulwark/image";
import type { ContentFact, ContentFacts } from "@bulwark/model";
import { chooseMatches, factOf } from "./facts.ts";
import { createGuard, PATTERN_TIMEOUT_MS } from "./guard.ts";
import { type CompiledRule, compileRules, createRuleMatcher, type Guard, type RuleMatch } from "./match-rules.ts";
import { detailOf, printable, redact } from "./redact.ts";
import type { SecretRule, SecretRules } from "./rule.ts";

const MAX_TEXT_CHARS = 64 * 1024;
const MAX_PLACES = 10_000;
const MAX_FACTS = 200;

/**
 * Finds secrets in an image's configuration. `detail` says where: `ENV DB_PASSWORD=hu****`. `problems` name rules of users
 * that were cut off, and what was too much to look at.
 */
export type ConfigSecretScan = (config: ImageConfig) => ConfigSecrets;

/** What was found in a configuration. */
export interface ConfigSecrets extends Required<ContentFacts> {
  /** Takes the secrets that were found out of a text, such as an instruction of the history. */
  readonly redact: (text: string) => string;
}

/** A piece of the configuration, with the words that say where it stands. */
interface Place {
  readonly where: string;
  readonly text: string;
  /** `NAME=value`: the rules on variables are tried too. */
  readonly variable: boolean;
}

/**
 * Prepares the search of image configurations: environment, labels, entry point, command, and the history with the build
 * arguments that it tells. Besides the rules on values, the rules of kind `variable` judge a variable by its name.
 *
 * @example createConfigSecretScan([rules])(config).facts; // [{ id: "variable-secret", detail: "ENV DB_PASSWORD=hu****", … }]
 */
export function createConfigSecretScan(sets: readonly SecretRules[]): ConfigSecretScan {
  const matcher = createRuleMatcher(compileRules(sets, "value"));
  const variables = compileRules(sets, "variable");
  const guarded = createGuard(PATTERN_TIMEOUT_MS);
  return (config) => {
    const problems: string[] = [];
    const guard: Guard = (steps) => guarded(steps, problems);
    const facts = new Map<string, ContentFact>();
    const values = new Set<string>();
    let places = 0;
    for (const place of placesOf(config)) {
      if (places++ === MAX_PLACES || facts.size === MAX_FACTS) {
        problems.push(
          `the image's configuration holds more than is looked at (${MAX_PLACES} texts, ${MAX_FACTS} secrets)`,
        );
        break;
      }
      const text = place.text.slice(0, MAX_TEXT_CHARS);
      if (text !== place.text)
        problems.push(`${place.where.trim()}: only the first ${MAX_TEXT_CHARS} characters were read`);
      const found = matcher.search(Buffer.from(text), "", appliesAnywhere, guard).matches;
      const named = place.variable ? matchVariable(variables, text, guard) : [];
      for (const match of chooseMatches([...found, ...named])) {
        values.add(match.value);
        const fact = factOf(match, { detail: detailOf(whereOf(place, match), match.value) });
        if (fact.fingerprint !== undefined && !facts.has(fact.fingerprint)) facts.set(fact.fingerprint, fact);
      }
    }
    const found = [...facts.values()].slice(0, MAX_FACTS);
    return { facts: found, problems: [...new Set(problems)], redact: redactorOf(values) };
  };
}

/** Longest first, so that no value's rest stays behind another that it holds. */
function redactorOf(values: ReadonlySet<string>): (text: string) => string {
  const sorted = [...values].filter((value) => value !== "").sort((a, b) => b.length - a.length);
  return (text) => {
    let bytes = Buffer.from(text).toString("latin1");
    for (const value of sorted) bytes = bytes.replaceAll(value, () => redact(value));
    return Buffer.from(bytes, "latin1").toString("utf8");
  };
}

/** Rules on certain files say nothing of a configuration. */
function appliesAnywhere({ paths }: CompiledRule): boolean {
  return paths.length === 0;
}

function* placesOf(config: ImageConfig): Generator<Place> {
  for (const text of config.env) yield { where: "ENV ", text, variable: true };
  for (const [name, value] of Object.entries(config.labels))
    yield { where: `LABEL ${printable(name)}=`, text: `${name}=${value}`, variable: false };
  yield { where: "ENTRYPOINT: ", text: config.entrypoint.join(" "), variable: false };
  yield { where: "CMD: ", text: config.cmd.join(" "), variable: false };
  yield { where: "HEALTHCHECK: ", text: config.healthcheck?.test.join(" ") ?? "", variable: false };
  for (const [index, { createdBy }] of config.history.entries()) {
    for (const text of variablesOf(createdBy)) yield { where: `history ${index + 1}, ARG `, text, variable: true };
    yield { where: `history ${index + 1}: `, text: createdBy, variable: false };
  }
}

/** Variables that an instruction sets: build arguments before the shell (`|1 TOKEN=x /bin/sh -c`), ARG and ENV. */
function variablesOf(createdBy: string): readonly string[] {
  const text = createdBy.slice(0, MAX_TEXT_CHARS);
  const before = /^(?:RUN )?\|\d+ (.*?)(?:\/bin\/(?:ba)?sh -c |$)/s.exec(text)?.[1];
  const set = /^(?:\/bin\/sh -c #\(nop\) +)?(?:ARG|ENV|LABEL) +(.*)$/s.exec(text)?.[1];
  return (before ?? set ?? "").match(/[A-Za-z_][\w.-]*=(?:"[^"]*"|'[^']*'|\S*)/g) ?? [];
}

function matchVariable(variables: readonly CompiledRule[], text: string, guard: Guard): readonly RuleMatch[] {
  const found: RuleMatch[] = [];
  const steps: { rule: SecretRule; run(): void }[] = [];
  for (const compiled of variables) {
    const run = () => {
      const match = variableMatch(compiled, text);
      if (match !== undefined) found.push(match);
    };
    if (compiled.rule.trusted) run();
    else steps.push({ rule: compiled.rule, run });
  }
  if (steps.length > 0) guard(steps);
  return found;
}

function variableMatch({ rule, pattern, allow }: CompiledRule, text: string): RuleMatch | undefined {
  const bytes = Buffer.from(text).toString("latin1");
  pattern.lastIndex = 0;
  const match = pattern.exec(bytes);
  const value = match?.[1];
  if (match === null || value === undefined) return undefined;
  const valueStart = match.index + match[0].lastIndexOf(value);
  const found = { rule, value, match: match[0], matchStart: match.index, valueStart };
  return allow.some((one) => one.holds(found, bytes, "")) ? undefined : found;
}

/** The place and the variable's name; of other text only the place, since anything may stand before the value. */
function whereOf({ where, text, variable }: Place, match: RuleMatch): string {
  const equals = text.indexOf("=");
  if (!variable || equals < 0 || equals > match.valueStart) return where;
  return printable(`${where}${text.slice(0, equals + 1)}`);
}
