import type { Migration } from "kysely/migration";
import { foundation } from "./0001-foundation.ts";
import { estate } from "./0002-estate.ts";
import { accounts } from "./0003-accounts.ts";
import { jobs } from "./0004-jobs.ts";
import { workflow } from "./0005-workflow.ts";
import { schedules } from "./0006-schedules.ts";
import { notifications } from "./0007-notifications.ts";
import { waivers } from "./0008-waivers.ts";
import { runtime } from "./0010-runtime.ts";
import { exports } from "./0013-exports.ts";

/** A step of the schema. Steps that were released never change. */
export interface NamedMigration extends Migration {
  readonly name: string;
}

/** All steps, oldest first. */
export const MIGRATIONS: readonly NamedMigration[] = [
  foundation,
  estate,
  accounts,
  jobs,
  workflow,
  schedules,
  notifications,
  waivers,
  runtime,
  exports,
];
