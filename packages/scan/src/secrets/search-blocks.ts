import type { RuleMatch, TextSearch } from "./match-rules.ts";
import type { SecretRule } from "./rule.ts";

// With its overlap below the size from which Node keeps a string outside V8's heap, where its collector is slow to see it.
const BLOCK_BYTES = 900 * 1024;
/** Longer than any match of ours, so that each lies wholly within one block. */
const OVERLAP_BYTES = 80 * 1024;
/** Seen before a match by the patterns. A match nearer to a block's beginning is left to the block before. */
const CONTEXT_BYTES = 512;

/**
 * Searches large content block by block, so that memory grows with a block and not with the file.
 *
 * @param search of one block, whose places are counted from the block's beginning
 * @param blockBytes size of a block; smaller only in tests
 */
export function searchInBlocks(
  bytes: Uint8Array,
  search: (block: Uint8Array) => TextSearch,
  blockBytes: number = BLOCK_BYTES,
): TextSearch {
  if (bytes.length <= blockBytes + OVERLAP_BYTES) return search(bytes);
  const matches: RuleMatch[] = [];
  const late = new Set<SecretRule>();
  const overfull = new Set<SecretRule>();
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const to = Math.min(bytes.length, from + blockBytes + OVERLAP_BYTES);
    const found = search(bytes.subarray(from, to));
    for (const match of found.matches) {
      if (from > 0 && match.matchStart < CONTEXT_BYTES) continue;
      // It may go on beyond the block; the next one holds it whole.
      if (to < bytes.length && match.matchStart >= blockBytes + CONTEXT_BYTES) continue;
      matches.push({ ...match, matchStart: match.matchStart + from, valueStart: match.valueStart + from });
    }
    for (const rule of found.late) late.add(rule);
    for (const rule of found.overfull) overfull.add(rule);
    if (to === bytes.length) break;
  }
  return { matches, late: [...late], overfull: [...overfull] };
}
