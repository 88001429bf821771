export {
  type Account,
  type AccountChange,
  type AccountSecrets,
  addAccount,
  changeAccount,
  claimKey,
  countAdmins,
  findAccount,
  findAccountBy,
  listAccounts,
  ownersOf,
  releaseKey,
  removeAccount,
  tenantOf,
  tenantsOf,
} from "./accounts/accounts.ts";
export { countAttempt, forgetAttempts, uncountAttempt } from "./accounts/attempts.ts";
export { beginTotp, confirmTotp, removeTotp, takeRecoveryCode, takeTotpStep } from "./accounts/second-factor.ts";
export { addSession, endSession, endSessions, findSession, touchSession } from "./accounts/sessions.ts";
export { type ApiToken, addToken, findToken, listTokens, removeToken, touchToken } from "./accounts/tokens.ts";
export { type AuditEntry, type AuditFilter, appendAudit, listAudit } from "./audit/audit.ts";
export type { Plain } from "./audit/canonical-json.ts";
export { type AuditMark, type AuditVerdict, verifyAudit } from "./audit/verify-audit.ts";
export { StoreError, type StoreErrorCode } from "./errors.ts";
export {
  connectionOf,
  openStore,
  type Store,
  type StoreOptions,
  type SystemQueries,
  type TenantQueries,
} from "./open-store.ts";
export { addOwner, changeOwner, findOwner, listOwners, type Owner, removeOwner, setMembers } from "./owners/owners.ts";
export type { Database, NewRow, Row, RowChange } from "./schema.ts";
export { listSettings, readSetting, removeSetting, writeSetting } from "./tenants/settings.ts";
export { addTenant, FIRST_TENANT, findTenant, listTenants, type Tenant } from "./tenants/tenants.ts";
