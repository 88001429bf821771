import type { ColumnType, Generated, GeneratedAlways } from "kysely";

interface AccountTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  /** Lower case; unique over all tenants. */
  readonly login: string;
  readonly name: string;
  readonly role: string;
  readonly enabled: Generated<boolean>;
  /** argon2id in PHC form; null for accounts of an identity provider. */
  readonly password_hash: string | null;
  /** `<provider>:<subject>` for accounts of an identity provider. */
  readonly identity: string | null;
  /** Encrypted. */
  readonly totp_secret: Buffer | null;
  readonly totp_confirmed: Generated<boolean>;
  /** Time step of the last code that was taken: it and those before it are refused. */
  readonly totp_step: Generated<number>;
  readonly created_at: Generated<Date>;
  readonly seen_at: Date | null;
}

interface AccountOwnerTable {
  readonly tenant_id: number;
  readonly account_id: number;
  readonly owner_id: number;
}

interface RecoveryCodeTable {
  readonly tenant_id: number;
  readonly account_id: number;
  readonly hash: string;
}

interface SessionTable {
  /** SHA-256 of the cookie's value. */
  readonly id: string;
  readonly tenant_id: number;
  readonly account_id: number;
  readonly created_at: Date;
  readonly seen_at: Date;
  readonly expires_at: Date;
  readonly address: Generated<string>;
}

interface ApiTokenTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant_id: number;
  readonly account_id: number;
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly string[];
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly used_at: Date | null;
}

/** Tries to log in, by login or by address: digests, none of them a tenant's. */
interface LoginAttemptTable {
  readonly key: string;
  readonly count: number;
  readonly ends_at: Date;
}

interface AuditTable {
  readonly tenant_id: number;
  readonly entry: number;
  readonly at: Date;
  readonly actor: string;
  readonly actor_id: number | null;
  readonly action: string;
  readonly subject: string;
  readonly detail: ColumnType<Readonly<Record<string, unknown>>, string, never>;
  readonly address: string;
  readonly request_id: string;
  readonly hash: string;
}

interface AuditHeadTable {
  readonly tenant_id: number;
  readonly entries: Generated<number>;
  readonly hash: Generated<string>;
}

/** Tables of migration 0003. */
export interface AccountTables {
  readonly account: AccountTable;
  readonly account_owner: AccountOwnerTable;
  readonly recovery_code: RecoveryCodeTable;
  readonly session: SessionTable;
  readonly api_token: ApiTokenTable;
  readonly login_attempt: LoginAttemptTable;
  readonly audit: AuditTable;
  readonly audit_head: AuditHeadTable;
}
