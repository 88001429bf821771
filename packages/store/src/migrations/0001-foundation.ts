import type { NamedMigration } from "./index.ts";
import { grantToServer, separateTenants, statements } from "./tenant-table.ts";

/**
 * Tenants, and what is common to all. `directory` tells whose a login, a session or a token is before the tenant is known;
 * it holds nothing but digests and names.
 */
export const foundation: NamedMigration = {
  name: "0001-foundation",
  async up(db) {
    await statements(
      db,
      `DO $$ BEGIN
         IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bulwark_app') THEN
           CREATE ROLE bulwark_app NOLOGIN NOINHERIT;
         END IF;
       END $$;
       GRANT bulwark_app TO CURRENT_USER;
       GRANT USAGE ON SCHEMA public TO bulwark_app;
       ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO bulwark_app;
       CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
         $$ SELECT nullif(current_setting('bulwark.tenant', true), '')::integer $$;
       CREATE TABLE tenant (
         id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         name text NOT NULL UNIQUE,
         created_at timestamptz NOT NULL DEFAULT now()
       );
       INSERT INTO tenant (name) VALUES ('default');
       CREATE TABLE directory (
         kind text NOT NULL CHECK (kind IN ('login', 'session', 'token', 'webhook', 'oidc')),
         key text NOT NULL,
         tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE,
         PRIMARY KEY (kind, key)
       );
       CREATE TABLE setting (
         tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE,
         name text NOT NULL,
         value jsonb NOT NULL,
         PRIMARY KEY (tenant_id, name)
       );`,
    );
    await grantToServer(db, "tenant");
    await grantToServer(db, "directory");
    await separateTenants(db, ["setting"]);
  },
};
