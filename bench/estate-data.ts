import type pg from "pg";

/** How large the made-up estate is. */
export interface EstateSize {
  readonly images: number;
  readonly bases: number;
  readonly platforms: number;
  readonly repositories: number;
  readonly osSubjects: number;
  readonly appSubjects: number;
  readonly vulnerabilities: number;
}

export const FULL: EstateSize = {
  images: 100_000,
  bases: 200,
  platforms: 3_000,
  repositories: 5_000,
  osSubjects: 20_000,
  appSubjects: 60_000,
  vulnerabilities: 20_000,
};
export const SMALL: EstateSize = {
  images: 500,
  bases: 10,
  platforms: 30,
  repositories: 50,
  osSubjects: 1_000,
  appSubjects: 2_000,
  vulnerabilities: 500,
};

/** Packages that a base, a platform and an application bring. */
const BASE_PACKAGES = 120;
const PLATFORM_PACKAGES = 40;
const APP_PACKAGES = 25;

/**
 * Fills an empty store with an estate whose sharing is that of real ones: few bases carry most images (the share of the
 * k-th falls as 1/k), platforms stand on bases, applications on platforms, each with layers of its own.
 */
export async function fillEstate(client: pg.ClientBase, size: EstateSize): Promise<void> {
  for (const statement of statements(size)) await client.query(statement);
}

