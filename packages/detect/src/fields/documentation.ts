import { AUDIT_DETECTORS } from "../audit/audit-detectors.ts";
import { AUDIT_FIELDS, UNSUPPORTED_AUDIT_FIELDS } from "../audit/audit-fields.ts";
import { PRIORITIES } from "../priority.ts";
import { STATEFUL_DETECTORS } from "../stateful/registry.ts";
import type { DetectorShape } from "../stateful/stateful-detector.ts";
import type { Field } from "./field.ts";
import { FIELDS } from "./table.ts";
import { UNSUPPORTED_FIELDS } from "./unsupported.ts";

/** The page docs/rule-fields.md, from the tables that the rules are read with. */
export function fieldsPage(): string {
  return `${[
    "# Fields of runtime rules",
    "",
    "This page is made from the table that rules are checked with (`BULWARK_UPDATE_DOCS=1 npx vitest run packages/detect/src/fields` writes it).",
    "Falco's fields keep their names and meanings; those marked *ours* are additions. A comparison with a field that the event",
    "does not have is false.",
    "",
    ...groups().flatMap(([name, fields]) => [
      `## ${name}`,
      "",
      "| field | type | what it says | filled by |",
      "|---|---|---|---|",
      ...fields.map(row),
      "",
    ]),
    "## Fields of Falco that are not filled",
    "",
    "A rule that needs one of them is left out, and its report says so; in an output they print `<NA>`.",
    "",
    "| field | why |",
    "|---|---|",
    ...UNSUPPORTED_FIELDS.map(([name, why]) => `| \`${name}\` | ${why} |`),
    "",
    "## Fields of audit events",
    "",
    "Rules with `source: k8s_audit` look at what a Kubernetes API server was asked, and name these. Fields of pods also see what the",
    "templates of deployments, daemon sets, jobs and their like make.",
    "",
    "| field | type | what it says |",
    "|---|---|---|",
    ...AUDIT_FIELDS.map(auditRow),
    "",
    "Not filled:",
    "",
    "| field | why |",
    "|---|---|",
    ...UNSUPPORTED_AUDIT_FIELDS.map(([name, why]) => `| \`${name}\` | ${why} |`),
    "",
    "## Detectors over many events",
    "",
    "A rule with `detector` is not told of each event that meets its condition, but when the detector has seen enough of them.",
    "",
    ...STATEFUL_DETECTORS.flatMap((detector) => detectorSection(detector, "")),
    ...AUDIT_DETECTORS.flatMap((detector) => detectorSection(detector, ", over audit events")),
    "## Priorities",
    "",
    `${PRIORITIES.join(", ")}.`,
  ].join("\n")}\n`;
}

function detectorSection({ id, doc, settings }: DetectorShape, source: string): readonly string[] {
  const table = ["| setting | what it says | without it |", "|---|---|---|"];
  const rows = settings.map(
    ({ name, doc: says, default: without }) => `| \`${name}\` | ${says} | ${shownDefault(without)} |`,
  );
  return [`### ${id}${source}`, "", `Finds ${doc}.`, "", ...(rows.length === 0 ? [] : [...table, ...rows, ""])];
}

function auditRow({ name, type, doc, argument, argumentForm, ours }: (typeof AUDIT_FIELDS)[number]): string {
  const brackets = argument === "none" ? "" : "[…]";
  const form = argument === "none" ? "" : `; in brackets ${argumentForm}`;
  return `| \`${name}${brackets}\`${ours ? " *ours*" : ""} | ${type} | ${doc}${form} |`;
}

function groups(): readonly (readonly [string, readonly Field[]])[] {
  return [...Map.groupBy(FIELDS, ({ name }) => name.split(".", 1)[0] ?? name)];
}

function row({ name, type, doc, argument, argumentForm, types, containerOnly, ours }: Field): string {
  const brackets = argument === "none" ? "" : argument === "required" ? "[…]" : " or […]";
  const form = argument === "none" ? "" : `; in brackets ${argumentForm}`;
  const filled = types === null ? (containerOnly ? "containers" : "all") : types.join(", ");
  return `| \`${name}${brackets}\`${ours ? " *ours*" : ""} | ${type} | ${doc}${form} | ${filled} |`;
}

function shownDefault(value: number | string | readonly string[]): string {
  if (typeof value === "object") return "none";
  return value === "" ? "none" : `\`${value}\``;
}
