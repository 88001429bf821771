import { isMap, isScalar, isSeq } from "yaml";
import { type Literal, OPERATORS, type Operator } from "./condition.ts";
import type { ExceptionDefinition } from "./definitions.ts";
import type { Entry } from "./entry.ts";
import { literalOf } from "./read-vocabulary.ts";
import { placeOf, wordOf } from "./source-text.ts";

const LIST_OPERATORS: readonly Operator[] = ["in", "pmatch", "intersects"];

/** @returns undefined when one cannot be used, which is then among the problems */
export function readExceptions(entry: Entry): readonly ExceptionDefinition[] | undefined {
  const node = entry.keys.get("exceptions");
  if (!isSeq(node)) return refuse(entry, `"exceptions" must be a list`, node);
  const exceptions: ExceptionDefinition[] = [];
  for (const item of node.items) {
    const exception = readException(entry, item);
    if (exception === undefined) return undefined;
    exceptions.push(exception);
  }
  return exceptions;
}

/**
 * Adds the values of later exceptions to those of the same name; new names are new exceptions.
 *
 * @returns undefined when the same name is given other fields or comparisons
 */
export function mergeExceptions(
  entry: Entry,
  before: readonly ExceptionDefinition[],
  added: readonly ExceptionDefinition[],
): readonly ExceptionDefinition[] | undefined {
  const merged = new Map(before.map((exception) => [exception.name, exception]));
  for (const exception of added) {
    const base = merged.get(exception.name);
    if (base === undefined) {
      if (exception.fields.length === 0) return refuse(entry, `the exception "${exception.name}" needs "fields"`);
      merged.set(exception.name, exception);
      continue;
    }
    const same = (a: readonly string[], b: readonly string[]) => a.join("\n") === b.join("\n");
    if (exception.fields.length > 0 && !same(exception.fields, base.fields)) {
      return refuse(entry, `the exception "${exception.name}" has other fields than before`);
    }
    if (exception.fields.length > 0 && !same(exception.comparisons, base.comparisons)) {
      return refuse(entry, `the exception "${exception.name}" has other comparisons than before`);
    }
    // Values that came without fields were read as tuples; in the short form each is a value of its own.
    const values = base.single && exception.fields.length === 0 ? asSingles(exception.values) : exception.values;
    const wrong = values.find((tuple) => tuple.length !== base.fields.length);
    if (wrong !== undefined) return refuse(entry, `the exception "${base.name}" takes ${base.fields.length} values`);
    merged.set(base.name, { ...base, values: [...base.values, ...values] });
  }
  return [...merged.values()];
}

function asSingles(values: ExceptionDefinition["values"]): ExceptionDefinition["values"] {
  return values.flat().map((literals) => [literals]);
}

function readException(entry: Entry, node: unknown): ExceptionDefinition | undefined {
  if (!isMap(node)) return refuse(entry, "an exception must be a mapping", node);
  const get = (key: string): unknown => node.get(key, true);
  const name = wordOf(get("name"));
  if (name === "") return refuse(entry, `an exception needs "name"`, node);
  const fieldsNode = get("fields");
  const single = isScalar(fieldsNode);
  const fields = single ? [wordOf(fieldsNode)] : isSeq(fieldsNode) ? fieldsNode.items.map(wordOf) : [];
  const comparisons = readComparisons(entry, name, get("comps"), fields.length, single);
  if (comparisons === undefined) return undefined;
  const values = readValues(entry, name, get("values"), fields.length, single);
  if (values === undefined) return undefined;
  return { name, fields, comparisons, single, values, place: placeOf(entry.source, node) };
}

function readComparisons(
  entry: Entry,
  name: string,
  node: unknown,
  fields: number,
  single: boolean,
): readonly Operator[] | undefined {
  if (node === undefined || node === null) return Array.from({ length: fields }, () => (single ? "in" : "="));
  const words = isSeq(node) ? node.items.map(wordOf) : [wordOf(node)];
  const operators = words.map((word) => OPERATORS.find((operator) => operator === (word === "==" ? "=" : word)));
  const bad = operators.indexOf(undefined);
  if (bad >= 0) return refuse(entry, `the exception "${name}": "${words[bad]}" is no comparison`, node);
  if (operators.length !== fields) {
    return refuse(entry, `the exception "${name}" has ${fields} fields and ${operators.length} comparisons`, node);
  }
  if (single && !LIST_OPERATORS.includes(operators[0] as Operator)) {
    return refuse(entry, `the exception "${name}" has one field, which takes ${LIST_OPERATORS.join(", ")}`, node);
  }
  return operators as readonly Operator[];
}

function readValues(
  entry: Entry,
  name: string,
  node: unknown,
  fields: number,
  single: boolean,
): ExceptionDefinition["values"] | undefined {
  if (node === undefined || node === null) return [];
  if (!isSeq(node)) return refuse(entry, `the exception "${name}": "values" must be a list`, node);
  const tuples: (readonly (readonly Literal[])[])[] = [];
  for (const item of node.items) {
    // In the short form a value is a value; a tuple would be one of one.
    const parts = isSeq(item) ? item.items : [item];
    if (!single && fields > 0 && parts.length !== fields) {
      return refuse(entry, `the exception "${name}" has ${fields} fields and a tuple of ${parts.length}`, item);
    }
    const tuple = parts.map((part) =>
      isSeq(part) ? part.items.map((value) => literalOf(wordOf(value))) : [literalOf(wordOf(part))],
    );
    if (single) tuples.push(...tuple.map((literals) => [literals]));
    else tuples.push(tuple);
  }
  return tuples;
}

function refuse(entry: Entry, message: string, node?: unknown): undefined {
  entry.problem("error", message, node);
  return undefined;
}
