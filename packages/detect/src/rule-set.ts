import type { RuntimeEventType, Severity } from "@bulwark/model";
import { type Tactic, type Technique, tacticsOf, techniquesOf } from "./attack.ts";
import { AUDIT_SOURCE, type AuditRule, loadAuditRule } from "./audit/audit-rule.ts";
import type { Test } from "./compile/compile-check.ts";
import { createCheckCompiler, createPlanner, type Plan, type Planned, type Planner } from "./compile/plan.ts";
import type { Place, Resolved } from "./language/condition.ts";
import type { RuleDefinition, RuleProblem } from "./language/definitions.ts";
import { type RuleFile, readRules } from "./language/read-rules.ts";
import { createResolver, isResolveFault, type Resolver } from "./language/resolve.ts";
import type { SourceText } from "./language/source-text.ts";
import { compileFormat, type Format } from "./output/format.ts";
import { type Priority, severityOf } from "./priority.ts";
import { settingsProblem } from "./stateful/registry.ts";

/** What is told of a rule that can be used, whether it is switched on or not. */
export interface RuleDescription {
  readonly name: string;
  readonly description: string;
  /** The condition as it is written, with what was appended. */
  readonly condition: string;
  readonly priority: Priority;
  readonly severity: Severity;
  readonly tags: readonly string[];
  readonly techniques: readonly Technique[];
  readonly tactics: readonly Tactic[];
  /** What to do about an alert; empty in rules of others. */
  readonly advice: string;
  /** What the file says of it; who runs the rules may decide otherwise. */
  readonly enabled: boolean;
  /** Of a rule over many events: which detector it feeds. Empty otherwise. */
  readonly detector: string;
  readonly settings: RuleDefinition["settings"];
  readonly place: Place;
}

/** A rule over what sensors see. */
export interface Rule extends RuleDescription {
  /** Events that it looks at. */
  readonly eventTypes: readonly RuntimeEventType[];
  /** The condition with macros, lists and exceptions put in. */
  readonly resolved: Resolved;
  readonly plans: readonly Plan[];
  /** Of a sequence: what must have happened before, and last the condition itself. */
  readonly steps: readonly Test[];
  readonly format: Format;
}

/**
 * - `ready`: it works as written
 * - `disabled`: it would, and its file switches it off
 * - `unsupported`: it needs what our events do not tell; it is left out
 * - `invalid`: it has a mistake; it is left out
 */
export type RuleState = "ready" | "disabled" | "unsupported" | "invalid";

/** What became of one rule of a file. */
export interface RuleReport {
  readonly rule: string;
  readonly state: RuleState;
  readonly place: Place;
  /** Why it is left out, or what of it is lost. */
  readonly problems: readonly RuleProblem[];
}

/** Rules that were loaded together. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  /** Rules over what API servers are asked: those with `source: k8s_audit`. */
  readonly auditRules: readonly AuditRule[];
  readonly reports: readonly RuleReport[];
  /** Of files, lists and macros, and of rules that could not even be read. */
  readonly problems: readonly RuleProblem[];
  readonly planner: Planner;
}

/**
 * Loads rule files in Falco's rule language, in their order. Never throws for what is in them: each rule is reported on
 * its own, and one that cannot be used costs no other.
 *
 * @example const { rules, reports } = loadRules([{ name: "rules.yaml", text }]);
 */
export function loadRules(files: readonly RuleFile[]): RuleSet {
  const definitions = readRules(files);
  const resolver = createResolver(definitions);
  const planner = createPlanner(createCheckCompiler());
  const rules: Rule[] = [];
  const auditRules: AuditRule[] = [];
  const reports: RuleReport[] = [];
  for (const definition of definitions.rules.values()) {
    const { report, rule, auditRule } = loadRule(definition, resolver, planner);
    reports.push({ ...report, problems: [...report.problems, ...of(definitions.problems, definition.name)] });
    if (rule !== undefined) rules.push(rule);
    if (auditRule !== undefined) auditRules.push(auditRule);
  }
  const reported = new Set(definitions.rules.keys());
  const problems = definitions.problems.filter(({ rule }) => !reported.has(rule));
  return { rules, auditRules, reports, problems, planner };
}

function of(problems: readonly RuleProblem[], rule: string): readonly RuleProblem[] {
  return problems.filter((problem) => problem.rule === rule);
}

interface Loaded {
  readonly report: RuleReport;
  readonly rule?: Rule;
  readonly auditRule?: AuditRule;
}

