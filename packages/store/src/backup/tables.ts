import { sql } from "kysely";
import type { SystemQueries } from "../open-store.ts";

/** A table of a backup. */
export interface BackedTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** Whether its rows belong to tenants. */
  readonly byTenant: boolean;
}

/** Tables of which a backup holds nothing: what runs at the moment, and what is counted anew by itself. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "kysely_migration",
  "kysely_migration_lock",
  "export_progress",
  "lineage_node",
  "lineage_change",
  "lineage_fresh_base",
  "lineage_risk",
]);

/**
 * All tables, those that others refer to first, so that they can be filled in this order. Runtime events are not among them:
 * they are many, end by themselves, and what matters of them is in the alerts. Nor are numbers of transactions, which mean
 * nothing in another database.
 */
export async function backedTables(db: SystemQueries): Promise<readonly BackedTable[]> {
  const { rows } = await sql<BackedTable>`
    SELECT c.relname AS name,
      array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns,
      bool_or(a.attname = 'tenant_id') AND c.relrowsecurity AS "byTenant"
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid <> 'xid8'::regtype
    WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace GROUP BY c.oid ORDER BY c.relname`.execute(
    db,
  );
  const tables = rows.filter(({ name }) => !LEFT_OUT.has(name));
  const links = await sql<{ from: string; to: string }>`
    SELECT conrelid::regclass::text AS from, confrelid::regclass::text AS to FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid`.execute(db);
  return sorted(tables, links.rows);
}

function sorted(
  tables: readonly BackedTable[],
  links: readonly { readonly from: string; readonly to: string }[],
): readonly BackedTable[] {
  const done = new Set<string>();
  const order: BackedTable[] = [];
  const add = (table: BackedTable, path: readonly string[]) => {
    if (done.has(table.name) || path.includes(table.name)) return;
    for (const { from, to } of links) {
      const target = from === table.name ? tables.find(({ name }) => name === to) : undefined;
      if (target !== undefined) add(target, [...path, table.name]);
    }
    done.add(table.name);
    order.push(table);
  };
  for (const table of tables) add(table, []);
  return order;
}
