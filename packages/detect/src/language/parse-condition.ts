import type { CallOperand, Check, Condition, Literal, Operand, Operator, Place } from "./condition.ts";

/** Parentheses, `not` and calls within each other. */
const MAX_DEPTH = 100;
const MAX_CONDITION_LENGTH = 256 * 1024;

const BLANK = /[ \b\t\n\r]+/y;
const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_]*/y;
/** The names of labels may hold dots, dashes and slashes. */
const FIELD_NAME = /k8s\.pod\.label\.[a-zA-Z0-9_./-]*[a-zA-Z0-9_]|[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
const BARE_ARGUMENT = /[^ \b\t\n\r[\]"']+/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?/y;
const BARE_TEXT = /[^ \b\t\n\r(),="']+/y;
/** Symbols first, longest first; words only where a blank or a parenthesis ends them. */
const OPERATOR =
  /==|!=|<=|>=|=|<|>|(?:exists|contains|icontains|bcontains|startswith|bstartswith|endswith|glob|iglob|regex|intersects|in|pmatch)(?![a-zA-Z0-9_.])/y;
const WORD_END = /(?![a-zA-Z0-9_.])/y;

const LIST_OPERATORS: readonly string[] = ["in", "intersects", "pmatch"];
const NUMBER_OPERATORS: readonly string[] = ["<", "<=", ">", ">="];
/** How many operands each takes. */
const TRANSFORMERS: Readonly<Record<string, readonly [number, number]>> = {
  tolower: [1, 1],
  toupper: [1, 1],
  b64: [1, 1],
  basename: [1, 1],
  len: [1, 1],
  join: [2, 2],
  concat: [1, 64],
  getopt: [2, 2],
  val: [1, 1],
};

/** What does not parse, and where in the text. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
}

class ConditionSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Parses a condition of Falco's rule language, or the part of one that an operand of an output is.
 *
 * @param text the condition
 * @param locate gives the place in the file of an offset in `text`
 * @returns the condition, or what is wrong with it and at which offset
 * @example parseCondition("evt.type = execve and not proc.name in (sh, bash)", () => ({ file: "", line: 1, column: 1 }));
 */
export function parseCondition(text: string, locate: (offset: number) => Place): Condition | SyntaxFault {
  return attempt(text, locate, (reader) => {
    const condition = parseOr(reader);
    skipBlank(reader);
    if (reader.at < text.length) throw fault(reader, `"${peekWord(reader)}" is not expected here`);
    return condition;
  });
}

/**
 * Parses one operand, such as stands behind `%` in an output, and says where it ends.
 *
 * @example parseOperand("toupper(user.name))", at, () => place); // { operand, end: 18 }
 */
export function parseOperand(
  text: string,
  start: number,
  locate: (offset: number) => Place,
): { readonly operand: Operand; readonly end: number } | SyntaxFault {
  return attempt(text, locate, (reader) => {
    reader.at = start;
    const operand = parseLeft(reader);
    if (operand === undefined) throw fault(reader, "a field is expected");
    return { operand, end: reader.at };
  });
}

export function isFault(value: object): value is SyntaxFault {
  return "message" in value && "offset" in value;
}

interface Reader {
  readonly text: string;
  readonly locate: (offset: number) => Place;
  at: number;
  depth: number;
}

function attempt<Result extends object>(
  text: string,
  locate: (offset: number) => Place,
  parse: (reader: Reader) => Result,
): Result | SyntaxFault {
  if (text.length > MAX_CONDITION_LENGTH) {
    return { offset: 0, message: `the condition is longer than ${MAX_CONDITION_LENGTH} characters` };
  }
  try {
    return parse({ text, locate, at: 0, depth: 0 });
  } catch (error) {
    if (error instanceof ConditionSyntaxError) return { offset: error.offset, message: error.message };
    throw error;
  }
}

function parseOr(reader: Reader): Condition {
  return parseGroup(reader, "or", parseAnd);
}

function parseAnd(reader: Reader): Condition {
  return parseGroup(reader, "and", parseNot);
}

function parseGroup(reader: Reader, kind: "and" | "or", parseItem: (reader: Reader) => Condition): Condition {
  const items = [parseItem(reader)];
  while (takeWord(reader, kind)) items.push(parseItem(reader));
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind, items };
}

function parseNot(reader: Reader): Condition {
  if (!takeWord(reader, "not")) return parseCheck(reader);
  return nested(reader, () => ({ kind: "not", item: parseNot(reader) }));
}

function parseCheck(reader: Reader): Condition {
  skipBlank(reader);
  const start = reader.at;
  const left = parseLeft(reader);
  if (left !== undefined) return parseComparison(reader, left, reader.locate(start));
  if (take(reader, "(")) {
    const list = tryListLiteral(reader, start);
    if (list !== undefined) return parseComparison(reader, list, reader.locate(start));
    const inner = nested(reader, () => parseOr(reader));
    skipBlank(reader);
    if (!take(reader, ")")) throw fault(reader, `")" is missing before "${peekWord(reader)}"`);
    return inner;
  }
  const name = match(reader, IDENTIFIER);
  if (name !== undefined) return { kind: "macro", name, place: reader.locate(start) };
  throw fault(
    reader,
    reader.at >= reader.text.length
      ? "the condition ends too early"
      : `"${peekWord(reader)}" is neither a field nor a macro`,
  );
}

/** `(a, b) in getopt(…)`: only a list that an operator of lists follows is one, else it is an expression in parentheses. */
function tryListLiteral(reader: Reader, start: number): Operand | undefined {
  const back = reader.at;
  const texts: string[] = [];
  for (;;) {
    skipBlank(reader);
    const value = takeText(reader);
    if (value === undefined) break;
    texts.push(value.text);
    skipBlank(reader);
    if (take(reader, ",")) continue;
    if (!take(reader, ")")) break;
    skipBlank(reader);
    if (/^(?:in|intersects)[\s(]/.test(reader.text.slice(reader.at, reader.at + 12))) {
      return { kind: "literal", texts, place: reader.locate(start) };
    }
    break;
  }
  reader.at = back;
  return undefined;
}

/** A field or a call; undefined, with nothing taken, when neither stands here. */
function parseLeft(reader: Reader): Operand | undefined {
  skipBlank(reader);
  const start = reader.at;
  const name = match(reader, FIELD_NAME);
  if (name !== undefined) {
    return { kind: "field", name, argument: parseArgument(reader), place: reader.locate(start) };
  }
  const call = match(reader, IDENTIFIER);
  if (call !== undefined && Object.hasOwn(TRANSFORMERS, call)) {
    skipBlank(reader);
    if (take(reader, "(")) return nested(reader, () => parseCall(reader, call, start));
  }
  reader.at = start;
  return undefined;
}

function parseCall(reader: Reader, name: string, start: number): CallOperand {
  const operands: Operand[] = [];
  do {
    skipBlank(reader);
    const operand = parseLeft(reader) ?? parseLiteralOperand(reader);
    operands.push(operand);
    skipBlank(reader);
  } while (take(reader, ","));
  if (!take(reader, ")")) throw fault(reader, `")" is missing after what ${name}() is applied to`);
  const [least, most] = TRANSFORMERS[name] ?? [1, 1];
  if (operands.length < least || operands.length > most) {
    throw new ConditionSyntaxError(`${name}() takes ${least === most ? least : `${least} to ${most}`} operands`, start);
  }
  return { kind: "call", name, operands, argument: parseArgument(reader), place: reader.locate(start) };
}

function parseLiteralOperand(reader: Reader): Operand {
  const start = reader.at;
  const value = takeText(reader);
  if (value === undefined) throw fault(reader, "a field or a text is expected");
  return { kind: "literal", texts: [value.text], place: reader.locate(start) };
}

function parseArgument(reader: Reader): string | null {
  if (!take(reader, "[")) return null;
  skipBlank(reader);
  const argument = takeQuoted(reader) ?? match(reader, BARE_ARGUMENT);
  if (argument === undefined) throw fault(reader, "the brackets are empty");
  skipBlank(reader);
  if (!take(reader, "]")) throw fault(reader, `"]" is missing`);
  return argument;
}

function parseComparison(reader: Reader, left: Operand, place: Place): Check {
  skipBlank(reader);
  const start = reader.at;
  const word = match(reader, OPERATOR);
  if (word === undefined) {
    const found = peekWord(reader);
    throw fault(reader, found === "" ? "an operator is expected" : `"${found}" is no operator`);
  }
  const operator = (word === "==" ? "=" : word) as Operator;
  if (operator === "exists") return { kind: "check", left, operator, values: [], right: null, place };
  skipBlank(reader);
  const right = parseRight(reader);
  if (right !== undefined) return { kind: "check", left, operator, values: [], right, place };
  if (LIST_OPERATORS.includes(operator)) {
    return { kind: "check", left, operator, values: parseList(reader, operator), right: null, place };
  }
  const value = takeText(reader);
  if (value === undefined) throw fault(reader, `a value is missing after "${word}"`);
  if (NUMBER_OPERATORS.includes(operator) && !isNumber(value.text)) {
    throw new ConditionSyntaxError(`"${word}" compares numbers, and "${value.text}" is none`, start);
  }
  return { kind: "check", left, operator, values: [value], right: null, place };
}

/** Only a call may stand on the right: a bare `proc.pname` there is text, as it always was. */
function parseRight(reader: Reader): Operand | undefined {
  const start = reader.at;
  const name = match(reader, IDENTIFIER);
  const isCall = name !== undefined && Object.hasOwn(TRANSFORMERS, name) && reader.text[reader.at] === "(";
  reader.at = start;
  if (!isCall) return undefined;
  const operand = parseLeft(reader);
  // `val()` only says that what follows is a field.
  return operand?.kind === "call" && operand.name === "val" ? operand.operands[0] : operand;
}

function parseList(reader: Reader, operator: string): readonly Literal[] {
  const values: Literal[] = [];
  if (!take(reader, "(")) {
    const name = match(reader, IDENTIFIER);
    if (name === undefined) throw fault(reader, `"(" is missing after "${operator}"`);
    return [{ text: name, quoted: false }];
  }
  for (;;) {
    skipBlank(reader);
    if (take(reader, ")")) return values;
    const value = takeText(reader);
    if (value === undefined) throw fault(reader, `"${peekWord(reader)}" is no value of a list`);
    values.push(value);
    skipBlank(reader);
    if (!take(reader, ",") && reader.text[reader.at] !== ")") throw fault(reader, `"," or ")" is missing in the list`);
  }
}

function takeText(reader: Reader): Literal | undefined {
  const quoted = takeQuoted(reader);
  if (quoted !== undefined) return { text: quoted, quoted: true };
  const bare = match(reader, BARE_TEXT);
  return bare === undefined ? undefined : { text: bare, quoted: false };
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** In quotes a backslash escapes the quote, itself and b, f, n, r, t; before anything else it stands for itself. */
function takeQuoted(reader: Reader): string | undefined {
  const quote = reader.text[reader.at];
  if (quote !== '"' && quote !== "'") return undefined;
  let value = "";
  for (let at = reader.at + 1; at < reader.text.length; at++) {
    const character = reader.text[at] as string;
    if (character === quote) {
      reader.at = at + 1;
      return value;
    }
    const next = reader.text[at + 1] ?? "";
    if (character !== "\\") value += character;
    else if (next === '"' || next === "'" || next === "\\") {
      value += next;
      at++;
    } else if (ESCAPES[next] !== undefined) {
      value += ESCAPES[next];
      at++;
    } else value += character;
  }
  throw fault(reader, `the quote ${quote} is not closed`);
}

export function isNumber(text: string): boolean {
  NUMBER.lastIndex = 0;
  return NUMBER.exec(text)?.[0].length === text.length;
}

function takeWord(reader: Reader, word: string): boolean {
  skipBlank(reader);
  if (!reader.text.startsWith(word, reader.at)) return false;
  WORD_END.lastIndex = reader.at + word.length;
  if (!WORD_END.test(reader.text)) return false;
  reader.at += word.length;
  return true;
}

function take(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false;
  reader.at++;
  return true;
}

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

function skipBlank(reader: Reader): void {
  match(reader, BLANK);
}

function nested<Result>(reader: Reader, parse: () => Result): Result {
  if (++reader.depth > MAX_DEPTH) throw fault(reader, `it is nested deeper than ${MAX_DEPTH} levels`);
  const result = parse();
  reader.depth--;
  return result;
}

function peekWord(reader: Reader): string {
  return /^\S{1,30}/.exec(reader.text.slice(reader.at, reader.at + 30))?.[0] ?? "";
}

function fault(reader: Reader, message: string): ConditionSyntaxError {
  return new ConditionSyntaxError(message, reader.at);
}
