import { decodeName } from "./name.ts";

/** What one PAX extended header says of its entry (POSIX.1-2017, pax, "pax Extended Header"). */
export interface PaxRecords {
  path?: string;
  linkpath?: string;
  size?: number;
  uid?: number;
  gid?: number;
  sparseMajor?: string;
  sparseMinor?: string;
  sparseName?: string;
  sparseSize?: number;
  /** Offsets and lengths in turn, from `GNU.sparse.map` (0.1) or the repeated records of 0.0. */
  sparseMap?: number[];
}

const DECIMAL = /^\d{1,16}$/;

/**
 * Reads PAX records. A broken record ends the reading; what came before it counts.
 *
 * @returns the records, and what was wrong, empty when nothing was
 */
export function parsePax(bytes: Buffer): { readonly records: PaxRecords; readonly odd: string } {
  const records: PaxRecords = {};
  let odd = "";
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    if (space < 0 || space - at > 16 || space === at) return { records, odd: "broken PAX record" };
    const lengthText = bytes.toString("latin1", at, space);
    const end = DECIMAL.test(lengthText) ? at + Number(lengthText) : -1;
    if (end <= space + 1 || end > bytes.length || bytes[end - 1] !== 0x0a) return { records, odd: "broken PAX record" };
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) return { records, odd: "broken PAX record" };
    const key = bytes.toString("latin1", space + 1, equals);
    odd = applyRecord(records, key, bytes, equals + 1, end - 1) || odd;
    at = end;
  }
  return { records, odd };
}

function applyRecord(records: PaxRecords, key: string, bytes: Buffer, start: number, end: number): string {
  // An empty value takes an earlier global record back; the header's own field then counts.
  if (start === end) return "";
  if (key === "path" || key === "linkpath" || key === "GNU.sparse.name") {
    const nul = bytes.indexOf(0, start);
    if (nul >= 0 && nul < end) return `PAX record ${key} contains NUL`;
    const field = key === "GNU.sparse.name" ? "sparseName" : key;
    records[field] = decodeName(bytes, start, end);
    return "";
  }
  if (key === "size" || key === "uid" || key === "gid") {
    const number = decimal(bytes, start, end);
    if (number === undefined) return `PAX record ${key} is no number`;
    records[key] = number;
    return "";
  }
  return key.startsWith("GNU.sparse.") ? applySparse(records, key, bytes, start, end) : "";
}

function applySparse(records: PaxRecords, key: string, bytes: Buffer, start: number, end: number): string {
  if (key === "GNU.sparse.major") records.sparseMajor = bytes.toString("latin1", start, end);
  else if (key === "GNU.sparse.minor") records.sparseMinor = bytes.toString("latin1", start, end);
  else if (key === "GNU.sparse.map") return applyMap(records, bytes.toString("latin1", start, end).split(","));
  else {
    const number = decimal(bytes, start, end);
    if (number === undefined) return `PAX record ${key} is no number`;
    if (key === "GNU.sparse.size" || key === "GNU.sparse.realsize") records.sparseSize = number;
    else if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
      const map = records.sparseMap ?? [];
      map.push(number);
      records.sparseMap = map;
    }
  }
  return "";
}

function applyMap(records: PaxRecords, numbers: readonly string[]): string {
  if (!numbers.every((number) => DECIMAL.test(number))) return "PAX record GNU.sparse.map is broken";
  records.sparseMap = numbers.map(Number);
  return "";
}

function decimal(bytes: Buffer, start: number, end: number): number | undefined {
  const text = bytes.toString("latin1", start, end);
  const number = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
