import { expect, test } from "vitest";
import { imagesBehind } from "./manifests.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const digestOf = (n: number) => `sha256:${String(n).padStart(64, "0")}`;
const linux = { os: "linux", architecture: "amd64" };

function behind(manifests: readonly unknown[]) {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  return imagesBehind({ bytes, digest: digestOf(0), mediaType: INDEX });
}

test("the images of an index are told once each, attestations left out", () => {
  const attestation = { digest: digestOf(3), platform: { os: "unknown", architecture: "unknown" } };
  const images = [
    { digest: digestOf(1), platform: linux },
    { digest: digestOf(2), platform: { os: "linux", architecture: "arm", variant: "v7" } },
    { digest: digestOf(1), platform: { os: "linux", architecture: "386" } },
  ];
  expect(behind([...images, attestation])).toEqual([
    { digest: digestOf(1), platform: "linux/amd64" },
    { digest: digestOf(2), platform: "linux/arm/v7" },
  ]);
});

test("an index with more images than are looked at is refused, not cut", () => {
  const images = Array.from({ length: 101 }, (_, n) => ({ digest: digestOf(n), platform: linux }));
  const attestations = images.map((each) => ({ ...each, platform: { os: "unknown" } }));
  expect(behind([...images.slice(1), ...attestations])).toHaveLength(100);
  expect(() => behind(images)).toThrow(/names 101 images, more than 100/);
});

test.each([[`sha512:${"a".repeat(128)}`], [`sha256:${"A".repeat(64)}`], [undefined]])(
  "an index that names an image by %s is refused, not read without it",
  (digest) => {
    expect(() =>
      behind([
        { digest: digestOf(1), platform: linux },
        { digest, platform: linux },
      ]),
    ).toThrow(/which is not understood/);
  },
);
