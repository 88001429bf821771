import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

export type FixState =
  | "previewing"
  | "previewed"
  | "waiting"
  | "applying"
  | "verifying"
  | "applied"
  | "undoing"
  | "undone"
  | "unchanged"
  | "failed";

/** A change of a node's configuration that makes a check pass. */
export interface BenchmarkFix {
  readonly id: number;
  readonly nodeId: number;
  readonly hostname: string;
  readonly check: string;
  readonly uid: string;
  readonly state: FixState;
  readonly change: Readonly<Record<string, unknown>>;
  /** Lines that go and come, as the node said. */
  readonly diff: string;
  /** SHA-256 of what the preview saw, hexadecimal; empty where there was no such file. */
  readonly before: string;
  readonly detail: string;
  readonly reason: string;
  readonly askedBy: string;
  /** The order that is under way, or was the last. */
  readonly responseId: number | null;
  /** The run that verifies it. */
  readonly runId: number | null;
  /** Whether the node changed something, or may have, and holds what it was. */
  readonly isUndoable: boolean;
  readonly createdAt: string;
  readonly changedAt: string;
}

/** What was to be undone may still be as the fix made it, whether the node was told to undo it or not. */
const FIX = sql`f.id, f.node_id AS "nodeId", n.hostname, f.check_id AS check, f.uid, f.state, f.change, f.diff, f.before, f.detail,
  f.reason, f.asked_by AS "askedBy", f.response_id AS "responseId", f.run_id AS "runId",
  (f.state IN ('applied', 'verifying') OR (f.state = 'failed' AND EXISTS (SELECT FROM response r WHERE r.id = f.response_id
    AND (r.action = 'undo-fix' OR (r.sent_at IS NOT NULL AND r.parameters->>'dryRun' IS DISTINCT FROM 'true'))))) AS "isUndoable", to_json(f.created_at)#>>'{}' AS "createdAt",
  to_json(f.changed_at)#>>'{}' AS "changedAt" FROM benchmark_fix f JOIN node n ON n.id = f.node_id`;

export async function addBenchmarkFix(
  db: TenantQueries,
  fix: {
    readonly nodeId: number;
    readonly check: string;
    readonly uid: string;
    readonly change: unknown;
    readonly reason: string;
    readonly askedBy: string;
    readonly now: Date;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO benchmark_fix (tenant_id, node_id, check_id, uid, state, change, reason, asked_by, created_at, changed_at)
    VALUES (current_tenant(), ${fix.nodeId}, ${fix.check}, ${fix.uid}, 'previewing', ${jsonText(fix.change)}::jsonb, ${fix.reason},
      ${fix.askedBy}, ${fix.now}, ${fix.now}) RETURNING id`.execute(db);
  return rows[0]!.id;
}

/**
 * Moves a fix on, from one of these states and from no other; what is left out stays. Of two that move it at once one does.
 *
 * @returns whether it was moved
 * @example if (!(await moveBenchmarkFix(db, id, { from: ["previewed"], state: "applying", now }))) throw …;
 */
export async function moveBenchmarkFix(
  db: TenantQueries,
  id: number,
  to: {
    readonly from: readonly FixState[];
    readonly state: FixState;
    readonly detail?: string | undefined;
    readonly diff?: string | undefined;
    readonly before?: string | undefined;
    readonly responseId?: number | undefined;
    readonly runId?: number | undefined;
    readonly now: Date;
  },
): Promise<boolean> {
  const { rows } =
    await sql`UPDATE benchmark_fix SET state = ${to.state}, detail = coalesce(${to.detail ?? null}, detail),
    diff = coalesce(${to.diff ?? null}, diff), before = coalesce(${to.before ?? null}, before),
    response_id = coalesce(${to.responseId ?? null}, response_id), run_id = coalesce(${to.runId ?? null}, run_id),
    changed_at = ${to.now} WHERE id = ${id} AND state = ANY(${to.from}::text[]) RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Names the order that is under way for a fix. */
export async function setFixResponse(db: TenantQueries, id: number, responseId: number): Promise<void> {
  await sql`UPDATE benchmark_fix SET response_id = ${responseId} WHERE id = ${id}`.execute(db);
}

export async function getBenchmarkFix(db: TenantQueries, id: number): Promise<BenchmarkFix | undefined> {
  const { rows } = await sql<BenchmarkFix>`SELECT ${FIX} WHERE f.id = ${id}`.execute(db);
  return rows[0];
}

/** What an order of a fix asked for. */
export type FixStep = "preview" | "apply" | "undo";

/** The fix that an order is of, and what the order asked for. The fix is held until the transaction ends. */
export async function fixOfResponse(
  db: TenantQueries,
  responseId: number,
): Promise<{ readonly fix: BenchmarkFix; readonly step: FixStep } | undefined> {
  const { rows: held } = await sql<{ id: number; step: FixStep }>`
    SELECT f.id, CASE WHEN p.action = 'undo-fix' THEN 'undo' WHEN p.parameters->>'dryRun' = 'true' THEN 'preview' ELSE 'apply' END AS step
    FROM benchmark_fix f JOIN response p ON p.id = f.response_id WHERE f.response_id = ${responseId} FOR UPDATE OF f`.execute(
    db,
  );
  const [found] = held;
  if (found === undefined) return undefined;
  const fix = await getBenchmarkFix(db, found.id);
  return fix === undefined ? undefined : { fix, step: found.step };
}

/** Fixes whose verification is one of these runs. */
export async function fixesVerifiedBy(db: TenantQueries, runId: number): Promise<readonly BenchmarkFix[]> {
  const { rows } = await sql<BenchmarkFix>`SELECT ${FIX} WHERE f.run_id = ${runId} AND f.state = 'verifying'`.execute(
    db,
  );
  return rows;
}

/** Fixes whose order ended in a way that nobody told: refused by a person, or not answered in time. `wasSent`: the node may have done it. */
export async function fixesWithoutAnswer(
  db: TenantQueries,
): Promise<readonly (BenchmarkFix & { readonly ended: string; readonly why: string; readonly wasSent: boolean })[]> {
  const { rows } = await sql<BenchmarkFix & { ended: string; why: string; wasSent: boolean }>`
    SELECT x.*, p.state AS ended, p.detail AS why, p.sent_at IS NOT NULL AS "wasSent"
    FROM (SELECT ${FIX}) x JOIN response p ON p.id = x."responseId"
    WHERE x.state IN ('previewing', 'waiting', 'applying', 'undoing') AND p.state IN ('refused', 'expired')`.execute(
    db,
  );
  return rows;
}

export async function listBenchmarkFixes(
  db: TenantQueries,
  page: { readonly nodeId?: number | undefined; readonly before?: number | undefined; readonly limit: number },
): Promise<readonly BenchmarkFix[]> {
  const { rows } =
    await sql<BenchmarkFix>`SELECT ${FIX} WHERE (${page.before ?? null}::bigint IS NULL OR f.id < ${page.before ?? null})
    AND (${page.nodeId ?? null}::bigint IS NULL OR f.node_id = ${page.nodeId ?? null}) ORDER BY f.id DESC LIMIT ${page.limit}`.execute(
      db,
    );
  return rows;
}
