import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
const CLUSTER = "cluster_id bigint REFERENCES cluster ON DELETE CASCADE";

/**
 * What admission judges by. `admission_state.revision` counts every change, so that replicas know which is newer. Without a
 * cluster, an exception or a leave holds in all of them. A mode without a namespace holds for the whole estate.
 */
const RULES = `
  CREATE TABLE admission_state (
    tenant_id integer PRIMARY KEY REFERENCES tenant ON DELETE CASCADE, revision bigint NOT NULL DEFAULT 1, dropped bigint NOT NULL DEFAULT 0
  );
  CREATE TABLE admission_policy (
    ${ID}, ${TENANT}, name text NOT NULL, content text NOT NULL, version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL, changed_at timestamptz NOT NULL, UNIQUE (tenant_id, name)
  );
  CREATE TABLE admission_policy_version (
    ${TENANT}, name text NOT NULL, version integer NOT NULL, content text NOT NULL, changed_by text NOT NULL,
    changed_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, name, version)
  );
  CREATE TABLE admission_mode (
    ${TENANT}, policy text NOT NULL, namespace text NOT NULL DEFAULT '', mode text NOT NULL CHECK (mode IN ('off', 'audit', 'enforce')),
    changed_by text NOT NULL, changed_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, policy, namespace)
  );
  CREATE TABLE admission_exception (
    ${ID}, ${TENANT}, ${CLUSTER}, policy text NOT NULL, rule text NOT NULL DEFAULT '', namespace text NOT NULL,
    object text NOT NULL DEFAULT '*', image text NOT NULL DEFAULT '*', reason text NOT NULL, until timestamptz NOT NULL,
    asked_by bigint NOT NULL, asked_name text NOT NULL, approved_by bigint, approved_name text NOT NULL DEFAULT '', created_at timestamptz NOT NULL
  );
  CREATE TABLE admission_brake (
    ${ID}, ${TENANT}, kind text NOT NULL CHECK (kind IN ('flaw', 'package', 'digest')), pattern text NOT NULL, reason text NOT NULL,
    deny_unknown boolean NOT NULL, created_by text NOT NULL, created_at timestamptz NOT NULL, released_by text NOT NULL DEFAULT '',
    released_at timestamptz
  );
  CREATE UNIQUE INDEX admission_brake_on ON admission_brake (tenant_id, kind, pattern) WHERE released_at IS NULL;
  CREATE TABLE admission_grant (
    ${ID}, ${TENANT}, ${CLUSTER}, code text NOT NULL DEFAULT '', user_name text NOT NULL DEFAULT '*', namespace text NOT NULL,
    reason text NOT NULL, until timestamptz NOT NULL, passes_brake boolean NOT NULL, granted_by text NOT NULL,
    created_at timestamptz NOT NULL, ended_at timestamptz, used bigint NOT NULL DEFAULT 0, last_used_at timestamptz
  );
`;

/** What was decided. The same decisions of an hour are one row; `admission_count` keeps what they come to after they are gone. */
const DECISIONS = `
  CREATE TABLE admission_decision (
    ${ID}, ${TENANT}, ${CLUSTER}, fold text NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL, count bigint NOT NULL,
    namespace text NOT NULL, kind text NOT NULL, name text NOT NULL, subresource text NOT NULL, operation text NOT NULL, user_name text NOT NULL,
    dry_run boolean NOT NULL, verdict text NOT NULL, would_deny boolean NOT NULL, violations jsonb NOT NULL, more integer NOT NULL,
    grant_id text NOT NULL, unknown text[] NOT NULL, took_ms integer NOT NULL, UNIQUE (cluster_id, fold)
  );
  CREATE INDEX admission_decision_page ON admission_decision (tenant_id, id);
  CREATE INDEX admission_decision_age ON admission_decision (tenant_id, last_at);
  CREATE TABLE admission_count (
    ${TENANT}, policy text NOT NULL, namespace text NOT NULL, day date NOT NULL, asked bigint NOT NULL DEFAULT 0,
    would_deny bigint NOT NULL DEFAULT 0, denied bigint NOT NULL DEFAULT 0, excepted bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, policy, namespace, day)
  );
  CREATE TABLE admission_spool (
    ${TENANT}, cluster_id bigint NOT NULL REFERENCES cluster ON DELETE CASCADE, epoch text NOT NULL, sequence bigint NOT NULL,
    at timestamptz NOT NULL, PRIMARY KEY (cluster_id, epoch)
  );
  CREATE TABLE admission_signature (
    ${TENANT}, image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, policy text NOT NULL, state text NOT NULL, problem text NOT NULL,
    checked_at timestamptz NOT NULL, PRIMARY KEY (image_id)
  );
`;

/** Admission of Kubernetes objects: policies, exceptions, the emergency brake, break-glass, and what was decided. */
export const admission: NamedMigration = {
  name: "0021-admission",
  async up(db) {
    await statements(db, RULES);
    await statements(db, DECISIONS);
    await separateTenants(db, [
      ...["admission_state", "admission_policy", "admission_policy_version", "admission_mode", "admission_exception"],
      ...["admission_brake", "admission_grant", "admission_decision", "admission_count", "admission_spool"],
      "admission_signature",
    ]);
  },
};
