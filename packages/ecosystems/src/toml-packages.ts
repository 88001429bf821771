import { forEachLine, textOf } from "./text.ts";

const MAX_LINE_BYTES = 4 * 1024;

/** One `[[package]]` table of a lock file. */
export interface LockedTable {
  readonly name: string;
  readonly version: string;
  /** Where it comes from, as written; empty for local packages in Cargo.lock. */
  readonly source: string;
}

/**
 * Reads the `[[package]]` tables that Cargo, Poetry, uv and PDM write: machine-made TOML with one key a line. Only plain
 * string values of the table itself are read, so nothing else of TOML can get in the way.
 */
export function* lockedTables(bytes: Uint8Array): Generator<LockedTable> {
  const tables: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  forEachLine(bytes, (start, end) => {
    if (end - start > MAX_LINE_BYTES) return;
    const line = textOf(bytes, start, end);
    if (line.startsWith("[")) {
      current = line.trim() === "[[package]]" ? new Map() : undefined;
      if (current !== undefined) tables.push(current);
      return;
    }
    const field = /^(name|version|source) = (?:"([^"\\]*)"|(\{.*))/.exec(line);
    if (field !== null) current?.set(field[1] ?? "", field[2] ?? field[3] ?? "");
  });
  for (const table of tables) {
    const { name = "", version = "", source = "" } = Object.fromEntries(table);
    yield { name, version, source };
  }
}
