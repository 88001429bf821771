export { addOutside } from "./add-outside.ts";
export { type InstallRules, readInstallRules } from "./install-rules.ts";
export { createInstallScriptScanner, INSTALL_SCRIPT_MAX_BYTES } from "./install-scripts.ts";
export { MAX_SARIF_BYTES, type OutsideResults, readSarif, type SarifPlace } from "./read-sarif.ts";
export { scanSource } from "./scan-source.ts";
export type { SourceTreeOptions } from "./source-tree.ts";
