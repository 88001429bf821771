import { sql } from "kysely";
import { claimKey, releaseKey } from "../accounts/accounts.ts";
import { jsonText } from "../json-text.ts";
import type { Store, TenantQueries } from "../open-store.ts";

/** A Kubernetes cluster that takes part, or was invited to. */
export interface Cluster {
  readonly id: number;
  /** Names it in its certificate. */
  readonly uid: string;
  readonly name: string;
  /** Uid of its namespace kube-system; empty until it joined. */
  readonly kubernetesUid: string;
  readonly version: string;
  readonly agentVersion: string;
  /** Business grade; null for none. */
  readonly grade: string | null;
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly createdAt: string;
  readonly enrolledAt: string | null;
  readonly seenAt: string | null;
  /** `invited` until it joined · `live` · `stale`: what is shown of it may be out of date. */
  readonly state: "invited" | "live" | "stale";
  readonly replicas: readonly ClusterReplica[];
  /** Kinds whose objects were told of whole. */
  readonly synced: readonly string[];
  readonly nodes: number;
  readonly namespaces: number;
  readonly workloads: number;
  readonly pods: number;
  readonly containers: number;
  /** Containers that sensors see on its nodes and that no pod of it has, such as those of a plain `docker run`. */
  readonly plainContainers: number;
  readonly exposed: number;
  readonly attackPaths: number;
  readonly analysedAt: string | null;
  /** Addresses of load balancers before its API server, behind which nobody can tell who speaks. */
  readonly proxies: readonly string[];
}

/** One agent of a cluster whose stream is open. */
export interface ClusterReplica {
  readonly replica: string;
  readonly roles: readonly string[];
  readonly connectedAt: string;
  readonly health: Readonly<Record<string, unknown>> | null;
}

/** A cluster that was not heard of for so long is shown stale. */
export const STALE_AFTER_MS = 90_000;

const count = (table: string, where = "true") =>
  sql`(SELECT count(*)::int FROM ${sql.table(table)} x WHERE x.cluster_id = c.id AND ${sql.raw(where)})`;

const cluster = (now: Date) => sql`c.id, c.uid, c.name, c.kubernetes_uid AS "kubernetesUid", c.version,
  c.agent_version AS "agentVersion", c.grade,
  (SELECT jsonb_build_object('id', o.id, 'name', o.name) FROM owner o WHERE o.id = c.owner_id) AS owner,
  to_json(c.created_at)#>>'{}' AS "createdAt", to_json(c.enrolled_at)#>>'{}' AS "enrolledAt",
  to_json(c.seen_at)#>>'{}' AS "seenAt", c.synced,
  CASE WHEN c.enrolled_at IS NULL THEN 'invited'
    WHEN c.seen_at > ${new Date(now.getTime() - STALE_AFTER_MS)} THEN 'live' ELSE 'stale' END AS state,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('replica', r.replica, 'roles', r.roles, 'connectedAt', to_json(r.connected_at),
    'health', r.health) ORDER BY r.replica), '[]') FROM cluster_replica r WHERE r.cluster_id = c.id) AS replicas,
  ${count("cluster_object", "x.kind = 'Node'")} AS nodes, ${count("cluster_object", "x.kind = 'Namespace'")} AS namespaces,
  ${count("workload")} AS workloads, ${count("pod")} AS pods, ${count("pod_container")} AS containers,
  (SELECT count(*)::int FROM cluster_object o JOIN node n ON n.removed_at IS NULL AND n.facts->>'kubernetesNode' = o.name
    JOIN container x ON x.node_id = n.id AND x.stopped_at IS NULL AND x.pod = ''
    WHERE o.cluster_id = c.id AND o.kind = 'Node' AND NOT EXISTS (SELECT FROM pod_container p WHERE p.runtime_id = x.runtime_id))
    AS "plainContainers",
  ${count("workload", "x.exposure <> '[]'")} AS exposed, ${count("attack_path")} AS "attackPaths",
  to_json(c.analysed_at)#>>'{}' AS "analysedAt", c.proxies`;

/**
 * Invites a cluster.
 *
 * @param invited.tokenHash SHA-256 of the token with which it joins, hexadecimal
 * @returns undefined where another cluster has the name
 */