/** Tells something about the rule that is being loaded. */
export type Tell = (level: RuleProblem["level"], message: string, at?: Place) => void;

function loadRule(definition: RuleDefinition, resolver: Resolver, planner: Planner): Loaded {
  const { name, place, enabled } = definition;
  const problems: RuleProblem[] = [];
  const tell: Tell = (level, message, at = place) => problems.push({ level, message, place: at, rule: name });
  const report = (state: RuleState): RuleReport => ({ rule: name, state, place, problems });
  if (definition.source === AUDIT_SOURCE) {
    const auditRule = loadAuditRule(definition, resolver, describe(definition), tell);
    if (problems.some(({ level }) => level === "error")) return { report: report("invalid") };
    if (auditRule === undefined) return { report: report("unsupported") };
    return { auditRule, report: report(enabled ? "ready" : "disabled") };
  }
  if (definition.source !== "syscall") {
    tell("warning", `events of the source "${definition.source}" are not captured`);
    return { report: report("unsupported") };
  }
  const settings = settingsProblem(definition.detector, definition.settings);
  if (settings !== undefined) tell("error", settings);
  const steps = resolveSteps(definition, resolver, tell);
  if (steps === undefined) return { report: report("invalid") };
  // A sequence must see the events of all its steps.
  const condition: Resolved = steps.length === 1 && steps[0] !== undefined ? steps[0] : { kind: "or", items: steps };
  const planned = planner.plan(condition);
  const format = compileFormat(definition.output);
  tellFaults(definition, planned, format, tell);
  if (problems.some(({ level }) => level === "error")) return { report: report("invalid") };
  if (planned.faults.length > 0 || planned.plans.length === 0) return { report: report("unsupported") };
  const rule = ruleOf(definition, condition, planned.plans, format, steps.map(planner.closeAnywhere));
  return { rule, report: report(enabled ? "ready" : "disabled") };
}

/** The conditions of a sequence in their order, of any other rule its only one; undefined when one cannot be resolved. */
function resolveSteps(definition: RuleDefinition, resolver: Resolver, tell: Tell): readonly Resolved[] | undefined {
  const steps: Resolved[] = [];
  for (const text of [...beforeOf(definition), definition.condition]) {
    const exceptions = text === definition.condition ? definition.exceptions : [];
    const step = resolver.resolve(text, exceptions);
    if (isResolveFault(step)) {
      tell("error", step.message, step.place);
      return undefined;
    }
    steps.push(step);
  }
  return steps;
}

function tellFaults(definition: RuleDefinition, { plans, faults, notes }: Planned, format: Format, tell: Tell): void {
  for (const { fault, message, check } of faults) {
    const mistake = fault === "invalid" && !definition.skipIfUnknownFilter;
    tell(mistake ? "error" : "warning", message, check.place);
  }
  for (const { fault, message, place } of format.faults) {
    tell(fault === "invalid" ? "error" : "warning", `in the output: ${message}`, place);
  }
  for (const note of notes) tell("warning", note);
  if (faults.length > 0) return;
  if (plans.length === 0 && notes.length === 0) tell("warning", "no event can meet the condition");
  if (definition.warnEventTypes && plans.length > MANY_SITUATIONS) {
    tell("warning", "it names no event type, and is tried on every event");
  }
}

function ruleOf(
  definition: RuleDefinition,
  resolved: Resolved,
  plans: readonly Plan[],
  format: Format,
  steps: readonly Test[],
): Rule {
  return {
    ...describe(definition),
    eventTypes: [...new Set(plans.map(({ type }) => type))],
    resolved,
    plans,
    steps,
    format,
  };
}

function describe(definition: RuleDefinition): RuleDescription {
  const { name, description, priority, tags, advice, enabled, detector, settings, place } = definition;
  return {
    name,
    description,
    condition: definition.condition.text.trim(),
    priority,
    severity: severityOf(priority),
    tags,
    techniques: techniquesOf(tags),
    tactics: tacticsOf(tags),
    advice,
    enabled,
    detector,
    settings,
    place,
  };
}

/** A rule with more event types than this, in containers and outside, has most likely forgotten to name them. */
const MANY_SITUATIONS = 60;

/** The earlier conditions of a sequence. */
function beforeOf({ settings, place }: RuleDefinition): readonly SourceText[] {
  const { before } = settings;
  return typeof before === "object" ? before.map((text) => ({ text, locate: () => place })) : [];
}
