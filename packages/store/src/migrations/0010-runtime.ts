import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
const NODE = "node_id bigint NOT NULL REFERENCES node ON DELETE CASCADE";

/** Nodes and what was last seen on them. `epoch` and `sequence` are how far a node's spool is stored. */
const NODES = `
  ALTER TABLE directory DROP CONSTRAINT directory_kind_check;
  ALTER TABLE directory ADD CONSTRAINT directory_kind_check
    CHECK (kind IN ('login', 'session', 'token', 'webhook', 'oidc', 'enrolment'));
  CREATE TABLE enrolment_token (
    ${ID}, ${TENANT}, name text NOT NULL, hash text NOT NULL UNIQUE, uses_left integer NOT NULL,
    expires_at timestamptz NOT NULL, created_by text NOT NULL, created_at timestamptz NOT NULL
  );
  CREATE TABLE node (
    ${ID}, ${TENANT}, uid text NOT NULL UNIQUE, hostname text NOT NULL, facts jsonb NOT NULL,
    capabilities jsonb NOT NULL DEFAULT '[]', health jsonb, sensor_version text NOT NULL DEFAULT '',
    certificate_serial text NOT NULL, next_serial text NOT NULL DEFAULT '', enrolled_at timestamptz NOT NULL, seen_at timestamptz, connected_at timestamptz,
    gateway text NOT NULL DEFAULT '', policy_revision bigint NOT NULL DEFAULT 0, removed_at timestamptz
  );
  CREATE INDEX node_tenant ON node (tenant_id, hostname);
  CREATE TABLE node_spool (
    ${TENANT}, ${NODE}, epoch text NOT NULL, sequence bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (node_id, epoch)
  );
  CREATE TABLE node_loss (
    ${TENANT}, ${NODE}, kind text NOT NULL, reason text NOT NULL, hour timestamptz NOT NULL, count bigint NOT NULL,
    PRIMARY KEY (node_id, hour, kind, reason)
  );
  CREATE TABLE container (
    ${ID}, ${TENANT}, ${NODE}, runtime_id text NOT NULL, name text NOT NULL, image text NOT NULL, image_digest text NOT NULL,
    runtime text NOT NULL, namespace text NOT NULL, pod text NOT NULL, privileged boolean NOT NULL, state text NOT NULL,
    facts jsonb NOT NULL, started_at timestamptz, first_seen timestamptz NOT NULL, seen_at timestamptz NOT NULL,
    stopped_at timestamptz, UNIQUE (node_id, runtime_id)
  );
  CREATE INDEX container_tenant ON container (tenant_id, id DESC);
  CREATE INDEX container_runtime_id ON container (tenant_id, runtime_id);
  CREATE INDEX container_digest ON container (tenant_id, image_digest);
  CREATE TABLE program (
    ${ID}, ${TENANT}, ${NODE}, container text NOT NULL, exe text NOT NULL, name text NOT NULL, user_name text NOT NULL,
    arguments text NOT NULL, processes integer NOT NULL, seen_at timestamptz NOT NULL, UNIQUE (node_id, container, exe, user_name)
  );
  CREATE INDEX program_tenant ON program (tenant_id, id);
  CREATE TABLE listener (
    ${ID}, ${TENANT}, ${NODE}, container text NOT NULL, protocol text NOT NULL, address text NOT NULL, port integer NOT NULL,
    exe text NOT NULL, name text NOT NULL, kind text NOT NULL, product text NOT NULL, exposed boolean NOT NULL,
    seen_at timestamptz NOT NULL, UNIQUE (node_id, container, protocol, address, port)
  );
  CREATE INDEX listener_tenant ON listener (tenant_id, id);
`;

/**
 * Events: a batch is kept as it came (protobuf, compressed), and of each event what is searched for. Partitions are days;
 * only their owner may make and drop them, so functions of the owner do.
 */
