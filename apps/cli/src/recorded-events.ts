import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { readAuditEvent } from "@bulwark/detect";
import {
  type AuditEvent,
  EMPTY_CONTAINER,
  EMPTY_EVENT,
  EMPTY_PROCESS,
  fieldsOf,
  listOf,
  RUNTIME_EVENT_TYPES,
  type RuntimeEvent,
} from "@bulwark/model";
import { CliError } from "./failure.ts";

/** Of one line: 128 KiB of arguments, escaped, with a lineage of such. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;
const TYPES: ReadonlySet<string> = new Set(RUNTIME_EVENT_TYPES);

/** What was recorded on a node, or by an API server. */
export type RecordedEvent =
  | { readonly source: "sensor"; readonly event: RuntimeEvent }
  | { readonly source: "audit"; readonly event: AuditEvent };

/**
 * Reads recorded events, one JSON object a line: in the shape of `RuntimeEvent`, where what a line leaves out is empty, or audit
 * events of Kubernetes (audit.k8s.io/v1), one by one or as lists.
 *
 * @param file its path, `-` for standard input
 * @throws CliError `FILE_UNREADABLE` that names the line
 */
export async function* readEvents(file: string): AsyncGenerator<RecordedEvent> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const failure = new Promise<never>((_, reject) => input.once("error", reject));
  failure.catch(() => lines.close());
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() !== "") yield* parseLine(line);
    }
    if (input.errored !== null) throw input.errored;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const place = number === 0 ? file : `${file}, line ${number}`;
    throw new CliError(
      "FILE_UNREADABLE",
      `events cannot be read from ${place}: ${why}`,
      "see bulwark rules --help",
      cause,
    );
  }
}

function parseLine(line: string): readonly RecordedEvent[] {
  if (line.length > MAX_LINE_LENGTH) throw new Error(`the line is longer than ${MAX_LINE_LENGTH} characters`);
  const fields = fieldsOf(JSON.parse(line));
  if (fields.auditID === undefined && fields.kind !== "EventList") {
    return [{ source: "sensor", event: parseEvent(fields) }];
  }
  return (fields.kind === "EventList" ? listOf(fields.items) : [fields]).map((item) => {
    const event = readAuditEvent(item);
    if (event === undefined) throw new Error("it is no audit event: auditID or stage is missing");
    return { source: "audit", event };
  });
}

function parseEvent(fields: Readonly<Record<string, unknown>>): RuntimeEvent {
  if (typeof fields.type !== "string" || !TYPES.has(fields.type))
    throw new Error(`no event type: ${String(fields.type)}`);
  if (typeof fields.timeUs !== "number") throw new Error("timeUs is no number");
  const event = filled(EMPTY_EVENT, fields, "the event");
  const container =
    fields.container == null ? null : filled(EMPTY_CONTAINER, fieldsOf(fields.container), "the container");
  const given = fields.process == null ? null : parseProcess(fields.process);
  return { ...event, type: fields.type, timeUs: fields.timeUs, container, process: given } as RuntimeEvent;
}

function parseProcess(value: unknown): RuntimeEvent["process"] {
  const chain: Record<string, unknown>[] = [];
  for (let at = value; at != null; at = fieldsOf(at).parent)
    chain.push(filled(EMPTY_PROCESS, fieldsOf(at), "a process"));
  return chain.reduceRight<unknown>((parent, process) => ({ ...process, parent }), null) as RuntimeEvent["process"];
}

/** Every field of the contract, of the kind that it must be of. */
function filled<Shape extends object>(
  empty: Shape,
  given: Readonly<Record<string, unknown>>,
  what: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, otherwise] of Object.entries(empty)) {
    const value = given[name] ?? otherwise;
    const wrong =
      otherwise !== null && (typeof value !== typeof otherwise || Array.isArray(value) !== Array.isArray(otherwise));
    if (wrong) throw new Error(`${name} of ${what} is of another kind`);
    result[name] = value;
  }
  return result;
}
