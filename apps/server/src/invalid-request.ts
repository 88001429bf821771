/** What a schema found wrong (Ajv's error object), with the schema that did not fit: Ajv tells it by its option `verbose`. */
export interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string | undefined;
  readonly parentSchema?: { readonly description?: string; readonly examples?: readonly unknown[] } | undefined;
}

const MAX_NAMED = 40;
const TYPES: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "null",
};
const PLACES: Readonly<Record<string, string>> = { querystring: "query", params: "address", headers: "headers" };

/**
 * Says what a request's schema found wrong with it in words for people: which member, what it may be.
 *
 * @param place where it stands, as Fastify calls it: `body`, `querystring`, `params`, `headers`
 * @example describeInvalid([{ keyword: "enum", instancePath: "/kind", params: { allowedValues: ["web"] } }], "querystring")
 */
export function describeInvalid(
  faults: readonly SchemaFault[],
  place: string,
): { readonly title: string; readonly next: string } {
  const where = PLACES[place] ?? place;
  const [first] = faults;
  if (first === undefined) return { title: `the ${where} is not as expected`, next: "" };
  const member = memberOf(first.instancePath, where);
  const allowed = allowedIn(faults.filter(({ instancePath }) => instancePath === first.instancePath));
  if (allowed.length > 0) return { title: `${member} is none of ${listed(allowed)}`, next: "check the spelling" };
  const { description, examples = [] } = first.parentSchema ?? {};
  const title = `${member} ${complaintOf(first, where)}`;
  if (first.keyword !== "pattern") return { title, next: nextOf(first) };
  const example = examples.length === 0 ? "" : `, such as ${String(examples[0])}`;
  return {
    title,
    next: description === undefined && example === "" ? nextOf(first) : `give ${description ?? "it"}${example}`,
  };
}

function memberOf(path: string, where: string): string {
  return path === "" ? `the ${where}` : path.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
}

/** The words that would have been taken, whether the schema lists them or gives a choice of constants. */
function allowedIn(faults: readonly SchemaFault[]): readonly string[] {
  const words = faults.flatMap(({ keyword, params }) => {
    if (keyword === "enum" && Array.isArray(params.allowedValues)) return params.allowedValues;
    return keyword === "const" ? [params.allowedValue] : [];
  });
  return [...new Set(words.map(String))];
}

function listed(words: readonly string[]): string {
  return words.length <= MAX_NAMED ? words.join(", ") : `${words.slice(0, MAX_NAMED).join(", ")}, …`;
}

function complaintOf({ keyword, params, message = "is not as expected" }: SchemaFault, where: string): string {
  const { limit } = params;
  switch (keyword) {
    case "type":
      return `must be ${typesOf(params.type)}`;
    case "required":
      return `needs ${String(params.missingProperty)}`;
    case "additionalProperties":
      return `takes no ${where === "query" ? "parameter" : "member"} ${String(params.additionalProperty)}`;
    case "minimum":
      return `must be ${String(limit)} or more`;
    case "maximum":
      return `must be ${String(limit)} or less`;
    case "minLength":
      return Number(limit) === 1 ? "must not be empty" : `must have ${String(limit)} characters or more`;
    case "maxLength":
      return `must have ${String(limit)} characters or less`;
    case "minItems":
      return `must have ${String(limit)} or more entries`;
    case "maxItems":
      return `must have ${String(limit)} or fewer entries`;
    case "pattern":
      return "is not written as it has to be";
    default:
      return message;
  }
}

function typesOf(type: unknown): string {
  const types = Array.isArray(type) ? type : String(type).split(",");
  return types.map((each) => TYPES[String(each)] ?? String(each)).join(" or ");
}

function nextOf({ keyword, params }: SchemaFault): string {
  if (keyword === "pattern") return `it has to match ${String(params.pattern)}`;
  return "/openapi.json describes what is taken";
}
