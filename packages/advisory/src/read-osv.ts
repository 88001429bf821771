import { type Fields, fieldsOf, textOf } from "@bulwark/model";
import type { AffectedPackage, OsvRecord, RangeEvent } from "./osv-record.ts";

/** Larger than any record in the wild (some list every version of a hundred packages). */
export const MAX_RECORD_BYTES = 32 * 1024 * 1024;
const MAX_ID_LENGTH = 256;
const MAX_NAME_LENGTH = 1_024;
const MAX_VERSION_LENGTH = 512;
const MAX_TITLE_LENGTH = 160;
const MAX_LIST = 100_000;
const MAX_REFERENCES = 5;
const MAX_URL_LENGTH = 500;
const EVENT_KINDS = ["introduced", "fixed", "last_affected", "limit"] as const;
/** Distributions' advisories that name, or once named, the flaws they fix under `related`. */
const RELATED_MEANS_UPSTREAM = /^(?:(?:AL|RL|RX|RH|EL)[SBE]A|(?:open)?SUSE-[A-Z]U|OESA|MGASA)-/;
const CVE = /CVE-\d{4}-\d{4,}/;
/** "Important: nodejs:18 security update" */
const MODULE_IN_SUMMARY = /^[A-Z][a-z]+: ([\w.+-]+:[\w.+-]+) /;
const EXPLOIT_URL =
  /exploit-db\.com|packetstorm|metasploit|rapid7\.com\/db\/modules|nuclei-templates|\/(?:poc|exploit)s?(?:[/.-]|$)/i;

/**
 * Reads one OSV record (OSV schema 1.7). Fields that are missing or of the wrong kind count as empty; undefined when there
 * is no usable id.
 */
export function readOsv(value: unknown): OsvRecord | undefined {
  const fields = fieldsOf(value);
  const id = textOf(fields.id);
  if (id === "" || id.length > MAX_ID_LENGTH || /[\s\u0000-\u001f]/.test(id)) return undefined;
  const summary = textOf(fields.summary);
  const aliases = textsOf(fields.aliases);
  const specific = fieldsOf(fields.database_specific);
  const references = listOf(fields.references).map(fieldsOf);
  const module = MODULE_IN_SUMMARY.exec(summary)?.[1] ?? "";
  const notAffected = listOf(specific.not_affected).map(fieldsOf).map(readNotAffected);
  return {
    id,
    modified: textOf(fields.modified),
    withdrawn: textOf(fields.withdrawn) !== "",
    title: titleOf(summary, textOf(fields.details)),
    aliases: sameFlaw(id, aliases),
    upstream: upstreamOf(id, fields),
    vectors: vectorsOf(fields.severity),
    severity: textOf(specific.severity) || impactOf(summary),
    references: references
      .map(({ url }) => textOf(url))
      .filter((url) => /^https?:\/\//.test(url) && url.length <= MAX_URL_LENGTH)
      .slice(0, MAX_REFERENCES),
    publicExploit: references.some(({ type, url }) => type === "EVIDENCE" || EXPLOIT_URL.test(textOf(url))),
    affected: [...listOf(fields.affected).map((entry) => readAffected(fieldsOf(entry), module)), ...notAffected],
  };
}

/** `DEBIAN-CVE-2024-1` is the CVE it names. */
function sameFlaw(id: string, aliases: readonly string[]): readonly string[] {
  const named = CVE.exec(id)?.[0];
  return named === undefined || named === id ? aliases : [...aliases, named];
}

function upstreamOf(id: string, fields: Fields): readonly string[] {
  const related = RELATED_MEANS_UPSTREAM.test(id) ? textsOf(fields.related) : [];
  return [...new Set([...textsOf(fields.upstream), ...related])];
}

function readAffected(fields: Fields, module: string): AffectedPackage {
  const subject = fieldsOf(fields.package);
  const specific = { ...fieldsOf(fields.database_specific), ...fieldsOf(fields.ecosystem_specific) } as Fields;
  return {
    ecosystem: bounded(subject.ecosystem, MAX_NAME_LENGTH),
    name: bounded(subject.name, MAX_NAME_LENGTH),
    ranges: listOf(fields.ranges)
      .map(fieldsOf)
      .filter(({ type }) => type !== "GIT")
      .map(readRange),
    versions: textsOf(fields.versions).filter((version) => version.length <= MAX_VERSION_LENGTH),
    severity: textOf(specific.urgency) || textOf(specific.severity),
    vectors: vectorsOf(fields.severity),
    decision: decisionOf(specific),
    module: textOf(specific.module) || module,
  };
}

function readNotAffected(fields: Fields): AffectedPackage {
  const nothing = { ranges: [], versions: [], severity: "", vectors: [], module: "" };
  const ecosystem = bounded(fields.ecosystem, MAX_NAME_LENGTH);
  return { ...nothing, ecosystem, name: bounded(fields.name, MAX_NAME_LENGTH), decision: "not-affected" };
}

/** Debian tags what it will not fix; "unimportant" means that no fix is made for its own sake. */
function decisionOf(specific: Fields): AffectedPackage["decision"] {
  const tag = textOf(specific.tag) || textOf(specific.status) || textOf(specific.fix_state);
  if (/^(?:ignored|no-dsa|end-of-life|will not fix|wont-?fix|out of support scope)$/i.test(tag))
    return "no-fix-planned";
  if (/^not[- ]affected$/i.test(tag)) return "not-affected";
  return textOf(specific.urgency) === "unimportant" ? "no-fix-planned" : "";
}

function readRange(fields: Fields): readonly RangeEvent[] {
  const events: RangeEvent[] = [];
  for (const entry of listOf(fields.events).map(fieldsOf)) {
    for (const kind of EVENT_KINDS) {
      const version = bounded(entry[kind], MAX_VERSION_LENGTH);
      if (version !== "") events.push({ kind, version });
    }
  }
  return events;
}

function vectorsOf(value: unknown): readonly string[] {
  return listOf(value)
    .map((entry) => textOf(fieldsOf(entry).score))
    .filter((score) => score !== "");
}

/** "Important: firefox security update" carries Red Hat's impact rating. */
function impactOf(summary: string): string {
  return /^(Critical|Important|Moderate|Low): /.exec(summary)?.[1] ?? "";
}

function titleOf(summary: string, details: string): string {
  const text = (summary || details).replace(/\s+/g, " ").trim();
  if (text.length <= MAX_TITLE_LENGTH) return text;
  const cut = text.slice(0, MAX_TITLE_LENGTH - 1);
  const space = cut.lastIndexOf(" ");
  return `${space > MAX_TITLE_LENGTH / 2 ? cut.slice(0, space) : cut}…`;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_LIST) : [];
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value)
    .map(textOf)
    .filter((text) => text !== "" && text.length <= MAX_NAME_LENGTH);
}

function bounded(value: unknown, length: number): string {
  const text = textOf(value);
  return text.length <= length ? text : "";
}
