import type { AdvisoryMatch, AdvisorySubject, DatabaseInfo, EcosystemCatalog } from "@bulwark/model";
import { matchSubjects } from "./match-subject.ts";
import { openFile } from "./store/open-file.ts";
import { databaseReader } from "./store/reader.ts";

/** All that the database says about one subject. */
export interface SubjectMatches {
  /** Index into the subjects that were asked about. */
  readonly subject: number;
  readonly matches: readonly AdvisoryMatch[];
  /** Records that could not be judged; never to be taken for "not affected". */
  readonly undetermined: readonly { readonly advisory: string; readonly why: string }[];
}

export interface DatabaseStatus {
  readonly ecosystems: readonly { readonly ecosystem: string; readonly records: number }[];
  /** Feeds that were taken in: when, and the newest record or release they had. */
  readonly sources: readonly { readonly name: string; readonly updated: string; readonly newest: string }[];
  readonly knownExploited: number;
  readonly predictions: number;
}

/** An open advisory database. */
export interface AdvisoryDatabase {
  readonly info: DatabaseInfo;
  /** Matches subjects; those about which nothing is known are left out. */
  match(subjects: readonly AdvisorySubject[]): readonly SubjectMatches[];
  status(): DatabaseStatus;
  close(): void;
}

/**
 * Opens an advisory database for reading. It stays the same for this reader even while an update replaces it.
 *
 * @param catalog version orders and names of the ecosystems
 * @throws AdvisoryError `DATABASE_MISSING`, `DATABASE_DAMAGED`, `DATABASE_VERSION`
 * @example openAdvisoryDatabase(file, catalog).match([{ ecosystem: "npm", name: "lodash", version: "4.17.4" }]);
 */
export function openAdvisoryDatabase(file: string, catalog: EcosystemCatalog): AdvisoryDatabase {
  const reader = databaseReader(openFile(file, "read"));
  return {
    info: reader.info(),
    match: (subjects) => matchSubjects(subjects, reader, catalog),
    status: reader.status,
    close: reader.close,
  };
}
