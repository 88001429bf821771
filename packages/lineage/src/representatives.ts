import type { ImageColumns } from "./forest.ts";

/** Who speaks for the images that end on one node: who is alive, then who is named as a base most often, then the first. */
export function representatives(size: number, { alive, declared }: ImageColumns, node: Int32Array): Int32Array {
  const votes = new Int32Array(node.length);
  for (const base of declared) if (base >= 0) votes[base]! += 1;
  const chosen = new Int32Array(size).fill(-1);
  for (let image = 0; image < node.length; image++) {
    const at = node[image]!;
    if (at < 0) continue;
    const held = chosen[at]!;
    const isBetter =
      held < 0 || alive[image]! > alive[held]! || (alive[image] === alive[held] && votes[image]! > votes[held]!);
    if (isBetter) chosen[at] = image;
  }
  return chosen;
}
