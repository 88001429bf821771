import type { DatabaseSync } from "node:sqlite";
import { cveNumber } from "../store/cve-number.ts";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a JSON document is CISA's catalogue of known exploited vulnerabilities. */
export function isKev(document: unknown): document is { vulnerabilities: readonly unknown[]; dateReleased?: unknown } {
  if (typeof document !== "object" || document === null || !("vulnerabilities" in document)) return false;
  const list = document.vulnerabilities;
  return Array.isArray(list) && list.every((entry) => typeof entry === "object" && entry !== null && "cveID" in entry);
}

/** Replaces the known exploited vulnerabilities by those of the catalogue; gives their number. */
export function putKev(database: DatabaseSync, vulnerabilities: readonly unknown[]): number {
  database.exec("DELETE FROM kev");
  const insert = database.prepare("INSERT OR REPLACE INTO kev VALUES (?, ?, ?, ?)");
  let count = 0;
  for (const entry of vulnerabilities as readonly Readonly<Record<string, unknown>>[]) {
    const number = cveNumber(String(entry.cveID));
    if (number === undefined) continue;
    const day = (value: unknown) => (typeof value === "string" && DAY.test(value) ? value : "");
    insert.run(number, day(entry.dateAdded), day(entry.dueDate), entry.knownRansomwareCampaignUse === "Known" ? 1 : 0);
    count++;
  }
  return count;
}
