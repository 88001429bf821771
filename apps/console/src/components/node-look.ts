import type { LineageNode } from "../api/contract.ts";
import { type Tone, worstOf } from "./severity.tsx";
import { visible } from "./visible.ts";

const SHOWN_CHARACTERS = 120;
const SHORT_DIGEST = 19;

/** The worst that a scan found in a node's image; calm where nobody ever scanned it. */
export function toneOfNode({ image }: LineageNode): Tone {
  return image === null || image.scannedAt === null ? "other" : worstOf(image.counts);
}

/** A node's image, else the repository of all that stands on it, else its layers. Without control characters. */
export function nameOfNode({ image, repository, chain }: LineageNode): string {
  return visible(image?.reference ?? repository ?? chain.slice(0, SHORT_DIGEST), SHOWN_CHARACTERS);
}

/** The last part of a name, which tells most in little room. */
export function shortNameOf(node: LineageNode): string {
  const name = nameOfNode(node);
  return name.slice(name.lastIndexOf("/") + 1) || name;
}
