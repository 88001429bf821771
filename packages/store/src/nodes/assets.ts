import { type RawBuilder, sql } from "kysely";
import { containing } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** A container, with the image that it was made of and what is known against it. */
export interface Container {
  readonly id: number;
  readonly runtimeId: string;
  readonly nodeId: number;
  readonly hostname: string;
  readonly name: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly imageId: number | null;
  readonly runtime: string;
  readonly namespace: string;
  readonly pod: string;
  readonly privileged: boolean;
  readonly state: string;
  readonly startedAt: string | null;
  readonly stoppedAt: string | null;
  readonly seenAt: string;
  readonly openAlerts: number;
  /** Critical and high findings of its image; null while the image was not scanned. */
  readonly critical: number | null;
  readonly high: number | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface ContainerFilter {
  readonly nodeId?: number | undefined;
  readonly text?: string | undefined;
  readonly running?: boolean | undefined;
  readonly privileged?: boolean | undefined;
  readonly image?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

const CONTAINER = sql`c.id, c.runtime_id AS "runtimeId", c.node_id AS "nodeId", n.hostname, c.name, c.image,
  c.image_digest AS "imageDigest", i.id AS "imageId", c.runtime, c.namespace, c.pod, c.privileged, c.state,
  to_json(c.started_at)#>>'{}' AS "startedAt", to_json(c.stopped_at)#>>'{}' AS "stoppedAt",
  to_json(c.seen_at)#>>'{}' AS "seenAt", i.critical, i.high, c.facts,
  (SELECT count(*)::int FROM alert a WHERE a.tenant_id = c.tenant_id AND a.container = c.runtime_id
    AND a.state IN ('open', 'acknowledged')) AS "openAlerts"`;

const FROM = sql`FROM container c JOIN node n ON n.id = c.node_id
  LEFT JOIN LATERAL (SELECT id, critical, high FROM image WHERE digest = c.image_digest AND c.image_digest <> '' LIMIT 1) i
    ON true`;

/** Containers, the newest first. */
export async function listContainers(db: TenantQueries, filter: ContainerFilter): Promise<readonly Container[]> {
  const found: RawBuilder<unknown>[] = [sql`true`];
  if (filter.nodeId !== undefined) found.push(sql`c.node_id = ${filter.nodeId}`);
  if (filter.running !== undefined)
    found.push(filter.running ? sql`c.stopped_at IS NULL` : sql`c.stopped_at IS NOT NULL`);
  if (filter.privileged !== undefined) found.push(sql`c.privileged = ${filter.privileged}`);
  if (filter.image !== undefined) found.push(sql`i.id = ${filter.image}`);
  if (filter.before !== undefined) found.push(sql`c.id < ${filter.before}`);
  if (filter.text !== undefined && filter.text !== "") {
    const like = containing(filter.text);
    found.push(
      sql`(c.name ILIKE ${like} OR c.image ILIKE ${like} OR c.pod ILIKE ${like} OR c.runtime_id ILIKE ${like})`,
    );
  }
  const { rows } = await sql<Container>`
    SELECT ${CONTAINER} ${FROM} WHERE ${sql.join(found, sql` AND `)} ORDER BY c.id DESC LIMIT ${filter.limit}`.execute(
    db,
  );
  return rows;
}

export async function getContainer(db: TenantQueries, id: number): Promise<Container | undefined> {
  const { rows } = await sql<Container>`SELECT ${CONTAINER} ${FROM} WHERE c.id = ${id}`.execute(db);
  return rows[0];
}

/** Container by its place; undefined for one that was never told of. */
export async function findContainer(
  db: TenantQueries,
  nodeId: number,
  runtimeId: string,
): Promise<Container | undefined> {
  const { rows } = await sql<Container>`
    SELECT ${CONTAINER} ${FROM} WHERE c.node_id = ${nodeId} AND c.runtime_id = ${runtimeId}`.execute(db);
  return rows[0];
}

/** A program that runs somewhere. */
export interface Program {
  readonly id: number;
  readonly nodeId: number;
  readonly hostname: string;
  readonly container: string;
  readonly containerName: string;
  readonly exe: string;
  readonly name: string;
  readonly userName: string;
  readonly arguments: string;
  readonly processes: number;
}

/** A port that something listens on. */
export interface Listener {
  readonly id: number;
  readonly nodeId: number;
  readonly hostname: string;
  readonly container: string;
  readonly containerName: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly exe: string;
  readonly name: string;
  readonly kind: "web" | "database" | "other";
  readonly product: string;
  readonly exposed: boolean;
}

export interface PlaceFilter {
  readonly nodeId?: number | undefined;
  readonly container?: string | undefined;
  readonly kind?: string | undefined;
  readonly text?: string | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

const NAMES = sql`JOIN node n ON n.id = x.node_id
  LEFT JOIN container c ON c.node_id = x.node_id AND c.runtime_id = x.container`;

export async function listPrograms(db: TenantQueries, filter: PlaceFilter): Promise<readonly Program[]> {
  const { rows } = await sql<Program>`
    SELECT x.id, x.node_id AS "nodeId", n.hostname, x.container, coalesce(c.name, '') AS "containerName", x.exe, x.name,
      x.user_name AS "userName", x.arguments, x.processes
    FROM program x ${NAMES} WHERE ${placed(filter)} ORDER BY x.id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

export async function listListeners(db: TenantQueries, filter: PlaceFilter): Promise<readonly Listener[]> {
  const kind = filter.kind === undefined ? sql`true` : sql`x.kind = ${filter.kind}`;
  const { rows } = await sql<Listener>`
    SELECT x.id, x.node_id AS "nodeId", n.hostname, x.container, coalesce(c.name, '') AS "containerName", x.protocol, x.address,
      x.port, x.exe, x.name, x.kind, x.product, x.exposed
    FROM listener x ${NAMES} WHERE ${placed(filter)} AND ${kind} ORDER BY x.id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

function placed(filter: PlaceFilter): RawBuilder<unknown> {
  const found: RawBuilder<unknown>[] = [sql`x.id > ${filter.after ?? 0}`];
  if (filter.nodeId !== undefined) found.push(sql`x.node_id = ${filter.nodeId}`);
  if (filter.container !== undefined) found.push(sql`x.container = ${filter.container}`);
  if (filter.text !== undefined && filter.text !== "") {
    const like = containing(filter.text);
    found.push(sql`(x.name ILIKE ${like} OR x.exe ILIKE ${like} OR c.name ILIKE ${like})`);
  }
  return sql.join(found, sql` AND `);
}

/** How many there are of each kind of asset. */
export async function countAssets(db: TenantQueries): Promise<Readonly<Record<string, number>>> {
  const { rows } = await sql<Record<string, number>>`
    SELECT (SELECT count(*)::int FROM node WHERE removed_at IS NULL) AS nodes,
      (SELECT count(*)::int FROM node WHERE removed_at IS NULL AND connected_at IS NOT NULL) AS "connectedNodes",
      (SELECT count(*)::int FROM container WHERE stopped_at IS NULL) AS containers,
      (SELECT count(*)::int FROM container WHERE stopped_at IS NULL AND privileged) AS "privilegedContainers",
      (SELECT count(*)::int FROM container WHERE stopped_at IS NULL AND namespace = '' AND pod = '') AS "selfBuiltContainers",
      (SELECT count(*)::int FROM container c WHERE stopped_at IS NULL AND NOT EXISTS
        (SELECT FROM image i WHERE i.digest = c.image_digest AND i.state = 'scanned')) AS "unscannedContainers",
      (SELECT count(*)::int FROM program) AS programs, (SELECT coalesce(sum(processes), 0)::int FROM program) AS processes,
      (SELECT count(*)::int FROM listener) AS ports, (SELECT count(*)::int FROM listener WHERE exposed) AS "exposedPorts",
      (SELECT count(*)::int FROM listener WHERE kind = 'web') AS "webServices",
      (SELECT count(*)::int FROM listener WHERE kind = 'database') AS databases,
      (SELECT count(*)::int FROM registry WHERE kind <> 'local') AS registries,
      (SELECT count(*)::int FROM image WHERE state <> 'gone') AS images`.execute(db);
  return rows[0] ?? {};
}
