import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

/**
 * Tasks get tickets, so that one is never done by two workers, and times, so that a registry is not asked for more than it
 * allows; registries get webhooks; selections are scanned on schedules.
 */
export const schedules: NamedMigration = {
  name: "0006-schedules",
  async up(db) {
    await statements(
      db,
      `ALTER TABLE job ADD COLUMN per_minute integer NOT NULL DEFAULT 0, ADD COLUMN next_slot timestamptz;
       ALTER TABLE registry ADD COLUMN next_slot timestamptz, ADD COLUMN webhook_hash text, ADD COLUMN tried_at timestamptz;
       ALTER TABLE task ADD COLUMN ticket integer NOT NULL DEFAULT 1, ADD COLUMN queued boolean NOT NULL DEFAULT false,
         ADD COLUMN start_at timestamptz, ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
       CREATE INDEX task_running ON task (tenant_id, seen_at) WHERE state = 'running';
       CREATE INDEX task_unqueued ON task (tenant_id, seen_at) WHERE state = 'waiting' AND NOT queued;
       CREATE INDEX task_registry ON task (tenant_id, kind, (payload->>'registry')) WHERE state IN ('waiting', 'parked', 'running');
       CREATE UNIQUE INDEX registry_webhook ON registry (webhook_hash) WHERE webhook_hash IS NOT NULL;
       CREATE TABLE schedule (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE,
         name text NOT NULL, cron text NOT NULL, time_zone text NOT NULL DEFAULT 'UTC',
         registries bigint[] NOT NULL DEFAULT '{}', repositories bigint[] NOT NULL DEFAULT '{}',
         rescan boolean NOT NULL DEFAULT false, enabled boolean NOT NULL DEFAULT true, images_per_minute integer NOT NULL DEFAULT 0,
         next_at timestamptz, last_at timestamptz, last_job bigint REFERENCES job ON DELETE SET NULL,
         created_by text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(),
         UNIQUE (tenant_id, name)
       );
       CREATE INDEX schedule_due ON schedule (tenant_id, next_at) WHERE enabled;`,
    );
    await separateTenants(db, ["schedule"]);
  },
};
