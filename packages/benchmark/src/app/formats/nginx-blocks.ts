import {
  type Block,
  type ConfigDocument,
  MAX_DEPTH,
  MAX_LINE_LENGTH,
  newDraft,
  textOfBytes,
  valuesOf,
} from "../document.ts";

interface Level {
  readonly block: Block;
  readonly siblings: string[];
}

/** Reads nginx's form: `name arg arg;` and `name arg { … }` (nginx beginner's guide, configuration file's structure). */
export function readNginxBlocks(bytes: Uint8Array): ConfigDocument {
  const text = textOfBytes(bytes);
  const draft = newDraft();
  const levels: Level[] = [];
  let siblings: string[] = [];
  let words: string[] = [];
  let first = 1;
  let line = 1;
  let at = 0;
  let skipped = 0;
  const within = () =>
    levels
      .slice(-MAX_DEPTH)
      .map(({ block }) => block)
      .reverse();
  while (at < text.length) {
    const char = text[at] as string;
    if (char === "\n") line++;
    if (char === " " || char === "\t" || char === "\r" || char === "\n") at++;
    else if (char === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (char === ";" || char === "{") {
      at++;
      const [name = "", ...args] = words;
      words = [];
      const lower = name.toLowerCase();
      if (name !== "" && !draft.add({ name: lower, args, line: first, within: within(), siblings })) break;
      if (char === "{") {
        if (levels.length >= MAX_DEPTH) {
          skipped++;
          continue;
        }
        levels.push({ block: { name: lower, args }, siblings });
        siblings = [];
      }
    } else if (char === "}") {
      at++;
      words = [];
      if (skipped > 0) skipped--;
      else siblings = levels.pop()?.siblings ?? [];
    } else {
      if (words.length === 0) first = line;
      const end = wordEnd(text, at);
      const word = text.slice(at, end);
      line += newlines(word);
      if (word.length <= MAX_LINE_LENGTH) words.push(word.replace(/^(["'])([\s\S]*)\1$/, "$2"));
      else draft.problems.push(`a word in line ${line} is longer than ${MAX_LINE_LENGTH} characters and was left out`);
      at = end;
    }
  }
  if (levels.length > 0) draft.problems.push(`${levels.length} blocks are not closed`);
  return { directives: draft.directives, values: valuesOf(draft.directives), problems: draft.problems.slice(0, 20) };
}

function wordEnd(text: string, start: number): number {
  const quote = text[start];
  if (quote === '"' || quote === "'") {
    for (let at = start + 1; at < text.length; at++) {
      if (text[at] === "\\") at++;
      else if (text[at] === quote) return at + 1;
    }
    return text.length;
  }
  let at = start;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === "\\") {
      at += 2;
      continue;
    }
    // `${name}` stands within a word.
    if (char === "$" && text[at + 1] === "{") {
      const close = text.indexOf("}", at);
      const blank = text.slice(at, at + 100).search(/\s/);
      if (close > 0 && close - at < 100 && (blank < 0 || blank > close - at)) {
        at = close + 1;
        continue;
      }
    }
    if (/[\s;{}]/.test(char)) break;
    at++;
  }
  return Math.max(Math.min(at, text.length), start + 1);
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
