import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openFile } from "./open-file.ts";
import { SCHEMA } from "./schema.ts";

const CACHE_KIB = 256 * 1024;

/**
 * Changes a database in a copy beside it and puts the copy in its place: a reader has the old one or the new one, never
 * something between, and when the work fails or the process dies the old one stays in use.
 *
 * @param work gets the copy inside a transaction; the file is made when it is missing
 */
export async function replaceFile<Result>(
  file: string,
  work: (database: DatabaseSync) => Promise<Result> | Result,
): Promise<Result> {
  mkdirSync(dirname(file), { recursive: true });
  const copy = `${file}.${process.pid}.new`;
  rmSync(copy, { force: true });
  try {
    const database = openCopy(file, copy);
    let result: Result;
    try {
      // Nobody reads the copy: neither a journal on disk nor an early sync is worth its time.
      database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}; BEGIN`);
      result = await work(database);
      database.exec("COMMIT");
    } finally {
      database.close();
    }
    syncFile(copy);
    renameSync(copy, file);
    syncFile(dirname(file));
    return result;
  } finally {
    rmSync(copy, { force: true });
  }
}

function openCopy(file: string, copy: string): DatabaseSync {
  if (existsSync(file)) {
    openFile(file, "read").close();
    copyFileSync(file, copy);
    return openFile(copy, "write");
  }
  const database = new DatabaseSync(copy);
  database.exec(SCHEMA);
  return database;
}

function syncFile(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
