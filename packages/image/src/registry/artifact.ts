import { collect } from "../content-source.ts";
import { sha256, verifyBytes } from "../digest.ts";
import { imageError } from "../errors.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { OpenOptions } from "../open-options.ts";
import { formatReference, type ImageReference, parseReference } from "../reference.ts";
import { openSession } from "./open-session.ts";
import { refused } from "./refused.ts";
import type { Session } from "./session.ts";

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
  const parsed = parseReference(reference);
  const { client, session } = await openSession(parsed, options, DEFAULT_LIMITS, "pull,push");
  try {
    await pushBlob(session, parsed, EMPTY);
    await pushBlob(session, parsed, artifact.content);
    const manifest = Buffer.from(JSON.stringify(manifestOf(artifact)));
    const digest = sha256(manifest);
    const response = await session.send({
      method: "PUT",
      path: `v2/${parsed.repository}/manifests/${parsed.tag || digest}`,
      headers: { "content-type": MANIFEST_TYPE, "content-length": String(manifest.length) },
      body: manifest,
    });
    if (response.status !== 201) throw await refused(parsed, response);
    response.body.destroy();
    return digest;
  } finally {
    client.close();
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

async function pushBlob(session: Session, reference: ImageReference, content: Uint8Array): Promise<void> {
  const digest = sha256(content);
  const blobs = `v2/${reference.repository}/blobs`;
  const known = await session.send({ method: "HEAD", path: `${blobs}/${digest}`, headers: {} });
  known.body.destroy();
  if (known.status === 200) return;
  const begun = await session.send({ method: "POST", path: `${blobs}/uploads/`, headers: { "content-length": "0" } });
  const location = begun.headers.location;
  if (begun.status !== 202 || location === undefined) throw await refused(reference, begun);
  begun.body.destroy();
  const response = await session.send({
    method: "PUT",
    path: `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`,
    headers: { "content-type": "application/octet-stream", "content-length": String(content.length) },
    body: content,
  });
  if (response.status !== 201) throw await refused(reference, response);
  response.body.destroy();
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
  const parsed = parseReference(reference);
  const { client, session } = await openSession(parsed, options, DEFAULT_LIMITS, "pull");
  const fetchBytes = async (path: string, accept: string, limit: number) => {
    const response = await session.get(path, { accept }, undefined);
    if (response.status !== 200) throw await refused(parsed, response);
    return collect(formatReference(parsed), response.body, limit);
  };
  try {
    const name = parsed.digest || parsed.tag;
    const path = `v2/${parsed.repository}/manifests/${name}`;
    const manifest = await fetchBytes(path, MANIFEST_TYPE, DEFAULT_LIMITS.maxManifestBytes);
    if (parsed.digest !== "") verifyBytes(formatReference(parsed), parsed.digest, manifest);
    const { digest, size } = blobOf(manifest, parsed, types);
    if (size > limitBytes) throw invalid(parsed, `its blob of ${size} bytes is over the limit of ${limitBytes}`);
    const content = await fetchBytes(`v2/${parsed.repository}/blobs/${digest}`, "*/*", size);
    verifyBytes(formatReference(parsed), digest, content);
    return content;
  } finally {
    client.close();
  }
}

function blobOf(
  manifest: Uint8Array,
  reference: ImageReference,
  types: Pick<Artifact, "artifactType" | "mediaType">,
): { readonly digest: string; readonly size: number } {
  let document: { artifactType?: unknown; layers?: { mediaType?: unknown; digest?: unknown; size?: unknown }[] };
  try {
    document = JSON.parse(Buffer.from(manifest).toString("utf8"));
  } catch {
    throw invalid(reference, "its manifest is not JSON");
  }
  const [layer] = Array.isArray(document.layers) ? document.layers : [];
  if (document.artifactType !== types.artifactType || layer?.mediaType !== types.mediaType) {
    throw invalid(reference, `it is no ${types.artifactType}`);
  }
  const { digest, size } = layer;
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size)) {
    throw invalid(reference, "its manifest names no blob");
  }
  return { digest, size: size as number };
}

function invalid(reference: ImageReference, what: string): Error {
  return imageError("MANIFEST_INVALID", `${formatReference(reference)}: ${what}`, "check the reference");
}
