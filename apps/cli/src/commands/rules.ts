import { writeFile } from "node:fs/promises";
import {
  type Alert,
  AUDIT_DETECTORS,
  AUDIT_FIELDS,
  type AuditAlert,
  auditDetector,
  buildStory,
  createDetector,
  FIELDS,
  loadRules,
  type RuleProblem,
  type RuleReport,
  type RuleSet,
  STATEFUL_DETECTORS,
  storyHtml,
  UNSUPPORTED_AUDIT_FIELDS,
  UNSUPPORTED_FIELDS,
} from "@bulwark/detect";
import type { RuntimeEvent } from "@bulwark/model";
import { CliError, ERROR_EXIT, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { readEvents } from "../recorded-events.ts";
import { readRuleFiles, SHIPPED_RULES } from "../rule-files.ts";
import { RULES_HELP } from "../rules-help.ts";

const TABLE = {
  rules: { type: "string", multiple: true },
  events: { type: "string" },
  all: { type: "boolean" },
  format: { type: "string" },
  story: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const VIOLATED = 1;
/** Events that a story is told from; the later ones are left out. */
const MAX_STORY_EVENTS = 200_000;

type Action = (options: ParsedOptions, words: readonly string[]) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { check, replay, fields };

/** `bulwark rules`: see RULES_HELP. */
export async function rulesCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("rules", args, TABLE);
  const [name, ...words] = options.positionals;
  if (options.flags.has("help") || name === undefined) {
    process.stdout.write(RULES_HELP);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new CliError("USAGE", `rules: no action "${name}"`, "see bulwark rules --help");
  return action(options, words);
}

function isJson({ text }: ParsedOptions): boolean {
  const format = text.format ?? "lines";
  if (format !== "lines" && format !== "json") {
    throw new CliError("USAGE", `rules: no format "${format}"`, "there are lines and json");
  }
  return format === "json";
}

async function check(options: ParsedOptions, files: readonly string[]): Promise<number> {
  if (files.length === 0) throw new CliError("USAGE", "rules check: no file is given", "see bulwark rules --help");
  const set = loadRules(await readRuleFiles(files));
  const invalid = set.reports.some(({ state }) => state === "invalid");
  const failed = invalid || set.problems.some(({ level }) => level === "error");
  if (isJson(options)) {
    const { reports, problems } = set;
    process.stdout.write(`${JSON.stringify({ rules: reports, problems }, null, 2)}\n`);
  } else writeReports(set);
  return failed ? ERROR_EXIT : 0;
}

function writeReports({ reports, problems }: RuleSet): void {
  for (const problem of problems) process.stdout.write(`${problemLine(problem)}\n`);
  for (const report of reports) {
    if (report.problems.length === 0) continue;
    process.stdout.write(plain(`${report.rule}: ${report.state}\n`));
    for (const problem of report.problems) process.stdout.write(`  ${problemLine(problem)}\n`);
  }
  const count = (state: RuleReport["state"]) => reports.filter((report) => report.state === state).length;
  const states = (["ready", "disabled", "unsupported", "invalid"] as const).map((state) => `${count(state)} ${state}`);
  process.stdout.write(`${reports.length} rules: ${states.join(", ")}\n`);
}

function problemLine({ level, message, place }: RuleProblem): string {
  return plain(`${place.file}:${place.line}:${place.column}: ${level}: ${message}`);
}

async function replay(options: ParsedOptions, words: readonly string[]): Promise<number> {
  const { events } = options.text;
  if (events === undefined || words.length > 0) {
    throw new CliError("USAGE", "rules replay: it takes --events FILE", "see bulwark rules --help");
  }
  const json = isJson(options);
  const set = loadRules(await readRuleFiles(options.lists.rules ?? [SHIPPED_RULES]));
  const broken = [...set.problems, ...set.reports.flatMap((report) => report.problems)].filter(
    ({ level }) => level === "error",
  );
  for (const problem of broken) process.stderr.write(`${problemLine(problem)}\n`);
  const all = options.flags.has("all");
  const detector = createDetector(set, all ? { runs: () => true } : {});
  const audit = auditDetector(set, all ? { runs: () => true } : {});
  const alerts: Alert[] = [];
  const kept: RuntimeEvent[] = [];
  let told = 0;
  for await (const recorded of readEvents(events)) {
    if (recorded.source === "audit") {
      for (const alert of audit.feed(recorded.event)) {
        told++;
        process.stdout.write(json ? `${JSON.stringify(shownAudit(alert))}\n` : alertLine(alert));
      }
      continue;
    }
    const { event } = recorded;
    if (options.text.story !== undefined && kept.length < MAX_STORY_EVENTS) kept.push(event);
    for (const alert of detector.detect(event)) {
      alerts.push(alert);
      process.stdout.write(json ? `${JSON.stringify(shown(alert))}\n` : alertLine(alert));
    }
  }
  if (options.text.story !== undefined) await writeStory(options.text.story, kept, alerts);
  if (broken.length > 0) return ERROR_EXIT;
  return alerts.length + told > 0 ? VIOLATED : 0;
}

function shownAudit({ event, key: _key, ...alert }: AuditAlert): object {
  return { ...alert, auditId: event.auditID, user: event.user.username, sourceAddresses: event.sourceIPs };
}

/** Without the event: it is in the file that was replayed. */
function shown({ event, key: _key, ...alert }: Alert): object {
  return { ...alert, containerId: event.container?.id ?? "", pid: event.process?.pid ?? 0 };
}

function alertLine({ timeUs, priority, rule, output, techniques }: Alert | AuditAlert): string {
  const time = new Date(timeUs / 1000).toISOString();
  const attack = techniques.map(({ id }) => id).join(",");
  return plain(`${time} ${priority} ${rule}${attack === "" ? "" : ` [${attack}]`}: ${output}\n`);
}

async function writeStory(file: string, events: readonly RuntimeEvent[], alerts: readonly Alert[]): Promise<void> {
  try {
    await writeFile(file, storyHtml(buildStory(events, alerts)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("OUTPUT_UNWRITABLE", `the story cannot be written to ${file}: ${why}`, "choose another", cause);
  }
}

async function fields(options: ParsedOptions, words: readonly string[]): Promise<number> {
  const [word = ""] = words;
  const all = [...FIELDS, ...AUDIT_FIELDS.filter(({ name }) => !name.startsWith("evt."))];
  const found = all.filter(({ name }) => name.includes(word));
  const missing = [...UNSUPPORTED_FIELDS, ...UNSUPPORTED_AUDIT_FIELDS].filter(([name]) => name.includes(word));
  if (isJson(options)) {
    const list = found.map(({ name, type, doc, argument, ours, types }) => ({
      name,
      type,
      doc,
      argument,
      ours,
      types,
    }));
    process.stdout.write(`${JSON.stringify({ fields: list, unsupported: Object.fromEntries(missing) }, null, 2)}\n`);
    return 0;
  }
  for (const { name, argument, argumentForm, doc } of found) {
    const brackets = argument === "none" ? "" : ` [${argumentForm}]`;
    process.stdout.write(`${name}${brackets}\n    ${doc}\n`);
  }
  if (found.length + missing.length === 0)
    process.stdout.write(`No field has "${word}" in it: see bulwark rules fields\n`);
  if (missing.length > 0) process.stdout.write("\nNot filled\n");
  for (const [name, why] of missing) process.stdout.write(`${name}\n    ${why}\n`);
  if (word === "") {
    process.stdout.write("\nDetectors over many events\n");
    for (const { id, doc } of STATEFUL_DETECTORS) process.stdout.write(`${id}\n    ${doc}\n`);
    for (const { id, doc } of AUDIT_DETECTORS) process.stdout.write(`${id} (k8s_audit)\n    ${doc}\n`);
  }
  return 0;
}
