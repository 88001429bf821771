import { expect, test } from "vitest";
import { recordImages } from "../admission/image-facts.ts";
import { openTestStore } from "../testing/test-store.ts";
import { recordRepository } from "./contents.ts";
import { addRegistry } from "./registries.ts";

test("an index that names one image for two platforms is recorded, by its tag and by its digest", async () => {
  const test = await openTestStore();
  try {
    const now = new Date("2026-06-01T08:00:00Z");
    const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
    const images = [
      { digest: digestOf("a"), platform: "linux/amd64" },
      { digest: digestOf("b"), platform: "linux/arm64" },
      { digest: digestOf("a"), platform: "linux/386" },
    ];
    await test.store.tenant(1, async (db) => {
      const registry = (await addRegistry(db, { name: "own", kind: "oci", address: "own.example", settings: {} }))!;
      const changed = [{ name: "1", digest: digestOf("c"), images }];
      const recorded = await recordRepository(db, { registry, name: "app", changed }, now);
      const wanted = [digestOf("a"), digestOf("b")];
      expect(recorded.unscanned.map(({ digest }) => digest).toSorted()).toEqual(wanted);
      const named = await recordImages(db, { registry, repository: "app", digest: digestOf("d"), images, now });
      expect(named.unscanned.toSorted()).toEqual(wanted);
    });
  } finally {
    await test.close();
  }
});
