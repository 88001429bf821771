import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import { meaningOf } from "../event-types.ts";
import { answers, type FieldType, type Getter, type Value } from "../fields/field.ts";
import { type FieldFault, type FieldUse, findField, isFieldFault } from "../fields/table.ts";
import type { Check, Literal, Operand, Operator } from "../language/condition.ts";
import { isNumber } from "../language/parse-condition.ts";
import { contains, type Network, parseAddress, parseNetwork } from "./network.ts";
import { compileTextTest } from "./text-tests.ts";
import { transformed, transformedType } from "./transformers.ts";

export type Test<Event = RuntimeEvent> = (event: Event) => boolean;

/** Looks a field of one source of events up. */
export type FindField<Event> = (name: string, argument: string | null) => FieldUse<Event> | FieldFault;

/** A check, ready to run, with what is known of it beforehand. */
export interface CompiledCheck {
  readonly test: Test;
  /** The same for events of one type only, where that is quicker. */
  readonly testFor?: (type: RuntimeEventType) => Test;
  /** Relative; cheap tests are tried first. */
  readonly cost: number;
  /** Event types for which it can hold; null is all. */
  readonly types: ReadonlySet<RuntimeEventType> | null;
  /** For these types it holds whatever else the event says: `evt.type` itself. */
  readonly always: ReadonlySet<RuntimeEventType> | null;
  /** It holds for every event. */
  readonly constant: boolean;
  /** True when it only holds in containers, false when only outside, null when it does not matter. */
  readonly inContainer: boolean | null;
  /** It holds exactly when the event is (not) a container's. */
  readonly decidesContainer: boolean;
  /** Names of events that no event of ours ever is, and why. */
  readonly notes: readonly string[];
}

/** `unsupported`: of Falco's language, but not filled by our events. `invalid`: a mistake. */
export interface CheckFault {
  readonly fault: "unsupported" | "invalid";
  readonly message: string;
}

export function isCheckFault(value: CompiledCheck | CheckFault): value is CheckFault {
  return "fault" in value;
}

const TYPE_FIELDS: readonly string[] = ["evt.type", "syscall.type"];
const OPERATOR_COST: Partial<Readonly<Record<Operator, number>>> = {
  contains: 4,
  icontains: 8,
  glob: 8,
  iglob: 10,
  regex: 60,
  pmatch: 6,
  bcontains: 4,
};

/** Compiles one check. */
export function compileCheck(check: Check): CompiledCheck | CheckFault {
  const { left } = check;
  if (left.kind === "field" && left.argument === null && check.right === null) {
    if (left.name === "evt.dir") return compileDirection(check);
    if (TYPE_FIELDS.includes(left.name) && ["=", "!=", "in", "intersects", "exists"].includes(check.operator)) {
      return compileType(check);
    }
    if (left.name === "container.id" && check.operator !== "exists" && isAboutHost(check)) {
      return compileHost(check.operator === "=" || check.operator === "in");
    }
  }
  const operand = compileOperand(left);
  if ("fault" in operand) return operand;
  const test =
    check.right === null
      ? compileValues(operand, check.operator, check.values)
      : compileRight(operand, check, findField);
  if ("fault" in test) return test;
  const { getterFor } = operand;
  const quicker = (type: RuntimeEventType): Test => {
    const typed =
      getterFor === undefined
        ? test
        : compileValues({ ...operand, get: getterFor(type) }, check.operator, check.values);
    return "fault" in typed ? test.test : typed.test;
  };
  return {
    test: test.test,
    ...(getterFor === undefined || check.right !== null ? {} : { testFor: quicker }),
    cost: operand.cost + (OPERATOR_COST[check.operator] ?? 1),
    types: operand.types,
    always: null,
    constant: false,
    inContainer: operand.containerOnly ? true : null,
    decidesContainer: false,
    notes: [],
  };
}

