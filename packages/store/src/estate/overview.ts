import { sql } from "kysely";
import { type ImageItem, imageItems } from "../images/image-items.ts";
import { isVisible, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

export interface EstateOverview {
  readonly identify: {
    readonly registries: number;
    readonly repositories: number;
    readonly images: number;
    readonly scanned: number;
    readonly failed: number;
    readonly layers: number;
    readonly packages: number;
    readonly hosts: number;
    readonly unowned: number;
  };
  readonly protect: {
    readonly critical: number;
    readonly high: number;
    readonly medium: number;
    readonly low: number;
    readonly exploited: number;
    readonly fixable: number;
    readonly secrets: number;
    readonly malware: number;
    readonly misconfigurations: number;
    readonly inBases: number;
    readonly topImages: readonly ImageItem[];
  };
  readonly respond: {
    readonly open: number;
    readonly overdue: number;
    readonly cases: number;
    readonly byState: Readonly<Record<string, number>>;
  };
  readonly recover: { readonly fixed30Days: number; readonly reopened: number; readonly meanDaysToFix: number | null };
  readonly trend: readonly {
    readonly day: string;
    readonly images: number;
    readonly critical: number;
    readonly high: number;
    readonly openRisks: number;
  }[];
}

const TOP_IMAGES = 8;
const TREND_DAYS = 90;

/** What the first page shows. */
export async function estateOverview(db: TenantQueries, sight: Sight, now: Date): Promise<EstateOverview> {
  const counts = await sql<Omit<EstateOverview["identify"], never> & Omit<EstateOverview["protect"], "topImages">>`
    SELECT count(*) AS images, count(*) FILTER (WHERE i.state = 'scanned') AS scanned, count(*) FILTER (WHERE i.state = 'failed') AS failed,
      count(*) FILTER (WHERE i.owner_id IS NULL AND i.id NOT IN (SELECT l.image_id FROM image_location l
        JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
        WHERE l.gone_at IS NULL AND coalesce(r.owner_id, g.owner_id) IS NOT NULL)) AS unowned,
      coalesce(sum(critical), 0) AS critical, coalesce(sum(high), 0) AS high, coalesce(sum(medium), 0) AS medium,
      coalesce(sum(low), 0) AS low, coalesce(sum(exploited), 0) AS exploited, coalesce(sum(fixable), 0) AS fixable,
      coalesce(sum(secrets), 0) AS secrets, coalesce(sum(malware), 0) AS malware,
      coalesce(sum(misconfigurations), 0) AS misconfigurations, coalesce(sum(base_critical + base_high), 0) AS "inBases",
      (SELECT count(*) FROM registry WHERE kind <> 'local') AS registries,
      (SELECT count(*) FROM registry WHERE kind = 'local') AS hosts,
      (SELECT count(*) FROM repository WHERE gone_at IS NULL) AS repositories,
      (SELECT count(*) FROM layer) AS layers, (SELECT count(*) FROM package_version) AS packages
    FROM image i WHERE i.state <> 'gone' AND ${isVisible(sight)}`.execute(db);
  const row = counts.rows[0];
  if (row === undefined) throw new Error("a count without a row");
  const { registries, repositories, images, scanned, failed, layers, packages, hosts, unowned, ...protect } = row;
  const top = await sql<{ id: number }>`
    SELECT i.id FROM image i WHERE i.state <> 'gone' AND ${isVisible(sight)} ORDER BY i.risk DESC, i.id DESC LIMIT ${TOP_IMAGES}`.execute(
    db,
  );
  return {
    identify: { registries, repositories, images, scanned, failed, layers, packages, hosts, unowned },
    protect: {
      ...protect,
      topImages: await imageItems(
        db,
        top.rows.map(({ id }) => id),
      ),
    },
    ...(await workOf(db, now)),
    trend: await trendOf(db),
  };
}

async function workOf(db: TenantQueries, now: Date): Promise<Pick<EstateOverview, "respond" | "recover">> {
  const { rows } = await sql<{
    state: string;
    risks: number;
    overdue: number;
    recent: number;
    reopened: number;
    days: number | null;
  }>`
    SELECT state, count(*) AS risks, count(*) FILTER (WHERE due_at < ${now} AND state NOT IN ('fixed', 'accepted')) AS overdue,
      count(*) FILTER (WHERE fixed_at > ${now}::timestamptz - interval '30 days') AS recent,
      count(*) FILTER (WHERE state = 'reopened') AS reopened,
      avg(extract(epoch FROM fixed_at - first_seen) / 86400)::double precision AS days
    FROM risk GROUP BY state`.execute(db);
  const cases = await sql<{ open: number }>`SELECT count(*) AS open FROM incident_case WHERE closed_at IS NULL`.execute(
    db,
  );
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, each) => total + of(each), 0);
  const isOpen = ({ state }: { state: string }) => state !== "fixed" && state !== "accepted";
  return {
    respond: {
      open: rows.filter(isOpen).reduce((total, { risks }) => total + risks, 0),
      overdue: sum(({ overdue }) => overdue),
      cases: cases.rows[0]?.open ?? 0,
      byState: Object.fromEntries(rows.map(({ state, risks }) => [state, risks])),
    },
    recover: {
      fixed30Days: sum(({ recent }) => recent),
      reopened: sum(({ reopened }) => reopened),
      meanDaysToFix: rows.find(({ state }) => state === "fixed")?.days ?? null,
    },
  };
}

async function trendOf(db: TenantQueries): Promise<EstateOverview["trend"]> {
  const { rows } = await sql<EstateOverview["trend"][number]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day, images, critical, high, open_risks AS "openRisks" FROM estate_day
    ORDER BY day DESC LIMIT ${TREND_DAYS}`.execute(db);
  return rows.toReversed();
}
