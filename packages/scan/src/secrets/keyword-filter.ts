/**
 * Finds the places where one of many words may begin, sixteen bytes at a time ("Teddy", as in Intel's Hyperscan). A word
 * belongs to one of eight buckets, each a bit. Two tables of sixteen bytes for each of the first bytes tell, by its low and
 * its high half, in which buckets a byte may stand there: where a bit is left of all of them, a word may begin. There the
 * first bytes together are looked up in a set of bits.
 *
 * V8 has no vectors but in WebAssembly, so that the loop is assembled below.
 */
export interface KeywordFilter {
  /** Calls back with every place in `bytes` where a word may begin, in order. */
  search(bytes: Uint8Array, visit: (at: number) => void): void;
}

/** Bytes of a word that are looked at. */
const GRAM_BYTES = 4;
/** What is kept of a byte in a gram: it is the same for both cases of a letter. */
const BITS = 5;
const FOLD = (1 << BITS) - 1;
const BUCKETS = 8;
const LANES = 16;
/** Memory of the module: tables, a chunk of the text, the set of grams, the places found. Most of it stays in the cache. */
const TEXT_AT = 256;
const CHUNK_BYTES = 32 * 1024;
const GRAMS_AT = 64 * 1024;
const PLACES_AT = GRAMS_AT + (1 << (GRAM_BYTES * BITS - 3));
const PAGES = (PLACES_AT + 4 * (CHUNK_BYTES + LANES)) / (64 * 1024) + 1;
/** What code and prose consist of, the frequent letters first: what a bucket lets through is judged by it. */
const FREQUENT = Buffer.from("etaoinsrlhdcumpfgybw.v,(k-_)=';:\"/x0j1qz2{}345678[]9<>@#$*&+|~!%?");

/** The first bytes of a word as a number: the same for all words that differ in case alone. */
export function gramOf(a: number, b: number, c: number, d: number): number {
  return (a & FOLD) | ((b & FOLD) << BITS) | ((c & FOLD) << (2 * BITS)) | ((d & FOLD) << (3 * BITS));
}

/** The grams under which a word stands: one, or, where it is shorter than a gram, with all that may follow. */
export function gramsOf(word: Uint8Array): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = word;
  const known = BITS * Math.min(GRAM_BYTES, word.length);
  const first = gramOf(a, b, c, d);
  return Array.from({ length: 1 << (GRAM_BYTES * BITS - known) }, (_, rest) => first | (rest << known));
}

/**
 * Prepares the search.
 *
 * @param words lower case, none of them empty; upper-case ASCII letters are taken for lower-case ones
 * @returns undefined where this machine has no vectors
 */
export function createKeywordFilter(words: readonly Uint8Array[]): KeywordFilter | undefined {
  const code = assemble();
  if (!WebAssembly.validate(code)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
  const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
  const filter = exports.filter as (length: number) => number;
  const places = new Uint32Array(memory.buffer, PLACES_AT);
  for (const [bucket, masks] of bucketsOf(words).entries()) {
    for (let at = 0; at < masks.length * LANES; at++) {
      if ((((masks[at >> 4] as number) >> (at & 15)) & 1) === 1) (memory[at] as number) |= 1 << bucket;
    }
  }
  for (const word of words)
    for (const gram of gramsOf(word)) (memory[GRAMS_AT + (gram >> 3)] as number) |= 1 << (gram & 7);
  return {
    search(bytes, visit) {
      for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
        const chunk = bytes.subarray(from, from + CHUNK_BYTES + LANES);
        const length = Math.min(CHUNK_BYTES, chunk.length);
        memory.set(chunk, TEXT_AT);
        memory.fill(0, TEXT_AT + chunk.length, TEXT_AT + chunk.length + 2 * LANES);
        const count = filter(length);
        for (let index = 0; index < count; index++) {
          const place = places[index] as number;
          if (place < length) visit(from + place);
        }
      }
    },
  };
}

