import { parseArgs } from "node:util";
import { CodedError } from "@bulwark/model";

type OptionTable = Readonly<Record<string, { type: "string" | "boolean"; short?: string }>>;

/** The words of a command's call. */
export interface Arguments {
  readonly text: Readonly<Record<string, string>>;
  readonly flags: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/** @throws CodedError `USAGE` that names the argument */
export function parseArguments(command: string, args: readonly string[], options: OptionTable): Arguments {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    const text = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === "string");
    const flags = Object.entries(values).filter(([, value]) => value === true);
    return { text: Object.fromEntries(text), flags: new Set(flags.map(([name]) => name)), positionals };
  } catch (cause) {
    const what = cause instanceof Error ? (cause.message.split(". ")[0] ?? "") : String(cause);
    throw usage(command, what);
  }
}

/** The words of the call are wrong. */
export function usage(command: string, what: string): CodedError {
  return new CodedError("USAGE", `${command}: ${what}`, `see bulwark ${command} --help`);
}

const LISTEN = /^(\[[0-9a-fA-F:]+\]|[^:]*):(\d{1,5})$/;
const LARGEST_PORT = 65_535;

/** Reads `HOST:PORT`; no host stands for all addresses. */
export function parseListen(command: string, text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = LISTEN.exec(text) ?? [];
  if (port === "" || Number(port) > LARGEST_PORT) throw usage(command, `--listen ${text} is no HOST:PORT`);
  return { host: host === "" ? "0.0.0.0" : host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** Reads a number of the least value `least`. */
export function parseCount(command: string, name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw usage(command, `--${name} ${text} is no number from ${least} on`);
  return value;
}
