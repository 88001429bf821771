import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/**
 * Which transaction wrote a row. Ids are drawn before a transaction commits, so that reading them in order misses those of one
 * that commits late; transactions below `pg_snapshot_xmin` have all ended, and whoever reads only theirs in the order of
 * (transaction, id) misses nothing (PostgreSQL documentation, "Transaction ID and Snapshot Information Functions").
 */
const CHANGES = `
  ALTER TABLE runtime_batch ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
  CREATE INDEX runtime_batch_order ON runtime_batch (tenant_id, xid, id);
  ALTER TABLE alert ADD COLUMN changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
  CREATE INDEX alert_changed ON alert (tenant_id, changed_xid, id);
  CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.changed_xid := pg_current_xact_id();
      RETURN NEW;
    END $$;
  CREATE TRIGGER note_change BEFORE INSERT OR UPDATE ON alert FOR EACH ROW EXECUTE FUNCTION note_change();
`;

/**
 * Where events and alerts are sent, and how far. Progress is a table of its own, which backups leave out: numbers of
 * transactions mean nothing in another database.
 */
const TARGETS = `
  CREATE TABLE export_target (
    ${ID}, ${TENANT}, name text NOT NULL, kind text NOT NULL CHECK (kind IN ('syslog', 'webhook', 'kafka')),
    address text NOT NULL, format text NOT NULL CHECK (format IN ('ocsf', 'native')), settings jsonb NOT NULL DEFAULT '{}',
    secret bytea, alerts boolean NOT NULL, events boolean NOT NULL, event_types text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true, changed_by text NOT NULL, changed_at timestamptz NOT NULL, UNIQUE (tenant_id, name)
  );
  CREATE TABLE export_progress (
    target_id bigint PRIMARY KEY REFERENCES export_target ON DELETE CASCADE, ${TENANT},
    alert_xid xid8 NOT NULL, alert_id bigint NOT NULL DEFAULT 0, batch_xid xid8 NOT NULL, batch_id bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'idle' CHECK (state IN ('idle', 'sending', 'failing')), problem text NOT NULL DEFAULT '',
    failures integer NOT NULL DEFAULT 0, sent bigint NOT NULL DEFAULT 0, missed bigint NOT NULL DEFAULT 0, sent_at timestamptz,
    due_at timestamptz NOT NULL, lease text NOT NULL DEFAULT ''
  );
`;

/** Export of events and alerts to other systems. */
export const exports: NamedMigration = {
  name: "0013-exports",
  async up(db) {
    await statements(db, CHANGES);
    await statements(db, TARGETS);
    await separateTenants(db, ["export_target", "export_progress"]);
  },
};
