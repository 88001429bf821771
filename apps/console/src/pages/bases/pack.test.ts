import fc from "fast-check";
import { expect, test } from "vitest";
import { type Circle, startPacking } from "./pack.ts";

const circles = fc.array(fc.double({ min: 0.2, max: 60, noNaN: true }), { minLength: 1, maxLength: 60 });

function packed(radii: readonly number[]): readonly Circle[] {
  const packing = startPacking();
  return radii.map((r) => {
    const circle = { r, x: 0, y: 0 };
    packing.add(circle);
    return circle;
  });
}

test("no two circles overlap, whatever their sizes and order", () => {
  fc.assert(
    fc.property(circles, (radii) => {
      const placed = packed(radii);
      for (const [at, one] of placed.entries()) {
        for (const other of placed.slice(at + 1)) {
          expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(one.r + other.r - 1e-3);
        }
      }
    }),
  );
});

test("what was placed stays, once three are there", () => {
  fc.assert(
    fc.property(circles, circles, (first, further) => {
      const before = packed(["a", "b", "c"].map(() => 1).concat(first));
      const after = packed(["a", "b", "c"].map(() => 1).concat(first, further));
      expect(after.slice(0, before.length)).toEqual(before);
    }),
  );
});

test("an estate's roots lie close together: they cover most of the disc around them", () => {
  const radii = Array.from({ length: 6_000 }, (_, n) => Math.sqrt(60_000 / (n + 1) + 1));
  const placed = packed(radii);
  const reach = Math.max(...placed.map(({ x, y, r }) => Math.hypot(x, y) + r));
  const covered = placed.reduce((sum, { r }) => sum + r * r, 0);
  expect(covered / reach ** 2).toBeGreaterThan(0.6);
});
