import { Kysely, type LogEvent, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { StoreError } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { openPool } from "./open-pool.ts";
import type { Database } from "./schema.ts";

const DEFAULT_CONNECTIONS = 10;
/** Searches over 100,000 images sort and hash in memory with it. */
const WORK_MEM = "32MB";
/**
 * What a server may have set otherwise: days begin at the same moment everywhere (those of waivers, of schedules, of the
 * estate's curve), and times are written as the driver reads them.
 */
const SESSION = "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres";
const CONNECT_TIMEOUT_MS = 10_000;
/** Longer than any query of a list; jobs that need more ask for it. */
const STATEMENT_TIMEOUT_MS = 120_000;

// Identities stay below 2^53, and counts too.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Queries of one tenant, in one transaction: rows of others do not exist for them. */
export type TenantQueries = Kysely<Database>;
/** Queries that see what belongs to no tenant: tenants, the directory, advisories. */
export type SystemQueries = Kysely<Database>;

export interface StoreOptions {
  /** Size of the pool of connections. */
  readonly connections?: number;
  readonly log?: (event: LogEvent) => void;
}

/** PostgreSQL as Bulwark uses it. */
export interface Store {
  /**
   * Runs queries as one tenant, in a transaction: all of them are kept, or none. Row-level security hides every other
   * tenant's rows, whatever a query asks for.
   *
   * @example await store.tenant(1, (db) => db.selectFrom("image").selectAll().execute());
   */
  tenant<Result>(tenantId: number, work: (db: TenantQueries) => Promise<Result>): Promise<Result>;
  /** Tables that belong to no tenant. Tenants' tables are empty here. */
  readonly system: SystemQueries;
  /** Whether the database answers, within the time given. */
  answers(withinMs: number): Promise<boolean>;
  /** Where the database is: for a thread that opens it for itself. */
  readonly url: string;
  /** The pool underneath, for COPY, LISTEN and what else has no place in a query builder. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/**
 * Opens the store and brings its schema up to date.
 *
 * @param url of a PostgreSQL 15 or later: an empty database, or one of Bulwark's
 * @throws StoreError `STORE_UNREACHABLE`, `SCHEMA_NEWER`
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  await migrateWithOwnConnection(url);
  const pool = openPool({
    ...connectionOf(url),
    max: options.connections ?? DEFAULT_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: "bulwark",
    // Superusers pass row-level security by: what serves requests is not one.
    options: `-c role=bulwark_app -c work_mem=${WORK_MEM} ${SESSION}`,
  });
  const dialect = new PostgresDialect({ pool });
  const system = new Kysely<Database>({ dialect, ...(options.log === undefined ? {} : { log: options.log }) });
  return {
    system,
    url,
    pool,
    tenant: (tenantId, work) => system.connection().execute((db) => asTenant(db, tenantId, work)),
    answers(withinMs) {
      const answered = sql`SELECT 1`.execute(system).then(
        () => true,
        () => false,
      );
      const late = new Promise<false>((resolve) => void setTimeout(resolve, withinMs, false).unref());
      return Promise.race([answered, late]);
    },
    close: () => system.destroy(),
  };
}

/** One transaction; beginning it and naming the tenant take one round trip. */
async function asTenant<Result>(
  db: TenantQueries,
  tenantId: number,
  work: (db: TenantQueries) => Promise<Result>,
): Promise<Result> {
  if (!Number.isSafeInteger(tenantId)) throw new RangeError(`${tenantId} is no tenant`);
  await sql.raw(`BEGIN; SELECT set_config('bulwark.tenant', '${tenantId}', true)`).execute(db);
  try {
    const result = await work(db);
    await sql`COMMIT`.execute(db);
    return result;
  } catch (error) {
    // Where the connection is gone, so is the transaction: the first error tells more.
    await sql`ROLLBACK`.execute(db).catch(() => {});
    throw error;
  }
}

/** The schema is changed by its owner, whom row-level security and missing grants do not stop. */
async function migrateWithOwnConnection(url: string): Promise<void> {
  const pool = openPool({ ...connectionOf(url), max: 1, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(db);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(
      "STORE_UNREACHABLE",
      `the database cannot be opened: ${why}`,
      "check DATABASE_URL, that the server runs, and that its user may create tables and roles",
      cause,
    );
  } finally {
    await db.destroy();
  }
}

/** What the driver takes: a URL, or the options of one whose host is a socket's directory. */
export function connectionOf(url: string): pg.PoolConfig {
  if (!url.startsWith("postgresql:///")) return { connectionString: url, options: SESSION };
  const options = new URL(url).searchParams;
  return {
    host: options.get("host") ?? "",
    user: options.get("user") ?? "",
    password: options.get("password") ?? "",
    database: options.get("dbname") ?? "postgres",
    options: SESSION,
  };
}
