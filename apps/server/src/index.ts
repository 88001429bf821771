export { type App, type AppDeps, createApp } from "./app.ts";
export { SecurityError, type SecurityErrorCode } from "./security/errors.ts";
export type { KeySource } from "./security/master-keys.ts";
export { openSecretBox, rotateMasterKey, type SecretBox } from "./security/secret-box.ts";
