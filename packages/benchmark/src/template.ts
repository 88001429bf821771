/** A piece of a message: fixed text, or an expression whose value stands there. */
export interface TemplatePart {
  readonly text: string;
  readonly expression: string;
}

/**
 * Splits a message at its braces. A brace cannot be escaped: messages are written by us and need none.
 *
 * @example templateParts("{it.name} is on"); // [{ expression: "it.name" }, { text: " is on" }]
 */
export function templateParts(message: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (const match of message.matchAll(/\{([^{}]*)\}/g)) {
    if (match.index > at) parts.push({ text: message.slice(at, match.index), expression: "" });
    parts.push({ text: "", expression: (match[1] ?? "").trim() });
    at = match.index + match[0].length;
  }
  if (at < message.length) parts.push({ text: message.slice(at), expression: "" });
  return parts;
}
