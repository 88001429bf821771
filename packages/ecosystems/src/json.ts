import { textOf } from "./text.ts";

/** The document, or undefined when the bytes are no JSON. A byte-order mark is tolerated. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes).replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
}
