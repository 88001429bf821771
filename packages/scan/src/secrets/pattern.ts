import type { Pattern } from "./rule.ts";

/** No letter of a base64url value stands before. */
export const START = "(?<![A-Za-z0-9_-])";

/** Shorthands of our rule files, written `%{ASSIGN}`: what stands between a name and its value in the usual formats. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  // The rest of the name, then `=`, `:`, `=>`, `:=`, `,`, `>` or blanks, or the next line's `value:` as in Kubernetes.
  ASSIGN:
    "[\\w.-]{0,30}(?:\\\\?[\"'\\]`]){0,2}" +
    "(?:[ \\t]{0,8}(?:=>|:=|==|\\?=|[=:,>|])[ \\t]{0,8}|[ \\t]{1,4}|,?\\s{1,40}\\\\?[\"']?value\\\\?[\"']?[ \\t]{0,4}[:=][ \\t]{0,4})" +
    "(?:\\\\?[\"'`])?",
  UUID: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
  // No further letter of a base64url value.
  END: "(?![A-Za-z0-9_-])",
  START,
};
const SHORTHAND = /%\{([A-Z]+)\}/g;
const LEADING_FLAGS = /^\(\?([ims]+)\)/;
const MAX_SOURCE = 20_000;

/**
 * Makes a pattern of a rule file's text: a leading `(?i)` becomes a flag, shorthands are filled in, letters beyond ASCII
 * become the bytes that UTF-8 writes for them.
 *
 * @throws SyntaxError when it is no regular expression; the message says where
 */
export function readPattern(text: string): Pattern {
  if (text.length > MAX_SOURCE) throw new SyntaxError(`the pattern is longer than ${MAX_SOURCE} characters`);
  const flags = LEADING_FLAGS.exec(text)?.[1] ?? "";
  const filled = text.replace(LEADING_FLAGS, "").replace(SHORTHAND, (_all, name: string) => {
    const replacement = SHORTHANDS[name];
    if (replacement === undefined) throw new SyntaxError(`unknown shorthand %{${name}}`);
    return replacement;
  });
  const pattern = { source: asBytes(filled), flags };
  compile(pattern, "");
  return pattern;
}

/** The regular expression itself, with flags of the engine added. */
export function compile(pattern: Pattern, flags: string): RegExp {
  return new RegExp(pattern.source, [...new Set(pattern.flags + flags)].join(""));
}

/** Text is matched as bytes, so a letter beyond ASCII stands for the bytes of its UTF-8 form. */
function asBytes(source: string): string {
  if (!/[^\x00-\x7f]/.test(source)) return source;
  let inClass = false;
  let result = "";
  for (let at = 0; at < source.length; at++) {
    const letter = String.fromCodePoint(source.codePointAt(at) ?? 0);
    if (letter === "\\") {
      result += source.slice(at, at + 2);
      at++;
      continue;
    }
    if (letter === "[") inClass = true;
    else if (letter === "]") inClass = false;
    if (letter.length === 1 && letter.charCodeAt(0) < 0x80) result += letter;
    else {
      if (inClass) throw new SyntaxError(`${letter} within [...]: only ASCII can stand there`);
      result += `(?:${Buffer.from(letter).toString("latin1")})`;
      at += letter.length - 1;
    }
  }
  return result;
}

/** What a leading `**\/` of a glob becomes. */
const ANY_FOLDERS = "(?:.*/)?";

/**
 * Tells whether any of the patterns fits a path. Those for any folder are asked at the beginnings of the path's parts, all
 * together: asked alone, each goes over the whole path.
 *
 * @example anyPath([globPattern("**\/.env"), globPattern("etc/shadow")])("srv/app/.env"); // true
 */
export function anyPath(patterns: readonly Pattern[]): (path: string) => boolean {
  const lead = `^${ANY_FOLDERS}`;
  const sources = patterns.map(({ source }) => source);
  // Behind an alternative of the outermost level the lead would not stand before each.
  const isLed = (source: string) => source.startsWith(lead) && !source.replace(/\([^()]*\)/g, "").includes("|");
  const groups = [
    ["(?:^|/)", sources.filter(isLed).map((source) => source.slice(lead.length))],
    ["", sources.filter((source) => !isLed(source))],
  ] as const;
  const any = groups
    .filter(([, rests]) => rests.length > 0)
    .map(([before, rests]) => new RegExp(`${before}(?:${rests.map((rest) => `(?:${rest})`).join("|")})`, "s"));
  return (path) => any.some((pattern) => pattern.test(path));
}

/**
 * A glob over whole paths as a pattern: `*` within a part, `**` over parts, a leading `**\/` also matches no part, `{a,b}`
 * either.
 */
export function globPattern(glob: string): Pattern {
  let source = "";
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const letter = glob[at] ?? "";
    if (glob.startsWith("**/", at)) {
      source += ANY_FOLDERS;
      at += 2;
    } else if (glob.startsWith("**", at)) {
      source += ".*";
      at++;
    } else if (letter === "*") source += "[^/]*";
    else if (letter === "?") source += "[^/]";
    else if (letter === "{") {
      source += "(?:";
      depth++;
    } else if (letter === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (letter === "," && depth > 0) source += "|";
    else source += letter.replace(/[\\^$.|+()[\]{}/]/, "\\$&");
  }
  const pattern = { source: `^${source}$`, flags: "s" };
  compile(pattern, "");
  return pattern;
}
