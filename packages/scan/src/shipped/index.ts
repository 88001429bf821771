export { filesBelow } from "./content-files.ts";
export { makeScanners, type ScannerOptions, type Scanners } from "./make-scanners.ts";
export { openDatabase } from "./open-database.ts";
export { cacheDirectory, contentDirectory, databaseFile, defaultPolicyFile, seedDirectory } from "./places.ts";
