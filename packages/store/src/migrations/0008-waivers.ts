import type { NamedMigration } from "./index.ts";
import { statements } from "./tenant-table.ts";

/** Risks know the waiver that accepted them, so that they are open again when it is taken back. */
export const waivers: NamedMigration = {
  name: "0008-waivers",
  async up(db) {
    await statements(
      db,
      `ALTER TABLE risk ADD COLUMN waiver_id bigint REFERENCES waiver ON DELETE SET NULL;
       CREATE INDEX risk_waiver ON risk (waiver_id) WHERE waiver_id IS NOT NULL;`,
    );
  },
};
