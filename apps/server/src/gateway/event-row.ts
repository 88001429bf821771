import type { RuntimeEvent } from "@bulwark/model";
import type { EventRow } from "@bulwark/store";
import { eventTypeNumber } from "./runtime-events.ts";

/** Of what is searched for; the whole text is in the batch. */
const MAX_TEXT = 1_024;

/** What of an event is searched for. PostgreSQL's text cannot hold NUL. */
export function eventRow(event: RuntimeEvent, type = eventTypeNumber(event.type)): EventRow {
  const { process } = event;
  return {
    timeUs: event.timeUs,
    type,
    count: event.count,
    container: text(event.container?.id ?? ""),
    pid: process?.pid ?? 0,
    name: text(process?.name ?? ""),
    exe: text(process?.exe ?? ""),
    arguments: text(process?.arguments.join(" ") ?? ""),
    target: text(targetOf(event)),
    port: event.remotePort === 0 ? event.localPort : event.remotePort,
    result: Math.max(-2_147_483_648, Math.min(event.result, 2_147_483_647)),
  };
}

/** What an event is about: a path, an address, a name, in this order. */
export function targetOf(event: RuntimeEvent): string {
  if (event.path !== "") return event.newPath === "" ? event.path : `${event.path} → ${event.newPath}`;
  if (event.remoteAddress !== "") return event.remoteAddress;
  if (event.dnsName !== "") return event.dnsName;
  return event.localAddress === "" ? event.detail : event.localAddress;
}

function text(value: string): string {
  const short = value.length > MAX_TEXT ? value.slice(0, MAX_TEXT).toWellFormed() : value;
  return short.includes("\0") ? short.replaceAll("\0", "\\x00") : short;
}
