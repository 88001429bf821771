import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/** Programs that administrators gave for their nodes. The signature is made once, when a program is given. */
const PROGRAMS = `
  CREATE TABLE sensor_program (
    ${ID}, ${TENANT}, version text NOT NULL, platform text NOT NULL CHECK (platform IN ('linux/amd64', 'linux/arm64')),
    sha256 text NOT NULL, signature bytea NOT NULL, content bytea NOT NULL, added_by text NOT NULL, added_at timestamptz NOT NULL,
    UNIQUE (tenant_id, sha256)
  );
  ALTER TABLE sensor_program ALTER COLUMN content SET STORAGE EXTERNAL;
`;

/** Upgrades of many nodes: `wave` at a time, and no further once one has failed. */
const UPGRADES = `
  CREATE TABLE sensor_upgrade (
    ${ID}, ${TENANT}, version text NOT NULL, wave integer NOT NULL, stops boolean NOT NULL,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped', 'cancelled')),
    asked_by text NOT NULL, created_at timestamptz NOT NULL, finished_at timestamptz
  );
  CREATE TABLE sensor_upgrade_node (
    ${TENANT}, upgrade_id bigint NOT NULL REFERENCES sensor_upgrade ON DELETE CASCADE,
    node_id bigint NOT NULL REFERENCES node ON DELETE CASCADE, place integer NOT NULL,
    version_before text NOT NULL, response_id bigint REFERENCES response ON DELETE SET NULL, skipped text NOT NULL DEFAULT '',
    PRIMARY KEY (upgrade_id, node_id)
  );
  CREATE INDEX sensor_upgrade_response ON sensor_upgrade_node (response_id);
`;

/** Which containers others can reach, whose a node is, and alerts of containers that can be reached. */
const PLACES = `
  ALTER TABLE node ADD COLUMN owner_id bigint REFERENCES owner ON DELETE SET NULL;
  ALTER TABLE container ADD COLUMN exposure jsonb NOT NULL DEFAULT '[]';
  ALTER TABLE alert ADD COLUMN exposed boolean NOT NULL DEFAULT false;
`;

/** Sensors that replace themselves, and what is known of the places that they watch. */
export const runtimePlaces: NamedMigration = {
  name: "0016-runtime-places",
  async up(db) {
    await statements(db, PROGRAMS);
    await statements(db, UPGRADES);
    await statements(db, PLACES);
    await separateTenants(db, ["sensor_program", "sensor_upgrade", "sensor_upgrade_node"]);
  },
};
