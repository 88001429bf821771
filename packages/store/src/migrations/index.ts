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
import { lineage } from "./0014-lineage.ts";
import { runtimePlaces } from "./0016-runtime-places.ts";
import { responsibility } from "./0017-responsibility.ts";
import { golden } from "./0018-golden.ts";
import { zombies } from "./0019-zombies.ts";
import { clusters } from "./0020-clusters.ts";
import { admission } from "./0021-admission.ts";
import { benchmarks } from "./0022-benchmarks.ts";
import { baselines } from "./0023-baselines.ts";
import { knownDigests } from "./0024-known-digests.ts";
import { worstResults } from "./0025-worst-results.ts";
import { clusterModes } from "./0026-cluster-modes.ts";
import { runningImages } from "./0027-running-images.ts";
import { unfinishedWork } from "./0028-unfinished-work.ts";
import { endedExceptions } from "./0029-ended-exceptions.ts";

/** A step of the schema. Steps that were released never change. */
export interface NamedMigration extends Migration {
  readonly name: string;
  /** Its statements are about rows that are there, of all tenants. */
  readonly ofAllRows?: true;
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
  lineage,
  runtimePlaces,
  responsibility,
  golden,
  zombies,
  clusters,
  admission,
  benchmarks,
  baselines,
  knownDigests,
  worstResults,
  clusterModes,
  runningImages,
  unfinishedWork,
  endedExceptions,
];