/** Compiles a check of events of any source, of which nothing is known beforehand. */
export function compileComparison<Event>(
  { left, operator, values, right, ...check }: Check,
  find: FindField<Event>,
): { readonly test: Test<Event>; readonly cost: number } | CheckFault {
  const operand = compileOperandOf(left, find);
  if ("fault" in operand) return operand;
  const compiled =
    right === null
      ? compileValues(operand, operator, values)
      : compileRight(operand, { left, operator, values, right, ...check }, find);
  if ("fault" in compiled) return compiled;
  return { test: compiled.test, cost: operand.cost + (OPERATOR_COST[operator] ?? 1) };
}

function invalid(message: string): CheckFault {
  return { fault: "invalid", message };
}

const PLAIN = {
  cost: 1,
  types: null,
  always: null,
  constant: false,
  inContainer: null,
  decidesContainer: false,
  notes: [],
} as const;

/** Entry and completion of a call are one event here, so that neither direction can fail a rule. */
function compileDirection({ operator, values }: Check): CompiledCheck | CheckFault {
  const wrong = values.find(({ text }) => text !== "<" && text !== ">");
  if (wrong !== undefined) return invalid(`evt.dir is < or >, never "${wrong.text}"`);
  if (!["=", "!=", "in", "exists"].includes(operator)) return invalid(`evt.dir cannot be compared by "${operator}"`);
  return { ...PLAIN, test: () => true, constant: true };
}

function compileType({ operator, values }: Check): CompiledCheck | CheckFault {
  if (operator === "exists") return { ...PLAIN, test: () => true, constant: true };
  const whole = new Set<RuntimeEventType>();
  const calls = new Set<string>();
  const notes: string[] = [];
  for (const { text } of values) {
    const meaning = meaningOf(text);
    if (meaning === undefined) return invalid(`there is no event type "${text}"`);
    if ("why" in meaning) notes.push(meaning.why);
    else if (meaning.call === "") for (const type of meaning.types) whole.add(type);
    else calls.add(meaning.call);
  }
  const holds: Test = (event) => whole.has(event.type) || (event.type === "syscall" && calls.has(event.detail));
  const types = new Set(whole);
  if (calls.size > 0) types.add("syscall");
  if (operator === "!=") {
    return { ...PLAIN, test: (event) => !holds(event), notes };
  }
  return { ...PLAIN, test: holds, types, always: whole, notes };
}

function isAboutHost({ operator, values }: Check): boolean {
  return ["=", "!=", "in"].includes(operator) && values.length === 1 && values[0]?.text === "host";
}

function compileHost(host: boolean): CompiledCheck {
  const test: Test = host ? (event) => event.container === null : (event) => event.container !== null;
  return { ...PLAIN, test, inContainer: !host, decidesContainer: true };
}

interface CompiledOperand<Event = RuntimeEvent> {
  readonly get: Getter<Event>;
  readonly type: FieldType;
  readonly cost: number;
  readonly types: ReadonlySet<RuntimeEventType> | null;
  readonly containerOnly: boolean;
  readonly name: string;
  readonly getterFor?: (type: RuntimeEventType) => Getter<Event>;
}

/** Compiles what stands on the left of an operator, or behind `%` in an output. */
export function compileOperand(operand: Operand): CompiledOperand | CheckFault {
  return compileOperandOf(operand, findField);
}

