import type { Migration } from "kysely/migration";
import { foundation } from "./0001-foundation.ts";
import { estate } from "./0002-estate.ts";

/** A step of the schema. Steps that were released never change. */
export interface NamedMigration extends Migration {
  readonly name: string;
}

/** All steps, oldest first. */
export const MIGRATIONS: readonly NamedMigration[] = [foundation, estate];
