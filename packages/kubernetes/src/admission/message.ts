import type { Meter } from "@bulwark/policy";
import { type Context, compileExpression, type Expression } from "./expression.ts";

const MAX_MESSAGE = 1_000;
const MAX_VALUE = 400;
/** What ends a line or moves a terminal's cursor must not reach logs out of a name (C0, DEL, C1, line separators). */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text with expressions in braces. `{{` and `}}` are braces. */
export interface Message {
  readonly expressions: readonly Expression[];
  /** Without what stands in braces: for where nothing can be evaluated. */
  readonly plain: string;
  render(context: Context): string;
}

/**
 * Compiles a message.
 *
 * @throws Error that says in one line what is wrong
 * @example compileMessage("container {container.name} is privileged", meter).render(context) // "container app is privileged"
 */
export function compileMessage(text: string, meter: Meter): Message {
  const parts = split(text).map((part) =>
    typeof part === "string" ? part : compileExpression(part.expression, meter),
  );
  const texts = parts.filter((part) => typeof part === "string");
  return {
    expressions: parts.filter((part) => typeof part !== "string"),
    plain: texts.join("…"),
    render(context) {
      const rendered = parts.map((part) => (typeof part === "string" ? part : valueText(part, context)));
      return clean(rendered.join("")).slice(0, MAX_MESSAGE);
    },
  };
}

/** Without control characters, so that a name cannot forge a line of a log. */
export function clean(text: string): string {
  return text.replace(CONTROLS, "�");
}

/** A message is no judgement: what it cannot tell is left open, and the verdict stands. */
function valueText(expression: Expression, context: Context): string {
  try {
    return shown(expression.evaluate(context)).slice(0, MAX_VALUE * 2);
  } catch {
    return "?";
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (typeof value === "object") return JSON.stringify(value).slice(0, MAX_VALUE);
  return String(value);
}

function split(text: string): readonly (string | { readonly expression: string })[] {
  const parts: (string | { readonly expression: string })[] = [];
  let plain = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if ((character === "{" || character === "}") && text[at + 1] === character) {
      plain += character;
      at++;
    } else if (character === "}") throw new Error("a closing brace stands alone; write }} for a brace");
    else if (character !== "{") plain += character;
    else {
      const end = endOf(text, at + 1);
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push({ expression: text.slice(at + 1, end) });
      at = end;
    }
  }
  if (plain !== "") parts.push(plain);
  return parts;
}

/** Where the brace that opened before `from` is closed: braces and quotes inside are the expression's own. */
function endOf(text: string, from: number): number {
  let depth = 0;
  let quote = "";
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? "";
    if (quote !== "") {
      if (character === "\\") at++;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "{") depth++;
    else if (character === "}" && depth-- === 0) return at;
  }
  throw new Error("a brace is not closed; write {{ for a brace");
}
