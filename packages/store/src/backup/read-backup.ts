import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { Kysely, PostgresDialect } from "kysely";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { withAllRows } from "../all-rows.ts";
import { StoreError } from "../errors.ts";
import { migrate } from "../migrate.ts";
import { openPool } from "../open-pool.ts";
import { connectionOf } from "../open-store.ts";
import type { Database } from "../schema.ts";
import { type BackedTable, backedTables } from "./tables.ts";
import { BACKUP_FORMAT, type BackupHead } from "./write-backup.ts";

const LINE_FEED = 0x0a;
/** Rows are collected to pieces of this size before they are sent. */
const PIECE_CHARACTERS = 256 * 1024;

/**
 * Fills an empty database with a backup, and brings it to this release's schema. All of it is there in the end, or nothing.
 *
 * @returns what the backup's writer had put in beside the tables
 * @throws StoreError `BACKUP_INVALID`, `STORE_IN_USE` (the database is not empty), `SCHEMA_NEWER`
 */
export async function readBackup(url: string, file: string): Promise<BackupHead> {
  const pool = openPool({ ...connectionOf(url), max: 1 });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const input = createReadStream(file);
  const unpacked = createZstdDecompress();
  // `pipe` hands no errors on: one that nobody hears ends the process.
  input.once("error", (error) => unpacked.destroy(error));
  const lines = linesOf(input.pipe(unpacked));
  try {
    const first = await lines.next().catch((cause: unknown) => {
      throw invalid(file, `it is not packed as one is: ${String(cause)}`);
    });
    const head = headOf(file, first.value);
    await requireEmpty(pool);
    await migrate(db, head.schema);
    await fill(pool, db, lines, file);
    await migrate(db);
    return head;
  } finally {
    input.destroy();
    await db.destroy();
  }
}

/** Lines end with a line feed and nothing else: `readline` would end them at U+2028 too, which may stand in any text. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let begun: Buffer[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      begun.push(chunk.subarray(start, end));
      yield Buffer.concat(begun).toString("utf8");
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  return undefined;
}

function headOf(file: string, line: unknown): BackupHead {
  try {
    const head = JSON.parse(String(line)) as BackupHead;
    if (head.format === BACKUP_FORMAT) return head;
  } catch {
    // Not even a line of JSON: the same refusal.
  }
  throw invalid(file, "it does not begin as a backup does");
}

function invalid(file: string, why: string): StoreError {
  return new StoreError("BACKUP_INVALID", `${file} is no backup: ${why}`, "give a file that bulwark backup wrote");
}

async function requireEmpty(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ found: boolean }>("SELECT to_regclass('public.tenant') IS NOT NULL AS found");
  if (rows[0]?.found !== true) return;
  throw new StoreError(
    "STORE_IN_USE",
    "the database is not empty",
    "restore into a new data directory or a new database, so that nothing is overwritten",
  );
}

async function fill(pool: pg.Pool, db: Kysely<Database>, lines: AsyncIterator<string>, file: string): Promise<void> {
  const tables = await backedTables(db);
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await withAllRows(
      (statement) => client.query(statement),
      () => fillTables(client, tables, lines, file),
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

async function fillTables(
  client: pg.PoolClient,
  tables: readonly BackedTable[],
  lines: AsyncIterator<string>,
  file: string,
): Promise<void> {
  // The tenant that the schema puts into new databases is in the backup as well.
  await client.query("DELETE FROM tenant");
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const { table, columns } = JSON.parse(next.value) as { table: string; columns: readonly string[] };
    if (!tables.some(({ name }) => name === table)) throw invalid(file, `it holds an unknown table ${table}`);
    // What triggers just made of rows before is in the backup as well, as it was.
    await client.query(`DELETE FROM "${table}"`);
    await copyRows(client, table, columns, lines, file);
  }
  for (const { name, columns } of tables) if (columns.includes("id")) await advanceIdentity(client, name);
  // Alerts name the batch of their event: no new batch may take its number.
  await client.query(
    "SELECT setval('runtime_batch_seq', greatest(1, (SELECT coalesce(max(batch_id), 0) + 1 FROM alert)))",
  );
}

async function copyRows(
  client: pg.PoolClient,
  table: string,
  columns: readonly string[],
  lines: AsyncIterator<string>,
  file: string,
): Promise<void> {
  const list = columns.map((column) => `"${column.replaceAll('"', '""')}"`).join(", ");
  const input = new PassThrough();
  const copy = input.pipe(client.query(copyFrom(`COPY "${table}" (${list}) FROM STDIN`)));
  const copied = finished(copy);
  let piece = "";
  for (;;) {
    const next = await lines.next();
    if (next.done) throw invalid(file, `it ends within the table ${table}`);
    if (next.value === "\\.") break;
    piece += `${next.value}\n`;
    if (piece.length < PIECE_CHARACTERS) continue;
    if (!input.write(piece)) await new Promise((resolve) => input.once("drain", resolve));
    piece = "";
  }
  input.end(piece);
  await copied;
}

/** Rows that are made from now on get ids above those restored. */
async function advanceIdentity(client: pg.PoolClient, table: string): Promise<void> {
  const { rows } = await client.query<{ sequence: string | null }>(
    "SELECT pg_get_serial_sequence($1, 'id') AS sequence",
    [`"${table}"`],
  );
  const sequence = rows[0]?.sequence ?? null;
  if (sequence === null) return;
  await client.query(`SELECT setval($1, greatest(coalesce((SELECT max(id) FROM "${table}"), 1), 1))`, [sequence]);
}
