import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/** Images that nobody uses: what keeps one from being cleaned up, and what was cleaned up, so that it can come back. */
export const zombies: NamedMigration = {
  name: "0019-zombies",
  async up(db) {
    await statements(
      db,
      `ALTER TABLE image ADD COLUMN pulled_at timestamptz;
       CREATE TABLE cleanup_hold (
         ${ID}, ${TENANT}, repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
         tag text NOT NULL DEFAULT '', reason text NOT NULL, until date, created_by bigint NOT NULL,
         created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (repository_id, tag)
       );
       CREATE TABLE cleanup (
         ${ID}, ${TENANT}, days integer NOT NULL,
         state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'refused', 'approved', 'done')),
         asked_by bigint NOT NULL, asked_at timestamptz NOT NULL, decided_by bigint, decided_at timestamptz, ended_at timestamptz
       );
       CREATE TABLE cleanup_item (
         ${ID}, ${TENANT}, cleanup_id bigint NOT NULL REFERENCES cleanup ON DELETE CASCADE,
         repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
         digest text NOT NULL, tags text[] NOT NULL, size_bytes bigint NOT NULL,
         state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'deleted', 'kept', 'failed', 'restored')),
         why text NOT NULL DEFAULT '', manifests jsonb NOT NULL DEFAULT '[]', at timestamptz,
         UNIQUE (cleanup_id, repository_id, digest)
       );
       CREATE INDEX cleanup_item_cleanup ON cleanup_item (cleanup_id, id);`,
    );
    await separateTenants(db, ["cleanup_hold", "cleanup", "cleanup_item"]);
  },
};
