import { type Alert, buildStory, PRIORITIES, type Story, TACTICS, type Tactic, type Technique } from "@bulwark/detect";
import type { RuntimeEvent } from "@bulwark/model";
import { type AlertDetail, getAlert, listAlerts, searchEvents, type TenantQueries } from "@bulwark/store";
import { decodeBatch } from "../runtime-events/decode-batch.ts";

const MINUTE_MS = 60_000;
/** Around the alert that is told of. */
const BEFORE_MS = 15 * MINUTE_MS;
const AFTER_MS = 30 * MINUTE_MS;
const MAX_EVENTS = 5_000;
const MAX_ALERTS = 200;

/**
 * Tells what happened around an alert: the events of its container (or of the host) before and after it, and the other alerts
 * there.
 */
export async function alertStory(db: TenantQueries, alert: AlertDetail): Promise<Story> {
  const since = new Date(Date.parse(alert.firstAt) - BEFORE_MS);
  const until = new Date(Date.parse(alert.lastAt) + AFTER_MS);
  // What no sensor watches has no story but the alert itself.
  if (alert.nodeId === null) return buildStory([], []);
  const place = { nodeId: alert.nodeId, container: alert.container };
  const rows = await searchEvents(db, { ...place, since, until, ascending: true, limit: MAX_EVENTS });
  const others = await listAlerts(db, { ...place, limit: MAX_ALERTS });
  const near = others.filter(({ firstAt, lastAt }) => Date.parse(lastAt) >= +since && Date.parse(firstAt) <= +until);
  const details = (await Promise.all(near.map(({ id }) => getAlert(db, id)))).filter((each) => each !== undefined);
  const batches = new Map<number, readonly (RuntimeEvent | undefined)[]>();
  for (const batchId of new Set([...rows.map((row) => row.batchId), ...details.map((each) => each.batchId)])) {
    batches.set(batchId, (await decodeBatch(db, batchId)) ?? []);
  }
  const events = rows.flatMap(({ batchId, position }) => batches.get(batchId)?.[position] ?? []);
  const alerts = details.flatMap((each) => {
    const event = batches.get(each.batchId)?.[each.position];
    return event === undefined ? [] : [detectAlert(each, event)];
  });
  return buildStory(events, alerts);
}

/** A stored alert as the rules gave it. */
function detectAlert(stored: AlertDetail, event: RuntimeEvent): Alert {
  const { rule, title, severity, tags, count, facts } = stored;
  const tactics = (facts.tactics as readonly Tactic[] | undefined) ?? [];
  return {
    rule,
    description: String(facts.description ?? ""),
    priority: PRIORITIES.find((each) => each === severity) ?? "warning",
    severity,
    output: title,
    fields: (facts.fields as Alert["fields"] | undefined) ?? {},
    tags,
    techniques: (facts.techniques as readonly Technique[] | undefined) ?? [],
    tactics: tactics.filter((tactic) => TACTICS.includes(tactic)),
    advice: String(facts.advice ?? ""),
    timeUs: event.timeUs,
    count,
    key: String(stored.id),
    event,
  };
}
