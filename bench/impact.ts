import { chmodSync } from "node:fs";
import { join } from "node:path";
import { findImpact, type ImpactCause, listWorkloads, openStore } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import pg from "pg";
import { connectionOf } from "../packages/store/src/open-store.ts";
import { FULL, fillEstate, SMALL } from "./estate-data.ts";
import { type BenchResult, limited, p95, smoke } from "./result.ts";

const SIZE = smoke ? SMALL : { ...FULL, images: 50_000 };
const CLUSTERS = smoke ? 3 : 100;
const WORKLOADS = smoke ? 20 : 1_000;
const PODS = 10;
const ROUNDS = smoke ? 6 : 60;
const TENANT = 1;

/** What a flaw, an image and an account are behind, in an estate of 100 clusters with 10,000 containers each. */
export async function impactBench(work: string): Promise<readonly BenchResult[]> {
  chmodSync(work, 0o711); // run by root, PostgreSQL is another user, who has to come through
  const postgres = await startPostgres(join(work, "impact"));
  const store = await openStore(postgres.url);
  try {
    const client = new pg.Client(connectionOf(postgres.url));
    await client.connect();
    try {
      await fillEstate(client, SIZE);
      for (const statement of clusters()) await client.query(statement);
    } finally {
      await client.end();
    }
    const of = (causes: readonly ImpactCause[]) =>
      p95(causes.map((cause) => () => store.tenant(TENANT, (db) => findImpact(db, cause))));
    const rounds = Array.from({ length: ROUNDS }, (_, n) => n);
    const place = `${CLUSTERS} clusters of ${(WORKLOADS * PODS).toLocaleString("en")} containers`;
    const { rows } = await store.tenant(TENANT, async (db) => ({ rows: await listWorkloads(db, { limit: 1 }) }));
    if (rows.length === 0) throw new Error("the estate of the benchmark is empty");
    return [
      limited(
        `impact of a flaw in ${place}, p95`,
        await of(rounds.map((n) => ({ kind: "vulnerability", id: `CVE-2024-${10_000 + n * 7}` }))),
        "ms",
        300,
      ),
      limited(
        `impact of an image in ${place}, p95`,
        await of(rounds.map((n) => ({ kind: "image", id: 1 + n * 11 }))),
        "ms",
        300,
      ),
      limited(
        `impact of a service account in ${place}, p95`,
        await of(
          rounds.map((n) => ({
            ...{ kind: "service-account" as const, clusterId: 1 + (n % CLUSTERS) },
            ...{ namespace: `team-${n % 40}`, name: `app-${n % 7}` },
          })),
        ),
        "ms",
        300,
      ),
    ];
  } finally {
    await store.close();
    await postgres.stop();
  }
}

/** Few images run in many places: the share of the k-th falls as 1/k. */
function clusters(): readonly string[] {
  const image = `1 + (power(${SIZE.images}, random()) - 1)::bigint % ${SIZE.images}`;
  return [
    "SELECT setseed(0.5)",
    `INSERT INTO cluster (tenant_id, uid, name, created_at, enrolled_at, seen_at)
     SELECT 1, 'cluster-' || c, 'cluster-' || c, now(), now(), now() FROM generate_series(1, ${CLUSTERS}) c`,
    `INSERT INTO workload (tenant_id, cluster_id, uid, kind, namespace, name, owner_name, owner_from, exposure, service_account, pods,
       worst_path, seen_at)
     SELECT 1, c, c || '-' || w, 'Deployment', 'team-' || w % 40, 'app-' || w, 'team-' || w % 200, 'label',
       CASE WHEN w % 20 = 0 THEN '[{"how":"ingress","via":["Ingress web"],"hosts":["a.example"],"ports":[443]}]'::jsonb ELSE '[]' END,
       'app-' || w % 7, ${PODS}, CASE WHEN w % 50 = 0 THEN 'critical' ELSE '' END, now()
     FROM generate_series(1, ${CLUSTERS}) c, generate_series(1, ${WORKLOADS}) w`,
    `INSERT INTO pod (tenant_id, cluster_id, workload_id, uid, namespace, name, node, service_account, phase, addresses, host_network, seen_at)
     SELECT 1, w.cluster_id, w.id, w.uid || '-' || p, w.namespace, w.name || '-' || p, 'node-' || p, w.service_account, 'Running',
       ARRAY['10.0.0.1'], false, now() FROM workload w, generate_series(1, ${PODS}) p`,
    `CREATE TEMP TABLE runs AS SELECT w.id AS workload_id, w.cluster_id, ${image} AS image_id FROM workload w`,
    `INSERT INTO workload_image (tenant_id, cluster_id, workload_id, image_digest, image, containers)
     SELECT 1, r.cluster_id, r.workload_id, i.digest, 'registry.invalid/image-' || i.id, ${PODS} FROM runs r JOIN image i ON i.id = r.image_id`,
    `INSERT INTO pod_container (tenant_id, cluster_id, pod_id, name, role, image, image_digest, runtime_id, state, privileged)
     SELECT 1, p.cluster_id, p.id, 'app', 'container', 'registry.invalid/image-' || i.id, i.digest, md5(p.uid), 'running', false
     FROM pod p JOIN runs r USING (workload_id) JOIN image i ON i.id = r.image_id`,
    "ANALYZE",
  ];
}
