import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import { type ConfigDocument, type Draft, MAX_DEPTH, newDraft, textOfBytes, valuesOf } from "../document.ts";

/** Deeper nesting than this is refused before the parser sees it: it recurses. */
const MAX_FLOW_DEPTH = 200;
/** The parser's time grows with the square of some broken input; real files of this kind are far smaller. */
const MAX_LENGTH = 128 * 1024;

/**
 * Reads YAML or JSON. Nested keys become one name with dots, so that `a: {b: 1}` and `a.b: 1` are the same, as several
 * programs take them. The scalars of a list become the arguments of one setting.
 */
export function readYamlTree(bytes: Uint8Array): ConfigDocument {
  const text = textOfBytes(bytes);
  const draft = newDraft();
  const lines = new LineCounter();
  if (text.length > MAX_LENGTH) return unread(`longer than ${MAX_LENGTH} characters and not read`);
  if (tooDeep(text)) return unread(`nested deeper than ${MAX_FLOW_DEPTH} and not read`);
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      uniqueKeys: false,
      logLevel: "silent",
      prettyErrors: false,
    });
    for (const document of Array.isArray(documents) ? documents : []) {
      const [error] = document.errors;
      if (error !== undefined) draft.problems.push(`not YAML: ${error.message.split("\n", 1)[0] ?? ""}`);
      walk(document.contents as Node | null, "", draft, (node) => lines.linePos(node.range?.[0] ?? 0).line, 0);
    }
  } catch (error) {
    draft.problems.push(
      `not YAML: ${error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error)}`,
    );
  }
  return { directives: draft.directives, values: valuesOf(draft.directives), problems: draft.problems };
}

function unread(problem: string): ConfigDocument {
  return { directives: [], values: {}, problems: [problem] };
}

function tooDeep(text: string): boolean {
  let depth = 0;
  let indent = 0;
  let most = 0;
  for (const char of text) {
    if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth = Math.max(0, depth - 1);
    // Block nesting costs at least one blank a level, and `- - - -` one dash.
    else if (char === "\n") indent = 0;
    else if (char === "-" || char === " " || char === "?") indent++;
    most = Math.max(most, depth);
    if (most > MAX_FLOW_DEPTH || (indent > 4 * MAX_FLOW_DEPTH && depth === 0 && (char === "-" || char === "?")))
      return true;
  }
  return false;
}

function walk(node: Node | null, path: string, draft: Draft, lineOf: (node: Node) => number, depth: number): void {
  // An alias is not followed: a nest of them would grow without bound, and settings that matter are written out.
  if (node === null || isAlias(node) || depth > MAX_DEPTH) return;
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      const full = path === "" ? name : `${path}.${name}`;
      if (isScalar(value) || value === null) {
        const line = lineOf((isScalar(key) ? key : (value ?? node)) as Node);
        if (!draft.add({ name: full, args: isScalar(value) ? [scalarText(value.value)] : [], line })) return;
      } else walk(value as Node, full, draft, lineOf, depth + 1);
    }
  } else if (isSeq(node)) {
    const scalars = node.items.filter((item) => isScalar(item)).map((item) => scalarText(item.value));
    if (scalars.length > 0 || node.items.length === 0) draft.add({ name: path, args: scalars, line: lineOf(node) });
    for (const item of node.items) if (!isScalar(item)) walk(item as Node, path, draft, lineOf, depth + 1);
  }
}

function scalarText(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}
