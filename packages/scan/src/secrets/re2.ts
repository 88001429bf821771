import type { Pattern } from "./rule.ts";

/**
 * Translates a regular expression of Go (RE2, github.com/google/re2/wiki/Syntax) into one of ECMAScript that finds the
 * same in bytes read as Latin-1. What ECMAScript lacks is written otherwise; what cannot be is refused.
 *
 * @throws SyntaxError that names the construct and its place
 * @example re2Pattern("(?i)a(?P<x>.)\\z").source; // "(?i:a(?<x>[^\\n])(?![^]))"
 */
export function re2Pattern(source: string): Pattern {
  if (source.length > MAX_SOURCE) throw new SyntaxError(`the expression is longer than ${MAX_SOURCE} characters`);
  const pattern = { source: translate(source), flags: "" };
  new RegExp(pattern.source); // tells what is wrong with the rest
  return pattern;
}

const MAX_SOURCE = 20_000;
const POSIX: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
const GO_SPACE = "\\t\\n\\f\\r ";

/** Flags that hold within one group, and how many groups were opened to write them. */
interface Scope {
  flags: string;
  readonly outer: string;
  opened: number;
}

function translate(source: string): string {
  const scopes: Scope[] = [{ flags: "", outer: "", opened: 0 }];
  let result = "";
  let at = 0;
  const scope = (): Scope => scopes.at(-1) as Scope;
  const closeInline = () => {
    result += ")".repeat(scope().opened);
    scope().opened = 0;
  };
  while (at < source.length) {
    const letter = source[at] as string;
    if (letter === "\\") {
      const [text, next] = readEscape(source, at, false);
      result += text;
      at = next;
    } else if (letter === "[") {
      const [text, next] = characterClass(source, at);
      result += text;
      at = next;
    } else if (letter === "(") {
      const group = readGroup(source, at);
      if (group.kind === "flags") {
        // Flags hold to the end of the enclosing group, so that what follows goes into a group that carries them.
        scope().flags = withFlags(scope().flags, group.flags);
        result += modifier(group.flags);
        scope().opened++;
      } else {
        const flags = withFlags(scope().flags, group.flags);
        scopes.push({ flags, outer: flags, opened: 0 });
        result += group.text;
      }
      at = group.next;
    } else if (letter === ")") {
      if (scopes.length === 1) throw new SyntaxError(`unmatched ) at ${at}`);
      closeInline();
      scopes.pop();
      result += ")";
      at++;
    } else if (letter === "|") {
      const { flags, outer, opened } = scope();
      closeInline();
      result += "|";
      if (opened > 0) {
        result += modifier(difference(outer, flags));
        scope().opened = 1;
      }
      at++;
    } else if (letter === ".") {
      result += scope().flags.includes("s") ? "[^]" : "[^\\n]";
      at++;
    } else {
      const code = source.codePointAt(at) ?? 0;
      result += code < 0x80 ? letter : utf8(code);
      at += code > 0xffff ? 2 : 1;
    }
  }
  if (scopes.length > 1) throw new SyntaxError("a ( is never closed");
  closeInline();
  return result;
}

type Group =
  | { readonly kind: "flags"; readonly flags: string; readonly next: number }
  | { readonly kind: "group"; readonly text: string; readonly flags: string; readonly next: number };

function readGroup(source: string, at: number): Group {
  if (source[at + 1] !== "?") return { kind: "group", text: "(", flags: "", next: at + 1 };
  const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(source.slice(at, at + 100));
  if (named !== null) return { kind: "group", text: `(?<${named[1]}>`, flags: "", next: at + named[0].length };
  const flagged = /^\(\?([a-zA-Z]*(?:-[a-zA-Z]+)?)([:)])/.exec(source.slice(at, at + 40));
  if (flagged === null) {
    throw new SyntaxError(`${source.slice(at, at + 4)} at ${at}: RE2 has no such group (lookaround is not part of it)`);
  }
  const flags = flagged[1] ?? "";
  if (flags.includes("U")) throw new SyntaxError(`the flag U (ungreedy) at ${at} cannot be translated`);
  if (!/^[ims]*(?:-[ims]+)?$/.test(flags)) throw new SyntaxError(`unknown flags (?${flags}) at ${at}`);
  const next = at + flagged[0].length;
  if (flagged[2] === ")") return { kind: "flags", flags, next };
  return { kind: "group", text: modifier(flags), flags, next };
}

/** A group that switches flags. `s` is left out: the translation of `.` says it already. */
function modifier(flags: string): string {
  const [on = "", off = ""] = flags.replaceAll("s", "").split("-");
  const unique = (letters: string) => [...new Set(letters)].join("");
  if (on === "" && off === "") return "(?:";
  return `(?${unique(on)}${off === "" ? "" : `-${unique(off)}`}:`;
}

