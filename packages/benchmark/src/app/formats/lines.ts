import { type ConfigDocument, type Draft, MAX_LINE_LENGTH, newDraft, textOfBytes, valuesOf } from "../document.ts";

/** How a line-based format is written. */
export interface LineFormat {
  /** Characters that start a comment at the start of a line. */
  readonly comments: string;
  /** Whether `#` after a blank also starts one. */
  readonly trailingComments?: boolean;
  /** What parts the name from its value. */
  readonly separator: "blank" | "equals" | "either";
  readonly lowerCase?: boolean;
  /** `-` and `_` in names are the same. */
  readonly dashes?: boolean;
  /** `[section]` lines; with `prefix` their name stands before the setting's, parted by a dot. */
  readonly sections?: "prefix" | "plain";
  /** A line that ends with a backslash goes on in the next one. */
  readonly continuation?: boolean;
  /** Names of settings that open a block to the end of the file (sshd's Match); what follows does not count as a value. */
  readonly opensBlock?: readonly string[];
  readonly wins?: "first" | "last";
}

/** Reads formats of one setting a line. */
export function readLines(bytes: Uint8Array, format: LineFormat): ConfigDocument {
  const draft = newDraft();
  let section = "";
  let block: { readonly name: string; readonly args: readonly string[] } | undefined;
  let siblings: string[] = [];
  for (const { text, line } of logicalLines(textOfBytes(bytes), format.continuation === true, draft)) {
    const content = withoutComment(text.trim(), format);
    if (content === "") continue;
    const header = format.sections === undefined ? null : /^\[\s*([^\]]*?)\s*\]/.exec(content);
    if (header !== null) {
      section = (header[1] ?? "").toLowerCase();
      siblings = [];
      continue;
    }
    const { name, value } = parted(content, format);
    const args = words(value);
    if (format.opensBlock?.includes(name) === true) {
      block = { name, args };
      siblings = [];
      continue;
    }
    const full = format.sections === "prefix" && section !== "" ? `${section}.${name}` : name;
    const within = [...(block === undefined ? [] : [block]), ...(section === "" ? [] : [{ name: section, args: [] }])];
    if (!draft.add({ name: full, args, line, within, siblings })) break;
  }
  const outside =
    format.opensBlock === undefined ? draft.directives : draft.directives.filter(({ within }) => within.length === 0);
  return { directives: draft.directives, values: valuesOf(outside, format.wins), problems: draft.problems };
}

/** Lines with their numbers, continued ones joined; overlong ones are left out. */
export function* logicalLines(
  text: string,
  continuation: boolean,
  draft: Draft,
): Generator<{ readonly text: string; readonly line: number }> {
  let line = 0;
  let at = 0;
  let joined = "";
  let first = 0;
  while (at <= text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    line++;
    if (end - at + joined.length > MAX_LINE_LENGTH) {
      draft.problems.push(`line ${line} is longer than ${MAX_LINE_LENGTH} characters and was left out`);
      joined = "";
    } else {
      const part = text.slice(at, text[end - 1] === "\r" && end > at ? end - 1 : end);
      if (joined === "") first = line;
      if (continuation && part.endsWith("\\") && newline >= 0) joined += `${part.slice(0, -1)} `;
      else {
        yield { text: joined + part, line: first };
        joined = "";
      }
    }
    if (newline < 0) return;
    at = end + 1;
  }
}

function withoutComment(text: string, format: LineFormat): string {
  if (text !== "" && format.comments.includes(text[0] as string)) return "";
  if (format.trailingComments !== true || !text.includes("#")) return text;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === "'" || char === '"') quote = char;
    else if (char === "#") return text.slice(0, at).trim();
  }
  return text;
}

function parted(text: string, format: LineFormat): { readonly name: string; readonly value: string } {
  const end =
    format.separator === "equals" ? text.indexOf("=") : text.search(format.separator === "blank" ? /\s/ : /\s*=|\s/);
  const raw = end < 0 ? text : text.slice(0, end);
  const rest = end < 0 ? "" : text.slice(end);
  const value = format.separator === "blank" ? rest : rest.replace(/^\s*=?\s*/, "");
  let name = raw.trim();
  if (format.lowerCase === true) name = name.toLowerCase();
  if (format.dashes === true) name = name.replaceAll("-", "_");
  return { name, value: value.trim() };
}

/** Words parted by blanks; quotes hold words together and are taken off. */
export function words(text: string): readonly string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/"((?:[^"\\]|\\.)*)"?|'([^']*)'?|[^\s"']+/g))
    found.push(match[1] ?? match[2] ?? match[0]);
  return found;
}
