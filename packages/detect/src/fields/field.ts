import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";

/** What a field says about an event. Of several values a comparison holds when it holds for any, unless said otherwise. */
export type Value = string | number | boolean | readonly string[];

/** Gives the field's value, undefined when the event has none: then every comparison with it is false. */
export type Getter<Event = RuntimeEvent> = (event: Event) => Value | undefined;

/**
 * - `addresses`: one or more IP addresses, compared with addresses and networks; `!=` holds when none of them is equal
 * - `ports`: one or more numbers, with the same rule for `!=`
 * - `ancestors`: the same question asked of every ancestor of the process
 * - `list`: `in` asks whether all elements are among the values, `intersects` whether any is
 */
export type FieldType = "text" | "number" | "boolean" | "addresses" | "ports" | "ancestors" | "list";

/** A field that rules may name: this table is parser, validator and documentation. */
export interface Field<Event = RuntimeEvent> {
  readonly name: string;
  readonly type: FieldType;
  /** One sentence without a full stop. */
  readonly doc: string;
  /** What stands in brackets. */
  readonly argument: "none" | "optional" | "required";
  /** What an argument must look like, for messages; and whether one does. */
  readonly argumentForm: string;
  readonly accepts: (argument: string) => boolean;
  /** Event types that fill it; null is all of them. */
  readonly types: readonly RuntimeEventType[] | null;
  /** Whether only events of containers fill it. */
  readonly containerOnly: boolean;
  /** Whether Falco knows it too. */
  readonly ours: boolean;
  /** How dear it is to read, for the order of tests: 1 is reading a property. */
  readonly cost: number;
  readonly getter: (argument: string | null) => Getter<Event>;
  /** A quicker way for events of one type, where the type decides what is read. */
  readonly getterFor?: (type: RuntimeEventType) => Getter<Event>;
}

type Optional<Event> = Partial<Omit<Field<Event>, "name" | "type" | "doc" | "getter">>;

const PLAIN = {
  argument: "none",
  argumentForm: "",
  accepts: () => true,
  types: null,
  containerOnly: false,
  ours: false,
  cost: 1,
} as const;

/** Declares a field; what is left out is the plain case. */
export function field<Event = RuntimeEvent>(
  name: string,
  type: FieldType,
  doc: string,
  getter: Getter<Event>,
  more: Optional<Event> = {},
): Field<Event> {
  return { name, type, doc, ...PLAIN, ...more, getter: () => getter };
}

/** Declares a field that something stands in brackets behind. */
export function fieldWith<Event = RuntimeEvent>(
  name: string,
  type: FieldType,
  doc: string,
  getter: (argument: string | null) => Getter<Event>,
  more: Optional<Event> & Pick<Field<Event>, "argument" | "argumentForm">,
): Field<Event> {
  return { name, type, doc, ...PLAIN, ...more, getter };
}

/** An argument that is a small number. */
export const INDEX = {
  argumentForm: "a number",
  accepts: (argument: string) => /^\d{1,3}$/.test(argument),
} as const;

/** Keeps the last answer: the fields of one event ask for the same thing again and again. */
export function remembered<Key extends object, Result>(compute: (key: Key) => Result): (key: Key) => Result {
  let lastKey: Key | undefined;
  let lastResult: Result;
  return (key) => {
    if (key !== lastKey) {
      lastResult = compute(key);
      lastKey = key;
    }
    return lastResult;
  };
}

/** Texts whose answers are kept; a node has that many addresses in use. */
const MAX_ANSWERS = 4096;

/** Keeps answers about texts that come again and again. */
export function answers<Result>(compute: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= MAX_ANSWERS) known.clear();
    const result = compute(text);
    known.set(text, result);
    return result;
  };
}

/** Empty text is no value. */
export function textOrNone(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