/** The same for events of any source. */
export function compileOperandOf<Event>(operand: Operand, find: FindField<Event>): CompiledOperand<Event> | CheckFault {
  if (operand.kind === "literal") {
    const value: Value = operand.texts.length === 1 ? (operand.texts[0] ?? "") : operand.texts;
    const type = operand.texts.length === 1 ? "text" : "list";
    return { get: () => value, type, cost: 0, types: null, containerOnly: false, name: "text" };
  }
  if (operand.kind === "field") {
    const found = find(operand.name, operand.argument);
    if (isFieldFault(found)) {
      return { fault: found.fault === "unknown" ? "invalid" : "unsupported", message: found.message };
    }
    return {
      get: found.field.getter(found.argument),
      // One ancestor is a text like any other.
      type: found.field.type === "ancestors" && found.argument !== null ? "text" : found.field.type,
      cost: found.field.cost,
      types: found.types === null ? null : new Set(found.types),
      containerOnly: found.field.containerOnly,
      name: operand.argument === null ? operand.name : `${operand.name}[${operand.argument}]`,
      ...(found.field.getterFor === undefined ? {} : { getterFor: found.field.getterFor }),
    };
  }
  const inner = operand.operands.map((part) => compileOperandOf(part, find));
  const fault = inner.find((part) => "fault" in part);
  if (fault !== undefined && "fault" in fault) return fault;
  const parts = inner as readonly CompiledOperand<Event>[];
  const [first] = parts;
  if (first === undefined) return invalid(`${operand.name}() is applied to nothing`);
  const many = first.type === "ancestors" && !["len", "join", "concat"].includes(operand.name);
  return {
    get: transformed(
      operand.name,
      parts.map((part) => part.get),
      operand.argument,
    ),
    type: many ? "ancestors" : operand.name === "val" ? first.type : transformedType(operand.name, operand.argument),
    cost: 2 + parts.reduce((sum, part) => sum + part.cost, 0),
    types: first.types,
    containerOnly: parts.some((part) => part.containerOnly),
    name: operand.name,
  };
}

type TestOrFault<Event> = { readonly test: Test<Event> } | CheckFault;

function compileValues<Event>(
  operand: CompiledOperand<Event>,
  operator: Operator,
  values: readonly Literal[],
): TestOrFault<Event> {
  const { get, type, name } = operand;
  if (operator === "exists") return { test: (event) => get(event) !== undefined };
  if (type === "addresses") return compileAddresses(operand, operator, values);
  if (type === "boolean") return compileBoolean(operand, operator, values);
  if (["<", "<=", ">", ">="].includes(operator)) return compileOrder(get, operator, Number(values[0]?.text));
  if ((type === "number" || type === "ports") && ["=", "!=", "in", "intersects"].includes(operator)) {
    return compileNumbers(operand, operator, values);
  }
  const test = compileTextTest(operator, values);
  if (typeof test !== "function") return invalid(`${name}: ${test.message}`);
  if (type === "list" && operator === "in") return { test: (event) => every(get(event), test) };
  return { test: (event) => some(get(event), test) };
}

function some(value: Value | undefined, test: (text: string) => boolean): boolean {
  if (typeof value === "string") return test(value);
  if (value === undefined) return false;
  return typeof value === "object" ? value.some(test) : test(String(value));
}

function every(value: Value | undefined, test: (text: string) => boolean): boolean {
  return typeof value === "object" ? value.length > 0 && value.every(test) : some(value, test);
}

function compileNumbers<Event>(
  { get, name }: CompiledOperand<Event>,
  operator: Operator,
  values: readonly Literal[],
): TestOrFault<Event> {
  const wrong = values.find(({ text }) => !isNumber(text));
  if (wrong !== undefined) return invalid(`${name} is a number, and "${wrong.text}" is none`);
  const [only = Number.NaN, ...more] = values.map(({ text }) => Number(text));
  const set = new Set([only, ...more]);
  const one: (value: number) => boolean = more.length === 0 ? (value) => value === only : (value) => set.has(value);
  const holds = (value: Value): boolean =>
    typeof value === "number"
      ? one(value)
      : typeof value === "object"
        ? value.some((text) => one(Number(text)))
        : one(Number(value));
  const negated = operator === "!=";
  return {
    test: (event) => {
      const value = get(event);
      return value !== undefined && holds(value) !== negated;
    },
  };
}

function compileOrder<Event>(get: Getter<Event>, operator: Operator, limit: number): TestOrFault<Event> {
  const compare: (value: number) => boolean =
    operator === "<"
      ? (value) => value < limit
      : operator === "<="
        ? (value) => value <= limit
        : operator === ">"
          ? (value) => value > limit
          : (value) => value >= limit;
  return {
    test: (event) => {
      const value = get(event);
      if (typeof value === "number") return compare(value);
      if (value === undefined) return false;
      return typeof value === "object" ? value.some((text) => compare(Number(text))) : compare(Number(value));
    },
  };
}

