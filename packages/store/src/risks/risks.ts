import type { FindingKind, Severity } from "@bulwark/model";
import { type RawBuilder, sql } from "kysely";
import { containing, type Sight } from "../images/visible.ts";
import { giveNotice, type NoticeEvent } from "../notifications/notices.ts";
import type { TenantQueries } from "../open-store.ts";
import type { RiskState } from "../schema/workflow.ts";

/** A finding of a repository that somebody has to close. */
export interface Risk {
  readonly id: number;
  readonly kind: FindingKind;
  readonly finding: string;
  readonly severity: Severity;
  readonly title: string;
  readonly package: string;
  readonly path: string;
  readonly fixedVersion: string;
  readonly exploited: boolean;
  readonly state: RiskState;
  readonly repository: { readonly id: number; readonly name: string; readonly registry: string };
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly assignee: { readonly id: number; readonly name: string } | null;
  readonly grade: string | null;
  readonly images: number;
  readonly firstSeen: string;
  readonly due: string | null;
  readonly overdue: boolean;
  readonly fixedAt: string | null;
  readonly reopened: number;
  readonly released: boolean;
  /** Whose layers brought it, and who acts; null until the forest knows its images. */
  readonly responsible: {
    readonly verdict: "base" | "own";
    /** Image that stands for the stage; null for a base that nobody showed us. */
    readonly image: string | null;
    readonly digest: string | null;
    readonly owner: { readonly id: number; readonly name: string } | null;
  } | null;
  readonly accepted: {
    readonly reason: string;
    readonly until: string | null;
    readonly askedBy: number;
    readonly approvedBy: number | null;
  } | null;
}

export interface RiskFilter {
  readonly sight: Sight;
  readonly states?: readonly RiskState[];
  readonly overdue?: boolean;
  readonly assigneeId?: number;
  readonly ownerId?: number;
  /** Owner of the stage that brought it. */
  readonly actorId?: number;
  readonly verdict?: "base" | "own";
  readonly repositoryId?: number;
  readonly severities?: readonly Severity[];
  readonly search?: string;
  /** Requests for acceptance that nobody decided yet. */
  readonly waiting?: boolean;
  readonly now: Date;
  /** Due time in seconds and id of the last risk of the page before. */
  readonly after?: readonly [number, number];
  readonly limit: number;
}

const RESPONSIBLE = sql`CASE WHEN k.verdict IS NULL THEN NULL ELSE jsonb_build_object('verdict', k.verdict,
  'image', (SELECT g2.name || '/' || r2.name FROM image_location l2 JOIN repository r2 ON r2.id = l2.repository_id
    JOIN registry g2 ON g2.id = r2.registry_id WHERE l2.image_id = k.stage_image_id ORDER BY l2.gone_at IS NOT NULL, r2.id LIMIT 1),
  'digest', (SELECT digest FROM image WHERE id = k.stage_image_id),
  'owner', (SELECT jsonb_build_object('id', id, 'name', name) FROM owner WHERE id = k.actor_id)) END`;
const FROM = sql`risk k JOIN repository r ON r.id = k.repository_id JOIN registry g ON g.id = r.registry_id
  LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id) LEFT JOIN account a ON a.id = k.assignee_id`;
/** Risks without a due time come last. */
const DUE = sql`coalesce(extract(epoch FROM k.due_at), 4e9)::double precision`;

function columns(now: Date): RawBuilder<unknown> {
  return sql`k.id, k.kind, k.finding, k.severity, k.title, k.package, k.path, k.fixed_version AS "fixedVersion", k.exploited, k.state,
    jsonb_build_object('id', r.id, 'name', r.name, 'registry', g.name) AS repository,
    CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
    CASE WHEN a.id IS NULL THEN NULL ELSE jsonb_build_object('id', a.id, 'name', a.name) END AS assignee,
    coalesce(r.grade, g.grade) AS grade, k.images, to_json(k.first_seen)#>>'{}' AS "firstSeen", to_json(k.due_at)#>>'{}' AS due,
    coalesce(k.due_at < ${now} AND k.state NOT IN ('fixed', 'accepted'), false) AS overdue, to_json(k.fixed_at)#>>'{}' AS "fixedAt",
    k.reopened, k.released_at IS NOT NULL AS released, ${RESPONSIBLE} AS responsible,
    CASE WHEN k.asked_by IS NULL THEN NULL ELSE jsonb_build_object('reason', k.accept_reason, 'until', k.accept_until,
      'askedBy', k.asked_by, 'approvedBy', k.approved_by) END AS accepted`;
}

