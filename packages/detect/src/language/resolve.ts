import type { Check, Condition, Literal, Place, Resolved } from "./condition.ts";
import type { Definitions, ExceptionDefinition } from "./definitions.ts";
import { isFault, parseCondition, parseOperand } from "./parse-condition.ts";
import type { SourceText } from "./source-text.ts";

/** Of one rule with all its macros put in: a dozen macros that each use the one before twice would be endless. */
const MAX_NODES = 50_000;
/** Of one list with the lists that it names. */
const MAX_LIST_VALUES = 100_000;

const LIST_OPERATORS: readonly string[] = ["in", "intersects", "pmatch"];

/** Why a condition cannot be resolved, and where it says so. */
export interface ResolveFault {
  readonly message: string;
  readonly place: Place;
}

class ResolveError extends Error {
  readonly place: Place;
  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

interface Sized {
  readonly condition: Resolved;
  readonly nodes: number;
}

export interface Resolver {
  /** Puts macros and lists into a condition and takes out what its exceptions say. */
  readonly resolve: (condition: SourceText, exceptions: readonly ExceptionDefinition[]) => Resolved | ResolveFault;
}

/** Resolves conditions against one set of macros and lists; each macro is parsed once. */
export function createResolver({ lists, macros }: Pick<Definitions, "lists" | "macros">): Resolver {
  const listCache = new Map<string, readonly Literal[]>();
  const macroCache = new Map<string, Sized>();

  function listValues(name: string): readonly Literal[] {
    const known = listCache.get(name);
    if (known !== undefined) return known;
    const list = lists.get(name);
    const values: Literal[] = [];
    for (const { literal, order } of list?.items ?? []) {
      const named = literal.quoted ? undefined : lists.get(literal.text);
      // Only lists that were defined before: an item may well be called like a later one, or like its own.
      if (named !== undefined && named.order < order && literal.text !== name) values.push(...listValues(literal.text));
      else values.push({ text: literal.text, quoted: true });
      if (list !== undefined && values.length > MAX_LIST_VALUES) {
        throw new ResolveError(`the list "${name}" has more than ${MAX_LIST_VALUES} values`, list.place);
      }
    }
    listCache.set(name, values);
    return values;
  }

  function withLists(values: readonly Literal[]): readonly Literal[] {
    return values.flatMap((value) => (!value.quoted && lists.has(value.text) ? listValues(value.text) : [value]));
  }

  function macro(name: string, place: Place, open: readonly string[]): Sized {
    const known = macroCache.get(name);
    if (known !== undefined) return known;
    const definition = macros.get(name);
    if (definition === undefined) {
      const what = lists.has(name) ? `"${name}" is a list, and a condition is expected` : `there is no macro "${name}"`;
      throw new ResolveError(what, place);
    }
    if (open.includes(name)) throw new ResolveError(`the macro "${name}" uses itself`, place);
    const sized = resolve(parsed(definition.condition), [...open, name]);
    macroCache.set(name, sized);
    return sized;
  }

  function resolve(condition: Condition, open: readonly string[]): Sized {
    if (condition.kind === "macro") return macro(condition.name, condition.place, open);
    if (condition.kind === "check") {
      // Only where a list may stand is its name one.
      const takesList = LIST_OPERATORS.includes(condition.operator);
      return { condition: takesList ? { ...condition, values: withLists(condition.values) } : condition, nodes: 1 };
    }
    if (condition.kind === "not") {
      const { condition: item, nodes } = resolve(condition.item, open);
      return { condition: { kind: "not", item }, nodes: nodes + 1 };
    }
    const items = condition.items.map((item) => resolve(item, open));
    const nodes = items.reduce((sum, item) => sum + item.nodes, 1);
    if (nodes > MAX_NODES) {
      throw new ResolveError(`with its macros it has more than ${MAX_NODES} tests`, firstPlace(condition));
    }
    return { condition: { kind: condition.kind, items: items.map((item) => item.condition) }, nodes };
  }

  return {
    resolve: (text, exceptions) => {
      try {
        const { condition } = resolve(parsed(text), []);
        const excepted = exceptions.flatMap((exception) => exceptionChecks(exception, withLists));
        if (excepted.length === 0) return condition;
        return { kind: "and", items: [condition, { kind: "not", item: { kind: "or", items: excepted } }] };
      } catch (error) {
        if (error instanceof ResolveError) return { message: error.message, place: error.place };
        throw error;
      }
    },
  };
}

export function isResolveFault(value: Resolved | ResolveFault): value is ResolveFault {
  return "message" in value;
}

function parsed({ text, locate }: SourceText): Condition {
  const condition = parseCondition(text, locate);
  if (isFault(condition)) throw new ResolveError(condition.message, locate(condition.offset));
  return condition;
}

function firstPlace(condition: Condition): Place {
  if (condition.kind === "check" || condition.kind === "macro") return condition.place;
  const inner = condition.kind === "not" ? condition.item : condition.items[0];
  if (inner === undefined) throw new Error("a group without items was parsed");
  return firstPlace(inner);
}

/** Each tuple of an exception is one alternative: all its fields compare as told. */
function exceptionChecks(
  exception: ExceptionDefinition,
  withLists: (values: readonly Literal[]) => readonly Literal[],
): readonly Resolved[] {
  const { fields, comparisons, values, place } = exception;
  const operands = fields.map((text) => {
    const found = parseOperand(text, 0, () => place);
    if (isFault(found) || found.end !== text.length) {
      throw new ResolveError(`the exception "${exception.name}": "${text}" is no field`, place);
    }
    return found.operand;
  });
  const check = (at: number, literals: readonly Literal[]): Check => {
    const left = operands[at];
    const operator = comparisons[at];
    if (left === undefined || operator === undefined) {
      throw new ResolveError(`the exception "${exception.name}" has values for no field`, place);
    }
    const values = LIST_OPERATORS.includes(operator) ? withLists(literals) : literals;
    return { kind: "check", left, operator, values, right: null, place };
  };
  if (exception.single) {
    const all = values.flat(2);
    return all.length === 0 ? [] : [check(0, all)];
  }
  return values.map((tuple) => ({ kind: "and", items: tuple.map((literals, at) => check(at, literals)) }));
}
