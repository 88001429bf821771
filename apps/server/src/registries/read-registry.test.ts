import { buildImage, buildIndex, contentOf, startRegistry } from "@bulwark/image/testing";
import type { Registry } from "@bulwark/store";
import { expect, test } from "vitest";
import { readRepository } from "./read-registry.ts";

test("a tag whose index cannot be looked at whole is told, and the other tags are read", async () => {
  const image = buildImage({ layers: [{ files: { a: "1" } }] });
  const wide = buildIndex(
    Array.from({ length: 101 }, (_, n) => ({ ...image.manifest, digest: `sha256:${String(n).padStart(64, "0")}` })),
  );
  const content = contentOf({ "shop/app:1": image });
  const blobs = new Map([...content.blobs, [wide.descriptor.digest, wide.bytes]]);
  const tags = { ...content.tags, "shop/app:wide": wide.descriptor };
  const registry = await startRegistry({ blobs, tags }, ({ url }, response) => {
    const isList = url.startsWith("/v2/shop/app/tags/list");
    if (isList) response.end(JSON.stringify({ name: "shop/app", tags: ["wide", "1"] }));
    return isList;
  });
  try {
    const own = {
      name: "own",
      kind: "oci",
      address: registry.host,
      settings: { plainHttp: true },
    } as unknown as Registry;
    const read = await readRepository(own, "shop/app", new Map(), {});
    expect(read.changed.map(({ name }) => name)).toEqual(["1"]);
    expect(read.present?.toSorted()).toEqual(["1", "wide"]);
    expect(read.problems).toEqual([expect.stringMatching(/^shop\/app:wide: .* names 101 images, more than 100/)]);
  } finally {
    await registry.close();
  }
});
