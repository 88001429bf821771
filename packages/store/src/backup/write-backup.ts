import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { MIGRATIONS } from "../migrations/index.ts";
import type { Store } from "../open-store.ts";
import { type BackedTable, backedTables } from "./tables.ts";

/** First line of every backup. */
export interface BackupHead {
  readonly format: "bulwark-backup-1";
  readonly made: string;
  /** The last step of the schema. */
  readonly schema: string;
  /** What else the caller puts in: the master keys. */
  readonly extra: Readonly<Record<string, string>>;
}

export const BACKUP_FORMAT = "bulwark-backup-1";

/**
 * Writes everything that the store holds, as it is at one moment, into a file: lines of JSON that name a table, each
 * followed by its rows in PostgreSQL's COPY text format and a line `\.`, all zstd-compressed. Servers may go on working.
 *
 * @param file is there when all of it is written, and not before
 * @returns how many rows were written
 */
export async function writeBackup(
  store: Store,
  file: string,
  { extra, now }: { readonly extra: Readonly<Record<string, string>>; readonly now: Date },
): Promise<number> {
  const tables = await backedTables(store.system);
  const client = await store.pool.connect();
  const count = { rows: 0 };
  try {
    // One snapshot for all tables (PostgreSQL documentation, "Repeatable Read Isolation Level").
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await client.query("SET LOCAL statement_timeout = 0");
    const head: BackupHead = {
      format: BACKUP_FORMAT,
      made: now.toISOString(),
      schema: MIGRATIONS.at(-1)?.name ?? "",
      extra,
    };
    const lines = Readable.from(partsOf(client, head, tables, count));
    await pipeline(lines, createZstdCompress(), createWriteStream(`${file}.part`, { mode: 0o600, flags: "w" }));
    await client.query("COMMIT");
  } finally {
    client.release();
  }
  await rename(`${file}.part`, file);
  return count.rows;
}

async function* partsOf(
  client: pg.PoolClient,
  head: BackupHead,
  tables: readonly BackedTable[],
  count: { rows: number },
): AsyncGenerator<Buffer | string> {
  yield `${JSON.stringify(head)}\n`;
  const { rows: tenants } = await client.query<{ id: number }>("SELECT id FROM tenant ORDER BY id");
  for (const table of tables) {
    yield `${JSON.stringify({ table: table.name, columns: table.columns })}\n`;
    if (!table.byTenant) yield* rowsOf(client, table, count);
    for (const { id } of table.byTenant ? tenants : []) {
      // Row-level security shows the rows of one tenant at a time, to the owner as well.
      await client.query("SELECT set_config('bulwark.tenant', $1, true)", [String(id)]);
      yield* rowsOf(client, table, count);
    }
    yield "\\.\n";
  }
}

async function* rowsOf(client: pg.PoolClient, { name, columns }: BackedTable, count: { rows: number }) {
  const list = columns.map((column) => `"${column}"`).join(", ");
  const order = columns.includes("id") ? "ORDER BY id" : "";
  const stream = client.query(copyTo(`COPY (SELECT ${list} FROM "${name}" ${order}) TO STDOUT`));
  yield* stream;
  count.rows += stream.rowCount ?? 0;
}
