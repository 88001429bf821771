import { Environment } from "@marcbachmann/cel-js";
import type { CheckSubject } from "./check.ts";

const LIMITS = { maxAstNodes: 5_000, maxDepth: 60 } as const;
/** Longest text that becomes a number; more digits than that are no port, size or user id. */
const MAX_DIGITS = 15;

/** The lists of a subject that `each` may name. */
export const LISTS: Readonly<Record<"image" | "dockerfile" | "app", readonly string[]>> = {
  image: [
    "env",
    "ports",
    "volumes",
    "history",
    "commands",
    "arguments",
    "packages",
    "files",
    "tools",
    "caches",
    "layers",
  ],
  dockerfile: ["stages", "instructions", "commands", "runs", "env", "copies", "ports"],
  app: ["directives"],
};

const MAPS: Readonly<Record<"image" | "dockerfile" | "app", readonly string[]>> = {
  image: ["config", "base", "reference"],
  dockerfile: ["options"],
  app: ["values"],
};

const environments = new Map<string, Environment>();

/** The kind of subject: all programs' configuration files share one form. */
export function kindOf(subject: CheckSubject): "image" | "dockerfile" | "app" {
  return subject === "image" || subject === "dockerfile" ? subject : "app";
}

/** The names and functions that an expression on such a subject may use. */
export function checkEnvironment(subject: CheckSubject): Environment {
  const kind = kindOf(subject);
  const known = environments.get(kind);
  if (known !== undefined) return known;
  const environment = new Environment({ limits: LIMITS })
    .registerVariable("it", "map", { description: "the entry of the list that `each` names" })
    .registerVariable("path", "string", { description: "path of the configuration file; empty elsewhere" })
    .registerFunction("get(map, string, string): string", textIn, {
      description: "get(values, name, otherwise): the setting as text",
    })
    .registerFunction("flag(list, string): bool", hasFlag, {
      description: "flag(args, '-y'): whether the option is given, alone, with =value, or in a cluster such as -qqy",
    })
    .registerFunction("number(string): int", toNumber, {
      description: "the text as a whole number, -1 where it is none",
    })
    .registerFunction("isOn(string): bool", (text: string) => /^(on|yes|true|1|enabled)$/i.test(text.trim()), {
      description: "whether the text is one of the usual words for true",
    })
    .registerFunction("isOff(string): bool", (text: string) => /^(off|no|false|0|disabled|none)$/i.test(text.trim()), {
      description: "whether the text is one of the usual words for false",
    });
  for (const name of LISTS[kind]) environment.registerVariable(name, "list");
  for (const name of MAPS[kind]) environment.registerVariable(name, "map");
  environments.set(kind, environment);
  return environment;
}

function textIn(map: unknown, key: string, otherwise: string): string {
  if (typeof map !== "object" || map === null || !Object.hasOwn(map, key)) return otherwise;
  const value = (map as Readonly<Record<string, unknown>>)[key];
  return typeof value === "string" ? value : otherwise;
}

/** `-y` matches `-y`, `-qqy`; `--yes` matches `--yes`, `--yes=true`; a value that merely starts with `-` does not. */
function hasFlag(args: unknown, flag: string): boolean {
  if (!Array.isArray(args)) return false;
  const short = /^-[A-Za-z]$/.test(flag) ? flag.slice(1) : undefined;
  return args.some((arg: unknown) => {
    if (typeof arg !== "string" || !arg.startsWith("-")) return false;
    if (arg === flag || arg.startsWith(`${flag}=`)) return true;
    return short !== undefined && /^-[A-Za-z]+$/.test(arg) && arg.includes(short);
  });
}

function toNumber(text: string): bigint {
  const digits = text.trim();
  return /^\d+$/.test(digits) && digits.length <= MAX_DIGITS ? BigInt(digits) : -1n;
}
