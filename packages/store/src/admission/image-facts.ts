import { sql } from "kysely";
import type { SeenObject } from "../clusters/objects.ts";
import { heldContent, heldPackages, heldSubjects } from "../images/held.ts";
import type { TenantQueries } from "../open-store.ts";
import { onceEach } from "../registries/contents.ts";

/** A reference, split and completed. */
export interface WantedReference {
  readonly text: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** An image that a reference names. */
export interface NamedImage {
  readonly text: string;
  readonly id: number;
  /** Of its manifest. */
  readonly manifest: string;
  /** What the tag, or the reference itself, names: an index or a manifest. */
  readonly digest: string;
  readonly state: "known" | "scanned" | "failed" | "gone";
  readonly problem: string;
}

/** All names of Docker's registry are one. */
const HUB = ["docker.io", "index.docker.io", "registry-1.docker.io"];
const HOST = sql`regexp_replace(regexp_replace(g.address, '^[a-z]+://', ''), '/.*$', '')`;

/** Images behind references: several for one whose tag names an index. */
export async function namedImages(
  db: TenantQueries,
  wanted: readonly WantedReference[],
): Promise<readonly NamedImage[]> {
  const { rows } = await sql<NamedImage>`
    WITH wanted AS (SELECT * FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
      AS w(text text, registry text, repository text, tag text, digest text)),
    found AS (
      SELECT w.text, i.id, i.digest AS manifest, w.digest, i.state, i.problem FROM wanted w JOIN image i ON i.digest = w.digest
        WHERE w.digest <> ''
      UNION SELECT w.text, i.id, i.digest, w.digest, i.state, i.problem FROM wanted w JOIN tag t ON t.digest = w.digest
        JOIN tag_image ti ON ti.tag_id = t.id JOIN image i ON i.id = ti.image_id WHERE w.digest <> ''
      UNION SELECT w.text, i.id, i.digest, w.digest, i.state, i.problem FROM wanted w JOIN index_image x ON x.digest = w.digest
        JOIN image i ON i.id = x.image_id WHERE w.digest <> ''
      UNION SELECT w.text, i.id, i.digest, t.digest, i.state, i.problem FROM wanted w JOIN tag t ON t.name = w.tag AND t.gone_at IS NULL
        JOIN repository r ON r.id = t.repository_id AND r.name = w.repository JOIN registry g ON g.id = r.registry_id
        JOIN tag_image ti ON ti.tag_id = t.id JOIN image i ON i.id = ti.image_id
        WHERE w.digest = '' AND (${HOST} = w.registry OR (w.registry = 'docker.io' AND ${HOST} = ANY(${HUB}::text[]))))
    SELECT * FROM found ORDER BY text, id`.execute(db);
  return rows;
}

/** What the brake, and rules about tampering, ask of an image beside its findings. */
export interface HeldByImage {
  readonly id: number;
  readonly flaws: readonly string[];
  readonly purls: readonly string[];
  readonly tampered: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly baseLayers: number;
  readonly instructions: readonly string[];
  readonly golden: boolean;
}

/** All flaws and packages of an image by name; also those that somebody took on. */
export async function heldByImage(db: TenantQueries, id: number): Promise<HeldByImage | undefined> {
  const { rows } = await sql<HeldByImage>`
    SELECT i.id, i.image_labels AS labels, i.base_layers AS "baseLayers", i.instructions,
      coalesce((SELECT array_agg(DISTINCT name ORDER BY name) FROM ${heldSubjects(id)} h JOIN subject_match m USING (subject_id)
        CROSS JOIN LATERAL unnest(ARRAY[m.vulnerability_id] || m.advisories) AS name), '{}') AS flaws,
      coalesce((SELECT array_agg(DISTINCT p.purl ORDER BY p.purl) FROM ${heldPackages(id)} h JOIN package_version p ON p.id = h.package_id
        WHERE p.purl <> ''), '{}') AS purls,
      EXISTS (SELECT FROM ${heldContent(id)} h JOIN content_fact f ON f.id = h.fact_id WHERE f.rule_id LIKE 'tampered-%') AS tampered,
      EXISTS (SELECT FROM golden_version v WHERE v.image_id = i.id AND v.state = 'published') AS golden
    FROM image i WHERE i.id = ${id}`.execute(db);
  return rows[0];
}

/** A namespace, its services, and all that may lead to these, from whichever namespace; where there is too much, its own go first. */
export async function namespaceObjects(
  db: TenantQueries,
  clusterId: number,
  namespace: string,
): Promise<readonly SeenObject[]> {
  const { rows } = await sql<SeenObject>`
    SELECT uid, api_version AS "apiVersion", kind, namespace, name, document FROM cluster_object WHERE cluster_id = ${clusterId}
      AND ((kind = 'Namespace' AND name = ${namespace}) OR (kind = 'Service' AND namespace = ${namespace})
        OR kind IN ('Ingress', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'VirtualService'))
    ORDER BY kind <> 'Namespace', kind <> 'Service', namespace <> ${namespace}, id LIMIT 5000`.execute(db);
  return rows;
}

/** The registry that a reference names, among those that are connected. */
export async function registryOfHost(db: TenantQueries, host: string): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    SELECT g.id FROM registry g WHERE g.kind <> 'local' AND (${HOST} = ${host} OR (${host} = 'docker.io' AND ${HOST} = ANY(${HUB}::text[])))
    ORDER BY g.id LIMIT 1`.execute(db);
  return rows[0]?.id;
}

/**
 * What verifying an image's signatures came to, by a policy; undefined where it was not done. That one is verified holds longer than that
 * one is not: it may be signed any moment.
 */
export async function keptSignature(
  db: TenantQueries,
  imageId: number,
  policy: string,
  since: { readonly verified: Date; readonly other: Date },
): Promise<{ readonly state: string; readonly problem: string } | undefined> {
  const { rows } = await sql<{ state: string; problem: string }>`
    SELECT state, problem FROM admission_signature WHERE image_id = ${imageId} AND policy = ${policy} 
      AND checked_at > CASE WHEN state = 'verified' THEN ${since.verified}::timestamptz ELSE ${since.other}::timestamptz END`.execute(
    db,
  );
  return rows[0];
}

export async function keepSignature(
  db: TenantQueries,
  kept: {
    readonly imageId: number;
    readonly policy: string;
    readonly state: string;
    readonly problem: string;
    readonly now: Date;
  },
): Promise<void> {
  await sql`
    INSERT INTO admission_signature (tenant_id, image_id, policy, state, problem, checked_at)
    VALUES (current_tenant(), ${kept.imageId}, ${kept.policy}, ${kept.state}, ${kept.problem}, ${kept.now})
    ON CONFLICT (image_id) DO UPDATE SET policy = excluded.policy, state = excluded.state, problem = excluded.problem,
      checked_at = excluded.checked_at`.execute(db);
}

/** Notes the images behind a digest that a pod names, whether a tag names them or not; gives those that were never scanned. */
export async function recordImages(
  db: TenantQueries,
  seen: {
    readonly registry: number;
    readonly repository: string;
    /** Of an index, or of the one image. */
    readonly digest: string;
    readonly images: readonly { readonly digest: string; readonly platform: string }[];
    readonly now: Date;
  },
): Promise<{ readonly repositoryId: number; readonly unscanned: readonly string[] }> {
  const images = JSON.stringify(onceEach(seen.images));
  const { rows: repositories } = await sql<{ id: number }>`
    INSERT INTO repository (tenant_id, registry_id, name) VALUES (current_tenant(), ${seen.registry}, ${seen.repository})
    ON CONFLICT (registry_id, name) DO UPDATE SET gone_at = NULL RETURNING id`.execute(db);
  const repositoryId = repositories[0]?.id ?? 0;
  await sql`
    INSERT INTO image (tenant_id, digest, platform, first_seen)
    SELECT current_tenant(), digest, platform, ${seen.now} FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text, platform text)
    ON CONFLICT (tenant_id, digest) DO UPDATE SET gone_at = NULL,
      state = CASE WHEN image.state <> 'gone' THEN image.state WHEN image.scanned_at IS NULL THEN 'known' ELSE 'scanned' END`.execute(
    db,
  );
  await sql`
    INSERT INTO image_location (tenant_id, image_id, repository_id, first_seen)
    SELECT current_tenant(), i.id, ${repositoryId}, ${seen.now}
    FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text) JOIN image i USING (digest)
    ON CONFLICT (image_id, repository_id) DO UPDATE SET gone_at = NULL`.execute(db);
  await sql`
    INSERT INTO index_image (tenant_id, digest, image_id) SELECT current_tenant(), ${seen.digest}, i.id
    FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text) JOIN image i USING (digest) WHERE i.digest <> ${seen.digest}
    ON CONFLICT DO NOTHING`.execute(db);
  // Of two who ask at once the second sees the task of the first.
  await sql`SELECT i.id FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text) JOIN image i USING (digest) WHERE i.state = 'known'
    ORDER BY i.id FOR NO KEY UPDATE OF i`.execute(db);
  const { rows } = await sql<{ digest: string }>`
    SELECT i.digest FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text) JOIN image i USING (digest)
    WHERE i.state = 'known' AND NOT EXISTS (SELECT FROM task t WHERE t.payload->>'digest' = i.digest AND t.kind = 'scan-image'
      AND t.state IN ('waiting', 'parked', 'running')) ORDER BY i.id`.execute(db);
  return { repositoryId, unscanned: rows.map(({ digest }) => digest) };
}
