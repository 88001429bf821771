import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";

/** PostgreSQL documentation, COPY, "Binary Format": signature, flags and length of the header's extension. */
const HEADER_BYTES = 19;
const FIRST_ROWS = 65_536;

/**
 * Reads a query whose columns are all `int8` as columns of numbers, NULL as NaN. It holds eight bytes for a value, however
 * many rows there are.
 *
 * @example await copyNumbers(client, "SELECT id, parent_id FROM chain", 2)
 */
export async function copyNumbers(
  client: pg.ClientBase,
  query: string,
  columns: number,
): Promise<readonly Float64Array[]> {
  const stream = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`));
  let table = Array.from({ length: columns }, () => new Float64Array(FIRST_ROWS));
  let rows = 0;
  let rest: Buffer = Buffer.alloc(0);
  let isBegun = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    if (!isBegun) {
      if (bytes.length < HEADER_BYTES) {
        rest = bytes;
        continue;
      }
      at = HEADER_BYTES;
      isBegun = true;
    }
    for (let next = rowEnd(bytes, at, columns); next > 0; next = rowEnd(bytes, at, columns)) {
      if (rows === table[0]?.length) table = table.map(doubled);
      readRow(bytes, at + 2, table, rows);
      rows += 1;
      at = next;
    }
    rest = bytes.subarray(at);
  }
  return table.map((column) => column.subarray(0, rows));
}

/** Where the row that begins here ends; 0 when it is not whole, or is the trailer. */
function rowEnd(bytes: Buffer, start: number, columns: number): number {
  let at = start + 2;
  if (at > bytes.length || bytes.readInt16BE(start) < 0) return 0;
  for (let column = 0; column < columns; column++) {
    if (at + 4 > bytes.length) return 0;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  return at <= bytes.length ? at : 0;
}

function readRow(bytes: Buffer, start: number, table: readonly Float64Array[], row: number): void {
  let at = start;
  for (const column of table) {
    const isNull = bytes.readInt32BE(at) < 0;
    column[row] = isNull ? Number.NaN : bytes.readInt32BE(at + 4) * 4_294_967_296 + bytes.readUInt32BE(at + 8);
    at += isNull ? 4 : 12;
  }
}

function doubled(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
