import { type Content, type Item, type Language, type Message, plain, type Section } from "./message.ts";
import { en } from "./templates/en.ts";
import type { Words } from "./templates/words.ts";
import { zh } from "./templates/zh.ts";

const WORDS: Readonly<Record<Language, Words>> = { en, zh };
const PRODUCT = "Bulwark";

/** Writes a delivery out in the language of its channel. */
export function writeMessage(
  content: Content,
  about: {
    readonly id: string;
    readonly at: string;
    readonly language: Language;
    /** Public address of the console; empty: none is known. */
    readonly publicUrl: string;
  },
): Message {
  const { id, at, language, publicUrl } = about;
  const words = WORDS[language];
  const lines = content.sections.flatMap((section, index) => [
    ...(index === 0 ? [] : [""]),
    ...(content.sections.length === 1 ? [] : [titleOf(section, words)]),
    ...linesOf(section, words),
  ]);
  const link = publicUrl === "" ? "" : new URL(pageOf(content.sections), publicUrl).href;
  return {
    id,
    at,
    language,
    subject: subjectOf(content, language),
    lines: lines.map(plain),
    link,
    sections: content.sections,
  };
}

/** The subject alone, for the list of deliveries. */
export function subjectOf({ sections }: Content, language: Language): string {
  const words = WORDS[language];
  const [only] = sections;
  const [item] = only?.items ?? [];
  const titles = sections.map((section) => titleOf(section, words)).join(words.separator);
  const isOne = sections.length === 1 && only?.total === 1 && item !== undefined && only.event !== "test";
  return plain(isOne ? `[${PRODUCT}] ${titles}: ${nameOf(item)}` : `[${PRODUCT}] ${titles}`);
}

function titleOf({ event, total, severities }: Section, words: Words): string {
  const told = Object.entries(words.severities).flatMap(([severity, word]) => {
    const count = severities[severity] ?? 0;
    return count === 0 || (severity !== "critical" && severity !== "high") ? [] : [`${count} ${word}`];
  });
  const title = words.titles[event](total);
  return told.length === 0 || total === 1 ? title : `${title} (${told.join(words.separator)})`;
}

function linesOf({ event, total, items }: Section, words: Words): readonly string[] {
  const write = WRITERS[event];
  const left = total - items.length;
  const isCounted = left > 0 && event !== "test";
  return [...items.map((item) => `• ${write(item, words)}`), ...(isCounted ? [words.more(left)] : [])];
}

type Writer = (item: Item, words: Words) => string;

const risk: Writer = (item, words) =>
  joined(words, [
    `${severityOf(item, words)} ${nameOf(item)}`,
    words.in(`${text(item.registry)}/${text(item.repository)}`),
    item.exploited === true ? words.exploited : "",
    text(item.fixedVersion) === "" ? "" : words.fixedIn(text(item.fixedVersion)),
    text(item.owner) === "" ? "" : words.owner(text(item.owner)),
    text(item.due) === "" ? "" : words.due(text(item.due).slice(0, "2026-01-01".length)),
  ]);
const asked: Writer = (item, words) => joined(words, [risk(item, words), words.reason(text(item.reason))]);
const decided: Writer = (item, words) =>
  joined(words, [item.state === "accepted" ? words.accepted : words.notAccepted, risk(item, words)]);

const rebuild: Writer = (item, words) =>
  joined(words, [
    `${text(item.registry)}/${text(item.repository)}`,
    words.onBase(`${text(item.base)}:${text(item.tag)}`, Number(item.findings)),
    text(item.owner) === "" ? "" : words.owner(text(item.owner)),
  ]);

const golden: Writer = (item, words) =>
  joined(words, [
    `${text(item.registry)}/${text(item.repository)}${text(item.tag) === "" ? "" : `:${text(item.tag)}`}`,
    text(item.reason) === "" ? "" : words.reason(text(item.reason)),
    text(item.successor) === "" ? "" : words.insteadOf(text(item.successor)),
    Number(item.images) > 0 ? words.standing(Number(item.images)) : "",
    text(item.owner) === "" ? "" : words.owner(text(item.owner)),
  ]);

const WRITERS: Readonly<Record<Section["event"], Writer>> = {
  "risk.opened": risk,
  "risk.reopened": risk,
  "risk.overdue": risk,
  "risk.fixed": risk,
  "risk.acceptance-asked": asked,
  "risk.acceptance-decided": decided,
  "case.changed": (item, words) =>
    joined(words, [
      text(item.title),
      words.counts(Number(item.open), Number(item.closed)),
      item.isClosed === true ? words.caseClosed : "",
    ]),
  "job.failed": (item, words) =>
    joined(words, [text(item.title), words.failedTasks(Number(item.failed)), text(item.problem)]),
  "registry.failed": (item, words) => joined(words, [text(item.name), text(item.problem)]),
  "advisories.new": (item, words) =>
    joined(words, [
      `${severityOf(item, words)} ${nameOf(item)}`,
      item.exploited === true ? words.exploited : "",
      words.images(Number(item.images)),
    ]),
  "alert.raised": (item, words) =>
    joined(words, [
      `${severityOf(item, words)} ${text(item.rule)}`,
      text(item.title),
      text(item.containerName) === "" ? "" : words.in(text(item.containerName)),
    ]),
  "rebuild.opened": rebuild,
  "rebuild.done": rebuild,
  "golden.published": golden,
  "golden.at-risk": golden,
  "golden.deprecated": golden,
  "golden.revoked": golden,
  test: (item, words) => words.test(text(item.channel)),
};

function nameOf(item: Item): string {
  const name = [item.finding ?? item.id, item.package].map(text).filter((part) => part !== "");
  const what =
    item.finding === undefined && item.severity === undefined ? text(item.title ?? item.name) : name.join(" ");
  const path = text(item.path);
  return path === "" ? what : `${what} ${path}`;
}

function severityOf({ severity }: Item, words: Words): string {
  const known = Object.hasOwn(words.severities, text(severity));
  return `[${known ? words.severities[text(severity) as keyof Words["severities"]] : text(severity)}]`;
}

function joined({ separator }: Words, parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(separator);
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

/** The page of the console that shows most of it. */
function pageOf([first]: readonly Section[]): string {
  const event = first?.event ?? "test";
  const [item] = first?.items ?? [];
  if (event.startsWith("risk.")) return first?.total === 1 ? `/risks/${text(item?.id)}` : "/risks";
  if (event === "case.changed") return first?.total === 1 ? `/cases/${text(item?.case)}` : "/cases";
  if (event === "advisories.new") return "/vulnerabilities";
  if (event === "alert.raised") return first?.total === 1 ? `/alerts/${text(item?.alert)}` : "/alerts";
  if (event.startsWith("rebuild.")) return "/rebuilds";
  if (event.startsWith("golden.")) return first?.total === 1 ? `/golden/${text(item?.golden)}` : "/golden";
  if (event === "registry.failed") return "/registries";
  return event === "job.failed" ? "/jobs" : "/notifications";
}
