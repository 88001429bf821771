import type { Severity } from "@bulwark/model";
import { type RawBuilder, sql } from "kysely";
import { containing } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

export type AlertState = "open" | "acknowledged" | "closed" | "allowed";

export interface StoredAlert {
  readonly id: number;
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  /** Null where no sensor watches what it concerns. */
  readonly nodeId: number | null;
  readonly hostname: string;
  readonly cluster: { readonly id: number; readonly name: string } | null;
  readonly workload: {
    readonly id: number;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  } | null;
  readonly container: string;
  readonly containerName: string;
  readonly image: string;
  readonly imageDigest: string;
  /** The image in the inventory; null while it was not scanned. */
  readonly imageId: number | null;
  readonly namespace: string;
  readonly pod: string;
  readonly process: string;
  readonly exe: string;
  readonly pid: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly count: number;
  readonly blocked: boolean;
  readonly exposed: boolean;
  readonly state: AlertState;
  readonly assignee: { readonly id: number; readonly name: string } | null;
  /** Responsible for the workload, or else for the image's repository; the id is null for one that only a label names. */
  readonly owner: { readonly id: number | null; readonly name: string } | null;
}

/** An alert with what a person needs to judge it. */
export interface AlertDetail extends StoredAlert {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly batchId: number;
  readonly position: number;
  readonly processStart: number;
  readonly history: readonly {
    readonly at: string;
    readonly actor: string;
    readonly action: string;
    readonly detail: string;
  }[];
}

export interface AlertFilter {
  readonly states?: readonly AlertState[] | undefined;
  readonly severities?: readonly Severity[] | undefined;
  readonly rule?: string | undefined;
  readonly container?: string | undefined;
  readonly nodeId?: number | undefined;
  readonly exposed?: boolean | undefined;
  readonly text?: string | undefined;
  readonly before?: number | undefined;
  /** Owners whose images alone are shown; undefined is the whole tenant. */
  readonly sight?: readonly number[] | undefined;
  readonly limit: number;
}

const PLACE = sql`
  LEFT JOIN node n ON n.id = a.node_id
  LEFT JOIN workload w ON w.id = a.workload_id
  LEFT JOIN cluster k ON k.id = a.cluster_id
  LEFT JOIN account p ON p.id = a.assignee_id
  LEFT JOIN LATERAL (SELECT i.id FROM image i WHERE i.digest = a.image_digest AND a.image_digest <> '' LIMIT 1) i ON true
  LEFT JOIN LATERAL (SELECT o.id, o.name FROM image_location l JOIN repository r ON r.id = l.repository_id
    JOIN registry g ON g.id = r.registry_id JOIN image m ON m.id = l.image_id
    JOIN owner o ON o.id = coalesce(m.owner_id, r.owner_id, g.owner_id) WHERE l.image_id = i.id LIMIT 1) o ON true`;

const ALERT = sql`a.id, a.rule, a.title, a.severity, a.tags, a.node_id AS "nodeId", coalesce(n.hostname, '') AS hostname,
  a.container, a.container_name AS "containerName", a.image, a.image_digest AS "imageDigest", i.id AS "imageId", a.namespace,
  a.pod, a.process, a.exe, a.pid, to_json(a.first_at)#>>'{}' AS "firstAt", to_json(a.last_at)#>>'{}' AS "lastAt", a.count,
  a.blocked, a.exposed, a.state, CASE WHEN p.id IS NULL THEN NULL ELSE jsonb_build_object('id', p.id, 'name', p.name) END AS assignee,
  CASE WHEN k.id IS NULL THEN NULL ELSE jsonb_build_object('id', k.id, 'name', k.name) END AS cluster,
  CASE WHEN w.id IS NULL THEN NULL ELSE jsonb_build_object('id', w.id, 'kind', w.kind, 'namespace', w.namespace, 'name', w.name) END
    AS workload,
  CASE WHEN w.owner_name <> '' THEN jsonb_build_object('id', w.owner_id, 'name', w.owner_name)
    WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner`;

/** Alerts, the newest first. */
export async function listAlerts(db: TenantQueries, filter: AlertFilter): Promise<readonly StoredAlert[]> {
  const { rows } = await sql<StoredAlert>`
    SELECT ${ALERT} FROM alert a ${PLACE} WHERE ${sql.join(conditions(filter), sql` AND `)}
    ORDER BY a.id DESC LIMIT ${filter.limit}`.execute(db);
  return rows;
}

