import type { ImageConfig } from "@bulwark/image";
import type { ContentFact } from "@bulwark/model";
import { chooseMatches, factOf } from "./facts.ts";
import { type CompiledRule, compileRules, type RuleMatch } from "./match-rules.ts";
import { detailOf, printable } from "./redact.ts";
import type { SecretRules } from "./rule.ts";
import { createTextScan, type TextScan } from "./scanner.ts";

const MAX_TEXT_CHARS = 64 * 1024;
const MAX_TEXTS = 10_000;
const MAX_FACTS = 200;

/** Finds secrets in an image's configuration. `detail` says where: `ENV DB_PASSWORD=hu****`. */
export type ConfigSecretScan = (config: ImageConfig) => readonly ContentFact[];

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
 * @example createConfigSecretScan([rules])(config); // [{ id: "variable-secret", detail: "ENV DB_PASSWORD=hu****", … }]
 */
export function createConfigSecretScan(sets: readonly SecretRules[]): ConfigSecretScan {
  const scanText = createTextScan(sets);
  const variables = compileRules(sets, "variable");
  return (config) => {
    const facts: ContentFact[] = [];
    const seen = new Set<string>();
    for (const place of placesOf(config)) {
      for (const match of matchesIn(place, scanText, variables)) {
        const fact = factOf(match, { detail: detailOf(whereOf(place, match), match.value) });
        if (seen.has(fact.fingerprint ?? "") || facts.length === MAX_FACTS) continue;
        seen.add(fact.fingerprint ?? "");
        facts.push(fact);
      }
    }
    return facts;
  };
}

function* placesOf(config: ImageConfig): Generator<Place> {
  let texts = 0;
  for (const place of allPlaces(config)) {
    if (texts++ >= MAX_TEXTS) return;
    yield { ...place, text: place.text.slice(0, MAX_TEXT_CHARS) };
  }
}

function* allPlaces(config: ImageConfig): Generator<Place> {
  for (const text of config.env) yield { where: "ENV ", text, variable: true };
  for (const [name, value] of Object.entries(config.labels))
    yield { where: "LABEL ", text: `${name}=${value}`, variable: true };
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

function matchesIn(place: Place, scanText: TextScan, variables: readonly CompiledRule[]): readonly RuleMatch[] {
  const found = [...scanText(place.text).matches];
  if (place.variable) {
    for (const rule of variables) {
      const match = variableMatch(rule, place.text);
      if (match !== undefined) found.push(match);
    }
  }
  return chooseMatches(found);
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
