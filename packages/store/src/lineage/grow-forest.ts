import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { type ChainImages, chainsDeclaring, imagesOnChains } from "./chain-images.ts";
import { contradictClaims, judgeClaim, recountBeneath } from "./claims.ts";
import { noteFreshBases } from "./fresh-bases.ts";
import { emptyPart, loadUnder, saveChanged } from "./load-part.ts";
import { addBeneath, type ForestNode, type ForestPart, insertChain, isBase, parentOf, setNode } from "./radix.ts";

/** Only one process at a time writes a tenant's forest. */
export const LINEAGE_LOCK = 0x6c696e;
/** Changed chains that are worked off in one transaction. */
const BATCH = 200;

/**
 * Brings the forest up to date with the images that came, went or moved since it was grown last. An image costs the layers
 * that it has; what stands on a base is not looked at when the base comes or goes.
 *
 * Nodes that images which were there before stand on from now on are noted as fresh bases.
 *
 * @param batch changed chains that are worked off, for tests
 * @returns whether there may be more to do
 * @example while (await store.tenant(1, (db) => growForest(db)));
 */
export async function growForest(db: TenantQueries, batch: number = BATCH): Promise<boolean> {
  await sql`SELECT pg_advisory_xact_lock(${LINEAGE_LOCK}, current_tenant())`.execute(db);
  const taken = await takeChanges(db, batch);
  const chains = [...new Set(taken)];
  if (chains.length === 0) return false;
  const part = emptyPart();
  await loadUnder(db, part, chains);
  const facts = await imagesOnChains(db, chains);
  await loadUnder(
    db,
    part,
    [...facts.values()].flatMap(({ declaredId }) => (declaredId === null ? [] : [declaredId])),
  );
  const grown = chains.filter((chain) => (facts.get(chain)?.images ?? 0) > (part.nodes.get(chain)?.images ?? 0));
  const newBases = chains.flatMap((chain) => placeChain(part, chain, facts.get(chain)));
  const judged = { moved: new Set<number>(), again: new Set<number>() };
  contradictClaims(part, judged);
  for (const chain of chains) judgeClaim(part, chain, facts.get(chain), judged);
  await saveChanged(db, part);
  await recountBeneath(db, part, judged.moved);
  const { again } = judged;
  for (const chain of await chainsDeclaring(db, grown)) again.add(chain);
  for (const chain of await declaringAbove(db, newBases)) again.add(chain);
  await noteChanges(db, [...again]);
  await noteFreshBases(
    db,
    newBases.filter((chain) => (part.nodes.get(chain)?.beneath ?? 0) > 0),
  );
  return taken.length === batch || again.size > 0;
}

async function takeChanges(db: TenantQueries, batch: number): Promise<readonly number[]> {
  const { rows } = await sql<{ chain: number }>`
    DELETE FROM lineage_change WHERE id IN (SELECT id FROM lineage_change ORDER BY id LIMIT ${batch})
    RETURNING chain_id AS chain`.execute(db);
  return rows.map(({ chain }) => chain);
}

async function noteChanges(db: TenantQueries, chains: readonly number[]): Promise<void> {
  if (chains.length === 0) return;
  await sql`INSERT INTO lineage_change (tenant_id, chain_id)
    SELECT current_tenant(), unnest(${chains}::bigint[])`.execute(db);
}

/**
 * Gives a chain the images that it has now.
 *
 * @returns nodes that images may be said to stand on from now on
 */
function placeChain(part: ForestPart, chain: number, facts: ChainImages | undefined): readonly number[] {
  if (facts === undefined && !part.nodes.has(chain)) return [];
  const made = insertChain(part, chain);
  const before = part.nodes.get(chain);
  if (before === undefined) return [];
  const { images = 0, live = 0, imageId = null, repositories = [] } = facts ?? {};
  const after = { ...before, images, live, imageId };
  setNode(part, after);
  addBeneath(part, after, live - before.live);
  const parted = repositories.flatMap((repository) => spreadRepository(part, after.chainId, repository));
  const turned = isBase(before) || images === 0 ? [] : [chain];
  return [...new Set([...parted, ...turned, ...made])];
}

/** Tells a node and all below it of a repository that has images there; gives the branch points that became bases. */
function spreadRepository(part: ForestPart, chain: number, repository: number): readonly number[] {
  const bases: number[] = [];
  for (let at = part.nodes.get(chain); at !== undefined; at = parentOf(part, at)) {
    if (at.several || at.repositoryId === repository) break;
    const several = at.repositoryId !== null;
    const told: ForestNode = { ...at, several, repositoryId: several ? null : repository };
    setNode(part, told);
    if (!isBase(at) && isBase(told)) bases.push(at.chainId);
  }
  return bases;
}

/** Nodes above some new bases, down to the next base each, whose declarations counted or led in a circle so far. */
async function declaringAbove(db: TenantQueries, bases: readonly number[]): Promise<readonly number[]> {
  if (bases.length === 0) return [];
  const { rows } = await sql<{ id: number }>`
    WITH RECURSIVE above AS (
      SELECT chain_id, claim, false AS is_base FROM lineage_node WHERE chain_id = ANY(${bases}::bigint[])
      -- OFFSET 0 keeps this from becoming a join over the whole forest where there are no statistics yet.
      UNION ALL SELECT n.chain_id, n.claim, n.images > 0 OR n.several FROM above a
        CROSS JOIN LATERAL (SELECT * FROM lineage_node u WHERE u.parent_id = a.chain_id OFFSET 0) n WHERE NOT a.is_base)
    SELECT chain_id AS id FROM above WHERE claim IN ('used', 'cyclic')`.execute(db);
  return rows.map(({ id }) => id);
}

/** How many changes wait; counted no further than somebody wants to know. */
export async function countForestChanges(db: TenantQueries): Promise<number> {
  const { rows } = await sql<{ changes: number }>`
    SELECT count(*) AS changes FROM (SELECT FROM lineage_change LIMIT 100000) waiting`.execute(db);
  return rows[0]?.changes ?? 0;
}
