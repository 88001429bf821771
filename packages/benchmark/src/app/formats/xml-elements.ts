import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { expressionMap } from "../../expression-map.ts";
import { type Block, type ConfigDocument, type Draft, MAX_DEPTH, newDraft, textOfBytes } from "../document.ts";

/** Leaf children that are read as attributes of their parent. */
const MAX_LEAVES = 50;

/**
 * Reads XML: each element is a setting with its attributes and its own text. The parser knows no entities but the five
 * of the language and fetches nothing, so that neither entity bombs nor outside entities do anything.
 */
export function readXmlElements(bytes: Uint8Array): ConfigDocument {
  const text = textOfBytes(bytes);
  const draft = newDraft();
  try {
    // Entities that nobody declared to this parser stay as they are written.
    const document = parseXml(text, { includeOffsets: true, ignoreUndefinedEntities: true });
    const lineOf = lineFinder(text);
    walk(document.root, [], [], draft, lineOf);
  } catch (error) {
    draft.problems.push(`not XML: ${error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error)}`);
  }
  return { directives: draft.directives, values: {}, problems: draft.problems };
}

function walk(
  element: XmlElement | null,
  within: readonly Block[],
  siblings: string[],
  draft: Draft,
  lineOf: (at: number) => number,
): void {
  if (element === null || within.length > MAX_DEPTH) return;
  const children = element.children.filter((child): child is XmlElement => child instanceof XmlElement);
  const own = children.length === 0 ? element.text.trim() : "";
  // `<init-param><param-name>x</param-name>…`: the text of leaf children reads as if it were an attribute.
  const leaves = children.filter((child) => child.children.every((node) => !(node instanceof XmlElement)));
  const attributes = expressionMap([
    ...leaves.slice(0, MAX_LEAVES).map((child): [string, string] => [child.name, child.text.trim()]),
    ...Object.entries(element.attributes),
  ]);
  const args = own === "" ? [] : [own];
  if (!draft.add({ name: element.name, args, line: lineOf(element.start), within, siblings, attributes })) return;
  const inner: string[] = [];
  const block: Block = { name: element.name, args: [attributes.className ?? attributes.protocol ?? own] };
  for (const child of children) walk(child, [block, ...within], inner, draft, lineOf);
}

/** Lines of positions that only ever grow: one pass over the text for all of them. */
function lineFinder(text: string): (at: number) => number {
  let line = 1;
  let here = 0;
  return (position) => {
    while (here < position && here < text.length) if (text.charCodeAt(here++) === 10) line++;
    return line;
  };
}
