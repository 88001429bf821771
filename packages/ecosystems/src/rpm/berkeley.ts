import type { ProblemList } from "../problems.ts";
import { type Budget, createBudget, join, OVERLAP, type PayloadVisitor } from "./payloads.ts";

/**
 * A bounded reader of Berkeley DB hash files, rpm's format until rpm 4.16: Berkeley DB's source, dbinc/db_page.h
 * (DBMETA, PAGE, HKEYDATA, HOFFPAGE). All hash pages are read in the order of the file, so buckets need not be followed;
 * freed pages have another type. The file is in the byte order of the machine that wrote it.
 */

const HASH_MAGIC = 0x0006_1561;
/** Page types. */
const HASH_UNSORTED = 2;
const OVERFLOW = 7;
const HASH = 13;
/** Item types on a hash page. */
const KEY_OR_DATA = 1;
const OFF_PAGE = 3;
const META_BYTES = 72;
const PAGE_HEADER_BYTES = 26;
const OFF_PAGE_BYTES = 12;

interface Database {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly pageSize: number;
  readonly pageCount: number;
  /** Overflow pages that were read: each belongs to one value. */
  readonly visited: Uint8Array;
  readonly budget: Budget;
  readonly problems: ProblemList;
}

export function isBerkeley(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(12, true) === HASH_MAGIC || view.getUint32(12, false) === HASH_MAGIC;
}

/** Calls back with the header blob of every package. What cannot be read is added to the problems. */
export function readBerkeley(bytes: Uint8Array, problems: ProblemList, visit: PayloadVisitor): void {
  const database = open(bytes, problems);
  if (database === undefined) return;
  for (let page = 1; page < database.pageCount; page++) {
    const type = bytes[page * database.pageSize + 25];
    if ((type === HASH || type === HASH_UNSORTED) && !visitHashPage(database, page, visit)) return;
  }
}

function open(bytes: Uint8Array, problems: ProblemList): Database | undefined {
  if (bytes.length < META_BYTES) {
    problems.add("the rpm database ends within its header");
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = view.getUint32(12, true) === HASH_MAGIC;
  const pageSize = view.getUint32(20, littleEndian);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    problems.add(`the rpm database has an impossible page size of ${pageSize} bytes`);
    return undefined;
  }
  const declaredCount = view.getUint32(32, littleEndian) + 1;
  const pageCount = Math.floor(bytes.length / pageSize);
  if (declaredCount > pageCount) {
    problems.add(`the rpm database is cut short: it has ${pageCount} of ${declaredCount} pages`);
  }
  const visited = new Uint8Array(pageCount);
  return { bytes, view, littleEndian, pageSize, pageCount, visited, budget: createBudget(bytes.length), problems };
}

/** Entries come in pairs of key and value; the offsets of both stand at the page's beginning. False ends the reading. */
function visitHashPage(database: Database, page: number, visit: PayloadVisitor): boolean {
  const { view, littleEndian, pageSize, problems } = database;
  const start = page * pageSize;
  const entries = view.getUint16(start + 20, littleEndian);
  if (PAGE_HEADER_BYTES + 2 * entries > pageSize) {
    problems.add(`page ${page} of the rpm database claims more entries than it has room for`);
    return true;
  }
  const offset = (index: number) => view.getUint16(start + PAGE_HEADER_BYTES + 2 * index, littleEndian);
  for (let index = 0; index + 1 < entries; index += 2) {
    const keyStart = offset(index);
    const valueStart = offset(index + 1);
    const keyEnd = index === 0 ? pageSize : offset(index - 1);
    if (valueStart < PAGE_HEADER_BYTES || valueStart >= keyStart || keyStart >= keyEnd || keyEnd > pageSize) {
      problems.add(`an entry of page ${page} of the rpm database lies outside its place`);
      continue;
    }
    if (!database.budget.spend(keyEnd - valueStart)) {
      problems.add(OVERLAP);
      return false;
    }
    if (isCounter(database.bytes.subarray(start + keyStart, start + keyEnd))) continue;
    const value = readValue(database, start + valueStart, start + keyStart);
    if (value !== undefined) visit(value);
  }
  return true;
}

/** The entry of key 0 holds the highest package number instead of a package. */
function isCounter(key: Uint8Array): boolean {
  return key[0] === KEY_OR_DATA && key.length === 5 && key.subarray(1).every((byte) => byte === 0);
}

function readValue(database: Database, start: number, end: number): Uint8Array | undefined {
  const { bytes, view, littleEndian, problems } = database;
  if (bytes[start] === KEY_OR_DATA) return bytes.subarray(start + 1, end);
  if (bytes[start] === OFF_PAGE && end - start >= OFF_PAGE_BYTES) {
    return followOverflow(database, view.getUint32(start + 4, littleEndian), view.getUint32(start + 8, littleEndian));
  }
  problems.add(`a value of the rpm database is of the unknown kind ${bytes[start]}`);
  return undefined;
}

function followOverflow(database: Database, firstPage: number, length: number): Uint8Array | undefined {
  const { bytes, view, littleEndian, pageSize, pageCount, visited, problems } = database;
  const pieces: Uint8Array[] = [];
  let left = length;
  for (let page = firstPage; left > 0; ) {
    const start = page * pageSize;
    if (page < 1 || page >= pageCount || visited[page] !== 0 || bytes[start + 25] !== OVERFLOW) {
      problems.add(`a package of the rpm database breaks off: page ${page} is not a part of it`);
      return undefined;
    }
    visited[page] = 1;
    const used = view.getUint16(start + 22, littleEndian);
    if (used === 0 || PAGE_HEADER_BYTES + used > pageSize || used > left) {
      problems.add(`page ${page} of the rpm database lies about its length`);
      return undefined;
    }
    pieces.push(bytes.subarray(start + PAGE_HEADER_BYTES, start + PAGE_HEADER_BYTES + used));
    left -= used;
    page = view.getUint32(start + 16, littleEndian);
  }
  return join(pieces);
}
