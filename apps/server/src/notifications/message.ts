import type { NoticeEvent } from "@bulwark/store";

/** Things that a message names; the others are only counted. */
export const MAX_ITEMS = 20;
const MAX_TEXT = 300;

/** What one kind of event tells, for however many things it happened to. */
export interface Section {
  readonly event: NoticeEvent | "test";
  readonly total: number;
  /** How many of each severity, where things have one. */
  readonly severities: Readonly<Record<string, number>>;
  /** The first of them, the worst first. */
  readonly items: readonly Item[];
}

/** One thing that something happened to: a risk, a case, a job, a registry, a vulnerability. */
export type Item = Readonly<Record<string, string | number | boolean | null>>;

/** What a delivery holds until it is written out in the language of its channel. */
export interface Content {
  readonly sections: readonly Section[];
}

/** A message as channels send it. All texts are plain: one line each, no markup, no control characters. */
export interface Message {
  /** Of the delivery: the same when it is sent again. */
  readonly id: string;
  readonly at: string;
  readonly language: Language;
  readonly subject: string;
  readonly lines: readonly string[];
  /** Where in the console to look; empty where the server does not know its public address. */
  readonly link: string;
  readonly sections: readonly Section[];
}

export type Language = "en" | "zh";

/**
 * Makes text of strangers harmless: names of images, packages and files become one line without control characters or
 * characters that turn the direction of writing (Unicode Standard Annex 9, "Explicit Directional Formatting Characters").
 */
export function plain(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu, " ")
    .trim();
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 1).toWellFormed()}…`;
}

/** Adds what is new to what already waits to be told. */
export function mergeSections(waiting: readonly Section[], added: readonly Section[]): readonly Section[] {
  const merged = new Map(waiting.map((section) => [section.event, section]));
  for (const section of added) {
    const before = merged.get(section.event);
    merged.set(section.event, before === undefined ? section : mergeSection(before, section));
  }
  return [...merged.values()];
}

function mergeSection(before: Section, added: Section): Section {
  const severities = { ...before.severities };
  for (const [name, count] of Object.entries(added.severities)) severities[name] = (severities[name] ?? 0) + count;
  return {
    event: before.event,
    total: before.total + added.total,
    severities,
    items: [...before.items, ...added.items].slice(0, MAX_ITEMS),
  };
}
