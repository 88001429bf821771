import type { TenantQueries } from "../open-store.ts";

/** Which chains are known as these analyzers tell them. */
export async function knownChains(
  db: TenantQueries,
  digests: readonly string[],
  analyzers: string,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("chain")
    .select("digest")
    .where("digest", "in", digests.length === 0 ? [""] : digests)
    .where("analyzers", "=", analyzers)
    .execute();
  return new Set(rows.map(({ digest }) => digest));
}
