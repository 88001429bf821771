import type { Json } from "./kube-object.ts";

const NOTHING: Json = {};

/** The member as an object; an empty one where it is something else. */
export function mapAt(value: unknown, ...path: readonly string[]): Json {
  const found = at(value, path);
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Json) : NOTHING;
}

/** The objects of a list; none where the member is no list. */
export function mapsAt(value: unknown, ...path: readonly string[]): readonly Json[] {
  const found = at(value, path);
  if (!Array.isArray(found)) return [];
  return found.filter((item): item is Json => typeof item === "object" && item !== null && !Array.isArray(item));
}

/** The texts of a list; none where the member is no list. */
export function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  const found = at(value, path);
  return Array.isArray(found) ? found.filter((item): item is string => typeof item === "string") : [];
}

/** The member as text; empty where it is something else. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, path);
  return typeof found === "string" ? found : "";
}

/** The member as a number; undefined where it is something else. */
export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, path);
  return typeof found === "number" ? found : undefined;
}

/** Whether the member is exactly true. */
export function isTrueAt(value: unknown, ...path: readonly string[]): boolean {
  return at(value, path) === true;
}

/** The texts of a map of texts, such as labels. */
export function labelsAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
  const entries = Object.entries(mapAt(value, ...path)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Json)[key];
  }
  return found;
}