function seenBy(sight: Sight): RawBuilder<unknown> {
  return sight === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ANY(${sight})`;
}

/** Risks in the order in which they are due. */
export async function listRisks(db: TenantQueries, filter: RiskFilter): Promise<readonly Risk[]> {
  const {
    states = [],
    overdue,
    assigneeId,
    ownerId,
    actorId,
    verdict,
    repositoryId,
    severities = [],
    search,
    waiting,
    now,
    after,
    limit,
  } = filter;
  const like = search === undefined ? null : containing(search);
  const conditions = [
    seenBy(filter.sight),
    states.length === 0 ? sql`true` : sql`k.state = ANY(${states})`,
    overdue === true ? sql`k.due_at < ${now} AND k.state NOT IN ('fixed', 'accepted')` : sql`true`,
    waiting === true ? sql`k.asked_by IS NOT NULL AND k.approved_by IS NULL` : sql`true`,
    assigneeId === undefined ? sql`true` : sql`k.assignee_id = ${assigneeId}`,
    ownerId === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ${ownerId}`,
    actorId === undefined ? sql`true` : sql`k.actor_id = ${actorId}`,
    verdict === undefined ? sql`true` : sql`k.verdict = ${verdict}`,
    repositoryId === undefined ? sql`true` : sql`k.repository_id = ${repositoryId}`,
    severities.length === 0 ? sql`true` : sql`k.severity = ANY(${severities})`,
    like === null
      ? sql`true`
      : sql`(k.finding ILIKE ${like} OR k.package ILIKE ${like} OR k.title ILIKE ${like} OR r.name ILIKE ${like})`,
    after === undefined ? sql`true` : sql`(${DUE}, k.id) > (${after[0]}, ${after[1]})`,
  ];
  const { rows } = await sql<Risk>`SELECT ${columns(now)} FROM ${FROM} WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${DUE}, k.id LIMIT ${limit}`.execute(db);
  return rows;
}

/** The sort keys of a risk, for the next page. */
export function riskKey({ due, id }: Risk): readonly [number, number] {
  return [due === null ? 4e9 : Date.parse(due) / 1_000, id];
}

export interface RiskEvent {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly detail: string;
}

export async function getRisk(
  db: TenantQueries,
  id: number,
  sight: Sight,
  now: Date,
): Promise<(Risk & { readonly history: readonly RiskEvent[] }) | undefined> {
  const { rows } = await sql<Risk>`SELECT ${columns(now)} FROM ${FROM} WHERE k.id = ${id} AND ${seenBy(sight)}`.execute(
    db,
  );
  const [risk] = rows;
  if (risk === undefined) return undefined;
  const history = await sql<RiskEvent>`
    SELECT to_json(at)#>>'{}' AS at, actor, action, detail FROM risk_event WHERE risk_id = ${id} ORDER BY id`.execute(
    db,
  );
  return { ...risk, history: history.rows };
}

/** A step that a person takes. None of them closes a risk: a scan does that. */
export type RiskStep =
  | { readonly action: "assign"; readonly assigneeId: number }
  | { readonly action: "start" }
  | { readonly action: "ask"; readonly reason: string; readonly until: string; readonly accountId: number }
  | { readonly action: "approve"; readonly accountId: number }
  | { readonly action: "refuse" }
  | { readonly action: "comment"; readonly text: string };

/** Which states a step may be taken in. */
const POSSIBLE: Readonly<Record<RiskStep["action"], readonly RiskState[]>> = {
  assign: ["open", "assigned", "fixing", "reopened"],
  start: ["open", "assigned", "reopened"],
  ask: ["open", "assigned", "fixing", "reopened"],
  approve: ["open", "assigned", "fixing", "reopened"],
  refuse: ["open", "assigned", "fixing", "reopened"],
  comment: ["open", "assigned", "fixing", "fixed", "reopened", "accepted"],
};

/**
 * Takes a step with a risk, and writes it into its history.
 *
 * @returns false when its state does not allow the step, or who asked for an acceptance would approve it
 */
export async function stepRisk(
  db: TenantQueries,
  id: number,
  step: RiskStep,
  by: { readonly name: string; readonly now: Date },
): Promise<boolean> {
  const changed = await sql`
    UPDATE risk SET ${changesOf(step)} WHERE id = ${id} AND state = ANY(${POSSIBLE[step.action]}) AND ${requires(step)}`.execute(
    db,
  );
  if (changed.numAffectedRows !== 1n) return false;
  await sql`
    INSERT INTO risk_event (tenant_id, risk_id, at, actor, action, detail)
    VALUES (current_tenant(), ${id}, ${by.now}, ${by.name}, ${step.action}, ${detailOf(step)})`.execute(db);
  const event = NOTICES[step.action];
  if (event !== undefined) await giveNotice(db, event, { risks: [id] }, by.now);
  return true;
}

