/** A circle that is placed: its middle and radius in units of the forest, in which an image takes about one square. */
export interface Circle {
  readonly r: number;
  x: number;
  y: number;
}

interface Link {
  readonly circle: Circle;
  next: Link;
  previous: Link;
}

/** Circles that were placed earlier stay where they are: further ones are put around them. */
export interface Packing {
  /** Puts a circle as near to the middle as it touches two others without overlapping any. */
  add(circle: Circle): void;
}

/** What rounding may make two circles that touch overlap by. */
const SLACK = 1e-6;

/**
 * Packs circles one after another around the middle: each is put against the pair of the outline (the front chain) that is
 * nearest to the middle; where it would overlap others of the outline, what lies between them leaves the outline.
 * (Wang, Wang, Dai, Wang: Visualization of large hierarchical data by circle packing, 2006, section 3.) Given the largest
 * first, the outline stays short, and thousands are placed in milliseconds.
 *
 * @example const packing = startPacking(); packing.add({ r: 2, x: 0, y: 0 });
 */
export function startPacking(): Packing {
  const first: Circle[] = [];
  let nearest: Link | undefined;
  const add = (circle: Circle) => {
    if (nearest !== undefined) {
      nearest = putAgainst(nearest, circle);
      return;
    }
    first.push(circle);
    placeFirst(first);
    if (first.length === 3) nearest = chainOf(first);
  };
  return { add };
}

/** Up to three touch one another around the middle. */
function placeFirst(circles: readonly Circle[]): void {
  const [a, b, c] = circles;
  if (a === undefined) return;
  if (b === undefined) {
    a.x = 0;
    a.y = 0;
    return;
  }
  if (c === undefined) {
    a.x = -b.r;
    b.x = a.r;
    b.y = 0;
    return;
  }
  touchBoth(b, a, c);
}

/** Moves `c` to where it touches `a` and `b`, on the left of the way from `b` to `a`. */
function touchBoth(b: Circle, a: Circle, c: Circle): void {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const square = dx * dx + dy * dy;
  const toA = (a.r + c.r) ** 2;
  const toB = (b.r + c.r) ** 2;
  if (square === 0) {
    c.x = a.x + a.r + c.r;
    c.y = a.y;
  } else if (toA > toB) {
    const along = (square + toB - toA) / (2 * square);
    const across = Math.sqrt(Math.max(0, toB / square - along * along));
    c.x = b.x - along * dx - across * dy;
    c.y = b.y - along * dy + across * dx;
  } else {
    const along = (square + toA - toB) / (2 * square);
    const across = Math.sqrt(Math.max(0, toA / square - along * along));
    c.x = a.x + along * dx - across * dy;
    c.y = a.y + along * dy + across * dx;
  }
}

function chainOf([a, b, c]: readonly Circle[]): Link {
  const links = [a!, b!, c!].map((circle) => ({ circle }) as Link);
  for (const [at, link] of links.entries()) {
    link.next = links[(at + 1) % 3]!;
    link.previous = links[(at + 2) % 3]!;
  }
  return links[0]!;
}

/** Places the circle against a pair of the outline, and tells the pair that is nearest to the middle from then on. */
function putAgainst(start: Link, circle: Circle): Link {
  let [a, b] = [start, start.next];
  for (;;) {
    touchBoth(a.circle, b.circle, circle);
    const hit = firstOverlap(a, b, circle);
    if (hit === undefined) break;
    if (hit.after) b = hit.link;
    else a = hit.link;
    a.next = b;
    b.previous = a;
  }
  const link: Link = { circle, previous: a, next: b };
  a.next = link;
  b.previous = link;
  return nearestPair(link);
}

/** What of the outline the circle would overlap: the one that is fewest steps of radius away from the pair, on either side. */
function firstOverlap(a: Link, b: Link, circle: Circle) {
  let [after, before] = [b.next, a.previous];
  let [wayAfter, wayBefore] = [b.circle.r, a.circle.r];
  do {
    if (wayAfter <= wayBefore) {
      if (overlap(after.circle, circle)) return { link: after, after: true };
      wayAfter += after.circle.r;
      after = after.next;
    } else {
      if (overlap(before.circle, circle)) return { link: before, after: false };
      wayBefore += before.circle.r;
      before = before.previous;
    }
  } while (after !== before.next);
  return undefined;
}

function overlap(one: Circle, other: Circle): boolean {
  const reach = one.r + other.r - SLACK;
  const dx = other.x - one.x;
  const dy = other.y - one.y;
  return reach > 0 && reach * reach > dx * dx + dy * dy;
}

function nearestPair(start: Link): Link {
  let best = start;
  let least = distanceOf(start);
  for (let link = start.next; link !== start; link = link.next) {
    const distance = distanceOf(link);
    if (distance >= least) continue;
    best = link;
    least = distance;
  }
  return best;
}

/** Square of the distance from the middle to where the two of a pair touch. */
function distanceOf({ circle: a, next: { circle: b } }: Link): number {
  const sum = a.r + b.r;
  const x = (a.x * b.r + b.x * a.r) / sum;
  const y = (a.y * b.r + b.y * a.r) / sum;
  return x * x + y * y;
}
