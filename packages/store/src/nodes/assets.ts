import { type RawBuilder, sql } from "kysely";
import { containing } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";
import type { Exposure } from "./inventory.ts";

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
  /** Ports by which others than the node reach it. */
  readonly exposure: readonly Exposure[];
  /** No connected registry has its image. */
  readonly selfBuilt: boolean;
  /** Who answers for it, and by what that is known: `detail` names the label, repository, registry or node. */
  readonly owner: {
    readonly name: string;
    readonly from: "label" | "image" | "repository" | "registry" | "node";
    readonly detail: string;
  } | null;
}

export interface ContainerFilter {
  readonly nodeId?: number | undefined;
  readonly text?: string | undefined;
  readonly running?: boolean | undefined;
  readonly privileged?: boolean | undefined;
  readonly exposed?: boolean | undefined;
  readonly selfBuilt?: boolean | undefined;
  readonly image?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Of a registry that was connected; images of machines are kept under one that was not. */
const SELF_BUILT = sql`(NOT EXISTS (SELECT FROM image m JOIN image_location l ON l.image_id = m.id
    JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
    WHERE m.digest = c.image_digest AND c.image_digest <> '' AND g.kind <> 'local')
  AND NOT EXISTS (SELECT FROM registry g WHERE g.kind <> 'local'
    AND split_part(c.image, '/', 1) = regexp_replace(g.address, '^https?://|/.*$', '', 'g')))`;

/** Labels that name whoever answers for a container, such as `owner` or `example.com/team`. */
const OWNER_LABEL = "(^|/)(owner|team)$";
/** Labels that name who made the image (OCI image specification, "Annotations"): told where nothing better is known. */
const AUTHOR_LABELS = ["org.opencontainers.image.authors", "maintainer"];

const OWNER = sql`coalesce(
  (SELECT jsonb_build_object('name', l.value, 'from', 'label', 'detail', l.key) FROM jsonb_each_text(c.facts->'labels') l
    WHERE l.key ~* ${OWNER_LABEL} AND l.value <> '' ORDER BY length(l.key), l.key LIMIT 1),
  (SELECT jsonb_build_object('name', o.name, 'from', CASE WHEN m.owner_id IS NOT NULL THEN 'image'
      WHEN r.owner_id IS NOT NULL THEN 'repository' ELSE 'registry' END,
      'detail', CASE WHEN coalesce(m.owner_id, r.owner_id) IS NULL THEN g.name ELSE r.name END)
    FROM image_location l JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
    JOIN image m ON m.id = l.image_id JOIN owner o ON o.id = coalesce(m.owner_id, r.owner_id, g.owner_id)
    WHERE l.image_id = i.id ORDER BY r.id LIMIT 1),
  (SELECT jsonb_build_object('name', o.name, 'from', 'node', 'detail', n.hostname) FROM owner o WHERE o.id = n.owner_id),
  (SELECT jsonb_build_object('name', l.value, 'from', 'label', 'detail', l.key)
    FROM jsonb_each_text(coalesce(i.image_labels, '{}') || coalesce(c.facts->'labels', '{}')) l
    WHERE l.key = ANY(${AUTHOR_LABELS}::text[]) AND l.value <> '' ORDER BY l.key DESC LIMIT 1))`;

const CONTAINER = sql`c.exposure, ${SELF_BUILT} AS "selfBuilt", ${OWNER} AS owner, c.id, c.runtime_id AS "runtimeId", c.node_id AS "nodeId", n.hostname, c.name, c.image,
  c.image_digest AS "imageDigest", i.id AS "imageId", c.runtime, c.namespace, c.pod, c.privileged, c.state,
  to_json(c.started_at)#>>'{}' AS "startedAt", to_json(c.stopped_at)#>>'{}' AS "stoppedAt",
  to_json(c.seen_at)#>>'{}' AS "seenAt", i.critical, i.high, c.facts,
  (SELECT count(*)::int FROM alert a WHERE a.tenant_id = c.tenant_id AND a.container = c.runtime_id
    AND a.state IN ('open', 'acknowledged')) AS "openAlerts"`;

const FROM = sql`FROM container c JOIN node n ON n.id = c.node_id
  LEFT JOIN LATERAL (SELECT id, critical, high, image_labels FROM image WHERE digest = c.image_digest AND c.image_digest <> '' LIMIT 1) i
    ON true`;

const EXPOSED = sql`(c.exposure <> '[]'::jsonb)`;

/** Containers, the newest first. */
export async function listContainers(db: TenantQueries, filter: ContainerFilter): Promise<readonly Container[]> {
  const found: RawBuilder<unknown>[] = [sql`true`];
  if (filter.nodeId !== undefined) found.push(sql`c.node_id = ${filter.nodeId}`);
  if (filter.running !== undefined)
    found.push(filter.running ? sql`c.stopped_at IS NULL` : sql`c.stopped_at IS NOT NULL`);
  if (filter.privileged !== undefined) found.push(sql`c.privileged = ${filter.privileged}`);
  if (filter.exposed !== undefined) found.push(filter.exposed ? EXPOSED : sql`NOT ${EXPOSED}`);
  if (filter.selfBuilt !== undefined) found.push(filter.selfBuilt ? SELF_BUILT : sql`NOT ${SELF_BUILT}`);
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

/** A running container that rules may treat otherwise, by its runtime id. */
export interface MarkedContainer {
  readonly nodeId: number;
  readonly id: string;
  readonly exposed: boolean;
  readonly selfBuilt: boolean;
}

/** Of some nodes the running containers that others can reach, or that nobody's registry has the image of. */
export async function markedContainers(
  db: TenantQueries,
  nodeIds: readonly number[],
): Promise<readonly MarkedContainer[]> {
  const { rows } = await sql<MarkedContainer>`
    SELECT * FROM (SELECT c.node_id AS "nodeId", c.runtime_id AS id, ${EXPOSED} AS exposed, ${SELF_BUILT} AS "selfBuilt"
      FROM container c WHERE c.node_id = ANY(${nodeIds}::bigint[]) AND c.stopped_at IS NULL) k
    WHERE exposed OR "selfBuilt"`.execute(db);
  return rows;
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

/** How many there are of each kind of asset. Of containers each image is looked at once, however many of them run. */
export async function countAssets(db: TenantQueries): Promise<Readonly<Record<string, number>>> {
  const { rows } = await sql<Record<string, number>>`
    WITH kinds AS MATERIALIZED (
      SELECT c.image, c.image_digest, count(*) AS containers, count(*) FILTER (WHERE c.privileged) AS privileged,
        count(*) FILTER (WHERE ${EXPOSED}) AS exposed FROM container c WHERE c.stopped_at IS NULL GROUP BY 1, 2)
    SELECT (SELECT count(*)::int FROM node WHERE removed_at IS NULL) AS nodes,
      (SELECT count(*)::int FROM node WHERE removed_at IS NULL AND connected_at IS NOT NULL) AS "connectedNodes",
      (SELECT coalesce(sum(containers), 0)::int FROM kinds) AS containers,
      (SELECT coalesce(sum(privileged), 0)::int FROM kinds) AS "privilegedContainers",
      (SELECT coalesce(sum(containers), 0)::int FROM kinds c WHERE ${SELF_BUILT}) AS "selfBuiltContainers",
      (SELECT coalesce(sum(exposed), 0)::int FROM kinds) AS "exposedContainers",
      (SELECT coalesce(sum(containers), 0)::int FROM kinds c WHERE NOT EXISTS
        (SELECT FROM image i WHERE i.digest = c.image_digest AND i.state = 'scanned')) AS "unscannedContainers",
      (SELECT count(*)::int FROM program) AS programs, (SELECT coalesce(sum(processes), 0)::int FROM program) AS processes,
      (SELECT count(*)::int FROM listener) AS ports, (SELECT count(*)::int FROM listener WHERE exposed) AS "exposedPorts",
      (SELECT count(*)::int FROM listener WHERE kind = 'web') AS "webServices",
      (SELECT count(*)::int FROM listener WHERE kind = 'database') AS databases,
      (SELECT count(*)::int FROM registry WHERE kind <> 'local') AS registries,
      (SELECT count(*)::int FROM image WHERE state <> 'gone') AS images`.execute(db);
  return rows[0] ?? {};
}