/** Steps that others want to hear of. */
const NOTICES: Readonly<Partial<Record<RiskStep["action"], NoticeEvent>>> = {
  ask: "risk.acceptance-asked",
  approve: "risk.acceptance-decided",
  refuse: "risk.acceptance-decided",
};

function changesOf(step: RiskStep): RawBuilder<unknown> {
  if (step.action === "assign") {
    return sql`assignee_id = ${step.assigneeId}, state = CASE WHEN state IN ('open', 'reopened') THEN 'assigned' ELSE state END`;
  }
  if (step.action === "start") return sql`state = 'fixing'`;
  if (step.action === "ask") {
    return sql`asked_by = ${step.accountId}, accept_reason = ${step.reason}, accept_until = ${step.until}, approved_by = NULL`;
  }
  if (step.action === "approve") return sql`approved_by = ${step.accountId}, state = 'accepted'`;
  if (step.action === "refuse") return sql`asked_by = NULL, accept_reason = '', accept_until = NULL`;
  return sql`images = images`;
}

/** Nobody approves what they asked for themselves. */
function requires(step: RiskStep): RawBuilder<unknown> {
  if (step.action === "approve")
    return sql`asked_by IS NOT NULL AND approved_by IS NULL AND asked_by <> ${step.accountId}`;
  if (step.action === "refuse") return sql`asked_by IS NOT NULL AND approved_by IS NULL`;
  return sql`true`;
}

function detailOf(step: RiskStep): string {
  if (step.action === "ask") return `${step.reason} (until ${step.until})`;
  return step.action === "comment" ? step.text : "";
}

export interface RiskMeasures {
  /** Of the risks that are over, those that were fixed before an image with them was released. */
  readonly beforeRelease: { readonly fixed: number; readonly total: number; readonly rate: number | null };
  readonly byOwner: readonly {
    readonly owner: string;
    readonly open: number;
    readonly overdue: number;
    readonly fixed: number;
    readonly meanDays: number | null;
  }[];
  readonly byAge: readonly { readonly days: string; readonly open: number }[];
  readonly meanDaysToFix: number | null;
  readonly reopened: number;
}

/** How well risks are closed. */
export async function measureRisks(db: TenantQueries, now: Date): Promise<RiskMeasures> {
  const total = await sql<{ fixed: number; total: number; days: number | null; reopened: number }>`
    SELECT count(*) FILTER (WHERE state = 'fixed' AND released_at IS NULL) AS fixed,
      count(*) FILTER (WHERE state = 'fixed' OR released_at IS NOT NULL) AS total,
      avg(extract(epoch FROM fixed_at - first_seen) / 86400)::double precision AS days, coalesce(sum(reopened), 0) AS reopened FROM risk`.execute(
    db,
  );
  const owners = await sql<RiskMeasures["byOwner"][number]>`
    SELECT coalesce(o.name, '') AS owner, count(*) FILTER (WHERE k.state NOT IN ('fixed', 'accepted')) AS open,
      count(*) FILTER (WHERE k.due_at < ${now} AND k.state NOT IN ('fixed', 'accepted')) AS overdue,
      count(*) FILTER (WHERE k.state = 'fixed') AS fixed,
      avg(extract(epoch FROM k.fixed_at - k.first_seen) / 86400)::double precision AS "meanDays"
    FROM ${FROM} GROUP BY 1 ORDER BY open DESC, owner LIMIT 100`.execute(db);
  const ages = await sql<RiskMeasures["byAge"][number]>`
    SELECT days, count(*) AS open FROM (
      SELECT CASE WHEN age < 7 THEN '0-6' WHEN age < 30 THEN '7-29' WHEN age < 90 THEN '30-89' ELSE '90+' END AS days
      FROM (SELECT extract(epoch FROM ${now}::timestamptz - first_seen) / 86400 AS age FROM risk WHERE state NOT IN ('fixed', 'accepted')) aged) banded
    GROUP BY 1 ORDER BY min(array_position(ARRAY['0-6', '7-29', '30-89', '90+'], days))`.execute(db);
  const { fixed = 0, total: all = 0, days = null, reopened = 0 } = total.rows[0] ?? {};
  return {
    beforeRelease: { fixed, total: all, rate: all === 0 ? null : fixed / all },
    byOwner: owners.rows,
    byAge: ages.rows,
    meanDaysToFix: days,
    reopened,
  };
}
