import { createHash } from "node:crypto";
import type { Repository, StoredManifest } from "@bulwark/image";
import { CodedError } from "@bulwark/model";
import { expect, test } from "vitest";
import { fetchAttachments } from "./fetch-attachments.ts";

const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json";
const DIGEST = `sha256:${"ab".repeat(32)}`;
const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** A registry as its owner wants it: manifests by name, blobs by digest. Notes what it is asked for. */
function registry(
  manifests: Readonly<Record<string, unknown>>,
  referrers: readonly unknown[] = [],
  blobs: readonly string[] = [],
) {
  const asked: string[] = [];
  const stored = (document: unknown): StoredManifest => ({
    bytes: Buffer.from(JSON.stringify(document)),
    mediaType: "",
    digest: "",
  });
  const byDigest = new Map(blobs.map((blob) => [digestOf(blob), blob]));
  const repository: Pick<Repository, "manifest" | "referrers" | "blob"> = {
    async manifest(name) {
      asked.push(name);
      return Object.hasOwn(manifests, name) ? stored(manifests[name]) : undefined;
    },
    async referrers() {
      return stored({ manifests: referrers });
    },
    async blob(digest) {
      asked.push(digest);
      const blob = byDigest.get(digest);
      if (blob === undefined) throw new CodedError("IMAGE_NOT_FOUND", `no ${digest}`);
      return Buffer.from(blob);
    },
  };
  return { repository: repository as Repository, asked };
}

const layer = (content: string, mediaType = SIMPLE) => ({ mediaType, digest: digestOf(content), size: content.length });
const tag = `${DIGEST.replace(":", "-")}.sig`;

test("an attachment that is not there does not hide the others, and is told", async () => {
  const { repository } = registry({ [tag]: { layers: [layer("gone"), layer("good")] } }, [], ["good"]);
  const { attachments, problems } = await fetchAttachments(repository, DIGEST);
  expect(attachments.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["good"]);
  expect(problems).toEqual([expect.stringContaining(digestOf("gone"))]);
});

test("a registry that cannot be asked ends the reading: what it did not say is not taken for unsigned", async () => {
  const { repository } = registry({});
  const down = { ...repository, manifest: () => Promise.reject(new CodedError("REGISTRY_UNREACHABLE", "down")) };
  await expect(fetchAttachments(down, DIGEST)).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
});

test("endless lists of referrers, of attachments and of sizes that lie cost a bounded number of requests and words", async () => {
  const many = (make: (index: number) => unknown) => Array.from({ length: 5_000 }, (_, index) => make(index));
  const entry = (index: number) => ({ artifactType: BUNDLE, digest: digestOf(String(index)) });
  const empty = Object.fromEntries(many((index) => [digestOf(String(index)), { layers: [] }]) as [string, unknown][]);
  const flooded = registry(empty, many(entry));
  expect((await fetchAttachments(flooded.repository, DIGEST)).problems).toEqual([
    expect.stringContaining("5000 bundles"),
  ]);
  expect(flooded.asked.length).toBeLessThan(100);

  const missing = registry({ [tag]: { layers: many((index) => layer(`${index}`)) } });
  expect((await fetchAttachments(missing.repository, DIGEST)).problems.length).toBeLessThan(50);
  expect(missing.asked.length).toBeLessThan(100);

  const lying = registry({ [tag]: { layers: many((index) => ({ ...layer("x"), size: -index - 1 })) } });
  expect((await fetchAttachments(lying.repository, DIGEST)).problems.length).toBeLessThan(50);
});

test("a list of referrers that names the same one again and again, or itself, asks for it once", async () => {
  const self = { artifactType: BUNDLE, digest: DIGEST };
  const { repository, asked } = registry({ [DIGEST]: { manifests: [self] } }, Array(500).fill(self));
  expect(await fetchAttachments(repository, DIGEST)).toEqual({ attachments: [], problems: [] });
  expect(asked.filter((name) => name === DIGEST)).toHaveLength(1);
});

test("a bundle that is listed under the type of its empty configuration is found, and what else is listed so is not", async () => {
  const bundle = digestOf("a bundle");
  const chart = digestOf("a chart");
  const listed = [bundle, chart].map((digest) => ({ artifactType: "application/vnd.oci.empty.v1+json", digest }));
  const { repository } = registry(
    { [bundle]: { layers: [{ ...layer("content"), mediaType: BUNDLE }] }, [chart]: { layers: [layer("chart")] } },
    listed,
    ["content", "chart"],
  );
  const { attachments } = await fetchAttachments(repository, DIGEST);
  expect(attachments.map(({ kind, place }) => [kind, place])).toEqual([["bundle", bundle]]);
});
