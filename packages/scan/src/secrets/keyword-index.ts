import { createKeywordFilter, gramOf, gramsOf, type KeywordFilter } from "./keyword-filter.ts";

/** Finds many words in bytes in one pass, whatever their case. */
export interface KeywordIndex {
  /** Calls back with every place of every keyword, in the order of their beginnings. Overlapping ones too. */
  search(bytes: Uint8Array, visit: (keyword: number, start: number) => void): void;
}

/**
 * Prepares the search: places where a word may begin are found many at a time, and the words of the same first bytes are
 * compared there. Only ASCII letters fold their case; other bytes are compared as they are.
 *
 * @param keywords none of them empty
 * @param filter finds the places; only tests give it
 */
export function createKeywordIndex(
  keywords: readonly string[],
  filter: (words: readonly Uint8Array[]) => KeywordFilter | undefined = createKeywordFilter,
): KeywordIndex {
  if (keywords.length === 0) return { search: () => {} };
  const words = keywords.map((word) => Uint8Array.from(Buffer.from(word), lower));
  const byGram = new Map<number, number[]>();
  for (const [keyword, word] of words.entries()) {
    for (const gram of gramsOf(word)) {
      const others = byGram.get(gram);
      if (others === undefined) byGram.set(gram, [keyword]);
      else others.push(keyword);
    }
  }
  const { search } = filter(words) ?? everywhere;
  return {
    search(bytes, visit) {
      search(bytes, (at) => {
        const alike = byGram.get(gramAt(bytes, at));
        if (alike === undefined) return;
        for (const keyword of alike) if (beginsAt(words[keyword] as Uint8Array, bytes, at)) visit(keyword, at);
      });
    },
  };
}

/** For processors without vectors. */
const everywhere: KeywordFilter = {
  search(bytes, visit) {
    for (let at = 0; at < bytes.length; at++) visit(at);
  },
};

function gramAt(bytes: Uint8Array, at: number): number {
  return gramOf(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
}

function beginsAt(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  if (at + word.length > bytes.length) return false;
  for (let index = 0; index < word.length; index++) {
    if (lower(bytes[at + index] as number) !== word[index]) return false;
  }
  return true;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
