import type { Finding, SuppressedFinding } from "@bulwark/model";
import { PolicyError } from "./errors.ts";
import type { Parted } from "./waive.ts";

const MAX_STATEMENTS = 100_000;
const SUPPRESSING = new Set(["not_affected", "fixed"]);
const STATUSES = new Set([...SUPPRESSING, "affected", "under_investigation"]);

/** One OpenVEX statement, flattened. */
export interface VexStatement {
  readonly file: string;
  readonly author: string;
  /** Names of the flaw: `name`, `@id` and `aliases`. */
  readonly flaws: readonly string[];
  /** Identifiers of the products, each with its subcomponents; an empty list speaks of every product. */
  readonly products: readonly { readonly id: string; readonly components: readonly string[] }[];
  readonly status: string;
  readonly reason: string;
  readonly timestamp: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads an OpenVEX document (OpenVEX specification 0.2.0, "Document" and "Statement").
 *
 * @throws PolicyError `VEX_INVALID` that names the file and what is wrong
 * @example readVex(await readFile("nginx.openvex.json", "utf8"), "nginx.openvex.json");
 */
export function readVex(text: string, file: string): readonly VexStatement[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, "it is not JSON", cause);
  }
  const fields = asFields(document, file, "the document");
  const context = fields["@context"];
  if (typeof context !== "string" || !context.includes("openvex")) throw invalid(file, "its @context is not OpenVEX");
  const statements = fields.statements;
  if (!Array.isArray(statements)) throw invalid(file, "it has no list of statements");
  if (statements.length > MAX_STATEMENTS) throw invalid(file, `it has more than ${MAX_STATEMENTS} statements`);
  const author = textOf(fields.author);
  return statements.map((entry, at) =>
    readStatement(entry, file, author, textOf(fields.timestamp), `statement ${at + 1}`),
  );
}

function readStatement(entry: unknown, file: string, author: string, made: string, place: string): VexStatement {
  const fields = asFields(entry, file, place);
  const status = textOf(fields.status);
  if (!STATUSES.has(status)) throw invalid(file, `${place} has the unknown status "${status}"`);
  const flaws = readFlaws(fields.vulnerability);
  if (flaws.length === 0) throw invalid(file, `${place} names no vulnerability`);
  const reason = [textOf(fields.justification), textOf(fields.impact_statement), textOf(fields.status_notes)]
    .filter((part) => part !== "")
    .join(": ");
  if (status === "not_affected" && reason === "") {
    throw invalid(file, `${place} says not_affected without a justification or an impact statement`);
  }
  return {
    file,
    author,
    flaws,
    products: readProducts(fields.products, file, place),
    status,
    reason: reason === "" ? status : reason,
    timestamp: textOf(fields.timestamp) || made,
  };
}

function readFlaws(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  const fields = value as Fields;
  const aliases = Array.isArray(fields.aliases) ? fields.aliases.map(textOf) : [];
  return [textOf(fields.name), textOf(fields["@id"]), ...aliases].filter((name) => name !== "");
}

function readProducts(value: unknown, file: string, place: string): VexStatement["products"] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(file, `${place}: products must be a list`);
  return value.map((product: unknown) => {
    if (typeof product === "string") return { id: product, components: [] };
    const fields = asFields(product, file, place);
    const components = Array.isArray(fields.subcomponents) ? fields.subcomponents.map(identifierOf) : [];
    return { id: identifierOf(product), components: components.filter((id) => id !== "") };
  });
}

function identifierOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  const fields = value as Fields;
  const identifiers = (fields.identifiers ?? {}) as Fields;
  return textOf(fields["@id"]) || textOf(identifiers.purl);
}

/**
 * Takes out the findings that a statement declares not affected or fixed. The newest statement about a finding wins, so
 * that a later `affected` brings it back.
 *
 * @param products names of the image: its reference and `pkg:oci` purl
 */
export function applyVex(
  findings: readonly Finding[],
  statements: readonly VexStatement[],
  products: readonly string[],
): Parted {
  const kept: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  const newestFirst = statements.toSorted((a, b) => timeOf(b) - timeOf(a));
  for (const finding of findings) {
    const said = newestFirst.find((statement) => speaksOf(statement, finding, products));
    if (said !== undefined && SUPPRESSING.has(said.status)) suppressed.push(suppression(finding, said));
    else kept.push(finding);
  }
  return { findings: kept, suppressed };
}

/** Documents write their times in any zone. */
function timeOf({ timestamp }: VexStatement): number {
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? 0 : time;
}

function suppression(finding: Finding, said: VexStatement): SuppressedFinding {
  const author = said.author === "" ? "" : `, ${said.author}`;
  return { finding, by: "vex", source: `${said.file}${author}`, reason: said.reason, until: "" };
}

function speaksOf(statement: VexStatement, finding: Finding, products: readonly string[]): boolean {
  const names = [finding.id, ...(finding.aliases ?? [])];
  if (!statement.flaws.some((flaw) => names.some((name) => flaw === name || flaw.endsWith(`/${name}`)))) return false;
  if (statement.products.length === 0) return true;
  const purl = finding.package?.purl ?? "";
  return statement.products.some(({ id, components }) => {
    const isImage = products.some((product) => sameProduct(id, product));
    if (components.length === 0) return isImage || samePurl(id, purl);
    return isImage && components.some((component) => samePurl(component, purl));
  });
}

function sameProduct(said: string, product: string): boolean {
  return said === product || samePurl(said, product);
}

/**
 * A purl without version or qualifiers speaks of every version and build of its package. The parts are compared decoded:
 * `sha256:…` and `sha256%3A…` are one digest, `%40babel` and `@babel` one scope (purl specification, "Character encoding").
 */
function samePurl(said: string, purl: string): boolean {
  if (!said.startsWith("pkg:") || !purl.startsWith("pkg:")) return false;
  const a = partsOf(said);
  const b = partsOf(purl);
  if (a.name !== b.name || (a.version !== "" && a.version !== b.version)) return false;
  const have = new Set(b.qualifiers);
  return a.qualifiers.every((qualifier) => have.has(qualifier));
}

interface PurlParts {
  readonly name: string;
  readonly version: string;
  readonly qualifiers: readonly string[];
}

function partsOf(purl: string): PurlParts {
  const [body = "", query = ""] = (purl.split("#", 1)[0] ?? "").split("?", 2);
  const qualifiers = query
    .split("&")
    .filter((qualifier) => qualifier !== "")
    .map(decoded);
  const at = body.lastIndexOf("@");
  // An unencoded scope, `pkg:npm/@babel/core`, is no version.
  if (at < 0 || at < body.lastIndexOf("/")) return { name: decoded(body), version: "", qualifiers };
  return { name: decoded(body.slice(0, at)), version: decoded(body.slice(at + 1)), qualifiers };
}

/** Broken escapes stay as they are: such a name fits nothing but itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function asFields(value: unknown, file: string, place: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(file, `${place} is not an object`);
  return value as Fields;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function invalid(file: string, what: string, cause?: unknown): PolicyError {
  return new PolicyError("VEX_INVALID", `VEX document ${file}: ${what}`, "give an OpenVEX 0.2 JSON document", cause);
}
