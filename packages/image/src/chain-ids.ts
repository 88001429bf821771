import { sha256 } from "./digest.ts";

/**
 * ChainIDs of an image's layers, the lowest first (OCI image specification, "Layer ChainID").
 *
 * @param diffIds digests of the uncompressed layers, the lowest first
 * @example chainIdsOf(image.layers.map(({ diffId }) => diffId)).at(-1) // names all layers together
 */
export function chainIdsOf(diffIds: readonly string[]): readonly string[] {
  let chain = "";
  return diffIds.map((diffId) => {
    chain = chain === "" ? diffId : sha256(new TextEncoder().encode(`${chain} ${diffId}`));
    return chain;
  });
}
