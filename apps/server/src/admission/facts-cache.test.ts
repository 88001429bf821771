import { unknownImage } from "@bulwark/kubernetes";
import { expect, test } from "vitest";
import { createFactsCache } from "./facts-cache.ts";

const known = { ...unknownImage(""), state: "known" as const, signature: "verified" as const };
const pinned = (n: number) => `shop.example/app@sha256:${String(n).padStart(64, "0")}`;

test("what images and namespaces say of themselves fills no more memory than was set aside for it", async () => {
  const labels = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`label-${n}`, "x".repeat(1_000)]));
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`app.example/${n}`, ""]));
  const cache = createFactsCache(
    {
      isConnected: () => true,
      facts: async (references) => ({
        namespace: { known: true, labels: many, grade: "", exposedSelectors: [many] },
        images: Object.fromEntries(references.map((reference) => [reference, { ...known, labels }])),
      }),
    },
    () => 0,
  );
  for (let n = 0; n < 200; n++) await cache.ask([pinned(n)], `namespace-${n}`, 1_000);
  expect(cache.counts.bytes).toBeLessThan(96 * 1024 * 1024);
  expect(cache.counts.images).toBeLessThan(100);
  // The newest are kept, the oldest are asked for again.
  expect(cache.known([pinned(199)], "namespace-199")?.images[pinned(199)]).toMatchObject({ state: "known", labels });
  expect(cache.known([], "namespace-0")).toBeUndefined();
  expect(cache.known([pinned(0)], "namespace-199")).toBeUndefined();
});

test("what somebody asks for again and again is not what goes first", async () => {
  const cache = createFactsCache(
    {
      isConnected: () => true,
      facts: async (references, name) => ({
        namespace: { known: true, labels: { name }, grade: "", exposedSelectors: [] },
        images: Object.fromEntries(references.map((reference) => [reference, known])),
      }),
    },
    () => 0,
  );
  for (let n = 0; n < 20_100; n += 100) {
    await cache.ask(
      Array.from({ length: 100 }, (_, at) => pinned(1 + n + at)),
      "shop",
      1_000,
    );
    if (n === 0) await cache.ask([pinned(0)], "shop", 1_000);
    else expect(cache.known([pinned(0)], "shop")?.images[pinned(0)]).toEqual(known);
  }
  expect(cache.known([pinned(1)], "shop")).toBeUndefined();
});
