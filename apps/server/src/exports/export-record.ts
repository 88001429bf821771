import type { RuntimeEvent, RuntimeProcess, Severity } from "@bulwark/model";
import type { AlertDetail, ExportFormat } from "@bulwark/store";
import { alertOcsf } from "./ocsf-alert.ts";
import { eventOcsf } from "./ocsf-event.ts";

/** One event or alert, written out, with what transports put around it. */
export interface ExportRecord {
  /** The same however often it is sent: receivers tell repeats by it. */
  readonly id: string;
  readonly kind: "alert" | "event";
  /** `execve`, `connect`; of an alert `alert`. */
  readonly type: string;
  readonly timeMs: number;
  readonly hostname: string;
  /** `informational` for what no rule judged. */
  readonly severity: Severity | "informational";
  /** What must stay in order among itself: a container, or a node. */
  readonly key: string;
  /** JSON of one line. */
  readonly text: string;
}

/** Where an event happened, and which one it is. */
export interface EventPlace {
  readonly batchId: number;
  readonly position: number;
  readonly nodeId: number;
  readonly hostname: string;
}

/** An event as it is sent. */
export function eventRecord(event: RuntimeEvent, place: EventPlace, format: ExportFormat): ExportRecord {
  const id = `${place.batchId}-${place.position}`;
  const { nodeId, hostname } = place;
  const { process, ...rest } = event;
  const told =
    format === "ocsf"
      ? eventOcsf(event, { id, nodeId, hostname })
      : { kind: "event", id, nodeId, hostname, ...rest, lineage: lineageOf(process) };
  return {
    id,
    kind: "event",
    type: event.type,
    timeMs: Math.floor(event.timeUs / 1_000),
    hostname,
    severity: "informational",
    key: event.container?.id ?? String(nodeId),
    text: JSON.stringify(told),
  };
}

/** An alert as it stands after the change that transaction `xid` made. */
export function alertRecord(alert: AlertDetail, xid: string, format: ExportFormat): ExportRecord {
  const id = `alert-${alert.id}-${xid}`;
  const { processStart: _, batchId, position, ...rest } = alert;
  const eventId = `${batchId}-${position}`;
  const told = format === "ocsf" ? alertOcsf(alert, id) : { ...rest, kind: "alert", alertId: alert.id, id, eventId };
  return {
    id,
    kind: "alert",
    type: "alert",
    timeMs: Date.parse(alert.lastAt),
    hostname: alert.hostname,
    severity: alert.severity,
    key: alert.container === "" ? String(alert.nodeId ?? alert.cluster?.name ?? "") : alert.container,
    text: JSON.stringify(told),
  };
}

/** The process and those above it, itself first. */
function lineageOf(process: RuntimeProcess | null): readonly Omit<RuntimeProcess, "parent">[] {
  const found: Omit<RuntimeProcess, "parent">[] = [];
  for (let at = process; at !== null; at = at.parent) {
    const { parent: _, ...own } = at;
    found.push(own);
  }
  return found;
}