/** What a bucket lets through: for each byte the halves, as sixteen bits, first the low ones and then the high ones. */
type Masks = readonly number[];

/** Words alike share a bucket: those of one first letter, and of the letters that let least through together. */
function bucketsOf(words: readonly Uint8Array[]): readonly Masks[] {
  const united = (a: Masks, b: Masks): Masks => a.map((mask, index) => mask | (b[index] as number));
  let buckets = [...Map.groupBy(words, ([first]) => first).values()].map((alike) => {
    const masks = alike.map(masksOf).reduce(united);
    return { masks, passes: passesOf(masks) };
  });
  type Bucket = (typeof buckets)[number];
  const pairOf = (a: Bucket, b: Bucket) => {
    const masks = united(a.masks, b.masks);
    const passes = passesOf(masks);
    return { a, b, masks, passes, more: passes - a.passes - b.passes };
  };
  let pairs = buckets.flatMap((a, index) => buckets.slice(index + 1).map((b) => pairOf(a, b)));
  while (buckets.length > BUCKETS) {
    const best = pairs.reduce((least, pair) => (pair.more < least.more ? pair : least));
    const isLeft = (one: Bucket) => one !== best.a && one !== best.b;
    buckets = buckets.filter(isLeft);
    pairs = [...pairs.filter(({ a, b }) => isLeft(a) && isLeft(b)), ...buckets.map((other) => pairOf(other, best))];
    buckets.push(best);
  }
  return buckets.map(({ masks }) => masks);
}

function masksOf(word: Uint8Array): Masks {
  const masks: number[] = [];
  for (let at = 0; at < GRAM_BYTES; at++) {
    const byte = word[at];
    if (byte === undefined) masks.push(0xffff, 0xffff);
    else {
      const isLetter = byte >= 0x61 && byte <= 0x7a;
      masks.push(1 << (byte & 15), (1 << (byte >> 4)) | (isLetter ? 1 << ((byte - 0x20) >> 4) : 0));
    }
  }
  return masks;
}

/** About which share of the places of a text a bucket lets through. */
function passesOf(masks: Masks): number {
  let passes = 1;
  for (let at = 0; at < masks.length; at += 2) {
    const [low = 0, high = 0] = [masks[at], masks[at + 1]];
    let share = 0.01;
    for (let rank = 0; rank < FREQUENT.length; rank++) {
      const byte = FREQUENT[rank] as number;
      share += ((low >> (byte & 15)) & (high >> (byte >> 4)) & 1) / (rank + 4);
    }
    passes *= share;
  }
  return passes;
}

/** Instructions by the names of the WebAssembly specification, "Index of Instructions". */
const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  end: [0x0b],
  br: (depth: number) => [0x0c, depth],
  brIf: (depth: number) => [0x0d, depth],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  i32Load: (offset: number) => [0x28, 0, ...unsigned(offset)],
  i32Load8U: (offset: number) => [0x2d, 0, ...unsigned(offset)],
  i32Store: [0x36, 2, 0],
  i32Const: (value: number) => [0x41, ...signed(value)],
  i32GeU: [0x4f],
  i32Ctz: [0x68],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  i32And: [0x71],
  i32Or: [0x72],
  i32Shl: [0x74],
  i32ShrU: [0x76],
  load: (offset: number) => [0xfd, 0x00, 0, ...unsigned(offset)],
  swizzle: [0xfd, 0x0e],
  splat: [0xfd, 0x0f],
  ne: [0xfd, 0x24],
  and: [0xfd, 0x4e],
  anyTrue: [0xfd, 0x53],
  bitmask: [0xfd, 0x64],
  shrU: [0xfd, 0x6d],
} as const;

