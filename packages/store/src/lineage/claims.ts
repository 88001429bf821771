import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { ChainImages } from "./chain-images.ts";
import { baseByLayers, type ForestNode, type ForestPart, lowerOf, parentOf, pathOf, setNode } from "./radix.ts";

/** What judging declarations changed. */
export interface Judged {
  /** Nodes that stand on something else than before, what they stood on, and what they stand on now. */
  readonly moved: Set<number>;
  /** Chains whose declarations are to be judged again, since one that they led in a circle with says otherwise now. */
  readonly again: Set<number>;
}

/**
 * Puts off what was declared above a base that came since: layers tell of it now. Before any is judged, so that those that
 * are judged meet what the layers say and no circle hides behind a word that counts no more.
 */
export function contradictClaims(part: ForestPart, judged: Judged): void {
  const late = [...part.nodes.values()].filter(
    (node) => (node.claim === "used" || node.claim === "cyclic") && baseByLayers(part, node) !== undefined,
  );
  for (const node of late) if (node.claim === "cyclic") for (const each of circleOf(part, node)) judged.again.add(each);
  for (const node of late) setClaim(part, { ...node, claim: "contradicted" }, judged);
}

/**
 * Judges the base that the images of a node declare. Layers win over what is declared: a declaration counts only where
 * layers tell of no base. Declarations that lead in a circle count for nothing, all of them, in whatever order they came.
 */
export function judgeClaim(part: ForestPart, chain: number, facts: ChainImages | undefined, judged: Judged): void {
  const node = part.nodes.get(chain);
  if (node === undefined) return;
  const now = claimOf(part, node, facts);
  if (now.claim === node.claim && now.declaredId === node.declaredId) return;
  if (node.claim === "cyclic") for (const each of circleOf(part, node)) judged.again.add(each);
  setClaim(part, { ...node, ...now }, judged);
  // What it stands on now may lead back to it, by its own word or by others'.
  for (const each of circleOf(part, { ...node, ...now })) {
    const other = part.nodes.get(each);
    if (other !== undefined && other.claim !== "cyclic") setClaim(part, { ...other, claim: "cyclic" }, judged);
  }
}

function setClaim(part: ForestPart, node: ForestNode, { moved }: Judged): void {
  const before = part.nodes.get(node.chainId) ?? node;
  setNode(part, node);
  for (const each of [lowerOf(part, before), lowerOf(part, node)]) if (each !== undefined) moved.add(each.chainId);
}

function claimOf(
  part: ForestPart,
  node: ForestNode,
  facts: ChainImages | undefined,
): Pick<ForestNode, "claim" | "declaredId"> {
  if (facts?.declares !== true) return { claim: "none", declaredId: null };
  const { declaredId } = facts;
  // An image whose chain has not had its turn yet is none to stand on: it is asked about again once it is a node.
  if (declaredId === null || !part.nodes.has(declaredId)) return { claim: "unresolved", declaredId: null };
  if (pathOf(part, node.chainId).includes(declaredId)) return { claim: "agrees", declaredId };
  if (baseByLayers(part, node) !== undefined) return { claim: "contradicted", declaredId };
  const leadsBack = circleOf(part, { ...node, declaredId, claim: "used" }).length > 0;
  return { claim: leadsBack ? "cyclic" : "used", declaredId };
}

/** The nodes whose declarations lead from a node back to itself; none when they lead elsewhere. */
function circleOf(part: ForestPart, node: ForestNode): readonly number[] {
  const declaring: number[] = [];
  const seen = new Set<number>();
  for (let at: ForestNode | undefined = node; at !== undefined && !seen.has(at.chainId); ) {
    seen.add(at.chainId);
    if ((at.claim === "used" || at.claim === "cyclic") && at.declaredId !== null) {
      declaring.push(at.chainId);
      at = part.nodes.get(at.declaredId);
    } else at = parentOf(part, at);
    if (at?.chainId === node.chainId) return declaring;
  }
  return [];
}

/** Counts anew what stands on some nodes and on all that these stand on: the highest first. */
export async function recountBeneath(db: TenantQueries, part: ForestPart, moved: ReadonlySet<number>): Promise<void> {
  const wanted = new Set<number>();
  for (const chain of moved) {
    for (let at = part.nodes.get(chain); at !== undefined && !wanted.has(at.chainId); at = lowerOf(part, at)) {
      wanted.add(at.chainId);
    }
  }
  for (const chain of byHeight(part, [...wanted])) {
    await sql`
      UPDATE lineage_node n SET beneath = (SELECT coalesce(sum(c.live + c.beneath), 0) FROM lineage_node c
        WHERE (c.parent_id = n.chain_id AND c.claim <> 'used') OR (c.declared_id = n.chain_id AND c.claim = 'used'))
      WHERE n.chain_id = ${chain}`.execute(db);
  }
}

/** Nodes in an order in which each comes before what it stands on. */
function byHeight(part: ForestPart, chains: readonly number[]): readonly number[] {
  const depth = (chain: number) => {
    let steps = 0;
    for (let at = part.nodes.get(chain); at !== undefined; at = lowerOf(part, at)) {
      if (steps++ > part.nodes.size) throw new Error(`what chain ${chain} stands on leads in a circle`);
    }
    return steps;
  };
  return chains.toSorted((a, b) => depth(b) - depth(a));
}
