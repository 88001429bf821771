import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/**
 * What a scope of pods was seen to be. `looked_at`: everything that changed before was looked at; `counted_at`: so were all pods, and
 * counted. A value keeps some of the workloads that it was seen in, so that it is unlearned when none of them can be trusted any more;
 * `more`: there were others.
 */
const BASELINES = `
  CREATE TABLE admission_baseline (
    ${ID}, ${TENANT}, cluster_id bigint NOT NULL REFERENCES cluster ON DELETE CASCADE, namespace text NOT NULL,
    label_name text NOT NULL, label_value text NOT NULL,
    state text NOT NULL CHECK (state IN ('learning', 'proposed', 'active', 'retired')),
    started_by text NOT NULL, started_at timestamptz NOT NULL, learn_until timestamptz NOT NULL,
    looked_at timestamptz, counted_at timestamptz, pods integer NOT NULL DEFAULT 0, excluded integer NOT NULL DEFAULT 0,
    excluded_workloads text[] NOT NULL DEFAULT '{}', too_many text[] NOT NULL DEFAULT '{}', problem text NOT NULL DEFAULT '',
    policy text NOT NULL DEFAULT '', approved_by text NOT NULL DEFAULT '', approved_at timestamptz,
    retired_by text NOT NULL DEFAULT '', retired_at timestamptz
  );
  CREATE UNIQUE INDEX admission_baseline_scope ON admission_baseline (tenant_id, cluster_id, namespace, label_name, label_value)
    WHERE state <> 'retired';
  CREATE TABLE admission_baseline_value (
    ${TENANT}, baseline_id bigint NOT NULL REFERENCES admission_baseline ON DELETE CASCADE, kind text NOT NULL, value text NOT NULL,
    pods integer NOT NULL, sources text[] NOT NULL, more boolean NOT NULL, first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL,
    PRIMARY KEY (baseline_id, kind, value)
  );
  CREATE INDEX alert_cluster ON alert (cluster_id, last_at) WHERE cluster_id IS NOT NULL;
`;

/** Baselines that are learned of what runs in clusters, for policies of admission. */
export const baselines: NamedMigration = {
  name: "0023-baselines",
  async up(db) {
    await statements(db, BASELINES);
    await separateTenants(db, ["admission_baseline", "admission_baseline_value"]);
  },
};
