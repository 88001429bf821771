/** Words, commands and pipes of a POSIX shell script, as far as checks need them: no expansion, nothing is run. */

/** Substitutions within substitutions beyond this depth are taken as text. */
const MAX_DEPTH = 8;
/** Commands beyond these are not looked at; `complete` says so. */
const MAX_COMMANDS = 5_000;
const MAX_WORDS = 4_000;

interface ShellWord {
  /** The word without its quotes; expansions stand as written. */
  readonly text: string;
  /** Position in the script. */
  readonly start: number;
  readonly end: number;
  /** No quote, escape or expansion is in it: what is written is what the program gets. */
  readonly plain: boolean;
}

export interface ShellCommand {
  /** All words but assignments, redirections and reserved words. */
  readonly words: readonly ShellWord[];
  /** `NAME=value` before the command. */
  readonly assignments: readonly string[];
  /** Files written to. */
  readonly writes: readonly string[];
  /** Index in the script's commands of the one whose input is this one's output; -1: none. */
  readonly pipesTo: number;
  /** 0: in the script itself; above: in a substitution or in the text of `sh -c`. */
  readonly depth: number;
}

export interface ShellScript {
  readonly commands: readonly ShellCommand[];
  readonly hasPipe: boolean;
  /** The script ends after a whole command: no open quote, operator, comment or here-document. */
  readonly endsPlain: boolean;
  /** False when bounds cut it short. */
  readonly complete: boolean;
}

interface OpenCommand {
  readonly words: ShellWord[];
  readonly assignments: string[];
  readonly writes: string[];
  pipesTo: number;
  readonly depth: number;
  readonly nested: number[];
  /** The character that ends the substitution the command stands in. */
  readonly closer: string;
}

interface Scan {
  readonly text: string;
  readonly commands: OpenCommand[];
  at: number;
  hasPipe: boolean;
  broken: boolean;
  complete: boolean;
}

const RESERVED = new Set([
  "if",
  "then",
  "elif",
  "else",
  "fi",
  "while",
  "until",
  "do",
  "done",
  "!",
  "{",
  "}",
  "case",
  "esac",
]);
const SHELLS = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh"]);
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;

/**
 * Splits a script into commands. Time grows with its length; nothing is thrown, whatever it holds.
 *
 * @example scanShell("curl -s x | sh").commands.map((command) => command.words[0]?.text); // ["curl", "sh"]
 */
export function scanShell(text: string): ShellScript {
  const scan: Scan = { text, commands: [], at: 0, hasPipe: false, broken: false, complete: true };
  const endsPlain = scanList(scan, "", 0);
  return {
    commands: scan.commands,
    hasPipe: scan.hasPipe,
    endsPlain: endsPlain && !scan.broken && scan.complete,
    complete: scan.complete,
  };
}

/** Reads commands up to `closer` (left unread) or the end. True when the last thing read is a whole command. */
function scanList(scan: Scan, closer: string, depth: number): boolean {
  let open = newCommand(depth, closer);
  let previous = -1;
  let afterPipe = false;
  let plain = false;
  const finish = (): void => {
    if (open.words.length + open.assignments.length + open.writes.length > 0) {
      const index = scan.commands.length;
      if (index < MAX_COMMANDS) scan.commands.push(open);
      else scan.complete = false;
      if (afterPipe && previous >= 0) (scan.commands[previous] as OpenCommand).pipesTo = index;
      for (const nested of open.nested) {
        const command = scan.commands[nested];
        if (command !== undefined && command.pipesTo < 0) command.pipesTo = index;
      }
      previous = index < MAX_COMMANDS ? index : -1;
      scanInner(scan, open);
    } else if (!afterPipe) previous = -1;
    afterPipe = false;
    open = newCommand(depth, closer);
  };
  while (scan.at < scan.text.length && scan.complete) {
    const char = scan.text[scan.at] as string;
    if (char === closer) break;
    if (char === " " || char === "\t" || char === "\r") scan.at++;
    else if (char === "#") {
      const end = scan.text.indexOf("\n", scan.at);
      scan.at = end < 0 ? scan.text.length : end;
      plain = end >= 0 && plain;
    } else if (isOperator(char)) {
      const operator = readOperator(scan);
      if (operator.startsWith("<") || operator.startsWith(">") || operator.startsWith("&>")) {
        plain = readRedirection(scan, operator, open);
        continue;
      }
      finish();
      if (operator === "|" || operator === "|&") {
        afterPipe = true;
        scan.hasPipe = true;
      } else previous = -1;
      plain = operator === ")" || operator === "\n";
    } else {
      readWordInto(scan, open);
      plain = true;
    }
  }
  finish();
  return plain;
}

function newCommand(depth: number, closer: string): OpenCommand {
  return { words: [], assignments: [], writes: [], pipesTo: -1, depth, nested: [], closer };
}

function isOperator(char: string): boolean {
  return "|&;<>()\n".includes(char);
}

function readOperator(scan: Scan): string {
  const three = scan.text.slice(scan.at, scan.at + 3);
  const found =
    ["<<-", "<<<", "&>>"].find((operator) => three === operator) ??
    ["&&", "||", "|&", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "<(", ">("].find((two) =>
      three.startsWith(two),
    ) ??
    three.slice(0, 1);
  scan.at += found.length;
  return found;
}

/** True when the redirection is whole and of a kind after which a command may be appended. */
function readRedirection(scan: Scan, operator: string, open: OpenCommand): boolean {
  if (operator === "<(" || operator === ">(") {
    readNested(scan, ")", open);
    return true;
  }
  while (scan.text[scan.at] === " " || scan.text[scan.at] === "\t") scan.at++;
  const before = scan.at;
  const target = readWord(scan, open);
  if (operator.startsWith(">") || operator.startsWith("&>")) open.writes.push(target.text);
  if (operator === "<<" || operator === "<<-") scan.broken = true;
  return scan.at > before;
}

