import type { DatabaseSync } from "node:sqlite";
import { cveNumber } from "../store/cve-number.ts";
import { EPSS_SCALE } from "../store/schema.ts";

/** Whether a text begins like an EPSS export: a header with the columns `cve`, `epss` and `percentile`, in any order. */
export function isEpss(head: string): boolean {
  return columnsOf(headerOf(head)) !== undefined;
}

/** The release date in the export's comment line, `YYYY-MM-DD`, empty when it has none. */
export function epssDate(head: string): string {
  return /^#.*score_date:(\d{4}-\d{2}-\d{2})/.exec(head)?.[1] ?? "";
}

/** Replaces the exploit predictions by those of the export; gives their number. */
export function putEpss(database: DatabaseSync, text: string): number {
  const columns = columnsOf(headerOf(text));
  if (columns === undefined) return 0;
  database.exec("DELETE FROM epss");
  const insert = database.prepare("INSERT OR REPLACE INTO epss VALUES (?, ?, ?)");
  let count = 0;
  for (const line of text.split("\n")) {
    const cells = line.split(",");
    const number = cveNumber(cells[columns.cve]?.trim() ?? "");
    const score = Number(cells[columns.epss]);
    const percentile = Number(cells[columns.percentile]);
    if (number === undefined || !isShare(score) || !isShare(percentile)) continue;
    insert.run(number, Math.round(score * EPSS_SCALE), Math.round(percentile * EPSS_SCALE));
    count++;
  }
  return count;
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

function headerOf(text: string): string {
  return (
    text
      .slice(0, 4_096)
      .split("\n")
      .find((line) => !line.startsWith("#")) ?? ""
  );
}

function columnsOf(header: string): { cve: number; epss: number; percentile: number } | undefined {
  const names = header.trim().toLowerCase().split(",");
  const find = (...wanted: string[]) => names.findIndex((name) => wanted.includes(name.trim()));
  const columns = { cve: find("cve"), epss: find("epss"), percentile: find("percentile", "epss percentile") };
  return Object.values(columns).every((index) => index >= 0) ? columns : undefined;
}
