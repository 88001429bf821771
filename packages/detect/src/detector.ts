import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import { createAddressBook } from "./address-book.ts";
import { type Alert, alertKey } from "./alert.ts";
import { type AllowEntry, compileAllowList } from "./allow-list.ts";
import { tacticsOf, techniquesOf } from "./attack.ts";
import { buildIndex, type EventIndex } from "./event-index.ts";
import { createFolder, type Repeat } from "./fold.ts";
import type { IndicatorHit, IndicatorMatcher } from "./indicators.ts";
import { visible } from "./output/visible.ts";
import type { Rule, RuleSet } from "./rule-set.ts";
import { createObserver } from "./stateful/registry.ts";

export interface DetectorOptions {
  /** Which rules run; without it those that their files do not switch off. */
  readonly runs?: (rule: Rule) => boolean;
  readonly allow?: readonly AllowEntry[];
  readonly indicators?: IndicatorMatcher;
  /** How long repeats of an alert are only counted; 0 tells each one. */
  readonly foldUs?: number;
  /** Microseconds since 1970; without it the event's own time, which is what a replay wants. */
  readonly nowUs?: () => number;
}

export interface Detector {
  /** Judges one event. Alerts that are accepted or repeats are not among them. */
  readonly detect: (event: RuntimeEvent) => readonly Alert[];
  /** Repeats that were counted since the last call. */
  readonly takeRepeats: () => readonly Repeat[];
  /** Alerts that the allow-list accepted, by entry, since the start. */
  readonly accepted: () => ReadonlyMap<string, number>;
  /** How many rules look at an event type in containers. */
  readonly rulesOf: (type: RuntimeEventType) => number;
}

const NONE: readonly Alert[] = [];

/**
 * Makes a detector of loaded rules. It holds what it counted and what it saw: one per stream of events.
 *
 * @throws DetectError `FILTER_INVALID` for an allow-list entry whose condition is none
 * @example const { detect } = createDetector(loadRules(files)); for (const alert of detect(event)) tell(alert);
 */
export function createDetector(set: RuleSet, options: DetectorOptions = {}): Detector {
  const runs = options.runs ?? ((rule: Rule) => rule.enabled);
  const index: EventIndex = buildIndex(set.rules.filter(runs), set.planner, ({ detector, settings, steps }) =>
    createObserver(detector, settings, steps),
  );
  const allowed = compileAllowList(options.allow ?? []);
  const hasAllowed = (options.allow ?? []).length > 0;
  const folder = createFolder(options.foldUs);
  const book = createAddressBook();
  const accepted = new Map<string, number>();
  const now = options.nowUs;

  function keep(alert: Alert, alerts: Alert[] | undefined): Alert[] | undefined {
    const nowUs = now === undefined ? alert.timeUs : now();
    const entry = hasAllowed ? allowed.accepts(alert.rule, alert.event, nowUs) : undefined;
    if (entry !== undefined) {
      accepted.set(entry.id, (accepted.get(entry.id) ?? 0) + alert.count);
      return alerts;
    }
    if (!folder.isNew(alert, nowUs)) return alerts;
    if (alerts === undefined) return [alert];
    alerts.push(alert);
    return alerts;
  }

  return {
    detect: (told) => {
      const event = book.named(told);
      let alerts: Alert[] | undefined;
      for (const { rule, observe } of index(event)) {
        const observed = observe === undefined ? "" : observe(event);
        if (observed !== undefined) alerts = keep(alertOf(rule, event, observed), alerts);
      }
      const hit = options.indicators?.match(event, now === undefined ? event.timeUs : now());
      if (hit !== undefined) alerts = keep(indicatorAlert(hit, event), alerts);
      return alerts ?? NONE;
    },
    takeRepeats: folder.takeRepeats,
    accepted: () => accepted,
    rulesOf: (type) => set.rules.filter((rule) => runs(rule) && rule.eventTypes.includes(type)).length,
  };
}

function alertOf(rule: Rule, event: RuntimeEvent, observed = ""): Alert {
  const { text, fields } = rule.format.format(event);
  return {
    rule: rule.name,
    description: rule.description,
    priority: rule.priority,
    severity: rule.severity,
    output: observed === "" ? text : `${text} (${visible(observed)})`,
    fields,
    tags: rule.tags,
    techniques: rule.techniques,
    tactics: rule.tactics,
    advice: rule.advice,
    timeUs: event.timeUs,
    count: event.count,
    key: observed === "" ? alertKey(rule.name, event) : alertKey(rule.name, { ...event, path: "", newPath: "" }),
    event,
  };
}

const INDICATOR_RULES = {
  address: { name: "Known hostile address contacted", tags: ["network", "mitre_command_and_control", "T1071"] },
  network: { name: "Known hostile address contacted", tags: ["network", "mitre_command_and_control", "T1071"] },
  domain: { name: "Known hostile domain asked for", tags: ["network", "mitre_command_and_control", "T1071.004"] },
  sha256: { name: "Known hostile program executed", tags: ["process", "mitre_execution", "T1204"] },
} as const;

function indicatorAlert({ indicator, seen }: IndicatorHit, event: RuntimeEvent): Alert {
  const { name, tags } = INDICATOR_RULES[indicator.kind];
  const process = event.process === null ? "" : ` by ${event.process.name} (pid ${event.process.pid})`;
  return {
    rule: name,
    description: `It is on the list ${indicator.source}.`,
    priority: "critical",
    severity: "critical",
    output: visible(`${name}: ${seen} is on the list ${indicator.source} as ${indicator.value}${process}`),
    fields: { indicator: visible(indicator.value), source: visible(indicator.source), seen: visible(seen) },
    tags,
    techniques: techniquesOf(tags),
    tactics: tacticsOf(tags),
    advice: "Isolate the container's network, capture evidence, then find out how the program came in.",
    timeUs: event.timeUs,
    count: event.count,
    key: alertKey(`${name} ${indicator.value}`, event),
    event,
  };
}
