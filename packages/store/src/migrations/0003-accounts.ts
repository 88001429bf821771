import type { NamedMigration } from "./index.ts";
import { grantToServer, separateTenants, statements } from "./tenant-table.ts";

/**
 * Who may come in, and what was done. Of every secret only its SHA-256 or argon2id hash is kept, but of TOTP's, which is
 * encrypted. The audit log can be added to and read, and nothing else: neither the role that serves requests nor, short of
 * dropping the triggers, the owner of the database changes an entry.
 */
export const accounts: NamedMigration = {
  name: "0003-accounts",
  async up(db) {
    await statements(db, ACCOUNTS);
    await statements(db, FORGET);
    await statements(db, AUDIT);
    await separateTenants(db, [
      "account",
      "account_owner",
      "recovery_code",
      "session",
      "api_token",
      "audit",
      "audit_head",
    ]);
    await statements(db, "REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM bulwark_app");
    await statements(db, "REVOKE DELETE, TRUNCATE ON audit_head FROM bulwark_app");
    await grantToServer(db, "login_attempt");
  },
};

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
const ACCOUNT = "account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE";

const ACCOUNTS = `
  CREATE TABLE account (
    ${ID}, ${TENANT}, login text NOT NULL UNIQUE, name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'security', 'operator', 'developer', 'auditor')),
    enabled boolean NOT NULL DEFAULT true,
    password_hash text, identity text,
    totp_secret bytea, totp_confirmed boolean NOT NULL DEFAULT false, totp_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz,
    UNIQUE (tenant_id, identity)
  );
  CREATE TABLE account_owner (
    ${TENANT}, ${ACCOUNT}, owner_id bigint NOT NULL REFERENCES owner ON DELETE CASCADE,
    PRIMARY KEY (account_id, owner_id)
  );
  CREATE INDEX account_owner_owner ON account_owner (owner_id);
  CREATE TABLE recovery_code (${TENANT}, ${ACCOUNT}, hash text NOT NULL, PRIMARY KEY (account_id, hash));
  CREATE TABLE session (
    id text PRIMARY KEY, ${TENANT}, ${ACCOUNT},
    created_at timestamptz NOT NULL, seen_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
    address text NOT NULL DEFAULT ''
  );
  CREATE INDEX session_account ON session (account_id);
  CREATE INDEX session_expiry ON session (tenant_id, expires_at);
  CREATE TABLE api_token (
    ${ID}, ${TENANT}, ${ACCOUNT}, name text NOT NULL, hash text NOT NULL UNIQUE, scopes text[] NOT NULL,
    created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz,
    UNIQUE (account_id, name)
  );
  CREATE TABLE login_attempt (key text PRIMARY KEY, count integer NOT NULL, ends_at timestamptz NOT NULL);
  CREATE INDEX login_attempt_end ON login_attempt (ends_at);
`;

/** What is deleted, by whatever cascade, leaves nothing in the directory. */
const FORGET = `
  CREATE FUNCTION forget_login() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM directory WHERE kind = 'login' AND key = OLD.login; RETURN NULL; END $$;
  CREATE TRIGGER forget AFTER DELETE ON account FOR EACH ROW EXECUTE FUNCTION forget_login();
  CREATE FUNCTION forget_session() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM directory WHERE kind = 'session' AND key = OLD.id; RETURN NULL; END $$;
  CREATE TRIGGER forget AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION forget_session();
  CREATE FUNCTION forget_token() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM directory WHERE kind = 'token' AND key = OLD.hash; RETURN NULL; END $$;
  CREATE TRIGGER forget AFTER DELETE ON api_token FOR EACH ROW EXECUTE FUNCTION forget_token();
`;

/** `audit_head` holds the newest entry's hash: its row is the lock that puts writers in line, and shows a cut tail. */
const AUDIT = `
  CREATE TABLE audit (
    tenant_id integer NOT NULL REFERENCES tenant, entry bigint NOT NULL CHECK (entry > 0),
    at timestamptz NOT NULL, actor text NOT NULL, actor_id bigint, action text NOT NULL, subject text NOT NULL,
    detail jsonb NOT NULL, address text NOT NULL, request_id text NOT NULL, hash text NOT NULL,
    PRIMARY KEY (tenant_id, entry)
  );
  CREATE INDEX audit_actor ON audit (tenant_id, actor, entry);
  CREATE INDEX audit_action ON audit (tenant_id, action, entry);
  CREATE INDEX audit_subject ON audit (tenant_id, subject, entry);
  CREATE INDEX audit_at ON audit (tenant_id, at);
  CREATE TABLE audit_head (
    tenant_id integer PRIMARY KEY REFERENCES tenant, entries bigint NOT NULL DEFAULT 0, hash text NOT NULL DEFAULT ''
  );
  CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege'; END $$;
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
  CREATE TRIGGER append_only_all BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
`;
