import pg from "pg";

/**
 * Connections to a database. One that its server cuts while nobody uses it, or between two queries of a transaction, ends no process: the
 * next query tells, and another takes its place.
 */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on("connect", (client) => void client.on("error", () => {}));
  pool.on("error", () => {});
  return pool;
}
