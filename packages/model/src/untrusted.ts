/** An object out of a document from elsewhere: nothing is known of its values. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object, an empty one when it is none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The value as a list, an empty one when it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as text, empty when it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
