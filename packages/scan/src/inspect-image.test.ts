import { join } from "node:path";
import { openImage } from "@bulwark/image";
import { buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { afterAll, expect, test } from "vitest";
import { openLayerCache } from "./layer-cache.ts";
import { scanImage } from "./scan-image.ts";

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const SECRET = "tr0ub4dor";
const redact = (text: string) => text.replaceAll(SECRET, "tr****");
const load = () => () => ({ facts: [], problems: [], redact });

test("a secret that was found stands nowhere in the report, also when the cache answers", async () => {
  const layout = join(directory.path, "layout");
  const Labels = { token: `a=${SECRET}`, [`${SECRET}`]: "name", "io.example.version": "1" };
  const layers = [{ files: { a: "a" }, createdBy: `RUN login ${SECRET}` }];
  writeLayout(buildImage({ layers, config: { Labels, Env: [`TOKEN=${SECRET}`] } }), layout, "v1");
  const cache = openLayerCache(join(directory.path, "layers.db"));
  for (const _ of [1, 2]) {
    const image = await openImage(`oci:${layout}:v1`);
    const { report } = await scanImage(image, { cache, inspection: { secrets: { version: "1", load } } });
    await image.close();
    expect(JSON.stringify(report)).not.toContain(SECRET);
    expect(report.image.labels).toEqual({ token: "a=tr****", "tr****": "name", "io.example.version": "1" });
    expect(report.image.layers[0]?.createdBy).toBe("RUN login tr****");
  }
  cache.close();
});
