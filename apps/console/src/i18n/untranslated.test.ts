import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "vite";
import { expect, test } from "vitest";

const SOURCES = join(import.meta.dirname, "..");
/** Attributes and members that people read or hear. */
const READ = new Set([
  "alt",
  "aria-label",
  "aria-description",
  "cancelText",
  "content",
  "description",
  "extra",
  "help",
  "hint",
  "label",
  "message",
  "okText",
  "placeholder",
  "tip",
  "title",
]);
/** A key of the strings is no word. */
const isWords = (text: string) => /\p{Letter}{2,}/u.test(text) && !/^[a-z]+[.][\w.]+$/i.test(text);

interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Words in the source that are read by people and do not come from the strings. */
function wordsIn(source: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: Node) => {
    if (node.type === "JSXElement" || node.type === "JSXFragment") {
      for (const child of node.children as readonly Node[]) found.push(...literalsOf(child));
    }
    if (node.type === "JSXAttribute" && READ.has(nameOf(node.name))) found.push(...literalsOf(nodeOf(node.value)));
    if (node.type === "Property" && READ.has(nameOf(node.key))) found.push(...literalsOf(node.value as Node));
    for (const member of Object.values(node)) {
      for (const child of Array.isArray(member) ? member : [member]) if (isNode(child)) visit(child);
    }
  };
  visit(parseAst(source, { lang: "tsx" }) as unknown as Node);
  return found;
}

function literalsOf(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if (node.type === "JSXText") return isWords(String(node.value)) ? [String(node.value).trim()] : [];
  if (node.type === "JSXExpressionContainer") return literalsOf(node.expression as Node);
  if (node.type === "Literal" && typeof node.value === "string") return isWords(node.value) ? [node.value] : [];
  if (node.type === "ConditionalExpression") {
    return [...literalsOf(node.consequent as Node), ...literalsOf(node.alternate as Node)];
  }
  if (node.type === "LogicalExpression") return literalsOf(node.right as Node);
  if (node.type === "TemplateLiteral") {
    const quasis = node.quasis as readonly { readonly value: { readonly raw: string } }[];
    return quasis.map(({ value }) => value.raw).filter(isWords);
  }
  return [];
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;
const nameOf = (node: unknown) => String((node as { name?: unknown; value?: unknown }).name ?? (node as Node).value);
const nodeOf = (node: unknown) => (isNode(node) ? node : undefined);

const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".tsx"));

test.each(files)("%s holds no words of its own", (file) => {
  expect(wordsIn(readFileSync(join(SOURCES, file), "utf8"))).toEqual([]);
});

test("words in text, attributes and options are found", () => {
  expect(wordsIn("const a = <p>Hello there</p>;")).toEqual(["Hello there"]);
  expect(wordsIn('const a = <Input placeholder="Name" />;')).toEqual(["Name"]);
  expect(wordsIn('const a = <p>{on ? "Yes indeed" : t("no")}</p>;')).toEqual(["Yes indeed"]);
  expect(wordsIn('const a = [{ title: "Name" }];')).toEqual(["Name"]);
  expect(wordsIn('const a = <p title={t("a.title")}>{t("a.text")} · {n}</p>;')).toEqual([]);
});