function withFlags(flags: string, change: string): string {
  const [on = "", off = ""] = change.split("-");
  return [...new Set(flags + on)].filter((flag) => !off.includes(flag)).join("");
}

/** The change that leads from one set of flags to another. */
function difference(from: string, to: string): string {
  const on = [...to].filter((flag) => !from.includes(flag)).join("");
  const off = [...from].filter((flag) => !to.includes(flag)).join("");
  return off === "" ? on : `${on}-${off}`;
}

/** One escape; within a class it must be a set or a single byte. */
function readEscape(source: string, at: number, inClass: boolean): readonly [string, number] {
  const letter = source[at + 1];
  if (letter === undefined) throw new SyntaxError("the expression ends with a backslash");
  if (letter === "s") return [inClass ? GO_SPACE : `[${GO_SPACE}]`, at + 2];
  if (letter === "S" && !inClass) return [`[^${GO_SPACE}]`, at + 2];
  if (letter === "a") return ["\\x07", at + 2];
  if (letter === "x") return hexEscape(source, at, inClass);
  if (letter === "Q" && !inClass) return quotedRun(source, at);
  if (letter === "A" && !inClass) return ["(?<![^])", at + 2];
  if (letter === "z" && !inClass) return ["(?![^])", at + 2];
  if (letter === "p" || letter === "P")
    throw new SyntaxError(`Unicode classes (\\${letter} at ${at}) are not supported`);
  if (/[1-9]/.test(letter)) throw new SyntaxError(`RE2 has no backreferences (\\${letter} at ${at})`);
  if (letter === "0") {
    const digits = /^[0-7]{1,3}/.exec(source.slice(at + 1))?.[0] ?? "0";
    return [`\\x${Number.parseInt(digits, 8).toString(16).padStart(2, "0").slice(-2)}`, at + 1 + digits.length];
  }
  if (/[bBdDwWSnrtfv]/.test(letter)) {
    if (inClass && /[bB]/.test(letter)) throw new SyntaxError(`\\${letter} within [...] at ${at}`);
    return [`\\${letter}`, at + 2];
  }
  if (/[A-Za-z0-9]/.test(letter)) throw new SyntaxError(`RE2 has no escape \\${letter} (at ${at})`);
  return [`\\${letter}`, at + 2];
}

function hexEscape(source: string, at: number, inClass: boolean): readonly [string, number] {
  const found = /^\\x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(source.slice(at, at + 12));
  if (found === null) throw new SyntaxError(`\\x at ${at} is not followed by hexadecimal digits`);
  const code = Number.parseInt(found[1] ?? found[2] ?? "", 16);
  if (code < 0x80) return [`\\x${code.toString(16).padStart(2, "0")}`, at + found[0].length];
  if (inClass) throw new SyntaxError(`a character beyond ASCII within [...] at ${at} cannot be translated`);
  if (code > 0x10ffff) throw new SyntaxError(`\\x{${found[1]}} at ${at} is no character`);
  return [utf8(code), at + found[0].length];
}

function quotedRun(source: string, at: number): readonly [string, number] {
  const end = source.indexOf("\\E", at + 2);
  const run = source.slice(at + 2, end < 0 ? source.length : end);
  const text = [...run].map((letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return code < 0x80 ? letter.replace(/[\\^$.|?*+()[\]{}/]/, "\\$&") : utf8(code);
  });
  return [text.join(""), end < 0 ? source.length : end + 2];
}

function characterClass(source: string, at: number): readonly [string, number] {
  let result = "[";
  let next = at + 1;
  if (source[next] === "^") {
    result += "^";
    next++;
  }
  const first = next;
  while (next < source.length) {
    const letter = source[next] as string;
    if (letter === "]" && next > first) return [`${result}]`, next + 1];
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(source.slice(next, next + 20));
    if (posix !== null) {
      const members = POSIX[posix[2] ?? ""];
      if (members === undefined || posix[1] === "^") throw new SyntaxError(`the class ${posix[0]} is not supported`);
      result += members;
      next += posix[0].length;
    } else if (letter === "\\") {
      const [text, after] = readEscape(source, next, true);
      result += text;
      next = after;
    } else {
      if (letter.charCodeAt(0) >= 0x80)
        throw new SyntaxError(`${letter} within [...] at ${next}: characters beyond ASCII cannot be translated there`);
      result += letter === "[" || letter === "]" ? `\\${letter}` : letter;
      next++;
    }
  }
  throw new SyntaxError(`the [ at ${at} is never closed`);
}

/** A character beyond ASCII as the bytes that UTF-8 writes for it. */
function utf8(code: number): string {
  return `(?:${Buffer.from(String.fromCodePoint(code)).toString("latin1")})`;
}
