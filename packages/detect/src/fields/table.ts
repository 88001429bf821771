import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import { CONTAINER_FIELDS, KUBERNETES_FIELDS, OUR_CONTAINER_FIELDS } from "./container.ts";
import { DESCRIPTOR_FIELDS, PATH_FIELDS } from "./descriptor.ts";
import { argumentTypes, EVENT_FIELDS, OUR_EVENT_FIELDS } from "./event.ts";
import type { Field } from "./field.ts";
import { OUR_PROCESS_FIELDS, PROCESS_FIELDS, USER_FIELDS } from "./process.ts";
import { whyUnsupported } from "./unsupported.ts";

/** Every field that a rule may name, in the order of the documentation. */
export const FIELDS: readonly Field[] = [
  ...EVENT_FIELDS,
  ...OUR_EVENT_FIELDS,
  ...PROCESS_FIELDS,
  ...OUR_PROCESS_FIELDS,
  ...USER_FIELDS,
  ...DESCRIPTOR_FIELDS,
  ...PATH_FIELDS,
  ...CONTAINER_FIELDS,
  ...OUR_CONTAINER_FIELDS,
  ...KUBERNETES_FIELDS,
];

const BY_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [field.name, field]));
/** Whose argument may also follow after a dot. */
const DOTTED = ["evt.arg", "evt.rawarg", "k8s.pod.label", "container.label"];

/** A field with its argument, as a condition names it. */
export interface FieldUse<Event = RuntimeEvent> {
  readonly field: Field<Event>;
  readonly argument: string | null;
  /** Event types that fill it; null is all. */
  readonly types: readonly RuntimeEventType[] | null;
}

/** `unsupported`: Falco has it, our events do not fill it. `unknown`: there is no such field, or not in that form. */
export interface FieldFault {
  readonly fault: "unsupported" | "unknown";
  readonly message: string;
}

/**
 * Looks a field up.
 *
 * @param name as written: `proc.name`, `evt.arg.flags`
 * @param argument what stands in brackets, null without brackets
 */
export function findField(name: string, argument: string | null): FieldUse | FieldFault {
  const prefix = DOTTED.find((dotted) => name.startsWith(`${dotted}.`));
  const field = BY_NAME.get(prefix ?? name);
  if (field === undefined) return missing(name);
  const given = prefix === undefined ? argument : name.slice(prefix.length + 1);
  const fault = argumentFault(field, given);
  if (fault !== undefined) return fault;
  if (field.name !== "evt.arg" && field.name !== "evt.rawarg") return { field, argument: given, types: field.types };
  const types = argumentTypes(given ?? "");
  if (types === undefined) return { fault: "unsupported", message: `${name}: no event has an argument "${given}"` };
  return { field, argument: given, types };
}

/** What is wrong with what stands in a field's brackets. */
export function argumentFault<Event>(field: Field<Event>, given: string | null): FieldFault | undefined {
  if (field.argument === "none" && given !== null) {
    return { fault: "unknown", message: `${field.name} takes nothing in brackets` };
  }
  if (field.argument === "required" && given === null) {
    return { fault: "unknown", message: `${field.name} needs ${field.argumentForm} in brackets` };
  }
  if (given !== null && !field.accepts(given)) {
    return { fault: "unknown", message: `${field.name}[${given}]: ${field.argumentForm} is expected in brackets` };
  }
  return undefined;
}

export function isFieldFault<Event>(found: FieldUse<Event> | FieldFault): found is FieldFault {
  return "fault" in found;
}

function missing(name: string): FieldFault {
  const why = whyUnsupported(name);
  if (why !== undefined) return { fault: "unsupported", message: `${name} is not filled: ${why}` };
  return noField(name, BY_NAME.keys());
}

/** There is no such field; perhaps another was meant. */
export function noField(name: string, known: Iterable<string>): FieldFault {
  const near = [...known].find((other) => isNear(other, name));
  return { fault: "unknown", message: `there is no field ${name}${near === undefined ? "" : `; ${near} is one`}` };
}

/** Differs in one letter, or has two neighbours swapped. */
function isNear(known: string, name: string): boolean {
  if (Math.abs(known.length - name.length) > 1) return false;
  let start = 0;
  while (start < known.length && known[start] === name[start]) start++;
  const rests = [
    [known.slice(start + 1), name.slice(start)],
    [known.slice(start), name.slice(start + 1)],
    [known.slice(start + 1), name.slice(start + 1)],
    [
      known.slice(start + 2),
      known[start] === name[start + 1] && known[start + 1] === name[start] ? name.slice(start + 2) : "\0",
    ],
  ];
  return rests.some(([a, b]) => a === b);
}
