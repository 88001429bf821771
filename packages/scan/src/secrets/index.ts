export { type ConfigSecretScan, type ConfigSecrets, createConfigSecretScan } from "./config-scan.ts";
export { SecretRuleError, type SecretRuleErrorCode } from "./errors.ts";
export { readGitleaksRules } from "./read-gitleaks.ts";
export { readSecretRules } from "./read-rules.ts";
export type { SecretRule, SecretRules } from "./rule.ts";
export { joinSecretRules } from "./rule.ts";
export { expandSample } from "./sample.ts";
export { createSecretScanner, type SecretScannerOptions } from "./scanner.ts";
export { loadSecretRules } from "./shipped.ts";
