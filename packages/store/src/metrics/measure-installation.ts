import { type RawBuilder, sql } from "kysely";
import type { Store, TenantQueries } from "../open-store.ts";
import { listTenants } from "../tenants/tenants.ts";

/** More than one installation serves. */
const MAX_TENANTS = 10_000;

/** How many there are of something; `kind` is empty where only the state tells them apart. */
export interface Count {
  readonly kind: string;
  readonly state: string;
  readonly count: number;
}

/** Figures over all tenants of an installation. */
export interface InstallationMeasures {
  /** By kind and state; tasks that are done or cancelled are not counted. */
  readonly tasks: readonly Count[];
  readonly images: readonly Count[];
  /** By severity in place of a state; those that are neither fixed nor accepted. */
  readonly risks: readonly Count[];
  /** Deliveries by state, and as `noticed` what was not routed yet. */
  readonly notifications: readonly Count[];
}

const QUERIES: Readonly<Record<keyof InstallationMeasures, RawBuilder<Count>>> = {
  tasks: sql`SELECT kind, state, count(*) AS count FROM task WHERE state IN ('waiting', 'parked', 'running') GROUP BY 1, 2
    UNION ALL SELECT kind, state, count(*) FROM task WHERE state = 'failed' GROUP BY 1, 2`,
  images: sql`SELECT '' AS kind, state, count(*) AS count FROM image GROUP BY 2`,
  risks: sql`SELECT '' AS kind, severity AS state, count(*) AS count FROM risk
    WHERE state IN ('open', 'assigned', 'fixing', 'reopened') GROUP BY 2`,
  notifications: sql`SELECT '' AS kind, 'noticed' AS state, count(*) AS count FROM notice
    UNION ALL SELECT '', state, count(*) FROM delivery GROUP BY 2`,
};

/** Counts what operators watch. Takes tenths of a second on a large estate: do not ask more often than needed. */
export async function measureInstallation(store: Store): Promise<InstallationMeasures> {
  const found = { tasks: new Map(), images: new Map(), risks: new Map(), notifications: new Map() } satisfies Sums;
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(id, (db) => addCounts(db, found));
  }
  const { tasks, images, risks, notifications } = found as Sums;
  return {
    tasks: [...tasks.values()],
    images: [...images.values()],
    risks: [...risks.values()],
    notifications: [...notifications.values()],
  };
}

type Sums = Readonly<Record<keyof InstallationMeasures, Map<string, Count>>>;

async function addCounts(db: TenantQueries, sums: Sums): Promise<void> {
  for (const what of Object.keys(QUERIES) as (keyof InstallationMeasures)[]) {
    for (const row of (await QUERIES[what].execute(db)).rows) {
      const key = `${row.kind} ${row.state}`;
      sums[what].set(key, { ...row, count: row.count + (sums[what].get(key)?.count ?? 0) });
    }
  }
}