export async function addCluster(
  db: TenantQueries,
  tenantId: number,
  invited: {
    readonly uid: string;
    readonly name: string;
    readonly grade: string | null;
    readonly ownerId: number | null;
    readonly now: Date;
  },
): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO cluster (tenant_id, uid, name, grade, owner_id, created_at)
    SELECT ${tenantId}::integer, ${invited.uid}::text, ${invited.name}::text, ${invited.grade}::text, ${invited.ownerId}::bigint, ${invited.now}::timestamptz
    WHERE NOT EXISTS (SELECT FROM cluster WHERE removed_at IS NULL AND lower(name) = lower(${invited.name}))
    RETURNING id`.execute(db);
  return rows[0]?.id;
}

/** Gives a cluster a token, in place of the one before. @returns whether there is such a cluster */
export async function setClusterToken(
  db: TenantQueries,
  tenantId: number,
  id: number,
  token: { readonly hash: string; readonly expiresAt: Date },
): Promise<boolean> {
  const { rows } = await sql<{ before: string | null }>`
    UPDATE cluster c SET token_hash = ${token.hash}, token_expires_at = ${token.expiresAt}, token_serial = ''
    FROM (SELECT id, token_hash AS before FROM cluster WHERE id = ${id} FOR UPDATE) old
    WHERE c.id = old.id AND c.removed_at IS NULL RETURNING old.before`.execute(db);
  const [found] = rows;
  if (found === undefined) return false;
  if (found.before !== null) await releaseKey(db, "cluster", found.before);
  await claimKey(db, "cluster", token.hash, tenantId);
  return true;
}

/** Which cluster shows a token, and whether it may join with it. */
export type Joining =
  | { readonly tenantId: number; readonly id: number; readonly uid: string; readonly name: string }
  | "unknown"
  | "other cluster";

/**
 * Which cluster may join with a token. It is used up when the certificate that was given for it is first shown: a cluster that did
 * not get it may ask again. A cluster that was here before may join again with a new token; another may not take its place.
 *
 * @param kubernetesUid of the namespace kube-system of who shows it
 */
export async function findClusterByToken(
  store: Store,
  shown: { readonly hash: string; readonly kubernetesUid: string; readonly now: Date },
): Promise<Joining> {
  const place = await store.system
    .selectFrom("directory")
    .select("tenant_id")
    .where("kind", "=", "cluster")
    .where("key", "=", shown.hash)
    .executeTakeFirst();
  if (place === undefined) return "unknown";
  return store.tenant(place.tenant_id, async (db): Promise<Joining> => {
    const { rows } = await sql<{ id: number; uid: string; name: string; kubernetesUid: string }>`
      SELECT id, uid, name, kubernetes_uid AS "kubernetesUid" FROM cluster
      WHERE token_hash = ${shown.hash} AND token_expires_at > ${shown.now} AND removed_at IS NULL FOR UPDATE`.execute(
      db,
    );
    const [found] = rows;
    if (found === undefined) return "unknown";
    if (found.kubernetesUid !== "" && found.kubernetesUid !== shown.kubernetesUid) return "other cluster";
    return { tenantId: place.tenant_id, id: found.id, uid: found.uid, name: found.name };
  });
}

/** A cluster joined. What its replicas showed before counts until the new certificate is shown. @param joined.serial of its certificate */
export async function enrolCluster(
  db: TenantQueries,
  id: number,
  joined: { readonly kubernetesUid: string; readonly version: string; readonly serial: string; readonly now: Date },
): Promise<void> {
  await sql`UPDATE cluster SET kubernetes_uid = ${joined.kubernetesUid}, version = ${joined.version}, next_serial = ${joined.serial},
    token_serial = ${joined.serial}, enrolled_at = ${joined.now}, seen_at = ${joined.now}, epoch = '', synced = '{}'
    WHERE id = ${id}`.execute(db);
}

/** A new certificate counts beside the old one until it is first shown: the cluster may never have got it. */
export async function certifyCluster(db: TenantQueries, id: number, serial: string): Promise<void> {
  await sql`UPDATE cluster SET next_serial = ${serial} WHERE id = ${id}`.execute(db);
}

/** The cluster of a certificate, if it is still one. Replicas that have not read the new certificate yet still show the old one. */
export async function findCertifiedCluster(
  db: TenantQueries,
  uid: string,
  serial: string,
): Promise<
  { readonly id: number; readonly uid: string; readonly name: string; readonly kubernetesUid: string } | undefined
> {
  const { rows } = await sql<{ id: number; uid: string; name: string; kubernetesUid: string }>`
    SELECT id, uid, name, kubernetes_uid AS "kubernetesUid" FROM cluster
    WHERE uid = ${uid} AND ${serial} IN (certificate_serial, next_serial) AND removed_at IS NULL`.execute(db);
  return rows[0];
}

/** The certificate that was shown last is the one that counts; what was renewed before it is over, and the token it was given for. */
export async function settleCertificate(db: TenantQueries, id: number, serial: string): Promise<void> {
  const { rows } = await sql<{ used: string | null }>`
    UPDATE cluster c SET certificate_serial = ${serial}, next_serial = '', token_serial = '',
      token_hash = CASE WHEN old.used IS NULL THEN c.token_hash END,
      token_expires_at = CASE WHEN old.used IS NULL THEN c.token_expires_at END
    FROM (SELECT id, CASE WHEN token_serial = next_serial THEN token_hash END AS used FROM cluster
      WHERE id = ${id} AND next_serial = ${serial} FOR UPDATE) old
    WHERE c.id = old.id RETURNING old.used`.execute(db);
  const used = rows[0]?.used ?? null;
  if (used !== null) await releaseKey(db, "cluster", used);
}

/** An agent opened its stream. */
export async function connectReplica(
  db: TenantQueries,
  id: number,
  hello: {
    readonly gateway: string;
    readonly replica: string;
    readonly roles: readonly string[];
    readonly version: string;
    readonly agentVersion: string;
    readonly now: Date;
  },
): Promise<void> {
  await sql`INSERT INTO cluster_replica (tenant_id, cluster_id, gateway, replica, roles, connected_at, seen_at)
    VALUES (current_tenant(), ${id}, ${hello.gateway}, ${hello.replica}, ${hello.roles}::text[], ${hello.now}, ${hello.now})
    ON CONFLICT (cluster_id, replica) DO UPDATE SET gateway = excluded.gateway, roles = excluded.roles, health = NULL,
      connected_at = excluded.connected_at, seen_at = excluded.seen_at`.execute(db);
  await sql`UPDATE cluster SET version = ${hello.version}, agent_version = ${hello.agentVersion}, seen_at = ${hello.now}
    WHERE id = ${id}`.execute(db);
}

/** Its stream ended; one that another gateway holds by now stays. */
export async function disconnectReplica(
  db: TenantQueries,
  id: number,
  { gateway, replica }: { readonly gateway: string; readonly replica: string },
): Promise<void> {
  await sql`DELETE FROM cluster_replica WHERE cluster_id = ${id} AND replica = ${replica} AND gateway = ${gateway}`.execute(
    db,
  );
}

export async function recordReplicaHealth(
  db: TenantQueries,
  id: number,
  { replica, health, now }: { readonly replica: string; readonly health: unknown; readonly now: Date },
): Promise<void> {
  await sql`UPDATE cluster_replica SET health = ${jsonText(health)}::jsonb, seen_at = ${now}
    WHERE cluster_id = ${id} AND replica = ${replica}`.execute(db);
  await sql`UPDATE cluster SET seen_at = ${now} WHERE id = ${id}`.execute(db);
}

export async function listClusters(
  db: TenantQueries,
  page: {
    readonly after?: number | undefined;
    readonly limit: number;
    readonly text?: string | undefined;
    readonly now: Date;
  },
): Promise<readonly Cluster[]> {
  const { rows } = await sql<Cluster>`
    SELECT ${cluster(page.now)} FROM cluster c WHERE c.removed_at IS NULL AND c.id > ${page.after ?? 0}
      AND strpos(lower(c.name), lower(${page.text ?? ""})) > 0 ORDER BY c.id LIMIT ${page.limit}`.execute(db);
  return rows;
}

/** @returns its id */
export async function findClusterByName(db: TenantQueries, name: string): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM cluster WHERE removed_at IS NULL AND name = ${name}`.execute(db);
  return rows[0]?.id;
}

