import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { withAllRows } from "./all-rows.ts";
import { StoreError } from "./errors.ts";
import { MIGRATIONS, type NamedMigration } from "./migrations/index.ts";
import type { Database } from "./schema.ts";

/** Two servers that start at once take turns: PostgreSQL's advisory lock of this number. */
const MIGRATION_LOCK = 0x62756c77;

/**
 * Brings the schema up to date; forward only. Row-level security, grants and the role that serves requests are part of it.
 *
 * @param upTo name of the last migration to apply, for tests; all by default
 * @throws StoreError `SCHEMA_NEWER`
 */
export async function migrate(db: Kysely<Database>, upTo?: string): Promise<void> {
  const migrations: Record<string, Migration> = Object.fromEntries(MIGRATIONS.map((each) => [each.name, step(each)]));
  await db.connection().execute(async (connection) => {
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`.execute(connection);
    try {
      const migrator = new Migrator({ db: connection, provider: { getMigrations: async () => migrations } });
      const applied = await appliedNames(connection);
      const unknown = applied.filter((name) => !Object.hasOwn(migrations, name));
      if (unknown.length > 0) throw newer(unknown);
      const { error } = upTo === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo);
      if (error !== undefined) throw error;
    } finally {
      await sql`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`.execute(connection);
    }
  });
}

function step(migration: NamedMigration): Migration {
  if (!migration.ofAllRows) return migration;
  return {
    up: (db) =>
      withAllRows(
        (statement) => sql.raw(statement).execute(db),
        () => migration.up(db),
      ),
  };
}

async function appliedNames(db: Kysely<Database>): Promise<readonly string[]> {
  const exists = await sql<{ found: boolean }>`SELECT to_regclass('kysely_migration') IS NOT NULL AS found`.execute(db);
  if (exists.rows[0]?.found !== true) return [];
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(db);
  return rows.map(({ name }) => name);
}

function newer(names: readonly string[]): StoreError {
  return new StoreError(
    "SCHEMA_NEWER",
    `the database was changed by a later release: it holds ${names.join(", ")}`,
    "start that release or a later one, or restore a backup that this one made",
  );
}
