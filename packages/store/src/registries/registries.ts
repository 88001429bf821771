import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export type RegistryKind = "oci" | "docker" | "harbor" | "local";

/** How a registry is read; what is left out takes its default. */
export interface RegistrySettings {
  readonly username?: string;
  readonly caPem?: string;
  readonly plainHttp?: boolean;
  /** The address may lie in a private network or on this machine. */
  readonly allowPrivate?: boolean;
  /** Globs of repositories; empty: all. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** 0: only webhooks and requests start a synchronisation. */
  readonly pollMinutes?: number;
  /** Silence that counts as the end of a connection. */
  readonly timeoutSeconds?: number;
  /** Images scanned in a minute at most. */
  readonly imagesPerMinute?: number;
}

export interface Registry {
  readonly id: number;
  readonly name: string;
  readonly kind: RegistryKind;
  readonly address: string;
  readonly settings: RegistrySettings;
  readonly hasSecret: boolean;
  readonly state: "new" | "ok" | "syncing" | "failed";
  readonly problem: string;
  readonly syncedAt: string | null;
  /** When it was last begun to synchronise, whatever came of it. */
  readonly triedAt: string | null;
  readonly hasWebhook: boolean;
  readonly createdAt: string;
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly grade: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly repositories: number;
  readonly images: number;
}

const COLUMNS = sql`g.id, g.name, g.kind, g.address, g.settings, g.secret IS NOT NULL AS "hasSecret", g.state, g.problem,
  to_json(g.synced_at)#>>'{}' AS "syncedAt", to_json(g.tried_at)#>>'{}' AS "triedAt",
  g.webhook_hash IS NOT NULL AS "hasWebhook", to_json(g.created_at)#>>'{}' AS "createdAt", g.grade, g.labels,
  CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
  (SELECT count(*) FROM repository r WHERE r.registry_id = g.id AND r.gone_at IS NULL) AS repositories,
  (SELECT count(DISTINCT l.image_id) FROM repository r JOIN image_location l ON l.repository_id = r.id
    WHERE r.registry_id = g.id AND l.gone_at IS NULL) AS images`;

export async function listRegistries(db: TenantQueries): Promise<readonly Registry[]> {
  const { rows } = await sql<Registry>`
    SELECT ${COLUMNS} FROM registry g LEFT JOIN owner o ON o.id = g.owner_id ORDER BY g.name`.execute(db);
  return rows;
}

export async function getRegistry(db: TenantQueries, id: number): Promise<Registry | undefined> {
  const { rows } = await sql<Registry>`
    SELECT ${COLUMNS} FROM registry g LEFT JOIN owner o ON o.id = g.owner_id WHERE g.id = ${id}`.execute(db);
  return rows[0];
}

export interface NewRegistry {
  readonly name: string;
  readonly kind: RegistryKind;
  readonly address: string;
  readonly settings: RegistrySettings;
}

/** @returns its id; undefined when the name is taken */
export async function addRegistry(db: TenantQueries, registry: NewRegistry): Promise<number | undefined> {
  const { name, kind, address, settings } = registry;
  const { rows } = await sql<{ id: number }>`
    INSERT INTO registry (tenant_id, name, kind, address, settings)
    VALUES (current_tenant(), ${name}, ${kind}, ${address}, ${JSON.stringify(settings)}::jsonb)
    ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id`.execute(db);
  return rows[0]?.id;
}

export interface RegistryChange {
  readonly name?: string;
  readonly address?: string;
  readonly settings?: RegistrySettings;
  /** Sealed credentials; null takes them away. */
  readonly secret?: Buffer | null;
}

export async function changeRegistry(db: TenantQueries, id: number, change: RegistryChange): Promise<void> {
  const { settings, ...rest } = change;
  const values = { ...rest, ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }) };
  if (Object.keys(values).length > 0) await db.updateTable("registry").set(values).where("id", "=", id).execute();
}

/** What a registry's password is sealed as; undefined for none. */
export async function registrySecret(db: TenantQueries, id: number): Promise<Buffer | undefined> {
  const row = await db.selectFrom("registry").select("secret").where("id", "=", id).executeTakeFirst();
  return row?.secret ?? undefined;
}

export async function setRegistryState(
  db: TenantQueries,
  id: number,
  state: {
    readonly state: Registry["state"];
    readonly problem?: string;
    readonly syncedAt?: Date;
    readonly triedAt?: Date;
  },
): Promise<void> {
  const { syncedAt, triedAt, problem = "" } = state;
  const values = {
    state: state.state,
    problem,
    ...(syncedAt === undefined ? {} : { synced_at: syncedAt }),
    ...(triedAt === undefined ? {} : { tried_at: triedAt }),
  };
  await db.updateTable("registry").set(values).where("id", "=", id).execute();
}

/**
 * The job of a synchronisation that did not end yet: of the whole registry, or of one repository.
 *
 * @param states `["waiting"]` leaves out what runs already, and may have looked before what is asked for now was there
 */
export async function pendingSync(
  db: TenantQueries,
  registry: number,
  repository: string | undefined,
  states: readonly ("waiting" | "parked" | "running")[],
): Promise<number | undefined> {
  const { rows } = await sql<{ job: number }>`
    SELECT job_id AS job FROM task
    WHERE kind = 'sync-registry' AND payload->>'registry' = ${String(registry)}
      AND coalesce(payload->>'repository', '') = ${repository ?? ""} AND state IN ('waiting', 'parked', 'running')
      AND state = ANY(${states}::text[]) ORDER BY id LIMIT 1`.execute(db);
  return rows[0]?.job;
}

/** Forgets a registry, its repositories and where images lie in it; the images that lie nowhere else are gone. */
export async function removeRegistry(db: TenantQueries, id: number, now: Date): Promise<void> {
  await db.deleteFrom("registry").where("id", "=", id).execute();
  await retireImages(db, now);
}

/** Marks images that lie nowhere any more; of these alone where some are named. */
export async function retireImages(db: TenantQueries, now: Date, among?: readonly number[]): Promise<void> {
  await sql`
    UPDATE image i SET state = 'gone', gone_at = ${now}
    WHERE i.state <> 'gone' AND ${among === undefined ? sql`true` : sql`i.id = ANY(${among}::bigint[])`}
      AND NOT EXISTS (SELECT FROM image_location l WHERE l.image_id = i.id AND l.gone_at IS NULL)`.execute(db);
}
