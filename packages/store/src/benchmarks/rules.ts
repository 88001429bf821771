import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** Where an exception or a tuning holds; a namespace may be one of every cluster (`scopeId` null) or of one. */
export interface BenchmarkScope {
  readonly scope: "tenant" | "node" | "cluster" | "namespace";
  readonly scopeId: number | null;
  readonly namespace: string;
}

/** A check that may fail at a place until a day; it counts once a second person approved. */
export interface BenchmarkException extends BenchmarkScope {
  readonly id: number;
  readonly check: string;
  /** Name of the place, for people. */
  readonly place: string;
  readonly reason: string;
  readonly until: string;
  readonly askedBy: { readonly id: number; readonly name: string };
  readonly approver: { readonly id: number; readonly name: string } | null;
  readonly createdAt: string;
}

/** A check that is switched off, or has other parameters, at a place. */
export interface BenchmarkTuning extends BenchmarkScope {
  readonly id: number;
  readonly check: string;
  readonly place: string;
  readonly off: boolean;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly changedBy: string;
  readonly changedAt: string;
}

const PLACE = sql`coalesce(CASE x.scope WHEN 'node' THEN (SELECT hostname FROM node WHERE id = x.scope_id)
  WHEN 'cluster' THEN (SELECT name FROM cluster WHERE id = x.scope_id)
  WHEN 'namespace' THEN coalesce((SELECT name || '/' FROM cluster WHERE id = x.scope_id), '') || x.namespace END, '') AS place`;
const person = (column: string) =>
  sql`jsonb_build_object('id', ${sql.ref(column)}, 'name', coalesce((SELECT name FROM account WHERE id = ${sql.ref(column)}), ''))`;
const EXCEPTION = sql`x.id, x.check_id AS check, x.scope, x.scope_id AS "scopeId", x.namespace, ${PLACE}, x.reason,
  to_json(x.until)#>>'{}' AS until, ${person("x.asked_by")} AS "askedBy",
  CASE WHEN x.approved_by IS NULL THEN NULL ELSE ${person("x.approved_by")} END AS approver,
  to_json(x.created_at)#>>'{}' AS "createdAt"`;

/** Whether the place of a scope is there. */
export async function hasBenchmarkPlace(db: TenantQueries, { scope, scopeId }: BenchmarkScope): Promise<boolean> {
  if (scopeId === null) return scope === "tenant" || scope === "namespace";
  if (scope === "tenant") return false;
  const table = scope === "node" ? "node" : "cluster";
  const { rows } = await sql`SELECT id FROM ${sql.table(table)} WHERE id = ${scopeId} AND removed_at IS NULL`.execute(
    db,
  );
  return rows.length > 0;
}

