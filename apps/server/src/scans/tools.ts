import type { AdvisoryDatabase } from "@bulwark/advisory";
import { type ChainStates, keepChainStates } from "@bulwark/scan";
import { makeScanners, openDatabase, type Scanners } from "@bulwark/scan/shipped";
import { stateOfDatabase } from "./match.ts";

/** The scanners and the advisory database of a worker, made when they are first needed. */
export interface ScannerTools {
  readonly states: ChainStates;
  scanners(): Promise<Scanners>;
  /** The newest state of the advisory database: it is opened anew when its file was replaced. */
  database(): Promise<AdvisoryDatabase>;
  close(): void;
}

/** @param file of the advisory database; undefined: the one that `bulwark db` keeps, else the shipped seed */
export function scannerTools(file?: string): ScannerTools {
  let scanners: Promise<Scanners> | undefined;
  let database: AdvisoryDatabase | undefined;
  return {
    states: keepChainStates(),
    scanners() {
      scanners ??= makeScanners({
        scanners: ["vuln", "secret", "malware", "config"],
        secretRules: [],
        yaraRules: [],
        indicators: [],
        denyLists: [],
        registries: [],
        trustPackages: true,
      });
      return scanners;
    },
    async database() {
      const opened = await openDatabase(file);
      if (database !== undefined && stateOfDatabase(database) === stateOfDatabase(opened)) {
        opened.close();
        return database;
      }
      database?.close();
      database = opened;
      return database;
    },
    close: () => database?.close(),
  };
}
