import type { ContentFact, Fields } from "@bulwark/model";
import type { Check } from "./check.ts";
import { checkEnvironment, kindOf, LISTS } from "./environment.ts";
import { templateParts } from "./template.ts";

/** Facts one check may yield on one subject; a problem says that there are more. */
const MAX_HITS = 50;
/**
 * Entries that expressions may look at for one check. One that searches a whole list for each entry grows with the
 * square of a file's size, which a hostile file would use; real files stay far below.
 */
const MAX_LOOKS = 3_000_000;
const MAX_DETAIL_LENGTH = 200;

/** A fact about an image's or a file's configuration, with its place as far as it is known. */
export type ImageFact = ContentFact & { readonly layer?: number; readonly path?: string };

/** A fact with what the caller needs to place or fix it. */
interface Hit {
  readonly check: Check;
  readonly fact: ImageFact;
  /** The entry at fault; an empty object for checks on a whole subject. */
  readonly item: Fields;
}

export interface Evaluated {
  readonly hits: readonly Hit[];
  /** Checks that could not be judged, as sentences. */
  readonly problems: readonly string[];
}

type Evaluate = (context: Fields) => unknown;
const compiled = new Map<string, Evaluate>();

/**
 * Judges a subject by all checks given, which must be for that kind of subject.
 *
 * @param subject the documented lists and maps of the kind (docs/configuration-checks.md)
 * @example evaluateChecks(checks, subject).hits.map((hit) => hit.fact.id);
 */
export function evaluateChecks(checks: readonly Check[], subject: Fields): Evaluated {
  const hits: Hit[] = [];
  const problems: string[] = [];
  for (const check of checks) {
    try {
      hits.push(...hitsOf(check, subject, problems));
    } catch (error) {
      // CEL raises where an expression reads what is not there. The check's author must hear of it, the scan goes on.
      problems.push(`check ${check.id} could not be judged: ${firstLine(error)}`);
    }
  }
  return { hits, problems };
}

function hitsOf(check: Check, subject: Fields, problems: string[]): readonly Hit[] {
  const fails = compile(check, check.fails);
  if (check.each === "") {
    const context = { path: "", ...subject, it: {} };
    return fails(context) === true ? [hit(check, context, {})] : [];
  }
  const names = new Set(check.on);
  const list = subject[check.each];
  const items = (Array.isArray(list) ? list : []).filter(
    (item: Fields) => names.size === 0 || names.has(String(item.name)),
  );
  const limit = Math.max(1, Math.floor(MAX_LOOKS / longestSearch(check, subject)));
  if (items.length > limit) problems.push(`check ${check.id} judged only the first ${limit} of ${items.length} places`);
  const hits: Hit[] = [];
  for (const item of items.slice(0, limit) as Fields[]) {
    const context = { path: "", ...subject, it: item };
    if (fails(context) !== true) continue;
    if (hits.length >= MAX_HITS) {
      problems.push(`check ${check.id} speaks of more than ${MAX_HITS} places; the others are not listed`);
      break;
    }
    hits.push(hit(check, context, item));
  }
  return hits;
}

/** Length of the longest list of the subject that the check's expression searches for each entry; 1: none. */
function longestSearch(check: Check, subject: Fields): number {
  const searched = LISTS[kindOf(check.subject)].filter((name) => new RegExp(`(^|[^.\\w])${name}[.]`).test(check.fails));
  return Math.max(
    1,
    ...searched.map((name) => (Array.isArray(subject[name]) ? (subject[name] as readonly unknown[]).length : 0)),
  );
}

function hit(check: Check, context: Fields, item: Fields): Hit {
  const line = numberOf(item.line) ?? lineOfSetting(check, context);
  const layer = numberOf(item.layer);
  const path = typeof item.path === "string" && item.path !== "" ? item.path : undefined;
  const fact: ImageFact = {
    kind: "misconfiguration",
    id: check.id,
    severity: check.severity,
    title: check.title,
    advice: check.advice,
    detail: printable(render(check, context)),
    ...(line === undefined ? {} : { line }),
    ...(layer === undefined ? {} : { layer }),
    ...(path === undefined ? {} : { path }),
    ...(check.references.length === 0 ? {} : { references: check.references }),
    ...(check.unlessOwned ? { unlessOwned: true as const } : {}),
  };
  return { check, fact, item };
}

function lineOfSetting(check: Check, context: Fields): number | undefined {
  const list = Array.isArray(context.directives) ? (context.directives as readonly Fields[]) : [];
  for (const name of check.at) {
    const found = list.findLast((entry) => entry.name === name);
    if (found !== undefined) return numberOf(found.line);
  }
  return undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}

function render(check: Check, context: Fields): string {
  const text = templateParts(check.message)
    .map((part) => (part.expression === "" ? part.text : shown(compile(check, part.expression)(context))))
    .join("");
  return withoutSecrets(text);
}

/** Takes out what follows a password's name, and passwords in addresses: commands and settings are shown as written. */
function withoutSecrets(text: string): string {
  return text
    .replace(/(--?[\w-]*(?:password|passwd|secret|token|key)[\s,]+)[^\s,]+/gi, "$1***")
    .replace(/(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,500}@/g, "$1***@")
    .replace(
      /\b(pass(?:word|wd|phrase)?|secret|token|api[-_]?key|authorization)(["']?\s*[=:]\s*)[^\s,;]+(?: [\w.~+/=-]{8,})?/gi,
      "$1$2***",
    );
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.map(shown).join(", ") : String(value);
}

/** One line without control characters, so that no file's content can forge lines of a report. */
function printable(text: string): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.length <= MAX_DETAIL_LENGTH ? clean : `${clean.slice(0, MAX_DETAIL_LENGTH - 1)}…`;
}

function compile(check: Check, expression: string): Evaluate {
  const key = `${kindOf(check.subject)} ${expression}`;
  let run = compiled.get(key);
  if (run === undefined) {
    const parsed = checkEnvironment(check.subject).parse(expression);
    run = (context) => parsed(context);
    compiled.set(key, run);
  }
  return run;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