export async function getCluster(db: TenantQueries, id: number, now: Date): Promise<Cluster | undefined> {
  const { rows } = await sql<Cluster>`
    SELECT ${cluster(now)} FROM cluster c WHERE c.removed_at IS NULL AND c.id = ${id}`.execute(db);
  return rows[0];
}

/** What is left out stays. @returns whether there is such a cluster */
export async function changeCluster(
  db: TenantQueries,
  id: number,
  change: {
    readonly name?: string;
    readonly grade?: string | null;
    readonly ownerId?: number | null;
    readonly proxies?: readonly string[];
  },
): Promise<boolean> {
  const has = (key: keyof typeof change) => change[key] !== undefined;
  const { rows } = await sql`
    UPDATE cluster SET name = CASE WHEN ${has("name")} THEN ${change.name ?? ""} ELSE name END,
      grade = CASE WHEN ${has("grade")} THEN ${change.grade ?? null} ELSE grade END,
      owner_id = CASE WHEN ${has("ownerId")} THEN ${change.ownerId ?? null}::bigint ELSE owner_id END,
      proxies = CASE WHEN ${has("proxies")} THEN ${change.proxies ?? []}::text[] ELSE proxies END, changed_at = now()
    WHERE id = ${id} AND removed_at IS NULL RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Its certificate counts no more, and what it told is gone. @returns its name */
export async function removeCluster(db: TenantQueries, id: number, now: Date): Promise<string | undefined> {
  const { rows } = await sql<{ name: string; token: string | null }>`
    UPDATE cluster SET removed_at = ${now}, certificate_serial = '', next_serial = ''
    WHERE id = ${id} AND removed_at IS NULL RETURNING name, token_hash AS token`.execute(db);
  const [removed] = rows;
  if (removed === undefined) return undefined;
  if (removed.token !== null) await releaseKey(db, "cluster", removed.token);
  for (const table of [
    "attack_path",
    "pod_container",
    "pod",
    "workload_image",
    "workload",
    "cluster_object",
    "cluster_replica",
  ]) {
    await sql`DELETE FROM ${sql.table(table)} WHERE cluster_id = ${id}`.execute(db);
  }
  return removed.name;
}
