import type { NamedMigration } from "./index.ts";
import { statements } from "./tenant-table.ts";

/** When it was noticed that an exception is over: places that were judged with it are judged again once. */
export const endedExceptions: NamedMigration = {
  name: "0029-ended-exceptions",
  async up(db) {
    await statements(db, "ALTER TABLE benchmark_exception ADD COLUMN ended_at timestamptz;");
  },
};