const EVENTS = `
  CREATE SEQUENCE runtime_batch_seq;
  CREATE TABLE runtime_batch (
    id bigint NOT NULL DEFAULT nextval('runtime_batch_seq'), ${TENANT}, node_id bigint NOT NULL, at timestamptz NOT NULL,
    content bytea NOT NULL
  ) PARTITION BY RANGE (at);
  CREATE INDEX runtime_batch_id ON runtime_batch (id);
  CREATE TABLE runtime_event (
    tenant_id integer NOT NULL, at timestamptz NOT NULL, node_id bigint NOT NULL, batch_id bigint NOT NULL,
    position smallint NOT NULL, type smallint NOT NULL, count integer NOT NULL, container text NOT NULL, pid integer NOT NULL,
    name text NOT NULL, exe text NOT NULL, arguments text NOT NULL, target text NOT NULL, port integer NOT NULL,
    result integer NOT NULL
  ) PARTITION BY RANGE (at);
  CREATE INDEX runtime_event_at ON runtime_event USING brin (at);
  CREATE INDEX runtime_event_container ON runtime_event (container, at) WHERE container <> '';
  CREATE FUNCTION make_runtime_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
    DECLARE parent text;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('runtime day'));
      FOREACH parent IN ARRAY ARRAY['runtime_batch', 'runtime_event'] LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
          parent || '_' || to_char(day, 'YYYYMMDD'), parent, day::timestamp AT TIME ZONE 'UTC',
          (day + 1)::timestamp AT TIME ZONE 'UTC');
      END LOOP;
    END $$;
  CREATE FUNCTION drop_runtime_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
    DECLARE parent text;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('runtime day'));
      FOREACH parent IN ARRAY ARRAY['runtime_batch', 'runtime_event'] LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', parent || '_' || to_char(day, 'YYYYMMDD'));
      END LOOP;
    END $$;
  CREATE FUNCTION runtime_days() RETURNS TABLE (day date, bytes bigint) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public AS $$
    SELECT to_date(right(child.relname, 8), 'YYYYMMDD'), sum(pg_total_relation_size(child.oid))::bigint
    FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
    WHERE parent.relname IN ('runtime_batch', 'runtime_event') AND child.relkind = 'r' GROUP BY 1 ORDER BY 1 $$;
  REVOKE ALL ON FUNCTION make_runtime_day(date), drop_runtime_day(date), runtime_days() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION make_runtime_day(date), drop_runtime_day(date), runtime_days() TO bulwark_app;
`;

/** Alerts, and what decides on them. `fold_key` is the same for repeats of one thing while its alert is open. */
const ALERTS = `
  CREATE TABLE alert (
    ${ID}, ${TENANT}, fold_key text NOT NULL, rule text NOT NULL, title text NOT NULL, severity text NOT NULL,
    tags text[] NOT NULL, node_id bigint NOT NULL, container text NOT NULL, container_name text NOT NULL, image text NOT NULL,
    image_digest text NOT NULL, namespace text NOT NULL, pod text NOT NULL, process text NOT NULL, exe text NOT NULL,
    pid integer NOT NULL, process_start bigint NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
    count bigint NOT NULL, blocked boolean NOT NULL, facts jsonb NOT NULL, batch_id bigint NOT NULL, position smallint NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'closed', 'allowed')),
    assignee_id bigint REFERENCES account ON DELETE SET NULL, closed_at timestamptz
  );
  CREATE UNIQUE INDEX alert_fold ON alert (tenant_id, fold_key) WHERE state IN ('open', 'acknowledged');
  CREATE INDEX alert_recent ON alert (tenant_id, id DESC);
  CREATE INDEX alert_container ON alert (tenant_id, container, id);
  CREATE TABLE alert_event (
    ${ID}, ${TENANT}, alert_id bigint NOT NULL REFERENCES alert ON DELETE CASCADE, at timestamptz NOT NULL, actor text NOT NULL,
    action text NOT NULL, detail text NOT NULL DEFAULT ''
  );
  CREATE INDEX alert_event_alert ON alert_event (alert_id, id);
  CREATE TABLE rule_file (
    ${ID}, ${TENANT}, name text NOT NULL, content text NOT NULL, enabled boolean NOT NULL DEFAULT true,
    changed_by text NOT NULL, changed_at timestamptz NOT NULL, UNIQUE (tenant_id, name)
  );
  CREATE TABLE rule_mode (
    ${ID}, ${TENANT}, rule text NOT NULL, scope jsonb NOT NULL DEFAULT '{}',
    mode text NOT NULL CHECK (mode IN ('off', 'alert', 'block')), changed_by text NOT NULL, changed_at timestamptz NOT NULL,
    UNIQUE (tenant_id, rule, scope)
  );
  CREATE TABLE allow_entry (
    ${ID}, ${TENANT}, rule text NOT NULL, condition text NOT NULL, scope jsonb NOT NULL, reason text NOT NULL,
    created_by text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz
  );
  CREATE TABLE indicator (
    ${ID}, ${TENANT}, kind text NOT NULL CHECK (kind IN ('address', 'network', 'domain', 'sha256')), value text NOT NULL, source text NOT NULL,
    note text NOT NULL DEFAULT '', expires_at timestamptz, created_at timestamptz NOT NULL, UNIQUE (tenant_id, kind, value, source)
  );
`;

