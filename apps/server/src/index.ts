export { ensureAdmin, FIRST_LOGIN } from "./accounts/ensure-admin.ts";
export { type App, type AppDeps, createApp } from "./app.ts";
export { type TenantVerdict, verifyAllAudits } from "./audit/verify-all.ts";
export { createAuthenticator } from "./security/authenticator.ts";
export { SecurityError, type SecurityErrorCode } from "./security/errors.ts";
export type { KeySource } from "./security/master-keys.ts";
export { proveKeys } from "./security/prove-keys.ts";
export { openSecretBox, rotateMasterKey, type SecretBox } from "./security/secret-box.ts";
export { type RunningServer, type ServerOptions, type ServerRole, startServer } from "./start-server.ts";
