import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

/** Long work: a job is what somebody asked for, its tasks are what workers do one by one. */
export const jobs: NamedMigration = {
  name: "0004-jobs",
  async up(db) {
    await statements(
      db,
      `CREATE TABLE job (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE,
         kind text NOT NULL, title text NOT NULL, cause text NOT NULL DEFAULT 'request',
         state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'done', 'failed', 'cancelled')),
         created_by text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz
       );
       CREATE INDEX job_recent ON job (tenant_id, id DESC);
       CREATE TABLE task (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE,
         job_id bigint NOT NULL REFERENCES job ON DELETE CASCADE,
         kind text NOT NULL, name text NOT NULL, payload jsonb NOT NULL,
         state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'parked', 'running', 'done', 'failed', 'cancelled')),
         attempts integer NOT NULL DEFAULT 0, progress real NOT NULL DEFAULT 0, step text NOT NULL DEFAULT '',
         problem text NOT NULL DEFAULT '', worker text NOT NULL DEFAULT '',
         started_at timestamptz, ended_at timestamptz
       );
       CREATE INDEX task_job ON task (job_id, state);
       CREATE INDEX task_digest ON task (tenant_id, (payload->>'digest')) WHERE state IN ('waiting', 'parked', 'running');
       CREATE INDEX task_failed ON task (tenant_id, id DESC) WHERE state = 'failed';`,
    );
    await separateTenants(db, ["job", "task"]);
  },
};