export async function addBenchmarkException(
  db: TenantQueries,
  made: BenchmarkScope & {
    readonly check: string;
    readonly reason: string;
    readonly until: string;
    readonly askedBy: number;
    readonly now: Date;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO benchmark_exception (tenant_id, check_id, scope, scope_id, namespace, reason, until, asked_by, created_at)
    VALUES (current_tenant(), ${made.check}, ${made.scope}, ${made.scopeId}, ${made.namespace}, ${made.reason}, ${made.until},
      ${made.askedBy}, ${made.now}) RETURNING id`.execute(db);
  return rows[0]!.id;
}

export async function listBenchmarkExceptions(
  db: TenantQueries,
  page: { readonly before?: number | undefined; readonly limit: number },
): Promise<readonly BenchmarkException[]> {
  const { rows } = await sql<BenchmarkException>`SELECT ${EXCEPTION} FROM benchmark_exception x
    WHERE ${page.before ?? null}::bigint IS NULL OR x.id < ${page.before ?? null} ORDER BY x.id DESC LIMIT ${page.limit}`.execute(
    db,
  );
  return rows;
}

export async function getBenchmarkException(db: TenantQueries, id: number): Promise<BenchmarkException | undefined> {
  const { rows } =
    await sql<BenchmarkException>`SELECT ${EXCEPTION} FROM benchmark_exception x WHERE x.id = ${id}`.execute(db);
  return rows[0];
}

/** @returns whether it was waiting, somebody else had asked for it, and its time is not up */
export async function approveBenchmarkException(
  db: TenantQueries,
  id: number,
  by: { readonly accountId: number; readonly now: Date },
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE benchmark_exception SET approved_by = ${by.accountId}
    WHERE id = ${id} AND approved_by IS NULL AND asked_by <> ${by.accountId} AND until >= ${by.now}::date RETURNING id`.execute(
    db,
  );
  return rows.length > 0;
}

export async function removeBenchmarkException(db: TenantQueries, id: number): Promise<boolean> {
  const { rows } = await sql`DELETE FROM benchmark_exception WHERE id = ${id} RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Exceptions that count now. */
export async function exceptionsInForce(
  db: TenantQueries,
  now: Date,
): Promise<readonly (BenchmarkScope & { readonly id: number; readonly check: string })[]> {
  const { rows } = await sql<BenchmarkScope & { id: number; check: string }>`
    SELECT x.id, x.check_id AS check, x.scope, x.scope_id AS "scopeId", x.namespace FROM benchmark_exception x
    WHERE x.approved_by IS NOT NULL AND x.until >= ${now}::date ORDER BY x.id`.execute(db);
  return rows;
}

/** Places of approved exceptions whose last day has passed since this was asked last; each is told once. */
export async function endExceptions(db: TenantQueries, now: Date): Promise<readonly BenchmarkScope[]> {
  const { rows } = await sql<BenchmarkScope>`
    UPDATE benchmark_exception SET ended_at = ${now}
    WHERE approved_by IS NOT NULL AND until < ${now}::date AND ended_at IS NULL
    RETURNING scope, scope_id AS "scopeId", namespace`.execute(db);
  return rows;
}

const TUNING = sql`x.id, x.check_id AS check, x.scope, x.scope_id AS "scopeId", x.namespace, ${PLACE}, x.is_off AS off, x.parameters,
  x.reason, x.changed_by AS "changedBy", to_json(x.changed_at)#>>'{}' AS "changedAt"`;

/** Sets a tuning, in place of the one that the place had. */
export async function setBenchmarkTuning(
  db: TenantQueries,
  made: BenchmarkScope & {
    readonly check: string;
    readonly off: boolean;
    readonly parameters: unknown;
    readonly reason: string;
    readonly changedBy: string;
    readonly now: Date;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO benchmark_tuning (tenant_id, check_id, scope, scope_id, namespace, is_off, parameters, reason, changed_by, changed_at)
    VALUES (current_tenant(), ${made.check}, ${made.scope}, ${made.scopeId}, ${made.namespace}, ${made.off},
      ${jsonText(made.parameters)}::jsonb, ${made.reason}, ${made.changedBy}, ${made.now})
    ON CONFLICT (tenant_id, check_id, scope, scope_id, namespace) DO UPDATE SET is_off = excluded.is_off,
      parameters = excluded.parameters, reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at
    RETURNING id`.execute(db);
  return rows[0]!.id;
}

/** All tunings, the widest place first. */
export async function listBenchmarkTunings(db: TenantQueries): Promise<readonly BenchmarkTuning[]> {
  const { rows } = await sql<BenchmarkTuning>`SELECT ${TUNING} FROM benchmark_tuning x
    ORDER BY array_position(ARRAY['tenant', 'cluster', 'node', 'namespace'], x.scope), x.id`.execute(db);
  return rows;
}

export async function removeBenchmarkTuning(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ check: string }>`
    DELETE FROM benchmark_tuning WHERE id = ${id} RETURNING check_id AS check`.execute(db);
  return rows[0]?.check;
}

/** Runs that come again and again. */
export interface BenchmarkSchedule {
  readonly id: number;
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly profile: string;
  readonly enabled: boolean;
  readonly nextAt: string | null;
  readonly lastAt: string | null;
  readonly createdBy: string;
}

const SCHEDULE = sql`s.id, s.name, s.cron, s.time_zone AS "timeZone", s.profile, s.enabled, to_json(s.next_at)#>>'{}' AS "nextAt",
  to_json(s.last_at)#>>'{}' AS "lastAt", s.created_by AS "createdBy"`;

/** @returns undefined where another schedule has the name */
export async function setBenchmarkSchedule(
  db: TenantQueries,
  made: Pick<BenchmarkSchedule, "name" | "cron" | "timeZone" | "profile" | "enabled" | "createdBy"> & {
    readonly nextAt: Date;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO benchmark_schedule (tenant_id, name, cron, time_zone, profile, enabled, next_at, created_by)
    VALUES (current_tenant(), ${made.name}, ${made.cron}, ${made.timeZone}, ${made.profile}, ${made.enabled}, ${made.nextAt}, ${made.createdBy})
    ON CONFLICT (tenant_id, name) DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone, profile = excluded.profile,
      enabled = excluded.enabled, next_at = excluded.next_at RETURNING id`.execute(db);
  return rows[0]!.id;
}

export async function listBenchmarkSchedules(db: TenantQueries): Promise<readonly BenchmarkSchedule[]> {
  const { rows } = await sql<BenchmarkSchedule>`SELECT ${SCHEDULE} FROM benchmark_schedule s ORDER BY s.name`.execute(
    db,
  );
  return rows;
}

export async function removeBenchmarkSchedule(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`DELETE FROM benchmark_schedule WHERE id = ${id} RETURNING name`.execute(
    db,
  );
  return rows[0]?.name;
}

export async function dueBenchmarkSchedules(db: TenantQueries, now: Date): Promise<readonly BenchmarkSchedule[]> {
  const { rows } = await sql<BenchmarkSchedule>`
    SELECT ${SCHEDULE} FROM benchmark_schedule s WHERE s.enabled AND s.next_at <= ${now} FOR UPDATE SKIP LOCKED`.execute(
    db,
  );
  return rows;
}

export async function ranBenchmarkSchedule(
  db: TenantQueries,
  id: number,
  ran: { readonly at: Date; readonly nextAt: Date },
): Promise<void> {
  await sql`UPDATE benchmark_schedule SET last_at = ${ran.at}, next_at = ${ran.nextAt} WHERE id = ${id}`.execute(db);
}
