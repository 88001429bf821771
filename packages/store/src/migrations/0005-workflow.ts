import type { NamedMigration } from "./index.ts";
import { separateTenants, statements } from "./tenant-table.ts";

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

/**
 * What people work with: counts over the whole estate, risks that somebody has to close, waivers, and cases of emergency
 * searches.
 */
export const workflow: NamedMigration = {
  name: "0005-workflow",
  async up(db) {
    await statements(
      db,
      `CREATE TABLE estate_vulnerability (
         ${TENANT}, vulnerability_id text NOT NULL REFERENCES vulnerability, severity text NOT NULL, exploited boolean NOT NULL,
         fixable boolean NOT NULL, images integer NOT NULL, packages text[] NOT NULL, fixed_versions text[] NOT NULL,
         first_seen timestamptz NOT NULL, rank integer NOT NULL,
         PRIMARY KEY (tenant_id, vulnerability_id)
       );
       CREATE INDEX estate_vulnerability_rank ON estate_vulnerability (tenant_id, rank, vulnerability_id);
       CREATE INDEX estate_vulnerability_images ON estate_vulnerability (tenant_id, images DESC, vulnerability_id);
       CREATE TABLE estate_day (
         ${TENANT}, day date NOT NULL, images integer NOT NULL, critical integer NOT NULL, high integer NOT NULL,
         exploited integer NOT NULL, secrets integer NOT NULL, malware integer NOT NULL, open_risks integer NOT NULL DEFAULT 0,
         PRIMARY KEY (tenant_id, day)
       );
       CREATE TABLE risk (
         ${ID}, ${TENANT}, repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
         key text NOT NULL, kind text NOT NULL, finding text NOT NULL, severity text NOT NULL, title text NOT NULL,
         package text NOT NULL DEFAULT '', path text NOT NULL DEFAULT '', fixed_version text NOT NULL DEFAULT '',
         exploited boolean NOT NULL DEFAULT false,
         state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'assigned', 'fixing', 'fixed', 'reopened', 'accepted')),
         assignee_id bigint, images integer NOT NULL DEFAULT 0,
         first_seen timestamptz NOT NULL, due_at timestamptz, fixed_at timestamptz, reopened integer NOT NULL DEFAULT 0,
         released_at timestamptz, accept_reason text NOT NULL DEFAULT '', accept_until date, asked_by bigint, approved_by bigint,
         UNIQUE (repository_id, key)
       );
       CREATE INDEX risk_state ON risk (tenant_id, state, due_at);
       CREATE INDEX risk_finding ON risk (tenant_id, finding);
       CREATE TABLE risk_event (
         ${ID}, ${TENANT}, risk_id bigint NOT NULL REFERENCES risk ON DELETE CASCADE, at timestamptz NOT NULL,
         actor text NOT NULL, action text NOT NULL, detail text NOT NULL DEFAULT ''
       );
       CREATE INDEX risk_event_risk ON risk_event (risk_id, id);
       CREATE TABLE waiver (
         ${ID}, ${TENANT}, scope text NOT NULL CHECK (scope IN ('tenant', 'registry', 'repository', 'image')), scope_id bigint,
         finding text NOT NULL, path text NOT NULL DEFAULT '', reason text NOT NULL, until date,
         asked_by bigint NOT NULL, approved_by bigint, created_at timestamptz NOT NULL DEFAULT now()
       );
       CREATE INDEX waiver_finding ON waiver (tenant_id, finding);
       CREATE TABLE incident_case (
         ${ID}, ${TENANT}, title text NOT NULL, query jsonb NOT NULL, created_by text NOT NULL,
         created_at timestamptz NOT NULL DEFAULT now(), closed_at timestamptz, note text NOT NULL DEFAULT ''
       );
       CREATE TABLE case_image (
         ${TENANT}, case_id bigint NOT NULL REFERENCES incident_case ON DELETE CASCADE,
         image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE, first_seen timestamptz NOT NULL, closed_at timestamptz,
         PRIMARY KEY (case_id, image_id)
       );
       CREATE TABLE case_point (
         ${TENANT}, case_id bigint NOT NULL REFERENCES incident_case ON DELETE CASCADE, at timestamptz NOT NULL,
         open integer NOT NULL, closed integer NOT NULL, PRIMARY KEY (case_id, at)
       );`,
    );
    await separateTenants(db, [
      "estate_vulnerability",
      "estate_day",
      "risk",
      "risk_event",
      "waiver",
      "incident_case",
      "case_image",
      "case_point",
    ]);
  },
};
