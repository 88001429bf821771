import type { Getter, Value } from "../fields/field.ts";

type TextOf = (text: string) => string | undefined;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Of a decoded text; base64 in a command line is shorter. */
const MAX_DECODED = 64 * 1024;

const ON_TEXT: Readonly<Record<string, TextOf>> = {
  tolower: (text) => text.toLowerCase(),
  toupper: (text) => text.toUpperCase(),
  basename: (text) => text.slice(text.lastIndexOf("/") + 1),
  b64: decodeBase64,
};

/**
 * Gives what a transformer makes of its operands.
 *
 * @param argument of getopt, the letter whose value is wanted; null for the letters that are there
 */
export function transformed<Event>(
  name: string,
  operands: readonly Getter<Event>[],
  argument: string | null,
): Getter<Event> {
  const [first = () => undefined, second = () => undefined] = operands;
  const onText = Object.hasOwn(ON_TEXT, name) ? ON_TEXT[name] : undefined;
  if (onText !== undefined) return (event) => mapped(first(event), onText);
  switch (name) {
    case "len":
      return (event) => lengthOf(first(event));
    case "join":
      return (event) => {
        const value = first(event);
        return value === undefined ? undefined : listed(value).join(textOf(second(event)));
      };
    case "concat":
      return (event) => {
        const values = operands.map((operand) => operand(event));
        return values.includes(undefined) ? undefined : values.map(textOf).join("");
      };
    case "getopt":
      return (event) => options(first(event), textOf(second(event)), argument);
    default:
      return first;
  }
}

/** The kind of value that a transformer gives, for the operators that may follow. */
export function transformedType(name: string, argument: string | null): "text" | "number" | "list" {
  if (name === "len") return "number";
  return name === "getopt" && argument === null ? "list" : "text";
}

function textOf(value: Value | undefined): string {
  return value === undefined ? "" : typeof value === "object" ? value.join(" ") : String(value);
}

function listed(value: Value): readonly string[] {
  return typeof value === "object" ? value : [String(value)];
}

function mapped(value: Value | undefined, map: TextOf): Value | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "object") return value.flatMap((text) => map(text) ?? []);
  return map(String(value));
}

/** Of a list its elements, of a text its characters. */
function lengthOf(value: Value | undefined): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === "object" ? value.length : [...String(value)].length;
}

/** RFC 4648, section 4; what is no base64 has no value. */
function decodeBase64(text: string): string | undefined {
  const plain = text.trim().replace(/=+$/, "");
  if (plain.length > (MAX_DECODED * 4) / 3 || !/^[A-Za-z0-9+/]*$/.test(plain)) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of plain) {
    value = ((value << 6) | ALPHABET.indexOf(character)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** getopt(3): letters of options, those followed by a colon in `wanted` with their value. */
function options(value: Value | undefined, wanted: string, letter: string | null): Value | undefined {
  if (value === undefined) return undefined;
  const words = textOf(value).split(/\s+/);
  const found = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-") || word.length < 2 || word.startsWith("--")) continue;
    for (let index = 1; index < word.length; index++) {
      const option = word[index] as string;
      const place = option === ":" ? -1 : wanted.indexOf(option);
      if (place < 0) continue;
      if (wanted[place + 1] !== ":") {
        found.set(option, "");
        continue;
      }
      const rest = word.slice(index + 1);
      found.set(option, rest === "" ? (words[++at] ?? "") : rest);
      break;
    }
  }
  return letter === null ? [...found.keys()] : found.get(letter);
}
