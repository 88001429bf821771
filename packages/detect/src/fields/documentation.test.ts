import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUNTIME_EVENT_TYPES } from "@bulwark/model";
import { expect, test } from "vitest";
import { meaningOf } from "../event-types.ts";
import { loadRules } from "../rule-set.ts";
import { event } from "../testing/events.ts";
import { fieldsPage } from "./documentation.ts";
import { FIELDS } from "./table.ts";
import { whyUnsupported } from "./unsupported.ts";

const PAGE = join(import.meta.dirname, "../../../../docs/rule-fields.md");

test("docs/rule-fields.md says what the table says; BULWARK_UPDATE_DOCS=1 writes it anew", () => {
  if (process.env.BULWARK_UPDATE_DOCS === "1") writeFileSync(PAGE, fieldsPage());
  expect(readFileSync(PAGE, "utf8")).toBe(fieldsPage());
});

test("the rules that docs/rules.md shows load as they stand", () => {
  const page = readFileSync(join(PAGE, "../rules.md"), "utf8");
  const shown = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""], at) => ({ name: `${at}.yaml`, text }));
  expect(shown.length).toBeGreaterThan(1);
  const { reports, problems } = loadRules(shown);
  expect(problems).toEqual([]);
  expect(reports.filter(({ state, problems: told }) => state !== "ready" || told.length > 0)).toEqual([]);
});

test("every field has a name of its own, and is not among those that are not filled", () => {
  expect(new Set(FIELDS.map(({ name }) => name)).size).toBe(FIELDS.length);
  expect(FIELDS.filter(({ name }) => whyUnsupported(name) !== undefined).map(({ name }) => name)).toEqual([]);
});

test("every field can be asked of every event that may fill it, also without a process or a container", () => {
  for (const field of FIELDS) {
    const getter = field.getter(field.argument === "required" ? "1" : null);
    for (const type of field.types ?? RUNTIME_EVENT_TYPES) {
      getter(event(type));
      getter(event(type, { process: null, container: null }));
    }
  }
});

test("every event type of the contract can be named by a rule", () => {
  const unnamed = RUNTIME_EVENT_TYPES.filter((type) => type !== "syscall" && meaningOf(type) === undefined);
  expect(unnamed).toEqual([]);
});
