import type { ProblemList } from "../problems.ts";
import { textOf } from "../text.ts";
import { type Budget, createBudget, join, OVERLAP, type PayloadVisitor } from "./payloads.ts";

/**
 * A bounded reader of one table of a SQLite file: "Database File Format" of sqlite.org, sections 1.3 (header), 1.6
 * (b-tree pages, overflow) and 2.1 (records). Only tables are walked, no index; every page is read at most once.
 */

const MAGIC = "SQLite format 3\u0000";
const HEADER_BYTES = 100;
const INTERIOR_TABLE = 0x05;
const LEAF_TABLE = 0x0d;
/** SQLite's own limit on the depth of a b-tree. */
const MAX_DEPTH = 20;
/** An rpm header is at most 256 MiB by rpm's own limit; this is more than any database here may be as a whole. */
const MAX_RECORD_BYTES = 128 * 1024 * 1024;
/** Columns of a record: schema rows have 5, `Packages` has 2. */
const MAX_COLUMNS = 16;

interface Database {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly pageSize: number;
  /** Page size without the reserved space at each page's end. */
  readonly usable: number;
  readonly pageCount: number;
  readonly visited: Uint8Array;
  readonly budget: Budget;
  readonly problems: ProblemList;
}

interface Column {
  /** Serial type of the record format. */
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

export function isSqlite(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && textOf(bytes, 0, MAGIC.length) === MAGIC;
}

/** Calls back with the header blob of every row of `Packages`. What cannot be read is added to the problems. */
export function readSqlite(bytes: Uint8Array, problems: ProblemList, visit: PayloadVisitor): void {
  const database = open(bytes, problems);
  if (database === undefined) return;
  let root = 0;
  walk(database, 1, 0, (record) => {
    const [type, name, , page] = columnsOf(record);
    if (textColumn(record, type) === "table" && textColumn(record, name) === "Packages") root = intColumn(record, page);
  });
  if (root === 0) {
    problems.add("the rpm database has no table Packages");
    return;
  }
  walk(database, root, 0, (record) => {
    const blob = columnsOf(record)[1];
    if (blob === undefined || blob.type < 12 || blob.end > record.length) {
      problems.add("a row of the rpm database holds no package header");
      return;
    }
    visit(record.subarray(blob.start, blob.end));
  });
}

function open(bytes: Uint8Array, problems: ProblemList): Database | undefined {
  if (bytes.length < HEADER_BYTES) {
    problems.add("the rpm database ends within its header");
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declaredSize = view.getUint16(16);
  const pageSize = declaredSize === 1 ? 65_536 : declaredSize;
  const usable = pageSize - bytes[20]!;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || usable < 480) {
    problems.add(`the rpm database has an impossible page size of ${pageSize} bytes`);
    return undefined;
  }
  const pageCount = Math.floor(bytes.length / pageSize);
  const declaredCount = view.getUint32(28);
  if (declaredCount > pageCount) {
    problems.add(`the rpm database is cut short: it has ${pageCount} of ${declaredCount} pages`);
  }
  const visited = new Uint8Array(pageCount + 1);
  return { bytes, view, pageSize, usable, pageCount, visited, budget: createBudget(bytes.length), problems };
}

/** Marks a page as read. False for pages outside the file and for pages that were read before. */
function enter({ visited, pageCount, problems }: Database, page: number): boolean {
  if (page < 1 || page > pageCount) {
    problems.add(`page ${page} of the rpm database lies outside the file`);
    return false;
  }
  if (visited[page] !== 0) {
    problems.add(`page ${page} of the rpm database is used twice`);
    return false;
  }
  visited[page] = 1;
  return true;
}

/** Visits the records of a table b-tree in order. False when the walk must end. */
function walk(database: Database, page: number, depth: number, visit: (record: Uint8Array) => void): boolean {
  const { view, bytes, pageSize, problems } = database;
  if (depth > MAX_DEPTH) {
    problems.add("the rpm database's tree is too deep");
    return true;
  }
  if (!enter(database, page)) return true;
  const start = (page - 1) * pageSize;
  const header = start + (page === 1 ? HEADER_BYTES : 0);
  const type = bytes[header];
  if (type !== LEAF_TABLE && type !== INTERIOR_TABLE) {
    problems.add(`page ${page} of the rpm database is no table page`);
    return true;
  }
  const isLeaf = type === LEAF_TABLE;
  const cellCount = view.getUint16(header + 3);
  const pointers = header + (isLeaf ? 8 : 12);
  for (let index = 0; index < cellCount; index++) {
    const pointer = pointers + 2 * index;
    if (pointer + 2 > start + pageSize) {
      problems.add(`page ${page} of the rpm database claims more cells than it has room for`);
      return true;
    }
    const cell = start + view.getUint16(pointer);
    if (!database.budget.spend(2)) return overlap(problems);
    if (cell + 4 > start + pageSize) {
      problems.add(`a cell of page ${page} of the rpm database lies outside the page`);
      continue;
    }
    const goOn = isLeaf
      ? visitCell(database, start, cell, visit)
      : walk(database, view.getUint32(cell), depth + 1, visit);
    if (!goOn) return false;
  }
  return isLeaf || walk(database, view.getUint32(header + 8), depth + 1, visit);
}

function overlap(problems: ProblemList): false {
  problems.add(OVERLAP);
  return false;
}

function visitCell(database: Database, start: number, cell: number, visit: (record: Uint8Array) => void): boolean {
  const { bytes, usable, problems } = database;
  const pageEnd = start + usable;
  const size = varint(bytes, cell, pageEnd);
  const rowId = varint(bytes, size.next, pageEnd);
  if (size.value > MAX_RECORD_BYTES || size.value > bytes.length) {
    problems.add(`a record of the rpm database claims ${size.value} bytes`);
    return true;
  }
  const localBytes = localSize(size.value, usable);
  const localEnd = rowId.next + localBytes;
  if (localEnd + (localBytes < size.value ? 4 : 0) > pageEnd) {
    problems.add("a record of the rpm database leaves its page");
    return true;
  }
  if (!database.budget.spend(localBytes)) return overlap(problems);
  const pieces = [bytes.subarray(rowId.next, localEnd)];
  if (localBytes < size.value && !followOverflow(database, localEnd, size.value - localBytes, pieces)) return true;
  visit(join(pieces));
  return true;
}

/** Section 1.6, "Cell payload overflow": how much of a payload is kept on the leaf itself. */
function localSize(payload: number, usable: number): number {
  if (payload <= usable - 35) return payload;
  const minimum = Math.floor(((usable - 12) * 32) / 255) - 23;
  const kept = minimum + ((payload - minimum) % (usable - 4));
  return kept <= usable - 35 ? kept : minimum;
}

function followOverflow(database: Database, pointer: number, bytesLeft: number, pieces: Uint8Array[]): boolean {
  const { bytes, view, pageSize, usable } = database;
  let page = view.getUint32(pointer);
  for (let left = bytesLeft; left > 0; ) {
    if (!enter(database, page)) return false;
    const start = (page - 1) * pageSize;
    const take = Math.min(left, usable - 4);
    pieces.push(bytes.subarray(start + 4, start + 4 + take));
    left -= take;
    page = view.getUint32(start);
  }
  return true;
}

/** Section 2.1, "Record Format". Columns past {@link MAX_COLUMNS} are not looked at. */
function columnsOf(record: Uint8Array): Column[] {
  const columns: Column[] = [];
  const size = varint(record, 0, record.length);
  let at = size.next;
  let start = size.value;
  while (at < size.value && at < record.length && columns.length < MAX_COLUMNS) {
    const type = varint(record, at, record.length);
    const end = start + bytesOfType(type.value);
    columns.push({ type: type.value, start, end });
    start = end;
    at = type.next;
  }
  return columns;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0];

function bytesOfType(type: number): number {
  return INTEGER_BYTES[type] ?? Math.floor((type - 12) / 2);
}

function textColumn(record: Uint8Array, column: Column | undefined): string {
  if (column === undefined || column.type < 13 || column.end > record.length) return "";
  return textOf(record, column.start, Math.min(column.end, column.start + 64));
}

function intColumn(record: Uint8Array, column: Column | undefined): number {
  if (column === undefined || column.type < 1 || column.type > 4 || column.end > record.length) return 0;
  return record.subarray(column.start, column.end).reduce((value, byte) => value * 256 + byte, 0);
}

/** Section 1.6, "varint": up to nine bytes, big endian, seven bits each. Past 2^53 the value only needs to be too large. */
function varint(bytes: Uint8Array, start: number, end: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    if (start + index >= end) return { value: Number.MAX_SAFE_INTEGER, next: end };
    const byte = bytes[start + index]!;
    if (index === 8) return { value: value * 256 + byte, next: start + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: start + index + 1 };
  }
  return { value, next: start + 9 };
}
