import type { AuditEvent } from "@bulwark/model";
import type { Alert } from "../alert.ts";
import { createFolder } from "../fold.ts";
import { visible } from "../output/visible.ts";
import type { RuleSet } from "../rule-set.ts";
import { withDefaults } from "../stateful/registry.ts";
import { type AuditAddressBook, EMPTY_ADDRESS_BOOK } from "./address-book.ts";
import { AUDIT_DETECTORS, type AuditObserver } from "./audit-detectors.ts";
import { lastAddress } from "./audit-fields.ts";
import type { AuditRule } from "./audit-rule.ts";
import { auditTimeUs } from "./read-audit-event.ts";

export type AuditAlert = Alert<AuditEvent>;

export interface AuditDetectorOptions {
  /** Which rules run; without it those that their files do not switch off. */
  readonly runs?: (rule: AuditRule) => boolean;
  /** How long repeats of an alert are left out; 0 tells each one, for whoever counts them himself. */
  readonly foldUs?: number;
}

export interface AuditEngine {
  /**
   * Judges one event of a cluster, knowing where its pods are. A request is told at each of its stages, and sent again where an answer was
   * lost: it raises one alert of a rule.
   */
  readonly feed: (event: AuditEvent, book?: AuditAddressBook) => readonly AuditAlert[];
}

interface Candidate {
  readonly rule: AuditRule;
  readonly observe: AuditObserver | undefined;
}

const ANY = "*";
/** Requests that are remembered: stages of one follow each other, those of an exec after hours. */
const MAX_REQUESTS = 50_000;
const NONE: readonly AuditAlert[] = [];

/**
 * Makes a detector of rules over audit events. It holds what it counted: one per cluster.
 *
 * @example const { feed } = auditDetector(loadRules(files)); for (const alert of feed(event, book)) tell(alert);
 */
export function auditDetector(set: Pick<RuleSet, "auditRules">, options: AuditDetectorOptions = {}): AuditEngine {
  const runs = options.runs ?? ((rule: AuditRule) => rule.enabled);
  const index = indexOf(set.auditRules.filter(runs).map((rule) => ({ rule, observe: observerOf(rule) })));
  const folder = createFolder(options.foldUs);
  const isFirst = firstOfRequests();
  return {
    feed: (event, book = EMPTY_ADDRESS_BOOK) => {
      let alerts: AuditAlert[] | undefined;
      for (const { rule, observe } of candidatesFor(index, event)) {
        if (!rule.test(event)) continue;
        const observed = observe === undefined ? "" : observe(event, book);
        if (observed === undefined) continue;
        const alert = alertOf(rule, event, observed);
        if (!isFirst(rule.name, event) || !folder.isNew(alert, alert.timeUs)) continue;
        alerts ??= [];
        alerts.push(alert);
      }
      return alerts ?? NONE;
    },
  };
}

/** Clients may choose the number of a request, and take the same for all; when it came is the server's word. */
function firstOfRequests(): (rule: string, event: AuditEvent) => boolean {
  const known = new Set<string>();
  return (rule, { auditID, requestReceivedTimestamp }) => {
    const key = `${rule}\u0000${auditID}\u0000${requestReceivedTimestamp}`;
    if (known.has(key)) return false;
    known.add(key);
    if (known.size > MAX_REQUESTS) {
      const [oldest] = known;
      if (oldest !== undefined) known.delete(oldest);
    }
    return true;
  };
}

function observerOf({ detector, settings }: AuditRule): AuditObserver | undefined {
  const found = AUDIT_DETECTORS.find(({ id }) => id === detector);
  return found?.create(withDefaults(found, settings));
}

/** Rules by verb, then by resource; `*` holds those that take any. */
type Index = ReadonlyMap<string, ReadonlyMap<string, readonly Candidate[]>>;

function indexOf(candidates: readonly Candidate[]): Index {
  const index = new Map<string, Map<string, Candidate[]>>();
  for (const candidate of candidates) {
    for (const verb of candidate.rule.verbs ?? [ANY]) {
      const ofVerb = index.get(verb) ?? new Map<string, Candidate[]>();
      index.set(verb, ofVerb);
      for (const resource of candidate.rule.resources ?? [ANY]) {
        ofVerb.set(resource, [...(ofVerb.get(resource) ?? []), candidate]);
      }
    }
  }
  return index;
}

function candidatesFor(index: Index, { verb, objectRef }: AuditEvent): readonly Candidate[] {
  const resource = objectRef?.resource ?? "";
  return [verb, ANY].flatMap((each) => {
    const ofVerb = index.get(each);
    return ofVerb === undefined ? [] : [...(ofVerb.get(resource) ?? []), ...(ofVerb.get(ANY) ?? [])];
  });
}

function alertOf(rule: AuditRule, event: AuditEvent, observed: string): AuditAlert {
  const { text, fields } = rule.format.format(event);
  const { name, description, priority, severity, tags, techniques, tactics, advice } = rule;
  const output = observed === "" ? text : `${text} (${visible(observed)})`;
  const told = { description, priority, severity, output, fields, tags, techniques, tactics, advice };
  return { rule: name, ...told, timeUs: auditTimeUs(event), count: 1, key: keyOf(name, event), event };
}

/** Rule, user, place and object: alerts of one key are repeats of each other. */
function keyOf(rule: string, event: AuditEvent): string {
  const { resource = "", subresource = "", namespace = "", name = "" } = event.objectRef ?? {};
  const object = event.objectRef === null ? (event.requestURI.split("?", 1)[0] ?? "") : "";
  return [
    rule,
    event.user.username,
    lastAddress(event),
    event.verb,
    resource,
    subresource,
    namespace,
    name,
    object,
  ].join("\u0000");
}
