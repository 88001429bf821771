import type { RuntimeContainer } from "@bulwark/model";
import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** A container as its sensor sees it now. */
export interface SeenContainer extends RuntimeContainer {
  readonly state: string;
  readonly arguments: readonly string[];
}

/** Processes of one program in one place. */
export interface SeenProgram {
  readonly container: string;
  readonly exe: string;
  readonly name: string;
  readonly userName: string;
  readonly arguments: string;
  readonly processes: number;
}

/** A port that something listens on. `kind` and `product` say what it is taken for. */
export interface SeenListener {
  readonly container: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly exe: string;
  readonly name: string;
  readonly kind: "web" | "database" | "other";
  readonly product: string;
  readonly exposed: boolean;
}

/** Keeps containers that a node told of; those that are known already are brought up to date. */
export async function recordContainers(
  db: TenantQueries,
  nodeId: number,
  containers: readonly SeenContainer[],
  now: Date,
): Promise<void> {
  if (containers.length === 0) return;
  const rows = containers.map(({ startedUs, ...rest }) => ({ ...rest, started: startedUs / 1_000_000 }));
  await sql`
    INSERT INTO container AS c (tenant_id, node_id, runtime_id, name, image, image_digest, runtime, namespace, pod, privileged,
      state, facts, started_at, first_seen, seen_at)
    SELECT current_tenant(), ${nodeId}, f->>'id', f->>'name', f->>'image', f->>'imageDigest', f->>'runtime', f->>'namespace',
      f->>'pod', (f->>'privileged')::boolean, f->>'state', f,
      CASE WHEN (f->>'started')::float8 > 0 THEN to_timestamp((f->>'started')::float8) END, ${now}, ${now}
    FROM jsonb_array_elements(${jsonText(rows)}::jsonb) AS f
    ON CONFLICT (node_id, runtime_id) DO UPDATE SET name = excluded.name, image = excluded.image,
      image_digest = excluded.image_digest, runtime = excluded.runtime, namespace = excluded.namespace, pod = excluded.pod,
      privileged = excluded.privileged, state = excluded.state, facts = excluded.facts, started_at = excluded.started_at,
      seen_at = excluded.seen_at, stopped_at = NULL`.execute(db);
}

/** Containers that ended, by their runtime ids. */
export async function stopContainers(
  db: TenantQueries,
  nodeId: number,
  runtimeIds: readonly string[],
  now: Date,
): Promise<void> {
  await sql`
    UPDATE container SET state = 'stopped', stopped_at = ${now}
    WHERE node_id = ${nodeId} AND runtime_id = ANY(${runtimeIds}::text[]) AND stopped_at IS NULL`.execute(db);
  await sql`DELETE FROM listener WHERE node_id = ${nodeId} AND container = ANY(${runtimeIds}::text[])`.execute(db);
  await sql`DELETE FROM program WHERE node_id = ${nodeId} AND container = ANY(${runtimeIds}::text[])`.execute(db);
}

/**
 * Forgets containers that ended before a time, so many at most; of each image the one that ended last stays, which tells when it was used.
 *
 * @returns how many are gone: less than `limit` when none is left
 */
export async function dropStoppedContainers(db: TenantQueries, before: Date, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    DELETE FROM container WHERE id IN (
      SELECT k.id FROM container k WHERE k.stopped_at < ${before} AND EXISTS (
        SELECT FROM container o WHERE o.image_digest = k.image_digest AND o.image = k.image
          AND (coalesce(o.stopped_at, 'infinity'), o.id) > (k.stopped_at, k.id))
      LIMIT ${limit})`.execute(db);
  return Number(numAffectedRows);
}

/** After a complete inventory: containers that it did not tell of have ended. */
export async function stopOtherContainers(
  db: TenantQueries,
  nodeId: number,
  running: readonly string[],
  now: Date,
): Promise<void> {
  await sql`
    UPDATE container SET state = 'stopped', stopped_at = ${now}
    WHERE node_id = ${nodeId} AND stopped_at IS NULL AND NOT (runtime_id = ANY(${running}::text[]))`.execute(db);
}

/** Replaces what was known of a node's processes and ports. */
export async function recordPrograms(
  db: TenantQueries,
  nodeId: number,
  programs: readonly SeenProgram[],
  listeners: readonly SeenListener[],
  now: Date,
): Promise<void> {
  await sql`
    INSERT INTO program (tenant_id, node_id, container, exe, name, user_name, arguments, processes, seen_at)
    SELECT current_tenant(), ${nodeId}, f->>'container', f->>'exe', f->>'name', f->>'userName', f->>'arguments',
      (f->>'processes')::int, ${now} FROM jsonb_array_elements(${jsonText(programs)}::jsonb) AS f
    ON CONFLICT (node_id, container, exe, user_name) DO UPDATE SET name = excluded.name, arguments = excluded.arguments,
      processes = excluded.processes, seen_at = excluded.seen_at`.execute(db);
  await sql`
    INSERT INTO listener (tenant_id, node_id, container, protocol, address, port, exe, name, kind, product, exposed, seen_at)
    SELECT current_tenant(), ${nodeId}, f->>'container', f->>'protocol', f->>'address', (f->>'port')::int, f->>'exe',
      f->>'name', f->>'kind', f->>'product', (f->>'exposed')::boolean, ${now}
    FROM jsonb_array_elements(${jsonText(listeners)}::jsonb) AS f
    ON CONFLICT (node_id, container, protocol, address, port) DO UPDATE SET exe = excluded.exe, name = excluded.name,
      kind = excluded.kind, product = excluded.product, exposed = excluded.exposed, seen_at = excluded.seen_at`.execute(
    db,
  );
  await sql`DELETE FROM program WHERE node_id = ${nodeId} AND seen_at < ${now}`.execute(db);
  await sql`DELETE FROM listener WHERE node_id = ${nodeId} AND seen_at < ${now}`.execute(db);
}

/** A port by which others than its node reach a container. */
export interface Exposure {
  /** Its own port in the node's network, one that is forwarded to it, or a port of the node that a pod has. */
  readonly how: "host-network" | "published" | "host-port";
  readonly address: string;
  /** On the node. */
  readonly port: number;
  /** In the container. */
  readonly containerPort: number;
  readonly protocol: string;
}

/** Keeps by which ports a node's containers can be reached; those that are not named cannot. */
export async function recordExposures(
  db: TenantQueries,
  nodeId: number,
  exposures: ReadonlyMap<string, readonly Exposure[]>,
): Promise<void> {
  const rows = [...exposures].map(([id, ports]) => ({ id, ports }));
  await sql`
    UPDATE container c SET exposure = coalesce(f.row->'ports', '[]'::jsonb)
    FROM container o LEFT JOIN jsonb_array_elements(${jsonText(rows)}::jsonb) AS f (row) ON f.row->>'id' = o.runtime_id
    WHERE c.id = o.id AND o.node_id = ${nodeId} AND o.stopped_at IS NULL
      AND c.exposure IS DISTINCT FROM coalesce(f.row->'ports', '[]'::jsonb)`.execute(db);
}
