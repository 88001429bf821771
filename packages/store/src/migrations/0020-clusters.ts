import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
const CLUSTER = "cluster_id bigint NOT NULL REFERENCES cluster ON DELETE CASCADE";

/**
 * A cluster takes part with a one-time token that is its own, and is from then on told apart by the uid of its namespace
 * kube-system: a token that another cluster shows is refused. Replicas of its agents are rows while their streams are open.
 */
const CLUSTERS = `
  ALTER TABLE directory DROP CONSTRAINT directory_kind_check;
  ALTER TABLE directory ADD CONSTRAINT directory_kind_check
    CHECK (kind IN ('login', 'session', 'token', 'webhook', 'oidc', 'enrolment', 'cluster'));
  CREATE TABLE cluster (
    ${ID}, ${TENANT}, uid text NOT NULL UNIQUE, name text NOT NULL, kubernetes_uid text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '', agent_version text NOT NULL DEFAULT '',
    grade text, owner_id bigint REFERENCES owner ON DELETE SET NULL,
    token_hash text, token_expires_at timestamptz, certificate_serial text NOT NULL DEFAULT '', next_serial text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL, enrolled_at timestamptz, seen_at timestamptz,
    epoch text NOT NULL DEFAULT '', synced text[] NOT NULL DEFAULT '{}', changed_at timestamptz, analysed_at timestamptz,
    proxies text[] NOT NULL DEFAULT '{}', removed_at timestamptz
  );
  CREATE UNIQUE INDEX cluster_name ON cluster (tenant_id, lower(name)) WHERE removed_at IS NULL;
  CREATE TABLE cluster_replica (
    ${TENANT}, ${CLUSTER}, gateway text NOT NULL, replica text NOT NULL, roles text[] NOT NULL, health jsonb,
    connected_at timestamptz NOT NULL, seen_at timestamptz NOT NULL, PRIMARY KEY (cluster_id, replica)
  );
  CREATE TABLE cluster_object (
    ${ID}, ${TENANT}, ${CLUSTER}, uid text NOT NULL, api_version text NOT NULL, kind text NOT NULL,
    namespace text NOT NULL, name text NOT NULL, document jsonb NOT NULL, epoch text NOT NULL,
    first_seen timestamptz NOT NULL, seen_at timestamptz NOT NULL, UNIQUE (cluster_id, uid)
  );
  CREATE INDEX cluster_object_kind ON cluster_object (cluster_id, kind, namespace, name);
  CREATE INDEX cluster_object_page ON cluster_object (tenant_id, kind, id);
`;

/**
 * What runs, as it is asked for: a workload is what somebody deployed, at the top of the chain of owners of its pods.
 * `workload_image` counts the containers of a workload by image: an estate has ten times fewer of these than containers.
 */
const WORKLOADS = `
  CREATE TABLE workload (
    ${ID}, ${TENANT}, ${CLUSTER}, uid text NOT NULL, kind text NOT NULL, namespace text NOT NULL, name text NOT NULL,
    owner_id bigint REFERENCES owner ON DELETE SET NULL, owner_name text NOT NULL DEFAULT '', owner_from text NOT NULL DEFAULT '',
    grade text, exposure jsonb NOT NULL DEFAULT '[]', service_account text NOT NULL DEFAULT '', pods integer NOT NULL DEFAULT 0,
    worst_path text NOT NULL DEFAULT '', seen_at timestamptz NOT NULL, UNIQUE (cluster_id, uid)
  );
  CREATE INDEX workload_page ON workload (tenant_id, id);
  CREATE TABLE pod (
    ${ID}, ${TENANT}, ${CLUSTER}, workload_id bigint NOT NULL REFERENCES workload ON DELETE CASCADE, uid text NOT NULL,
    namespace text NOT NULL, name text NOT NULL, node text NOT NULL, service_account text NOT NULL, phase text NOT NULL,
    addresses text[] NOT NULL, host_network boolean NOT NULL, started_at timestamptz, seen_at timestamptz NOT NULL,
    UNIQUE (cluster_id, uid)
  );
  CREATE INDEX pod_page ON pod (tenant_id, id);
  CREATE INDEX pod_name ON pod (tenant_id, namespace, name);
  CREATE INDEX pod_workload ON pod (workload_id);
  CREATE TABLE pod_container (
    ${ID}, ${TENANT}, ${CLUSTER}, pod_id bigint NOT NULL REFERENCES pod ON DELETE CASCADE, name text NOT NULL, role text NOT NULL,
    image text NOT NULL, image_digest text NOT NULL, runtime_id text NOT NULL, state text NOT NULL, privileged boolean NOT NULL,
    UNIQUE (pod_id, role, name)
  );
  CREATE INDEX pod_container_digest ON pod_container (tenant_id, image_digest);
  CREATE INDEX pod_container_runtime ON pod_container (tenant_id, runtime_id) WHERE runtime_id <> '';
  CREATE TABLE workload_image (
    ${TENANT}, ${CLUSTER}, workload_id bigint NOT NULL REFERENCES workload ON DELETE CASCADE, image_digest text NOT NULL,
    image text NOT NULL, containers integer NOT NULL, PRIMARY KEY (workload_id, image_digest, image)
  );
  CREATE INDEX workload_image_digest ON workload_image (tenant_id, image_digest);
  CREATE TABLE attack_path (
    ${ID}, ${TENANT}, ${CLUSTER}, workload_id bigint REFERENCES workload ON DELETE CASCADE, target text NOT NULL,
    severity text NOT NULL, steps jsonb NOT NULL, key text NOT NULL, exposed boolean NOT NULL, first_seen timestamptz NOT NULL,
    seen_at timestamptz NOT NULL, UNIQUE (cluster_id, key)
  );
  CREATE INDEX attack_path_page ON attack_path (tenant_id, id);
`;

/** Alerts of what was asked of an API server, and whose pod or object it was. */
const ALERTS = `
  CREATE FUNCTION forget_cluster_token() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM directory WHERE kind = 'cluster' AND key = OLD.token_hash; RETURN NULL; END $$;
  CREATE TRIGGER forget AFTER DELETE ON cluster FOR EACH ROW EXECUTE FUNCTION forget_cluster_token();
  ALTER TABLE alert ALTER COLUMN node_id DROP NOT NULL, ADD COLUMN cluster_id bigint REFERENCES cluster ON DELETE SET NULL,
    ADD COLUMN workload_id bigint REFERENCES workload ON DELETE SET NULL;
  CREATE TABLE audit_spool (
    ${TENANT}, ${CLUSTER}, epoch text NOT NULL, sequence bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (cluster_id, epoch)
  );
`;

/** Clusters, their objects, and what follows from them. */
export const clusters: NamedMigration = {
  name: "0020-clusters",
  async up(db) {
    await statements(db, CLUSTERS);
    await statements(db, WORKLOADS);
    await statements(db, ALERTS);
    await separateTenants(db, [
      ...["cluster", "cluster_replica", "cluster_object", "workload", "pod", "pod_container", "workload_image"],
      ...["attack_path", "audit_spool"],
    ]);
  },
};
