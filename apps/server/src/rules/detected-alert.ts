import { createHash } from "node:crypto";
import { type Alert, type Rule, visible } from "@bulwark/detect";
import type { RuntimeEvent, RuntimeProcess, Severity } from "@bulwark/model";
import type { DetectedAlert } from "../gateway/batch-writer.ts";
import { targetOf } from "../gateway/event-row.ts";

const MAX_LINEAGE = 16;
/** What an alert becomes in a container that others can reach. */
const WORSE: Readonly<Partial<Record<Severity, Severity>>> = { low: "medium", medium: "high", high: "critical" };
const MAX_TITLE = 2_000;

/** An alert of a rule, as it is kept. */
export function detectedAlert(alert: Alert, nodeId: number): DetectedAlert {
  const { event, rule, output, severity, tags, key, fields, description, advice, techniques, tactics } = alert;
  return {
    ...placeOf(event),
    foldKey: foldKey(nodeId, key),
    rule,
    title: output.slice(0, MAX_TITLE).toWellFormed(),
    ...weighed(event, severity),
    tags,
    count: alert.count,
    blocked: false,
    facts: { ...factsOf(event), ...raisedFrom(event, severity), fields, description, advice, techniques, tactics },
  };
}

/** Something that a node refused; `rule` is unknown when its block was taken back in the meantime. */
export function blockedAlert(event: RuntimeEvent, nodeId: number, rule: Rule | undefined): DetectedAlert {
  const name = rule?.name ?? "Blocked";
  const what = event.process === null ? "" : ` by ${event.process.name} (pid ${event.process.pid})`;
  const target = targetOf(event) || (event.process?.exe ?? "");
  const { description = "", advice = "", techniques = [], tactics = [], tags = [], severity = "high" } = rule ?? {};
  const key = [name, "blocked", event.container?.id ?? "host", event.process?.exe ?? "", target].join("\0");
  return {
    ...placeOf(event),
    foldKey: foldKey(nodeId, key),
    rule: name,
    title: visible(`Blocked: ${target}${what}`).slice(0, MAX_TITLE).toWellFormed(),
    ...weighed(event, severity),
    tags,
    count: event.count,
    blocked: true,
    facts: { ...factsOf(event), ...raisedFrom(event, severity), fields: {}, description, advice, techniques, tactics },
  };
}

/** One step worse where others can reach the container: there an attacker is more likely than a mistake. */
function weighed(event: RuntimeEvent, severity: Severity): { readonly severity: Severity; readonly exposed: boolean } {
  const exposed = event.container?.exposed === true;
  return { severity: exposed ? (WORSE[severity] ?? severity) : severity, exposed };
}

/** What the rule itself says, where the alert says more. */
function raisedFrom(event: RuntimeEvent, severity: Severity): { readonly raisedFrom?: Severity } {
  return weighed(event, severity).severity === severity ? {} : { raisedFrom: severity };
}

function placeOf(event: RuntimeEvent) {
  const { process, container } = event;
  return {
    container: container?.id ?? "",
    containerName: visible(container?.name ?? ""),
    image: visible(container?.image ?? ""),
    imageDigest: container?.imageDigest ?? "",
    namespace: container?.namespace ?? "",
    pod: container?.pod ?? "",
    process: visible(process?.name ?? ""),
    exe: visible(process?.exe ?? ""),
    pid: process?.pid ?? 0,
    processStart: process?.startUs ?? 0,
    at: new Date(event.timeUs / 1_000),
  };
}

function factsOf(event: RuntimeEvent) {
  const { process, container, ...own } = event;
  return { event: own, container, lineage: lineage(process) };
}

function lineage(process: RuntimeProcess | null) {
  const found: Omit<RuntimeProcess, "parent">[] = [];
  for (let at = process; at !== null && found.length < MAX_LINEAGE; at = at.parent) {
    const { parent: _, ...own } = at;
    found.push(own);
  }
  return found;
}

/** Keys hold whatever paths hold: the digest has a bound, and no NUL. */
function foldKey(nodeId: number, key: string): string {
  return createHash("sha256").update(`${nodeId}\0${key}`).digest("base64url");
}
