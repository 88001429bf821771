import { expect, test } from "vitest";
import { buildImage } from "../testing/image-builder.ts";
import { contentOf, startRegistry } from "../testing/registry.ts";
import { openRepository } from "./repository.ts";

test("what is neither tag nor digest becomes part of no address, however it is written", async () => {
  const registry = await startRegistry(contentOf({ "team/app:1": buildImage({ layers: [{ files: { a: "a" } }] }) }));
  const repository = await openRepository(`http://${registry.host}/team/app:1`, "pull");
  try {
    const names = [
      "",
      "../../other/manifests/1",
      "1?x=y",
      "a/b",
      "foo:bar",
      "sha256:abc",
      "sha256-..%2f",
      "x".repeat(129),
    ];
    for (const name of names) {
      expect(await repository.manifest(name)).toBeUndefined();
      await expect(repository.blob(name, 100)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    }
    expect(registry.seen).toEqual([]);
    expect(await repository.manifest("1")).toBeDefined();
  } finally {
    repository.close();
    await registry.close();
  }
});
