/** A string's header, a field of an object, and the object itself, in V8's heap. */
const STRING = 24;
const FIELD = 16;
const OBJECT = 64;
const WIDE = /[^\u0000-\u00ff]/;

/** About what a value as JSON has them holds in memory, in bytes: its texts, and what makes objects of them. */
export function memoryOf(value: unknown): number {
  if (typeof value === "string") return STRING + value.length * (WIDE.test(value) ? 2 : 1);
  if (typeof value !== "object" || value === null) return FIELD;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + FIELD + memoryOf(each), OBJECT);
  return Object.entries(value).reduce((sum, [key, each]) => sum + FIELD + key.length + memoryOf(each), OBJECT);
}