function compileBoolean<Event>(
  { get, name }: CompiledOperand<Event>,
  operator: Operator,
  values: readonly Literal[],
): TestOrFault<Event> {
  const words = values.map(({ text }) => text.toLowerCase());
  const wrong = words.find((word) => !["true", "false", "1", "0"].includes(word));
  if (wrong !== undefined) return invalid(`${name} is true or false, never "${wrong}"`);
  if (!["=", "!=", "in"].includes(operator)) return invalid(`${name} cannot be compared by "${operator}"`);
  const wanted = new Set(words.map((word) => (word === "true" || word === "1") !== (operator === "!=")));
  return {
    test: (event) => {
      const value = get(event);
      return typeof value === "boolean" && wanted.has(value);
    },
  };
}

function compileAddresses<Event>(
  { get, name }: CompiledOperand<Event>,
  operator: Operator,
  values: readonly Literal[],
): TestOrFault<Event> {
  if (!["=", "!=", "in", "intersects"].includes(operator)) {
    return textually(get, name, operator, values);
  }
  const networks: Network[] = [];
  for (const { text } of values) {
    const network = parseNetwork(text);
    if (network === undefined) return invalid(`${name} is an address, and "${text}" is neither address nor network`);
    networks.push(network);
  }
  // Addresses are told in their usual form, so that most are answered without being taken apart.
  const exact = new Set(networks.filter(({ bits }) => bits === 128).map(({ words }) => words.join()));
  const wide = networks.filter(({ bits }) => bits < 128);
  const inside = answers((text: string): boolean => {
    const address = parseAddress(text);
    if (address === undefined) return false;
    return exact.has(address.join()) || wide.some((network) => contains(network, address));
  });
  if (operator !== "!=") return { test: (event) => some(get(event), inside) };
  return {
    test: (event) => {
      const value = get(event);
      return value !== undefined && !some(value, inside);
    },
  };
}

function textually<Event>(
  get: Getter<Event>,
  name: string,
  operator: Operator,
  values: readonly Literal[],
): TestOrFault<Event> {
  const test = compileTextTest(operator, values);
  return typeof test === "function" ? { test: (event) => some(get(event), test) } : invalid(`${name}: ${test.message}`);
}

/** Both sides are read from the event. */
function compileRight<Event>(
  left: CompiledOperand<Event>,
  { operator, right }: Check,
  find: FindField<Event>,
): TestOrFault<Event> {
  if (right === null) return invalid("a value is missing");
  const other = compileOperandOf(right, find);
  if ("fault" in other) return other;
  const listOf = (value: Value): readonly string[] => (typeof value === "object" ? value : [String(value)]);
  const both = (compare: (a: Value, b: Value) => boolean): TestOrFault<Event> => ({
    test: (event) => {
      const a = left.get(event);
      const b = other.get(event);
      return a !== undefined && b !== undefined && compare(a, b);
    },
  });
  const onTexts = (compare: (a: string, b: string) => boolean) =>
    both((a, b) => listOf(a).some((text) => listOf(b).some((value) => compare(text, value))));
  switch (operator) {
    case "=":
      return onTexts((a, b) => a === b);
    case "!=":
      return onTexts((a, b) => a !== b);
    case "contains":
      return onTexts((a, b) => a.includes(b));
    case "icontains":
      return onTexts((a, b) => a.toLowerCase().includes(b.toLowerCase()));
    case "startswith":
      return onTexts((a, b) => a.startsWith(b));
    case "endswith":
      return onTexts((a, b) => a.endsWith(b));
    case "in":
      return both((a, b) => listOf(a).every((text) => listOf(b).includes(text)));
    case "intersects":
      return onTexts((a, b) => a === b);
    case "pmatch":
      return onTexts((a, b) => a === b || a.startsWith(b.endsWith("/") ? b : `${b}/`));
    case "<":
      return both((a, b) => Number(a) < Number(b));
    case "<=":
      return both((a, b) => Number(a) <= Number(b));
    case ">":
      return both((a, b) => Number(a) > Number(b));
    case ">=":
      return both((a, b) => Number(a) >= Number(b));
    default:
      return invalid(`"${operator}" compares with a value, not with another field`);
  }
}
