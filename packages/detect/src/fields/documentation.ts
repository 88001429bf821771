import { PRIORITIES } from "../priority.ts";
import { STATEFUL_DETECTORS } from "../stateful/registry.ts";
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
    "## Detectors over many events",
    "",
    "A rule with `detector` is not told of each event that meets its condition, but when the detector has seen enough of them.",
    "",
    ...STATEFUL_DETECTORS.flatMap(({ id, doc, settings }) => [
      `### ${id}`,
      "",
      `Finds ${doc}.`,
      "",
      "| setting | what it says | without it |",
      "|---|---|---|",
      ...settings.map((setting) => `| \`${setting.name}\` | ${setting.doc} | ${shownDefault(setting.default)} |`),
      "",
    ]),
    "## Priorities",
    "",
    `${PRIORITIES.join(", ")}.`,
  ].join("\n")}\n`;
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