function statements(size: EstateSize): readonly string[] {
  const { images, bases, platforms, repositories, osSubjects, appSubjects, vulnerabilities } = size;
  const zipf = (limit: number, seed: string) =>
    `1 + floor(power(${limit}, pg_temp.hash01(${seed})) - 1)::bigint % ${limit}`;
  const digest = (text: string) => `'sha256:' || encode(sha256((${text})::text::bytea), 'hex')`;
  const baseChains = `${bases} * 3`;
  const platformChains = `${platforms} * 2`;
  return [
    "SET session_replication_role = replica",
    "SET synchronous_commit = off",
    `CREATE FUNCTION pg_temp.hash01(text) RETURNS double precision LANGUAGE sql IMMUTABLE AS
      $$ SELECT (hashtextextended($1, 7)::numeric + 9223372036854775808) / 18446744073709551616.0 $$`,

    `INSERT INTO registry (tenant_id, name, kind, address) VALUES (1, 'registry', 'oci', 'registry.invalid')`,
    `INSERT INTO owner (tenant_id, name) SELECT 1, 'team-' || n FROM generate_series(1, 200) n`,
    `INSERT INTO repository (tenant_id, registry_id, name, owner_id)
      SELECT 1, 1, 'group-' || n % 100 || '/service-' || n, CASE WHEN n % 5 = 0 THEN NULL ELSE 1 + n % 200 END
      FROM generate_series(1, ${repositories}) n`,
    `INSERT INTO subject (tenant_id, ecosystem, name, version, matched_with)
      SELECT 1, 'Debian:12', 'library-' || n / 4, '1.' || n % 4 || '-1', 'made' FROM generate_series(1, ${osSubjects}) n
      UNION ALL SELECT 1, 'npm', 'module-' || n / 6, n % 6 || '.0.0', 'made' FROM generate_series(1, ${appSubjects}) n`,
    `INSERT INTO package_version (tenant_id, key, purl, type, name, version, fact, subject_ids)
      SELECT 1, id::text, 'pkg:' || ecosystem || '/' || name || '@' || version, CASE WHEN ecosystem = 'npm' THEN 'npm' ELSE 'deb' END,
        name, version, '{}', ARRAY[id] FROM subject`,
    `INSERT INTO vulnerability (id, title, severity)
      SELECT 'CVE-2024-' || 10000 + n, 'made up', (ARRAY['critical', 'high', 'medium', 'medium', 'low'])[1 + n % 5]
      FROM generate_series(1, ${vulnerabilities}) n`,
    `INSERT INTO subject_match (tenant_id, subject_id, vulnerability_id, severity, status, fixed_version, priority, exploited)
      SELECT DISTINCT ON (s, v) 1, s, 'CVE-2024-' || 10000 + v, (ARRAY['critical', 'high', 'medium', 'medium', 'low'])[1 + v % 5], 'fixed', '9', 40, v % 50 = 0
      FROM (SELECT 1 + (n * 7919::bigint) % ${osSubjects + appSubjects} AS s, 1 + (n * 104729::bigint) % ${vulnerabilities} AS v
        FROM generate_series(1, ${vulnerabilities * 2}) n) pairs`,
    `INSERT INTO layer (tenant_id, diff_id, digest, size_bytes, analyzers)
      SELECT 1, ${digest("n")}, ${digest("-n")}, 1000000 + n % 50000000, 'made'
      FROM generate_series(1, ${baseChains} + ${platformChains} + ${images} * 2) n`,
    // Chains have the ids of their layers: three for each base, two for each platform, two for each image.
    `INSERT INTO chain (tenant_id, digest, parent_id, layer_id, depth, analyzers)
      SELECT 1, ${digest("'chain' || n")}, CASE WHEN n % 3 = 1 THEN NULL ELSE n - 1 END, n, (n - 1) % 3, 'made'
      FROM generate_series(1, ${baseChains}) n`,
    `INSERT INTO chain (tenant_id, digest, parent_id, layer_id, depth, analyzers)
      SELECT 1, ${digest("'chain' || id")}, CASE WHEN k = 0 THEN base * 3 ELSE id - 1 END, id, 3 + k, 'made' FROM (
        SELECT ${baseChains} + (p - 1) * 2 + k + 1 AS id, k, ${zipf(bases, "'b' || p")} AS base
        FROM generate_series(1, ${platforms}) p, generate_series(0, 1) k) made ORDER BY id`,
    `INSERT INTO chain (tenant_id, digest, parent_id, layer_id, depth, analyzers)
      SELECT 1, ${digest("'chain' || id")}, CASE WHEN k = 0 THEN ${baseChains} + platform * 2 ELSE id - 1 END, id, 5 + k, 'made' FROM (
        SELECT ${baseChains} + ${platformChains} + (i - 1) * 2 + k + 1 AS id, k, ${zipf(platforms, "'p' || i")} AS platform
        FROM generate_series(1, ${images}) i, generate_series(0, 1) k) made ORDER BY id`,
    `INSERT INTO chain_subject (tenant_id, chain_id, from_depth, subject_id, delta)
      SELECT DISTINCT ON (c, s) 1, c, 0, s, 1 FROM (
        SELECT (b - 1) * 3 + 1 AS c, ${zipf(osSubjects, "b || ' ' || n")} AS s
        FROM generate_series(1, ${bases}) b, generate_series(1, ${BASE_PACKAGES}) n) made`,
    `INSERT INTO chain_subject (tenant_id, chain_id, from_depth, subject_id, delta)
      SELECT DISTINCT ON (c, s) 1, c, 3, s, 1 FROM (
        SELECT ${baseChains} + (p - 1) * 2 + 1 AS c, ${zipf(osSubjects, "'p' || p || ' ' || n")} AS s
        FROM generate_series(1, ${platforms}) p, generate_series(1, ${PLATFORM_PACKAGES}) n) made`,
    `INSERT INTO chain_subject (tenant_id, chain_id, from_depth, subject_id, delta)
      SELECT DISTINCT ON (c, s) 1, c, 5, s, 1 FROM (
        SELECT ${baseChains} + ${platformChains} + (i - 1) * 2 + 1 AS c, ${osSubjects} + ${zipf(appSubjects, "'i' || i || ' ' || n")} AS s
        FROM generate_series(1, ${images}) i, generate_series(1, ${APP_PACKAGES}) n) made`,
    `INSERT INTO chain_package (tenant_id, chain_id, from_depth, package_id, path, evidence, delta)
      SELECT 1, chain_id, from_depth, subject_id, '/var/lib/dpkg/status', 'installed', 1 FROM chain_subject`,
    `INSERT INTO image (tenant_id, digest, platform, state, os_id, os_version, size_bytes, layer_count, chain_id, base_layers,
        instructions, complete, scanned_at, first_seen, package_count)
      SELECT 1, ${digest("'image' || i")}, 'linux/amd64', 'scanned', 'debian', '12', 100000000 + i * 13, 7,
        ${baseChains} + ${platformChains} + i * 2, 3, '["FROM", "RUN", "RUN", "RUN", "COPY", "COPY", "CMD"]', true, now(),
        now() - i * interval '1 minute', ${BASE_PACKAGES + PLATFORM_PACKAGES + APP_PACKAGES} FROM generate_series(1, ${images}) i`,
    // The platforms are images of their own: bases that others stand on.
    `INSERT INTO image (tenant_id, digest, platform, state, os_id, os_version, size_bytes, layer_count, chain_id, base_layers,
        complete, scanned_at, package_count)
      SELECT 1, ${digest("'platform' || p")}, 'linux/amd64', 'scanned', 'debian', '12', 80000000, 5, ${baseChains} + p * 2, 3, true,
        now(), ${BASE_PACKAGES + PLATFORM_PACKAGES} FROM generate_series(1, ${platforms}) p`,
    `INSERT INTO image_chain (tenant_id, image_id, depth, chain_id)
      WITH RECURSIVE under AS (
        SELECT i.id AS image_id, c.id, c.parent_id, c.depth FROM image i JOIN chain c ON c.id = i.chain_id
        UNION ALL SELECT u.image_id, c.id, c.parent_id, c.depth FROM under u JOIN chain c ON c.id = u.parent_id)
      SELECT 1, image_id, depth, id FROM under`,
    `INSERT INTO image_location (tenant_id, image_id, repository_id) SELECT 1, id, 1 + id % ${repositories} FROM image`,
    `INSERT INTO tag (tenant_id, repository_id, name, digest)
      SELECT 1, 1 + id % ${repositories}, '1.0.' || id / ${repositories}, digest FROM image`,
    `INSERT INTO tag_image (tenant_id, tag_id, image_id) SELECT 1, t.id, i.id FROM tag t JOIN image i USING (digest)`,
    "SET session_replication_role = origin",
    "VACUUM ANALYZE",
  ];
}
