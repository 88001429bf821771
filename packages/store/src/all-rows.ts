/** Runs one statement. */
type Run = (statement: string) => Promise<{ readonly rows: readonly unknown[] }>;

/**
 * Lets the owner of the tables see and write the rows of all tenants while `work` is done; otherwise row-level security holds them to it as
 * well, and they see none (PostgreSQL documentation, "Row Security Policies"). Call it in a transaction.
 */
export async function withAllRows<Result>(run: Run, work: () => Promise<Result>): Promise<Result> {
  const { rows } = await run(
    "SELECT relname AS name FROM pg_class WHERE relforcerowsecurity AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  const names = (rows as readonly { readonly name: string }[]).map(({ name }) => name);
  for (const name of names) await run(`ALTER TABLE "${name}" NO FORCE ROW LEVEL SECURITY`);
  const result = await work();
  for (const name of names) await run(`ALTER TABLE "${name}" FORCE ROW LEVEL SECURITY`);
  return result;
}
