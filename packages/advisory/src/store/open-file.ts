import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AdvisoryError } from "../errors.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "./schema.ts";

/** Pages are read where the file lies instead of being copied into a cache of two megabytes, SQLite's default. */
const MAPPED_BYTES = 1024 * 1024 * 1024;

/**
 * Opens an existing database file and checks that it is one of ours.
 *
 * @throws AdvisoryError `DATABASE_MISSING`, `DATABASE_DAMAGED`, `DATABASE_VERSION`
 */
export function openFile(file: string, mode: "read" | "write"): DatabaseSync {
  if (!existsSync(file)) {
    throw new AdvisoryError("DATABASE_MISSING", `there is no advisory database at ${file}`, "run: bulwark db update");
  }
  let database: DatabaseSync | undefined;
  let application: unknown;
  let version: unknown;
  try {
    database = new DatabaseSync(file, { readOnly: mode === "read" });
    database.exec(`PRAGMA mmap_size = ${MAPPED_BYTES}`);
    application = database.prepare("PRAGMA application_id").get()?.application_id;
    version = database.prepare("PRAGMA user_version").get()?.user_version;
    database.prepare("SELECT count(*) FROM meta").get();
  } catch (cause) {
    database?.close();
    const next = "delete it and run: bulwark db update";
    throw new AdvisoryError("DATABASE_DAMAGED", `the advisory database ${file} cannot be read`, next, cause);
  }
  if (application === APPLICATION_ID && version === SCHEMA_VERSION) return database;
  database.close();
  if (application !== APPLICATION_ID) {
    throw new AdvisoryError(
      "DATABASE_DAMAGED",
      `${file} is no advisory database`,
      "name another file, or run: bulwark db update",
    );
  }
  const what = `the advisory database ${file} has version ${String(version)}, this Bulwark reads ${SCHEMA_VERSION}`;
  throw new AdvisoryError("DATABASE_VERSION", what, "delete it and run: bulwark db update");
}
