import { sql } from "kysely";
import { severityOrder } from "../severity-order.ts";
import type { NamedMigration } from "./index.ts";

/** Results of benchmarks are listed with the most severe first, of one place and of all. */
export const worstResults: NamedMigration = {
  name: "0025-worst-results",
  async up(db) {
    await sql`CREATE INDEX benchmark_result_worst ON benchmark_result
      (tenant_id, (${severityOrder("severity")}), target_id, check_id) WHERE outcome IN ('fail', 'undetermined')`.execute(
      db,
    );
  },
};
