import type { RuntimeEvent } from "@bulwark/model";
import { compileOperandOf, type FindField } from "../compile/compile-check.ts";
import type { Getter, Value } from "../fields/field.ts";
import { findField } from "../fields/table.ts";
import type { Place } from "../language/condition.ts";
import { isFault, parseOperand } from "../language/parse-condition.ts";
import type { SourceText } from "../language/source-text.ts";
import { visible } from "./visible.ts";

/** Of one value in an output; arguments can be 128 KiB long. */
const MAX_VALUE_LENGTH = 4096;
/** What Falco prints for a value that an event has not. */
const NOT_AVAILABLE = "<NA>";

/** What `%container.info` stands for. */
const CONTAINER_INFO =
  "container_id=%container.id container_name=%container.name container_image_repository=%container.image.repository " +
  "container_image_tag=%container.image.tag k8s_ns=%k8s.ns.name k8s_pod_name=%k8s.pod.name";

interface FormatFault {
  readonly fault: "unsupported" | "invalid";
  readonly message: string;
  readonly place: Place;
}

interface Formatted {
  readonly text: string;
  /** By the field as the rule writes it; without those that the event has not. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export interface Format<Event = RuntimeEvent> {
  readonly format: (event: Event) => Formatted;
  /** Fields that print as not available, and those that do not exist. */
  readonly faults: readonly FormatFault[];
}

interface Slot<Event> {
  /** As it is written, without the percent sign. */
  readonly name: string;
  readonly get: Getter<Event>;
}

/** Compiles an output: `%field`, `%(field)`, `%field[argument]`, `%toupper(field)`; `%%` is a percent sign. */
export function compileFormat(output: SourceText): Format {
  return compileFormatOf(output, findField);
}

/** The same for events of any source. */
export function compileFormatOf<Event>(output: SourceText, find: FindField<Event>): Format<Event> {
  const parts: (string | Slot<Event>)[] = [];
  const faults: FormatFault[] = [];
  const text = output.text.trim().replace(/^\*/, "").replaceAll("%container.info", CONTAINER_INFO);
  const locate = text === output.text ? output.locate : () => output.locate(0);
  let at = 0;
  while (at < text.length) {
    const percent = text.indexOf("%", at);
    if (percent < 0) break;
    parts.push(text.slice(at, percent));
    at = percent + 1;
    if (text[at] === "%") {
      parts.push("%");
      at++;
      continue;
    }
    const wrapped = text[at] === "(";
    const found = parseOperand(text, wrapped ? at + 1 : at, locate);
    if (isFault(found) || (wrapped && text[found.end] !== ")")) {
      // A percent sign that no field follows is one.
      parts.push("%");
      continue;
    }
    const name = text.slice(wrapped ? at + 1 : at, found.end);
    const operand = compileOperandOf(found.operand, find);
    if ("fault" in operand) faults.push({ ...operand, place: locate(at) });
    parts.push({ name, get: "fault" in operand ? () => undefined : operand.get });
    at = wrapped ? found.end + 1 : found.end;
  }
  parts.push(text.slice(at));
  return { faults, format: (event) => formatted(parts, event) };
}

function formatted<Event>(parts: readonly (string | Slot<Event>)[], event: Event): Formatted {
  const fields: Record<string, string | number | boolean> = {};
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const value = shown(part.get(event));
    text += value === undefined ? NOT_AVAILABLE : String(value);
    if (value !== undefined) fields[part.name] = value;
  }
  return { text: text.replace(/\s+/g, " ").trim(), fields };
}

function shown(value: Value | undefined): string | number | boolean | undefined {
  if (value === undefined || typeof value === "number" || typeof value === "boolean") return value;
  const text = typeof value === "string" ? value : value.join(",");
  return visible(text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text);
}
