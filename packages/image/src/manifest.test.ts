import { describe, expect, test } from "vitest";
import { parseConfig, tidyInstruction } from "./config.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isForeign, parseManifest } from "./manifest.ts";
import { parsePlatform, platformMatches } from "./platform.ts";
import { chooseManifest } from "./resolve.ts";
import { buildImage, OCI_INDEX, OCI_MANIFEST } from "./testing/image-builder.ts";

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const digest = `sha256:${"0".repeat(64)}`;
const descriptor = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 1 };
const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [] };
const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };

describe("documents that two tools could read in two ways are refused", () => {
  test.each([
    ["manifest and index at once", OCI_MANIFEST, { ...manifest, manifests: [] }],
    ["index with layers", OCI_INDEX, { ...index, layers: [] }],
    ["manifest served as an index", OCI_INDEX, manifest],
    ["index served as a manifest", OCI_MANIFEST, index],
    ["index without its type served as a manifest", OCI_MANIFEST, { schemaVersion: 2, manifests: [] }],
    ["schema 1", "", { schemaVersion: 1, fsLayers: [] }],
    ["no list of layers", OCI_MANIFEST, { ...manifest, layers: {} }],
    [
      "digest with a path in it",
      OCI_MANIFEST,
      { ...manifest, layers: [{ ...descriptor, digest: "sha256:../../etc/passwd" }] },
    ],
    ["negative size", OCI_MANIFEST, { ...manifest, layers: [{ ...descriptor, size: -1 }] }],
    ["size that is no integer", OCI_MANIFEST, { ...manifest, layers: [{ ...descriptor, size: 1e30 }] }],
    [
      "artifact that is no image",
      OCI_MANIFEST,
      { ...manifest, config: { ...descriptor, mediaType: "application/vnd.oci.empty.v1+json" } },
    ],
    ["list", OCI_MANIFEST, []],
    ["null", OCI_MANIFEST, null],
  ])("%s", (_, type, document) => {
    expect(() => parseManifest("m", type, bytes(document), DEFAULT_LIMITS)).toThrow(
      expect.objectContaining({ code: "MANIFEST_INVALID" }),
    );
  });

  test("broken JSON", () => {
    const whole = bytes(manifest);
    for (let i = 1; i < 16; i++) {
      const cut = whole.subarray(0, Math.floor((whole.length * i) / 16));
      expect(() => parseManifest("m", OCI_MANIFEST, cut, DEFAULT_LIMITS)).toThrow(
        expect.objectContaining({ code: "MANIFEST_INVALID" }),
      );
    }
  });
});

test("sizes and numbers beyond the limits are refused before anything is read", () => {
  const big = { ...manifest, layers: [{ ...descriptor, size: 2 ** 50 }] };
  expect(() => parseManifest("m", OCI_MANIFEST, bytes(big), DEFAULT_LIMITS)).toThrow(
    expect.objectContaining({ code: "LAYER_LIMIT" }),
  );
  const many = { ...manifest, layers: Array.from({ length: 1_001 }, () => descriptor) };
  expect(() => parseManifest("m", OCI_MANIFEST, bytes(many), DEFAULT_LIMITS)).toThrow(
    expect.objectContaining({ code: "LAYER_LIMIT" }),
  );
});

test("keys that pollute prototypes are keys like any others", () => {
  const config = Buffer.from(
    `{"rootfs":{"diff_ids":[]},"config":{"Labels":{"__proto__":{"polluted":"yes"},"a":"b"}},"__proto__":{"os":"evil"}}`,
  );
  expect(parseConfig("c", config, DEFAULT_LIMITS).config).toMatchObject({ os: "", labels: { a: "b" } });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("layers that others distribute are foreign", () => {
  const image = buildImage({
    layers: [{ files: { a: "" }, lie: { urls: ["http://169.254.169.254/"] } }, { files: { b: "" } }],
  });
  const parsed = parseManifest("m", OCI_MANIFEST, image.manifestBytes, DEFAULT_LIMITS);
  expect(parsed.kind === "manifest" && parsed.layers.map(isForeign)).toEqual([true, false]);
});

describe("platforms", () => {
  const entry = (platform: string | undefined, annotations = {}) => ({
    ...descriptor,
    annotations,
    hasUrls: false,
    platform: platform === undefined ? undefined : parsePlatform(platform),
    digest: platform ?? "unnamed",
  });

  test("the first that matches is taken, attestations never are", () => {
    const manifests = [
      entry("linux/amd64", { "vnd.docker.reference.type": "attestation-manifest" }),
      entry("unknown/unknown"),
      entry("linux/arm/v7"),
      entry("linux/amd64"),
      entry("linux/arm64/v8"),
    ];
    const choose = (platform: string) =>
      chooseManifest({ kind: "index", manifests }, { reference: "x", platform: parsePlatform(platform) }).digest;
    expect(choose("linux/amd64")).toBe("linux/amd64");
    expect(choose("linux/arm64")).toBe("linux/arm64/v8");
    expect(choose("linux/arm")).toBe("linux/arm/v7");
    expect(() => choose("linux/arm/v6")).toThrow(/there are: linux\/amd64, linux\/arm\/v7, linux\/arm64\/v8$/);
  });

  test("arm64 and arm64/v8 are the same", () => {
    expect(platformMatches(parsePlatform("linux/arm64/v8"), parsePlatform("linux/aarch64"))).toBe(true);
  });

  test.each(["linux", "linux/", "a/b/c/d", "linux/amd 64", "/amd64"])("%j is no platform", (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: "REFERENCE_INVALID" }));
  });
});

test.each([
  ["/bin/sh -c #(nop) ADD file:abc in / ", "ADD file:abc in /"],
  ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
  ["/bin/sh -c apt-get update \t&& apt-get install -y curl", "RUN apt-get update && apt-get install -y curl"],
  ["RUN /bin/sh -c apk add curl # buildkit", "RUN apk add curl"],
  ["RUN |2 TOKEN=s3cret V=1 /bin/sh -c make # buildkit", "RUN make"],
  ["|1 TOKEN=s3cret /bin/sh -c make", "RUN make"],
  ["COPY /app /app # buildkit", "COPY /app /app"],
  ["", ""],
])("the history entry %j is the instruction %j", (createdBy, instruction) => {
  expect(tidyInstruction(createdBy)).toBe(instruction);
});