function readWordInto(scan: Scan, open: OpenCommand): void {
  const word = readWord(scan, open);
  if (/^\d+$/.test(word.text) && (scan.text[scan.at] === ">" || scan.text[scan.at] === "<")) return;
  if (open.words.length === 0 && word.plain && RESERVED.has(word.text)) return;
  if (open.words.length === 0 && ASSIGNMENT.test(word.text)) open.assignments.push(word.text);
  else if (open.words.length < MAX_WORDS) open.words.push(word);
  else scan.complete = false;
}

/** Reads one word with its quotes and substitutions; `scan.at` moves by at least one character. */
function readWord(scan: Scan, open: OpenCommand): ShellWord {
  const start = scan.at;
  const pieces: string[] = [];
  let plain = true;
  while (scan.at < scan.text.length) {
    const char = scan.text[scan.at] as string;
    if (char === " " || char === "\t" || char === "\r" || isOperator(char)) break;
    if (char === "`" && open.closer === "`") break;
    if (char === "'") {
      plain = false;
      const end = scan.text.indexOf("'", scan.at + 1);
      if (end < 0) scan.broken = true;
      const stop = end < 0 ? scan.text.length : end;
      pieces.push(scan.text.slice(scan.at + 1, stop));
      scan.at = Math.min(stop + 1, scan.text.length);
    } else if (char === '"') {
      plain = false;
      scan.at++;
      readQuoted(scan, open, pieces);
    } else if (char === "\\") {
      plain = false;
      if (scan.text[scan.at + 1] !== "\n") pieces.push(scan.text[scan.at + 1] ?? "");
      scan.at = Math.min(scan.at + 2, scan.text.length);
    } else if (char === "$" || char === "`") {
      plain = false;
      readExpansion(scan, open, pieces);
    } else {
      if (char === "*" || char === "?" || char === "[" || char === "~") plain = false;
      pieces.push(char);
      scan.at++;
    }
  }
  if (scan.at === start && scan.at < scan.text.length) scan.at++;
  return { text: pieces.join(""), start, end: scan.at, plain };
}

function readQuoted(scan: Scan, open: OpenCommand, pieces: string[]): void {
  while (scan.at < scan.text.length) {
    const char = scan.text[scan.at] as string;
    if (char === '"') {
      scan.at++;
      return;
    }
    if (char === "\\") {
      pieces.push(scan.text[scan.at + 1] ?? "");
      scan.at = Math.min(scan.at + 2, scan.text.length);
    } else if (char === "$" || char === "`") readExpansion(scan, open, pieces);
    else {
      pieces.push(char);
      scan.at++;
    }
  }
  scan.broken = true;
}

function readExpansion(scan: Scan, open: OpenCommand, pieces: string[]): void {
  const start = scan.at;
  if (scan.text[start] === "`") {
    scan.at++;
    readNested(scan, "`", open);
  } else if (scan.text.startsWith("$((", start)) {
    const end = scan.text.indexOf("))", start);
    scan.at = end < 0 ? scan.text.length : end + 2;
  } else if (scan.text.startsWith("$(", start)) {
    scan.at += 2;
    readNested(scan, ")", open);
  } else if (scan.text.startsWith("${", start)) {
    const end = scan.text.indexOf("}", start);
    if (end < 0) scan.broken = true;
    scan.at = end < 0 ? scan.text.length : end + 1;
  } else scan.at++;
  pieces.push(scan.text.slice(start, scan.at));
}

/** Reads the commands of a substitution; they feed the command whose word they stand in. */
function readNested(scan: Scan, closer: string, open: OpenCommand): void {
  const first = scan.commands.length;
  if (open.depth + 1 > MAX_DEPTH) {
    const end = scan.text.indexOf(closer, scan.at);
    scan.at = end < 0 ? scan.text.length : end;
  } else scanList(scan, closer, open.depth + 1);
  if (scan.text[scan.at] === closer) scan.at++;
  else scan.broken = true;
  for (let index = first; index < scan.commands.length; index++) {
    if (scan.commands[index]?.depth === open.depth + 1) open.nested.push(index);
  }
}

/** The commands in the text that `sh -c` runs. Their positions are those of the word that holds them. */
function scanInner(scan: Scan, open: OpenCommand): void {
  const at = open.words.findIndex((word) => SHELLS.has(baseName(word.text)));
  if (at < 0 || at > 3 || open.depth >= MAX_DEPTH) return;
  const option = open.words.findIndex((word, position) => position > at && /^-[a-z]*c$/.test(word.text));
  const script = option < 0 ? undefined : open.words[option + 1];
  // A substitution has been read already where it stands.
  if (script === undefined || script.text.startsWith("$(") || script.text.startsWith("`")) return;
  const inner = scanShell(script.text.slice(0, scan.text.length));
  const base = scan.commands.length;
  for (const command of inner.commands) {
    if (scan.commands.length >= MAX_COMMANDS) {
      scan.complete = false;
      return;
    }
    const words = command.words.map((word) => ({ ...word, start: script.start, end: script.end, plain: false }));
    const pipesTo = command.pipesTo < 0 ? -1 : command.pipesTo + base;
    scan.commands.push({
      ...command,
      words,
      assignments: [...command.assignments],
      writes: [...command.writes],
      pipesTo,
      depth: open.depth + 1,
      nested: [],
      closer: "",
    });
  }
  if (inner.hasPipe) scan.hasPipe = true;
  if (!inner.complete) scan.complete = false;
}

/** The last part of a path: `/usr/bin/curl` is `curl`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
