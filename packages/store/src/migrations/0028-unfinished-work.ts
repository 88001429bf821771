import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

/**
 * Bases that came, noted with the growth that found them: what follows from them is done later, and not lost with the server that grew
 * the forest.
 */
export const unfinishedWork: NamedMigration = {
  name: "0028-unfinished-work",
  ofAllRows: true,
  async up(db) {
    await statements(db, BASES);
    await separateTenants(db, ["lineage_fresh_base"]);
  },
};

const BASES = `
  CREATE TABLE lineage_fresh_base (
    chain_id bigint PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE
  );
  CREATE INDEX lineage_fresh_base_tenant ON lineage_fresh_base (tenant_id);
`;
