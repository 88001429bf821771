import { parseArgs } from "node:util";
import { CliError } from "./failure.ts";

type OptionTable = Readonly<Record<string, { type: "string" | "boolean"; multiple?: boolean; short?: string }>>;

/** What was given: `text` options by name, `lists` those that may be repeated, `flags` those that are set. */
export interface ParsedOptions {
  readonly text: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly flags: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/**
 * Parses a command's arguments.
 *
 * @param formats what `--format` may be, where it is the same for all that the command does
 * @throws CliError `USAGE` that names the argument
 */
export function parseOptions(
  command: string,
  args: readonly string[],
  options: OptionTable,
  formats: readonly string[] = [],
): ParsedOptions {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const what = cause instanceof Error ? (cause.message.split(". ")[0] ?? cause.message) : String(cause);
    throw new CliError("USAGE", `${command}: ${what}`, `see bulwark ${command} --help`, cause);
  }
  const text: Record<string, string> = {};
  const lists: Record<string, readonly string[]> = {};
  const flags = new Set<string>();
  for (const [name, value] of Object.entries(parsed.values)) {
    if (typeof value === "string") text[name] = value;
    else if (Array.isArray(value)) lists[name] = value.map(String);
    else if (value === true) flags.add(name);
  }
  const { format } = text;
  if (format !== undefined && formats.length > 0 && !formats.includes(format))
    throw new CliError("USAGE", `${command}: there is no format "${format}"`, `take ${formats.join(" or ")}`);
  return { text, lists, flags, positionals: parsed.positionals };
}
