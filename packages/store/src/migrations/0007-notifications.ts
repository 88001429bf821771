import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/**
 * Notifications: a `notice` is written in the transaction of the change that it tells of; rules make deliveries of it, and
 * each attempt to deliver is kept.
 */
export const notifications: NamedMigration = {
  name: "0007-notifications",
  async up(db) {
    await statements(
      db,
      `CREATE TABLE channel (
         ${ID}, ${TENANT}, name text NOT NULL, kind text NOT NULL, shown_address text NOT NULL, settings jsonb NOT NULL,
         secret bytea, enabled boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL DEFAULT now(),
         UNIQUE (tenant_id, name)
       );
       CREATE TABLE notification_rule (
         ${ID}, ${TENANT}, name text NOT NULL, enabled boolean NOT NULL DEFAULT true, events text[] NOT NULL,
         owner_ids bigint[] NOT NULL DEFAULT '{}', grades text[] NOT NULL DEFAULT '{}', min_severity text,
         kinds text[] NOT NULL DEFAULT '{}', channel_ids bigint[] NOT NULL, to_owner boolean NOT NULL DEFAULT false,
         UNIQUE (tenant_id, name)
       );
       CREATE TABLE notice (
         ${ID}, ${TENANT}, event text NOT NULL, at timestamptz NOT NULL, risk_ids bigint[] NOT NULL DEFAULT '{}',
         facts jsonb NOT NULL DEFAULT '{}'
       );
       CREATE INDEX notice_order ON notice (tenant_id, id);
       CREATE TABLE delivery (
         ${ID}, ${TENANT}, channel_id bigint NOT NULL REFERENCES channel ON DELETE CASCADE,
         recipient text NOT NULL DEFAULT '', subject text NOT NULL, content jsonb NOT NULL,
         state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
         created_at timestamptz NOT NULL, due_at timestamptz NOT NULL, attempts integer NOT NULL DEFAULT 0,
         problem text NOT NULL DEFAULT '', ended_at timestamptz
       );
       CREATE INDEX delivery_due ON delivery (tenant_id, due_at) WHERE state = 'waiting';
       CREATE INDEX delivery_recent ON delivery (tenant_id, id DESC);
       CREATE TABLE delivery_attempt (
         ${ID}, ${TENANT}, delivery_id bigint NOT NULL REFERENCES delivery ON DELETE CASCADE, at timestamptz NOT NULL,
         ok boolean NOT NULL, status integer, problem text NOT NULL DEFAULT '', took_ms integer NOT NULL
       );
       CREATE INDEX delivery_attempt_delivery ON delivery_attempt (delivery_id, id);
       ALTER TABLE risk ADD COLUMN overdue_told_at timestamptz;
       ALTER TABLE registry ADD COLUMN failure_told_at timestamptz;
       ALTER TABLE job ADD COLUMN failure_told_at timestamptz;
       CREATE INDEX job_failed ON job (tenant_id, ended_at) WHERE state = 'failed';`,
    );
    await separateTenants(db, ["channel", "notification_rule", "notice", "delivery", "delivery_attempt"]);
  },
};
