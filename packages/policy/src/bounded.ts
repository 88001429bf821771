import type { Environment } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";

/** Longer texts and lists than these are made by nobody but who wants to exhaust the memory. */
const MAX_MADE_TEXT = 256 * 1024;
const MAX_MADE_LIST = 200_000;
/** What a comparison of two parts of a document costs where nobody counted its values. */
const VALUES = 1_000;
/** Instructions of a pattern; that of a DNS name has a dozen. */
const MAX_PATTERN_SIZE = 2_000;

/**
 * What is left to spend. The engine has no bound of its own on the time of an evaluation, so its loops, comparisons and
 * everything that makes a text or a list are counted; a step costs about 20 to 200 ns.
 */
export interface Meter {
  left: number;
  isExhausted: boolean;
  /** Values of the document that is judged: the most that a comparison of two parts of it can cost. */
  values: number;
}

/**
 * Bounds a parsed expression of CEL: whatever can cost something is counted, and `matches` takes RE2's patterns.
 *
 * @param ast as the engine keeps it
 * @param meter is spent by evaluations; whoever evaluates fills it before, and looks at it afterwards
 * @returns its nodes, macros as what they become
 * @throws Error that says in one line what is wrong with a pattern
 */
export function boundExpression(ast: unknown, meter: Meter): readonly Node[] {
  const nodes: Node[] = [];
  walk(ast, (node) => nodes.push(node));
  for (const node of nodes) count(node, meter);
  for (const node of nodes) if (node.op === "rcall" && listed(node.args)[0] === "matches") matchByRe2(node, meter);
  return nodes;
}

/**
 * Compiles an expression that takes no more than so many steps each time it is evaluated.
 *
 * @param steps a step costs about 20 to 200 ns; none at all are counted up to Infinity
 * @throws Error that says in one line what is wrong with it; its evaluation throws what the engine throws, and when there are no steps left
 * @example compileBounded(environment, 'image.labels.team.matches("^[a-z]+$")', 1_000_000)({ image })
 */
export function compileBounded(
  environment: Environment,
  text: string,
  steps: number,
): (context: Readonly<Record<string, unknown>>) => unknown {
  const run = environment.parse(text);
  const { valid, error } = run.check();
  if (!valid) throw error ?? new Error("it is not valid");
  const meter: Meter = { left: steps, isExhausted: false, values: VALUES };
  boundExpression(run.ast, meter);
  return (context) => {
    meter.left = steps;
    meter.isExhausted = false;
    const value = run({ ...context });
    // Loops and `||` pass over errors of their parts.
    return meter.isExhausted ? exhaust(meter) : value;
  };
}

/** The syntax tree as the engine keeps it: `alternate` is what a macro such as `exists` was replaced by. */
export interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly meta: { evaluate?: Evaluate; alternate?: Node; macro?: { evaluate?: Evaluate } };
  setMeta(key: string, value: unknown): unknown;
}
interface Evaluator {
  run(node: Node, context: unknown): unknown;
}
type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "op" in value && "setMeta" in value;
}

/** Visits every node once, macros as what they become. */
function walk(value: unknown, visit: (node: Node) => void, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (!isNode(value)) {
    if (Array.isArray(value)) for (const item of value) walk(item, visit, seen);
    else if (Object.getPrototypeOf(value) === Object.prototype)
      for (const item of Object.values(value)) walk(item, visit, seen);
    return;
  }
  const { alternate, macro } = value.meta;
  if (alternate !== undefined) walk(alternate, visit, seen);
  else {
    visit(value);
    walk(value.args, visit, seen);
    if (macro !== undefined) walk(macro, visit, seen);
  }
}

