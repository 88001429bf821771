/** Finds many words in bytes in one pass, whatever their case (Aho and Corasick, "Efficient string matching", 1975). */
export interface KeywordIndex {
  /** Calls back with every place of every keyword, in the order of their ends. Overlapping ones too. */
  search(bytes: Uint8Array, visit: (keyword: number, start: number) => void): void;
}

interface Node {
  readonly next: Map<number, Node>;
  readonly depth: number;
  fail: Node | undefined;
  /** Keywords that end here, shorter ones that end here too included. */
  ends: number[];
  state: number;
}

/**
 * Prepares the search. Only ASCII letters fold their case; other bytes are compared as they are.
 *
 * @param keywords none of them empty
 */
export function createKeywordIndex(keywords: readonly string[]): KeywordIndex {
  const words = keywords.map((word) => Buffer.from(word).map(lower));
  const { classOf, count } = byteClasses(words);
  const nodes = buildTrie(words, classOf);
  // States in which a keyword ends come last, so that one comparison tells them apart in the loop below.
  const order = [...nodes.filter(({ ends }) => ends.length === 0), ...nodes.filter(({ ends }) => ends.length > 0)];
  for (const [state, node] of order.entries()) node.state = state;
  const firstEnd = order.findIndex(({ ends }) => ends.length > 0);
  const shift = Math.ceil(Math.log2(count));
  const table = transitions(nodes, count, shift, order.length);
  const ends = order.map((node) => node.ends);
  const lengths = words.map(({ length }) => length);
  const accepting = (firstEnd < 0 ? order.length : firstEnd) << shift;

  return {
    search(bytes, visit) {
      let state = 0;
      const length = bytes.length;
      for (let at = 0; at < length; at++) {
        state = table[state | (classOf[bytes[at] as number] as number)] as number;
        if (state < accepting) continue;
        for (const keyword of ends[state >> shift] as number[]) visit(keyword, at + 1 - (lengths[keyword] as number));
      }
    },
  };
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Bytes that no keyword tells apart share a class: the table stays small enough for the processor's cache. */
function byteClasses(words: readonly Uint8Array[]): { readonly classOf: Uint8Array; readonly count: number } {
  const classOf = new Uint8Array(256);
  let count = 1;
  for (const word of words) for (const byte of word) if (classOf[byte] === 0) classOf[byte] = count++;
  for (let byte = 0x41; byte <= 0x5a; byte++) classOf[byte] = classOf[byte + 0x20] as number;
  return { classOf, count };
}

/** The trie with failure links, root first, shallow nodes before deep ones. */
function buildTrie(words: readonly Uint8Array[], classOf: Uint8Array): readonly Node[] {
  const node = (depth: number): Node => ({ next: new Map(), depth, fail: undefined, ends: [], state: 0 });
  const root = node(0);
  for (const [index, word] of words.entries()) {
    let at = root;
    for (const byte of word) {
      const letter = classOf[byte] as number;
      const next = at.next.get(letter) ?? node(at.depth + 1);
      at.next.set(letter, next);
      at = next;
    }
    at.ends.push(index);
  }
  const nodes: Node[] = [root];
  for (const at of nodes) {
    for (const [letter, next] of at.next) {
      let fail = at.fail;
      while (fail !== undefined && !fail.next.has(letter)) fail = fail.fail;
      next.fail = fail?.next.get(letter) ?? root;
      next.ends = [...next.ends, ...next.fail.ends];
      nodes.push(next);
    }
  }
  return nodes;
}

/** The next state, shifted, for each state and class. */
function transitions(nodes: readonly Node[], classes: number, shift: number, states: number): Int32Array {
  const table = new Int32Array(states << shift);
  for (const node of nodes) {
    for (let letter = 0; letter < classes; letter++) {
      const next = node.next.get(letter);
      const from = (node.state << shift) | letter;
      // A node's failure link is shallower, so that its row is filled already.
      if (next !== undefined) table[from] = next.state << shift;
      else table[from] = node.fail === undefined ? 0 : (table[(node.fail.state << shift) | letter] as number);
    }
  }
  return table;
}
