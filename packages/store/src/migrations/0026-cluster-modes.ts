import type { NamedMigration } from "./index.ts";
import { statements } from "./tenant-table.ts";

/** Modes of policies hold in all clusters, or in one. */
export const clusterModes: NamedMigration = {
  name: "0026-cluster-modes",
  async up(db) {
    await statements(
      db,
      `ALTER TABLE admission_mode ADD COLUMN cluster_id bigint REFERENCES cluster ON DELETE CASCADE;
       ALTER TABLE admission_mode DROP CONSTRAINT admission_mode_pkey;
       CREATE UNIQUE INDEX admission_mode_place ON admission_mode (tenant_id, policy, coalesce(cluster_id, 0), namespace);`,
    );
  },
};
