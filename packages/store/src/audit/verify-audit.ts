import type { Store, TenantQueries } from "../open-store.ts";
import { entryOf, hashOf } from "./audit.ts";

const BATCH = 1_000;

/** A place in the chain that somebody noted elsewhere: entry and hash. */
export interface AuditMark {
  readonly entry: number;
  readonly hash: string;
}

/** Whether nobody changed the log. */
export interface AuditVerdict {
  readonly entries: number;
  readonly intact: boolean;
  /** The first entry that does not follow from the one before, or is missing. */
  readonly brokenAt?: number;
  /** Newest entry: noted outside the database, it later proves that the log was not written anew. */
  readonly head: AuditMark;
}

/**
 * Computes a tenant's chain again, from the first entry on, in bounded memory.
 *
 * @param mark noted earlier, from a verdict's `head`: without it, whoever owns the database could have written a whole new
 *   chain unnoticed
 */
export async function verifyAudit(store: Store, tenantId: number, mark?: AuditMark): Promise<AuditVerdict> {
  return store.tenant(tenantId, async (db) => {
    // Taken before the entries are read: what is appended meanwhile lies behind it.
    const head = await db
      .selectFrom("audit_head")
      .select(["entries", "hash"])
      .where("tenant_id", "=", tenantId)
      .executeTakeFirst();
    const expected = { entry: head?.entries ?? 0, hash: head?.hash ?? "" };
    let previous: AuditMark = { entry: 0, hash: "" };
    while (previous.entry < expected.entry) {
      const checked = await checkBatch(db, tenantId, previous, expected.entry, mark);
      if ("brokenAt" in checked) {
        return { entries: expected.entry, intact: false, brokenAt: checked.brokenAt, head: expected };
      }
      previous = checked;
    }
    const brokenAt = await brokenEnd(db, previous, expected, mark);
    const verdict = { entries: expected.entry, head: expected };
    return brokenAt === undefined ? { ...verdict, intact: true } : { ...verdict, intact: false, brokenAt };
  });
}

async function checkBatch(
  db: TenantQueries,
  tenantId: number,
  from: AuditMark,
  last: number,
  mark: AuditMark | undefined,
): Promise<AuditMark | { readonly brokenAt: number }> {
  const rows = await db
    .selectFrom("audit")
    .selectAll()
    .where("entry", ">", from.entry)
    .where("entry", "<=", last)
    .orderBy("entry")
    .limit(BATCH)
    .execute();
  let previous = from;
  for (const row of rows) {
    const entry = entryOf(row);
    const follows = entry.entry === previous.entry + 1 && entry.hash === hashOf(tenantId, entry, previous.hash);
    const isMarked = mark === undefined || mark.entry !== entry.entry || mark.hash === entry.hash;
    if (!follows || !isMarked) return { brokenAt: previous.entry + 1 };
    previous = { entry: entry.entry, hash: entry.hash };
  }
  return rows.length === 0 ? { brokenAt: previous.entry + 1 } : previous;
}

/** Where the end does not fit: the newest entry is not the head's, or the chain is shorter than it was. */
async function brokenEnd(
  db: TenantQueries,
  last: AuditMark,
  expected: AuditMark,
  mark: AuditMark | undefined,
): Promise<number | undefined> {
  if (last.hash !== expected.hash) return last.entry;
  if (mark !== undefined && mark.entry > last.entry) return last.entry + 1;
  if (expected.entry > 0) return undefined;
  const stray = await db.selectFrom("audit").select("entry").limit(1).executeTakeFirst();
  return stray?.entry;
}
