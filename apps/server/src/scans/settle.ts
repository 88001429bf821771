import { type ConcernedImages, refreshRisks, type TenantQueries } from "@bulwark/store";
import { refreshCasesOf } from "../cases/refresh-cases.ts";

/** Brings risks and cases up to date with what happened to images: a scan of them ended, or tags of a repository moved. */
export async function settle(db: TenantQueries, of: ConcernedImages, now: Date): Promise<void> {
  await refreshRisks(db, of, now);
  await refreshCasesOf(db, of, now);
}
