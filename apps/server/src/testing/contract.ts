import type { Scope } from "../access.ts";
import type { App } from "../app.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
const METHODS: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** As much of JSON Schema as our routes speak. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Schema;
}

/** One route of the contract. */
export interface Operation {
  readonly title: string;
  readonly method: Method;
  readonly path: string;
  readonly scope: Scope | "public" | "session";
  readonly unaudited: string | undefined;
  readonly params: readonly Parameter[];
  readonly query: readonly Parameter[];
  readonly body: Schema | undefined;
  /** Its answer has no end: server-sent events. */
  readonly streams: boolean;
  /** Bytes; larger bodies are refused. */
  readonly bodyLimit: number;
}

/** All routes that the server's own OpenAPI document names. */
export async function operationsOf(app: App): Promise<readonly Operation[]> {
  const { paths } = (await app.inject("/openapi.json")).json();
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const told = (item as Readonly<Record<string, Told | undefined>>)[method.toLowerCase()];
      return told === undefined ? [] : [operationOf(method, path, told)];
    }),
  );
}

interface Told {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly "x-scope"?: Operation["scope"];
  readonly "x-unaudited"?: string;
  readonly "x-streams"?: boolean;
  readonly "x-body-limit"?: number;
}

function operationOf(method: Method, path: string, told: Told): Operation {
  const parameters = told.parameters ?? [];
  return {
    title: `${method} ${path}`,
    method,
    path,
    scope: told["x-scope"]!,
    unaudited: told["x-unaudited"],
    params: parameters.filter((parameter) => parameter.in === "path"),
    query: parameters.filter((parameter) => parameter.in === "query"),
    body: told.requestBody?.content["application/json"]?.schema,
    streams: told["x-streams"] === true,
    bodyLimit: told["x-body-limit"]!,
  };
}

/** A value that the schema takes: what it must have and no more. Examples and defaults count first. */
export function sampleOf(schema: Schema, unique = ""): unknown {
  const given = [schema.example, schema.examples?.[0], schema.default, schema.const, schema.enum?.[0]];
  const known = given.find((value) => value !== undefined);
  if (known !== undefined) return known;
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0];
  if (choice !== undefined) return sampleOf(choice, unique);
  switch (schema.type) {
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return true;
    case "array":
      return Array.from({ length: schema.minItems ?? 0 }, () => sampleOf(schema.items ?? {}, unique));
    case "object":
      return objectOf(schema, unique);
    default:
      return textOf(schema, unique);
  }
}

function objectOf(schema: Schema, unique: string): unknown {
  const names = schema.required ?? [];
  return Object.fromEntries(names.map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, unique)]));
}

/** Tried where a pattern is asked for; a route whose pattern none of them fits gives an example in its schema. */
const TEXTS = [
  "0123456789ab",
  "CVE-2026-0001",
  "1.0.0",
  `sha256:${"0".repeat(64)}`,
  "0".repeat(64),
  "a@example.org",
  "https://203.0.113.9/",
  "10:00",
];

function textOf(schema: Schema, unique: string): string {
  if (schema.format === "date-time") return "2026-06-02T00:00:00Z";
  if (schema.format === "date") return "2026-06-02";
  if (schema.format === "uri") return "https://registry.example.org/";
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern, "u");
  const texts = [`sample${unique}`, ...TEXTS];
  const fitting = texts.find((text) => pattern === undefined || pattern.test(text)) ?? texts[0]!;
  return fitting.padEnd(schema.minLength ?? 0, "x");
}

/** Values that the schema refuses, each with what is wrong. */
export function wrongsOf(schema: Schema): readonly (readonly [what: string, value: unknown])[] {
  const right = sampleOf(schema);
  const wholes: [string, unknown][] = [
    ["a list", [[]]],
    ["a text", "text"],
  ];
  if (typeof right !== "object" || right === null) return wholes;
  const { properties, required } = merged(schema);
  const parts = Object.entries(properties).map(([name, part]): [string, unknown] => [
    `${name} of a wrong type`,
    { ...right, [name]: part.type === "object" || part.type === undefined ? [[1], [2]] : { wrong: { type: [] } } },
  ]);
  const missing = required.map((name): [string, unknown] => [
    `no ${name}`,
    Object.fromEntries(Object.entries(right).filter(([member]) => member !== name)),
  ]);
  return [...wholes, ...parts, ...missing, ["an unknown member", { ...right, "no such member": 1 }]];
}

/** Members of what the schema describes, by name. */
export function membersOf(schema: Schema): Readonly<Record<string, Schema>> {
  return merged(schema).properties;
}

/** Members of the first alternative, which is the one that samples are made of. */
function merged(schema: Schema): { properties: Readonly<Record<string, Schema>>; required: readonly string[] } {
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice !== undefined) return merged(choice);
  return { properties: schema.properties ?? {}, required: schema.required ?? [] };
}

/** The path with its parameters filled in. */
export function urlOf(operation: Operation, idOf: (parameter: Parameter, noun: string) => string): string {
  return operation.path.replaceAll(/\{([^}]+)\}/g, (_whole, name: string, at: number) => {
    const noun = operation.path.slice(0, at).split("/").at(-2) ?? "";
    const parameter = operation.params.find((each) => each.name === name)!;
    return encodeURIComponent(idOf(parameter, noun));
  });
}
