import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { ForestNode, ForestPart } from "./radix.ts";

/**
 * What the store knows of a node, under the names that the forest uses. A repository that was removed is none: otherwise the same one,
 * added again, would look like a second.
 */
const NODE = sql`n.chain_id AS "chainId", n.layers, n.parent_id AS "parentId", n.edge_id AS "edgeId", n.images, n.live, n.beneath,
  (SELECT r.id FROM repository r WHERE r.id = n.repository_id) AS "repositoryId", n.several, n.image_id AS "imageId", n.declared_id AS "declaredId", n.claim`;

export function emptyPart(): ForestPart & { readonly below: Map<number, number | null> } {
  return { below: new Map(), nodes: new Map(), edges: new Map(), changed: new Set() };
}

type LoadedPart = ReturnType<typeof emptyPart>;

/**
 * Loads what lies under some chains: the chains down to the lowest, the nodes on them, those whose stretch they run along,
 * and whatever any of these stands on by declaration.
 */
export async function loadUnder(db: TenantQueries, part: LoadedPart, chains: readonly number[]): Promise<void> {
  let wanted = chains.filter((chain) => !part.below.has(chain));
  while (wanted.length > 0) {
    const fresh = await loadPaths(db, part, wanted);
    const found = await nodesOn(db, fresh);
    for (const node of found) {
      if (part.nodes.has(node.chainId)) continue;
      part.nodes.set(node.chainId, node);
      part.edges.set(node.edgeId, node.chainId);
    }
    const next = found.flatMap(({ chainId, declaredId }) => [chainId, ...(declaredId === null ? [] : [declaredId])]);
    wanted = [...new Set(next)].filter((chain) => !part.below.has(chain));
  }
}

async function loadPaths(db: TenantQueries, part: LoadedPart, chains: readonly number[]): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number; below: number | null }>`
    WITH RECURSIVE up AS (
      SELECT id, parent_id FROM chain WHERE id = ANY(${chains}::bigint[])
      UNION SELECT c.id, c.parent_id FROM chain c JOIN up ON c.id = up.parent_id)
    SELECT id, parent_id AS below FROM up`.execute(db);
  const fresh = rows.filter(({ id }) => !part.below.has(id));
  for (const { id, below } of fresh) part.below.set(id, below);
  return fresh.map(({ id }) => id);
}

async function nodesOn(db: TenantQueries, chains: readonly number[]): Promise<readonly ForestNode[]> {
  const { rows } = await sql<ForestNode>`
    SELECT ${NODE} FROM lineage_node n WHERE n.chain_id = ANY(${chains}::bigint[])
    UNION SELECT ${NODE} FROM lineage_node n WHERE n.edge_id = ANY(${chains}::bigint[])`.execute(db);
  return rows;
}

/** Writes the nodes of a part that changed. */
export async function saveChanged(db: TenantQueries, part: ForestPart): Promise<void> {
  if (part.changed.size === 0) return;
  const rows = [...part.changed].map((chain) => part.nodes.get(chain));
  // A node that moved up its stretch leaves its first chain to the one that took its place.
  await sql`
    UPDATE lineage_node n SET edge_id = -n.chain_id
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("chainId" bigint, "edgeId" bigint)
    WHERE n.chain_id = r."chainId" AND n.edge_id <> r."edgeId"`.execute(db);
  await sql`
    INSERT INTO lineage_node (tenant_id, chain_id, layers, parent_id, edge_id, images, live, beneath, repository_id, several,
      image_id, declared_id, claim)
    SELECT current_tenant(), "chainId", layers, "parentId", "edgeId", images, live, beneath, "repositoryId", several, "imageId",
      "declaredId", claim
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("chainId" bigint, layers smallint, "parentId" bigint,
      "edgeId" bigint, images integer, live integer, beneath integer, "repositoryId" bigint, several boolean,
      "imageId" bigint, "declaredId" bigint, claim text)
    ON CONFLICT (chain_id) DO UPDATE SET parent_id = excluded.parent_id, edge_id = excluded.edge_id, images = excluded.images,
      live = excluded.live, beneath = excluded.beneath, repository_id = excluded.repository_id, several = excluded.several,
      image_id = excluded.image_id, declared_id = excluded.declared_id, claim = excluded.claim`.execute(db);
}
