/** Lines of a table, its columns as wide as what is in them; a cell is one line. */
export function columns(rows: readonly (readonly string[])[], head: readonly string[]): readonly string[] {
  const all = [head, ...rows.map((row) => row.map((cell) => cell.replace(/[\r\n\t]+/g, " ")))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