/** Orders to sensors, and what came of them. */
const RESPONSES = `
  CREATE TABLE response (
    ${ID}, ${TENANT}, uid text NOT NULL UNIQUE, ${NODE}, container text NOT NULL, action text NOT NULL, parameters jsonb NOT NULL,
    secret bytea, alert_id bigint REFERENCES alert ON DELETE SET NULL, automatic_id bigint,
    state text NOT NULL CHECK (state IN ('waiting', 'queued', 'sent', 'done', 'unchanged', 'failed', 'refused', 'expired', 'dry-run')),
    asked_by text NOT NULL, approved_by text NOT NULL DEFAULT '', reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, sent_at timestamptz, finished_at timestamptz,
    detail text NOT NULL DEFAULT '', facts jsonb NOT NULL DEFAULT '{}', undoes_id bigint REFERENCES response ON DELETE SET NULL
  );
  CREATE INDEX response_recent ON response (tenant_id, id DESC);
  CREATE INDEX response_node ON response (node_id) WHERE state IN ('queued', 'sent');
  CREATE TABLE evidence (
    ${ID}, ${TENANT}, response_id bigint NOT NULL REFERENCES response ON DELETE CASCADE, name text NOT NULL,
    content bytea NOT NULL, complete boolean NOT NULL DEFAULT false, cut_bytes bigint NOT NULL DEFAULT 0,
    UNIQUE (response_id, name)
  );
  CREATE TABLE automatic_response (
    ${ID}, ${TENANT}, name text NOT NULL, condition text NOT NULL, actions text[] NOT NULL,
    mode text NOT NULL CHECK (mode IN ('off', 'dry-run', 'approve', 'act')), per_hour integer NOT NULL,
    created_by text NOT NULL, created_at timestamptz NOT NULL, UNIQUE (tenant_id, name)
  );
`;

const TABLES = [
  "enrolment_token",
  "node",
  "node_spool",
  "node_loss",
  "container",
  "program",
  "listener",
  "runtime_batch",
  "runtime_event",
  "alert",
  "alert_event",
  "rule_file",
  "rule_mode",
  "allow_entry",
  "indicator",
  "response",
  "evidence",
  "automatic_response",
];

/** What runs: nodes, containers, events, alerts and responses. */
export const runtime: NamedMigration = {
  name: "0010-runtime",
  async up(db) {
    await statements(db, NODES);
    await statements(db, EVENTS);
    await statements(db, ALERTS);
    await statements(db, RESPONSES);
    await separateTenants(db, TABLES);
  },
};
