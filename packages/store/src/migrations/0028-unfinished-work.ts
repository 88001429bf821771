import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

/**
 * What was begun and is not lost with the server that began it: bases that came, noted with the growth that found them, until what
 * follows from them is done; and manifests of a cleanup that are still to be deleted. Cleanups whose job was cancelled are over.
 */
export const unfinishedWork: NamedMigration = {
  name: "0028-unfinished-work",
  ofAllRows: true,
  async up(db) {
    await statements(db, BASES);
    await statements(db, CLEANUPS);
    await separateTenants(db, ["lineage_fresh_base"]);
  },
};

const BASES = `
  CREATE TABLE lineage_fresh_base (
    chain_id bigint PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE
  );
  CREATE INDEX lineage_fresh_base_tenant ON lineage_fresh_base (tenant_id);
`;

const CLEANUPS = `
  ALTER TABLE cleanup_item ADD COLUMN left_digests text[] NOT NULL DEFAULT '{}';
  CREATE TEMP TABLE abandoned ON COMMIT DROP AS
    SELECT c.id FROM cleanup c WHERE c.state = 'approved' AND EXISTS (SELECT FROM job j JOIN task t ON t.job_id = j.id
      WHERE j.tenant_id = c.tenant_id AND j.kind = 'cleanup' AND j.state = 'cancelled' AND t.payload->>'cleanup' = c.id::text);
  UPDATE cleanup_item SET state = 'kept', why = 'its job was cancelled', at = now()
    WHERE state = 'waiting' AND cleanup_id IN (SELECT id FROM abandoned);
  UPDATE cleanup SET state = 'done', ended_at = now() WHERE id IN (SELECT id FROM abandoned);
  DROP TABLE abandoned;
`;
