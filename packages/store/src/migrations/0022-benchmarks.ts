import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
const PLACE = `node_id bigint REFERENCES node ON DELETE CASCADE, cluster_id bigint REFERENCES cluster ON DELETE CASCADE,
  CHECK ((node_id IS NULL) <> (cluster_id IS NULL))`;
const SCOPE =
  "scope text NOT NULL CHECK (scope IN ('tenant', 'node', 'cluster', 'namespace')), scope_id bigint, namespace text NOT NULL DEFAULT ''";

/**
 * Benchmarks. A run has a target for each node and cluster; a target of a node is also the order to gather facts (`uid`), and
 * keeps what came of it as long as no newer one did. Results are kept of the newest targets, scores of all.
 */
const RUNS = `
  CREATE TABLE benchmark_schedule (
    ${ID}, ${TENANT}, name text NOT NULL, cron text NOT NULL, time_zone text NOT NULL, profile text NOT NULL,
    enabled boolean NOT NULL DEFAULT true, next_at timestamptz, last_at timestamptz, created_by text NOT NULL,
    UNIQUE (tenant_id, name)
  );
  CREATE TABLE benchmark_run (
    ${ID}, ${TENANT}, profile text NOT NULL, cause text NOT NULL CHECK (cause IN ('person', 'schedule', 'fix')),
    created_by text NOT NULL, created_at timestamptz NOT NULL
  );
  CREATE INDEX benchmark_run_page ON benchmark_run (tenant_id, id DESC);
  CREATE TABLE benchmark_target (
    ${ID}, ${TENANT}, run_id bigint NOT NULL REFERENCES benchmark_run ON DELETE CASCADE, ${PLACE},
    uid text NOT NULL UNIQUE, state text NOT NULL CHECK (state IN ('queued', 'sent', 'done', 'failed', 'expired')),
    detail text NOT NULL DEFAULT '', created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, finished_at timestamptz,
    facts jsonb, score smallint, counts jsonb NOT NULL DEFAULT '{}',
    -- An exception or a tuning changed since: it is to be judged again by what is known.
    stale boolean NOT NULL DEFAULT false, wall_us bigint, cpu_us bigint
  );
  CREATE INDEX benchmark_target_run ON benchmark_target (run_id);
  CREATE INDEX benchmark_target_node ON benchmark_target (node_id, id DESC) WHERE node_id IS NOT NULL;
  CREATE INDEX benchmark_target_cluster ON benchmark_target (cluster_id, id DESC) WHERE cluster_id IS NOT NULL;
  CREATE INDEX benchmark_target_waiting ON benchmark_target (tenant_id, expires_at) WHERE state IN ('queued', 'sent');
  CREATE TABLE benchmark_result (
    ${TENANT}, target_id bigint NOT NULL REFERENCES benchmark_target ON DELETE CASCADE, check_id text NOT NULL,
    subject text NOT NULL, severity text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('pass', 'fail', 'manual', 'not-applicable', 'undetermined')),
    evidence text NOT NULL, judged integer NOT NULL, faulty integer NOT NULL, places jsonb NOT NULL, exception_id bigint,
    PRIMARY KEY (target_id, check_id)
  );
  CREATE INDEX benchmark_result_check ON benchmark_result (tenant_id, check_id);
`;

/** What is otherwise at a place: exceptions end by themselves and need a second person, tunings last. */
const RULES = `
  CREATE TABLE benchmark_exception (
    ${ID}, ${TENANT}, check_id text NOT NULL, ${SCOPE}, reason text NOT NULL, until date NOT NULL,
    asked_by bigint NOT NULL, approved_by bigint, created_at timestamptz NOT NULL
  );
  CREATE INDEX benchmark_exception_page ON benchmark_exception (tenant_id, id DESC);
  CREATE TABLE benchmark_tuning (
    ${ID}, ${TENANT}, check_id text NOT NULL, ${SCOPE}, is_off boolean NOT NULL, parameters jsonb NOT NULL DEFAULT '{}',
    reason text NOT NULL, changed_by text NOT NULL, changed_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (tenant_id, check_id, scope, scope_id, namespace)
  );
  CREATE TABLE benchmark_fix (
    ${ID}, ${TENANT}, node_id bigint NOT NULL REFERENCES node ON DELETE CASCADE, check_id text NOT NULL, uid text NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('previewing', 'previewed', 'waiting', 'applying', 'verifying', 'applied', 'undoing',
      'undone', 'unchanged', 'failed')),
    change jsonb NOT NULL, diff text NOT NULL DEFAULT '', before text NOT NULL DEFAULT '', detail text NOT NULL DEFAULT '',
    reason text NOT NULL, asked_by text NOT NULL, response_id bigint, run_id bigint, created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
  );
  CREATE INDEX benchmark_fix_page ON benchmark_fix (tenant_id, id DESC);
  CREATE INDEX benchmark_fix_response ON benchmark_fix (response_id);
  CREATE TABLE component (
    ${ID}, ${TENANT}, ${PLACE}, name text NOT NULL, version text NOT NULL, source text NOT NULL, subject jsonb,
    why text NOT NULL DEFAULT '', flaws jsonb NOT NULL DEFAULT '[]', matched text NOT NULL DEFAULT '', seen_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (tenant_id, node_id, cluster_id, name, source)
  );
`;

/** Checks of nodes and clusters, their results, exceptions, fixes, and the versions of components. */
export const benchmarks: NamedMigration = {
  name: "0022-benchmarks",
  async up(db) {
    await statements(db, RUNS);
    await statements(db, RULES);
    await separateTenants(db, [
      ...["benchmark_schedule", "benchmark_run", "benchmark_target", "benchmark_result", "benchmark_exception"],
      ...["benchmark_tuning", "benchmark_fix", "component"],
    ]);
  },
};
