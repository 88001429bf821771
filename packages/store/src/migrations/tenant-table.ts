import { type Kysely, sql } from "kysely";

/**
 * Puts tables under row-level security: a query sees and writes the rows of the tenant that its transaction named, and
 * none where it named none. (PostgreSQL documentation, "Row Security Policies".) The owner is held to it as well.
 */
export async function separateTenants(db: Kysely<unknown>, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const name = sql.table(table);
    await sql`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`.execute(db);
    await sql`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`.execute(db);
    await sql`CREATE POLICY tenant ON ${name} USING (tenant_id = (SELECT current_tenant()))`.execute(db);
    await grantToServer(db, table);
  }
}

/** Lets the role that serves requests use a table. */
export async function grantToServer(db: Kysely<unknown>, table: string, rights = "SELECT, INSERT, UPDATE, DELETE") {
  await sql`GRANT ${sql.raw(rights)} ON ${sql.table(table)} TO bulwark_app`.execute(db);
}

/** Runs statements one after the other. */
export async function statements(db: Kysely<unknown>, text: string): Promise<void> {
  await sql.raw(text).execute(db);
}