/** Puts the counting into a node: before each turn of a loop, and on what is large. */
function count(node: Node, meter: Meter): void {
  const { op, args } = node;
  const [left, right] = listed(args);
  if (op === "comprehension") {
    const { step, iterable } = args as { readonly step: Node; readonly iterable: Node };
    let inside = 0;
    walk(step, () => inside++);
    const price = 1 + (inside >> 2);
    before(step, () => spend(meter, price));
    after(iterable, (value) => spend(meter, Array.isArray(value) ? 1 : keysOf(value)));
  } else if (op === "==" || op === "!=") {
    // Against a number or a text of the expression itself nothing deep is compared.
    if (isLiteral(left) || isLiteral(right)) return;
    for (const operand of [left, right]) after(operand, (value) => spend(meter, priceOfComparing(value, meter)));
  } else if (op === "in") {
    if (isLiteralList(right)) return;
    if (!isLiteral(left))
      after(left, (value) => spend(meter, typeof value === "object" ? priceOfComparing(value, meter) : 0));
    after(right, (value) => spend(meter, Array.isArray(value) ? value.length : 1));
  } else if (op === "rcall") {
    if (CHEAP.has(String(left))) return;
    after(right, (value) => spend(meter, sizeOf(value)));
    after(node, (value) => spendMade(value, meter));
  } else if (op === "call") {
    for (const each of listed(right)) after(each, (value) => spend(meter, sizeOf(value)));
    after(node, (value) => spendMade(value, meter));
  } else if (op === "+") after(node, (value) => spendMade(value, meter));
}

/**
 * Gives `matches` the patterns that Kubernetes has, RE2's, in the place of JavaScript's: these go back in the text, and one can take longer
 * than the universe.
 *
 * @throws Error for a pattern that is none, or is not written out
 */
function matchByRe2(node: Node, meter: Meter): void {
  const [, text, given] = listed(node.args);
  const [pattern] = listed(given);
  if (!isNode(text) || !isNode(pattern) || pattern.op !== "value" || typeof pattern.args !== "string")
    throw new Error("matches() takes a pattern that is written out; compare with ==, contains, startsWith or endsWith");
  const compiled = RE2JS.compile(pattern.args);
  const size = compiled.programSize();
  if (size > MAX_PATTERN_SIZE) throw new Error("the pattern of matches() is too large");
  after(text, (value) => {
    if (typeof value === "string") spend(meter, (value.length * size) >> 3);
  });
  replace(node, (run) => (evaluator, at, context) => {
    const value = (evaluator as Evaluator).run(text, context);
    // What is no text is refused as the engine refuses it.
    return typeof value === "string" ? compiled.test(value) : run(evaluator, at, context);
  });
}

/** Functions that neither read nor make anything large. */
const CHEAP: ReadonlySet<string> = new Set(["orValue", "or", "hasValue", "value", "startsWith", "endsWith"]);

function isLiteral(value: unknown): boolean {
  return isNode(value) && value.op === "value";
}

function isLiteralList(value: unknown): boolean {
  return isNode(value) && value.op === "list" && listed(value.args).every(isLiteral);
}

function priceOfComparing(value: unknown, meter: Meter): number {
  return typeof value === "object" && value !== null ? 1 + meter.values : sizeOf(value);
}

function sizeOf(value: unknown): number {
  if (typeof value === "string") return 1 + (value.length >> 8);
  return Array.isArray(value) ? 1 + (value.length >> 2) : 1;
}

function keysOf(value: unknown): number {
  return typeof value === "object" && value !== null ? 1 + Object.keys(value).length : 1;
}

function spendMade(value: unknown, meter: Meter): void {
  if (typeof value === "string" && value.length > MAX_MADE_TEXT) exhaust(meter);
  if (Array.isArray(value) && value.length > MAX_MADE_LIST) exhaust(meter);
  spend(meter, sizeOf(value));
}

function spend(meter: Meter, price: number): void {
  meter.left -= price;
  if (meter.left < 0) exhaust(meter);
}

/** `exists` and `||` pass over errors of their parts: whoever evaluates looks at the meter afterwards. */
function exhaust(meter: Meter): never {
  meter.left = 0;
  meter.isExhausted = true;
  throw new Error("it takes more steps than a rule may");
}

function before(node: Node, hook: () => void): void {
  replace(node, (run) => (evaluator, at, context) => {
    hook();
    return run(evaluator, at, context);
  });
}

function after(node: unknown, hook: (value: unknown) => void): void {
  if (!isNode(node)) return;
  replace(node, (run) => (evaluator, at, context) => {
    const value = run(evaluator, at, context);
    hook(value);
    return value;
  });
}

function replace(node: Node, wrap: (run: Evaluate) => Evaluate): void {
  const { alternate, macro, evaluate } = node.meta;
  if (alternate !== undefined) replace(alternate, wrap);
  else if (macro?.evaluate !== undefined) macro.evaluate = wrap(macro.evaluate);
  else if (evaluate !== undefined) node.setMeta("evaluate", wrap(evaluate));
}

export function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
