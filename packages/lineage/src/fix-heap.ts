/**
 * Fixes by what they clear for their cost, the best first. Keys only ever fall, so a key that is out of date is set right
 * when its fix comes to the top, and not before.
 */
export interface FixHeap {
  /** Takes out the best fix; undefined when none clears anything any more. */
  takeBest(): number | undefined;
}

/**
 * @param count fixes are numbered from 0
 * @param keyOf what a fix is worth now: 0 for nothing; never more than it was
 * @param tieOf decides between equal keys: the greater goes first, then the lower number
 */
export function fixHeap(count: number, keyOf: (fix: number) => number, tieOf: (fix: number) => number): FixHeap {
  const keys = Float64Array.from({ length: count }, (_, fix) => keyOf(fix));
  const heap = Int32Array.from({ length: count }, (_, fix) => fix);
  let length = count;
  for (let place = (length >> 1) - 1; place >= 0; place--) sink(place);
  return { takeBest };

  function isBefore(one: number, other: number): boolean {
    if (keys[one] !== keys[other]) return keys[one]! > keys[other]!;
    const [first, second] = [tieOf(one), tieOf(other)];
    return first === second ? one < other : first > second;
  }

  function sink(from: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) return;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, heap[place]!)) return;
      [heap[place], heap[child]] = [heap[child]!, heap[place]!];
      place = child;
    }
  }

  function takeBest(): number | undefined {
    while (length > 0) {
      const fix = heap[0]!;
      const key = keyOf(fix);
      if (key === keys[fix] && key > 0) {
        heap[0] = heap[--length]!;
        sink(0);
        return fix;
      }
      keys[fix] = key;
      if (key <= 0) heap[0] = heap[--length]!;
      sink(0);
    }
    return undefined;
  }
}
