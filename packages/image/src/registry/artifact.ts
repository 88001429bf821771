import { fieldsOf, listOf } from "@bulwark/model";
import { sha256 } from "../digest.ts";
import { imageError } from "../errors.ts";
import type { OpenOptions } from "../open-options.ts";
import { formatReference, type ImageReference } from "../reference.ts";
import { openRepository } from "./repository.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
/** The configuration of artifacts that have none (OCI image specification, "Guidance for an Empty Descriptor"). */
const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";
const EMPTY = Buffer.from("{}");

/** Something other than an image that lies in a registry: one blob with a type of its own. */
export interface Artifact {
  readonly artifactType: string;
  readonly mediaType: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Pushes an artifact (OCI distribution specification, "Pushing manifests", "Pushing blobs").
 *
 * @returns the manifest's digest
 * @throws REGISTRY_AUTH, REGISTRY_REFUSED, REGISTRY_UNREACHABLE, REFERENCE_INVALID
 */
export async function pushArtifact(reference: string, artifact: Artifact, options: OpenOptions = {}): Promise<string> {
  const repository = await openRepository(reference, "pull,push", options);
  try {
    await repository.putBlob(EMPTY);
    await repository.putBlob(artifact.content);
    const manifest = Buffer.from(JSON.stringify(manifestOf(artifact)));
    return await repository.putManifest(manifest, MANIFEST_TYPE, repository.reference.tag);
  } finally {
    repository.close();
  }
}

function manifestOf({ artifactType, mediaType, content, annotations }: Artifact): object {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType,
    config: { mediaType: EMPTY_TYPE, digest: sha256(EMPTY), size: EMPTY.length },
    layers: [{ mediaType, digest: sha256(content), size: content.length }],
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/**
 * Pulls the blob of an artifact, verified.
 *
 * @param types what the artifact has to be
 * @param limitBytes largest blob that is accepted
 * @throws MANIFEST_INVALID for anything else, DIGEST_MISMATCH, IMAGE_NOT_FOUND and what a session throws
 */
export async function pullArtifact(
  reference: string,
  types: Pick<Artifact, "artifactType" | "mediaType">,
  limitBytes: number,
  options: OpenOptions = {},
): Promise<Uint8Array> {
  const repository = await openRepository(reference, "pull", options);
  const parsed = repository.reference;
  try {
    const manifest = await repository.manifest(parsed.digest || parsed.tag, MANIFEST_TYPE);
    if (manifest === undefined) {
      const what = `${parsed.registry} has no ${formatReference(parsed)}`;
      throw imageError("IMAGE_NOT_FOUND", what, "check the name and the tag");
    }
    const { digest, size } = blobOf(manifest.bytes, parsed, types);
    if (size > limitBytes) throw invalid(parsed, `its blob of ${size} bytes is over the limit of ${limitBytes}`);
    return await repository.blob(digest, size);
  } finally {
    repository.close();
  }
}

function blobOf(
  manifest: Uint8Array,
  reference: ImageReference,
  types: Pick<Artifact, "artifactType" | "mediaType">,
): { readonly digest: string; readonly size: number } {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(manifest).toString("utf8"));
  } catch {
    throw invalid(reference, "its manifest is not JSON");
  }
  const { artifactType, layers } = fieldsOf(document);
  const { mediaType, digest, size } = fieldsOf(listOf(layers)[0]);
  if (artifactType !== types.artifactType || mediaType !== types.mediaType) {
    throw invalid(reference, `it is no ${types.artifactType}`);
  }
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size)) {
    throw invalid(reference, "its manifest names no blob");
  }
  return { digest, size: size as number };
}

function invalid(reference: ImageReference, what: string): Error {
  return imageError("MANIFEST_INVALID", `${formatReference(reference)}: ${what}`, "check the reference");
}