function conditions(filter: AlertFilter): RawBuilder<unknown>[] {
  const found: RawBuilder<unknown>[] = [sql`true`];
  if (filter.states !== undefined) found.push(sql`a.state = ANY(${filter.states}::text[])`);
  if (filter.severities !== undefined) found.push(sql`a.severity = ANY(${filter.severities}::text[])`);
  if (filter.rule !== undefined) found.push(sql`a.rule = ${filter.rule}`);
  if (filter.container !== undefined) found.push(sql`a.container = ${filter.container}`);
  if (filter.nodeId !== undefined) found.push(sql`a.node_id = ${filter.nodeId}`);
  if (filter.before !== undefined) found.push(sql`a.id < ${filter.before}`);
  if (filter.exposed !== undefined) found.push(sql`a.exposed = ${filter.exposed}`);
  if (filter.sight !== undefined) found.push(sql`coalesce(w.owner_id, o.id) = ANY(${filter.sight}::bigint[])`);
  if (filter.text !== undefined && filter.text !== "") {
    const like = containing(filter.text);
    found.push(
      sql`(a.title ILIKE ${like} OR a.rule ILIKE ${like} OR a.container_name ILIKE ${like} OR a.image ILIKE ${like})`,
    );
  }
  return found;
}

export async function getAlert(
  db: TenantQueries,
  id: number,
  sight?: readonly number[],
): Promise<AlertDetail | undefined> {
  const seen = sight === undefined ? sql`true` : sql`coalesce(w.owner_id, o.id) = ANY(${sight}::bigint[])`;
  const { rows } = await sql<AlertDetail>`
    SELECT ${ALERT}, a.facts, a.batch_id AS "batchId", a.position, a.process_start AS "processStart",
      coalesce((SELECT jsonb_agg(jsonb_build_object('at', e.at, 'actor', e.actor, 'action', e.action, 'detail', e.detail)
        ORDER BY e.id) FROM alert_event e WHERE e.alert_id = a.id), '[]') AS history
    FROM alert a ${PLACE} WHERE a.id = ${id} AND ${seen}`.execute(db);
  return rows[0];
}

/** Changes what people decided on an alert, and keeps who did. */
export async function changeAlert(
  db: TenantQueries,
  id: number,
  change: {
    readonly state?: AlertState | undefined;
    readonly assigneeId?: number | null | undefined;
    readonly note?: string | undefined;
    readonly actor: string;
    readonly now: Date;
  },
): Promise<void> {
  const { state, assigneeId, note = "", actor, now } = change;
  if (state !== undefined) {
    const closedAt = state === "closed" || state === "allowed" ? now : null;
    await sql`UPDATE alert SET state = ${state}, closed_at = ${closedAt} WHERE id = ${id}`.execute(db);
    await addAlertEvent(db, id, { actor, action: state, detail: note, now });
  }
  if (assigneeId !== undefined) {
    await sql`UPDATE alert SET assignee_id = ${assigneeId} WHERE id = ${id}`.execute(db);
    await addAlertEvent(db, id, {
      actor,
      action: "assigned",
      detail: assigneeId === null ? "" : String(assigneeId),
      now,
    });
  }
  if (state === undefined && assigneeId === undefined)
    await addAlertEvent(db, id, { actor, action: "note", detail: note, now });
}

/** Writes into an alert's history. */
export async function addAlertEvent(
  db: TenantQueries,
  alertId: number,
  event: { readonly actor: string; readonly action: string; readonly detail: string; readonly now: Date },
): Promise<void> {
  await sql`
    INSERT INTO alert_event (tenant_id, alert_id, at, actor, action, detail)
    VALUES (current_tenant(), ${alertId}, ${event.now}, ${event.actor}, ${event.action}, ${event.detail})`.execute(db);
}

/** How many alerts are in each state and of each severity, and how many came on each of the last days. */
export async function countAlerts(db: TenantQueries): Promise<{
  readonly open: Readonly<Record<string, number>>;
  readonly days: readonly { readonly day: string; readonly count: number }[];
}> {
  const { rows } = await sql<{ severity: string; count: number }>`
    SELECT severity, count(*)::int AS count FROM alert WHERE state IN ('open', 'acknowledged') GROUP BY 1`.execute(db);
  const { rows: days } = await sql<{ day: string; count: number }>`
    SELECT to_char(first_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*)::int AS count FROM alert
    WHERE first_at > now() - interval '30 days' GROUP BY 1 ORDER BY 1`.execute(db);
  return { open: Object.fromEntries(rows.map(({ severity, count }) => [severity, count])), days };
}