const I32 = 0x7f;
const V128 = 0x7b;
/** The locals. */
const [LENGTH, AT, PLACE, MASK, HERE, WORD, BYTES, LEFT, NIBBLE, ZERO, TABLES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;

/** The module: `memory`, and `filter(length)`, which writes the places to `PLACES_AT` and gives their number. */
function assemble(): Uint8Array<ArrayBuffer> {
  const locals = [2, 5, I32, 4 + 2 * GRAM_BYTES, V128];
  const body = [...locals, ...filterCode(), ...op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("filter"), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function filterCode(): readonly number[] {
  const tables = Array.from({ length: 2 * GRAM_BYTES }, (_, index) => index);
  return [
    ...op.i32Const(PLACES_AT),
    ...op.set(PLACE),
    ...op.i32Const(15),
    ...op.splat,
    ...op.set(NIBBLE),
    ...tables.flatMap((index) => [...op.i32Const(index * LANES), ...op.load(0), ...op.set(TABLES + index)]),
    ...op.block,
    ...op.loop,
    ...[...op.get(AT), ...op.get(LENGTH), ...op.i32GeU, ...op.brIf(1)],
    ...bucketsAt(0),
    ...Array.from({ length: GRAM_BYTES - 1 }, (_, at) => [...bucketsAt(at + 1), ...op.and]).flat(),
    ...op.set(LEFT),
    ...[...op.get(LEFT), ...op.anyTrue],
    ...op.if,
    ...[...op.get(LEFT), ...op.get(ZERO), ...op.ne, ...op.bitmask, ...op.set(MASK)],
    ...op.loop,
    ...[...op.get(AT), ...op.get(MASK), ...op.i32Ctz, ...op.i32Add, ...op.set(HERE)],
    ...[...op.get(PLACE), ...op.get(HERE), ...op.i32Store],
    // Kept only where the gram is known: the next place is written over it otherwise.
    ...[...op.get(PLACE), ...isKnown(), ...op.i32Const(2), ...op.i32Shl, ...op.i32Add, ...op.set(PLACE)],
    ...[...op.get(MASK), ...op.get(MASK), ...op.i32Const(1), ...op.i32Sub, ...op.i32And, ...op.set(MASK)],
    ...[...op.get(MASK), ...op.brIf(0)],
    ...op.end,
    ...op.end,
    ...[...op.get(AT), ...op.i32Const(LANES), ...op.i32Add, ...op.set(AT)],
    ...op.br(0),
    ...op.end,
    ...op.end,
    ...[...op.get(PLACE), ...op.i32Const(PLACES_AT), ...op.i32Sub, ...op.i32Const(2), ...op.i32ShrU],
  ];
}

/** For sixteen places: in which buckets the byte `at` behind each may stand there. */
function bucketsAt(at: number): readonly number[] {
  return [
    ...[...op.get(AT), ...op.load(TEXT_AT + at), ...op.set(BYTES)],
    ...[...op.get(TABLES + 2 * at), ...op.get(BYTES), ...op.get(NIBBLE), ...op.and, ...op.swizzle],
    ...[...op.get(TABLES + 2 * at + 1), ...op.get(BYTES), ...op.i32Const(4), ...op.shrU, ...op.swizzle],
    ...op.and,
  ];
}

/** 1 where a word has the first bytes that stand `HERE`, 0 otherwise. */
function isKnown(): readonly number[] {
  const folded = (byte: number) => [
    ...[...op.get(WORD), ...op.i32Const((8 - BITS) * byte), ...op.i32ShrU],
    ...[...op.i32Const(FOLD << (BITS * byte)), ...op.i32And],
  ];
  return [
    ...[...op.get(HERE), ...op.i32Load(TEXT_AT), ...op.set(WORD)],
    ...folded(0),
    ...[1, 2, 3].flatMap((byte) => [...folded(byte), ...op.i32Or]),
    ...op.set(WORD),
    ...[...op.get(WORD), ...op.i32Const(3), ...op.i32ShrU, ...op.i32Load8U(GRAMS_AT)],
    ...[...op.get(WORD), ...op.i32Const(7), ...op.i32And, ...op.i32ShrU, ...op.i32Const(1), ...op.i32And],
  ];
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): readonly number[] {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128, "Integers" of the specification's binary format. */
function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): readonly number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
