import type { AdvisoryDatabase } from "@bulwark/advisory";
import { type ChainStates, keepChainStates } from "@bulwark/scan";
import { makeScanners, openDatabase, type ScannerOptions, type Scanners } from "@bulwark/scan/shipped";
import { stateOfDatabase } from "./match.ts";

/** The scanners and the advisory database of a worker, made when they are first needed. */
export interface ScannerTools {
  readonly states: ChainStates;
  scanners(): Promise<Scanners>;
  /** For the root file system of a machine: packages alone, its files are no image's content. */
  hostScanners(): Promise<Scanners>;
  /** The newest state of the advisory database: it is opened anew when its file was replaced. */
  database(): Promise<AdvisoryDatabase>;
  close(): void;
}

/** @param file of the advisory database; undefined: the one that `bulwark db` keeps, else the shipped seed */
export function scannerTools(file?: string): ScannerTools {
  let scanners: Promise<Scanners> | undefined;
  let hostScanners: Promise<Scanners> | undefined;
  let database: AdvisoryDatabase | undefined;
  // Tasks that run may still ask a state that was replaced.
  const replaced: AdvisoryDatabase[] = [];
  let opening: Promise<AdvisoryDatabase> | undefined;
  const newest = async (): Promise<AdvisoryDatabase> => {
    const opened = await openDatabase(file);
    if (database !== undefined && stateOfDatabase(database) === stateOfDatabase(opened)) {
      opened.close();
      return database;
    }
    if (database !== undefined) replaced.push(database);
    database = opened;
    return database;
  };
  return {
    states: keepChainStates(),
    scanners() {
      scanners ??= makeScanners(scannerOptions(["vuln", "secret", "malware", "config"]));
      return scanners;
    },
    hostScanners() {
      hostScanners ??= makeScanners(scannerOptions(["vuln"]));
      return hostScanners;
    },
    database() {
      // The first one makes the file from the seed: one at a time.
      opening ??= newest().finally(() => {
        opening = undefined;
      });
      return opening;
    },
    close() {
      for (const each of replaced) each.close();
      database?.close();
    },
  };
}

/** What ships, with nothing beside it. */
function scannerOptions(scanners: ScannerOptions["scanners"]): ScannerOptions {
  const nothing = { secretRules: [], yaraRules: [], indicators: [], denyLists: [], registries: [] };
  return { scanners, ...nothing, trustPackages: true };
}
