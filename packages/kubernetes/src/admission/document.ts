import type { Fields } from "@bulwark/model";
import { AdmissionError } from "./errors.ts";

/** Deeper than any object of Kubernetes is; the API server's own bound is 10,000. */
const MAX_DEPTH = 100;
/** Values in a review: the shortest take two bytes each, and all of them are looked at. */
const MAX_VALUES = 2_000_000;

/** What was counted on the way through a document. */
export interface Measured {
  readonly values: number;
  /** Some map has a key that an expression's engine would take for the map's class. */
  readonly hasOddKeys: boolean;
}

/**
 * Walks a parsed document without recursion, so that no nesting can exhaust the stack.
 *
 * @throws AdmissionError `REVIEW_INVALID` for what is nested too deep or has too many values
 */
export function measure(document: unknown): Measured {
  const waiting: { readonly value: object; readonly depth: number }[] = [];
  let values = 0;
  let hasOddKeys = false;
  const take = (value: unknown, depth: number): void => {
    values++;
    if (values > MAX_VALUES) throw tooMuch(`it has more than ${MAX_VALUES} values`);
    if (typeof value !== "object" || value === null) return;
    if (depth > MAX_DEPTH) throw tooMuch(`it is nested deeper than ${MAX_DEPTH}`);
    waiting.push({ value, depth });
  };
  take(document, 0);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    if (Array.isArray(value)) for (const item of value) take(item, depth + 1);
    else {
      hasOddKeys ||= Object.hasOwn(value, "constructor");
      for (const item of Object.values(value)) take(item, depth + 1);
    }
  }
  return { values, hasOddKeys };
}

/**
 * The document with maps in place of objects that have a member `constructor`: a label of that name is legal, and the engine of
 * expressions reads an object's class off that member. Call it after {@link measure}, which bounds the depth.
 */
export function withoutOddKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOddKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, withoutOddKeys(item)] as const);
  if (Object.hasOwn(value, "constructor")) return new Map(entries);
  return Object.fromEntries(entries);
}

/** Whether two documents say the same. Both have been measured. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right))
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, at) => isSame(item, right[at]))
    );
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isSame((left as Fields)[key], (right as Fields)[key]));
}

function tooMuch(what: string): AdmissionError {
  return new AdmissionError(
    "REVIEW_INVALID",
    `the AdmissionReview cannot be judged: ${what}`,
    "make the object smaller",
  );
}
