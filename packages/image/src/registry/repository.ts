import { isDigest, requireDigest, sha256, verifyBytes } from "../digest.ts";
import { imageError } from "../errors.ts";
import { limitsWith } from "../limits.ts";
import { ACCEPTED_TYPES } from "../manifest.ts";
import type { OpenOptions } from "../open-options.ts";
import { formatReference, type ImageReference, parseReference } from "../reference.ts";
import { openSession } from "./open-session.ts";
import { collectWhole, refused } from "./refused.ts";
import type { Session, SessionOptions } from "./session.ts";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
/** Distribution specification, "Pulling manifests". */
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** A manifest as the registry gave it. */
export interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** Of the bytes; where a digest was asked for, it is that one. */
  readonly digest: string;
}

/**
 * One repository of a registry, for what is no image: artifacts, signatures, attestations. Images are read by `openImage`,
 * which streams them.
 */
export interface Repository {
  readonly reference: ImageReference;
  /** The manifest of a tag or digest; undefined when there is none, as there is none of what is neither tag nor digest. */
  manifest(name: string, accept?: string): Promise<StoredManifest | undefined>;
  /**
   * What a tag names, as the registry says without sending it (distribution specification, "Checking if content exists in
   * the registry"); undefined when it does not say, or there is no such tag.
   */
  digestOf(tag: string): Promise<string | undefined>;
  /**
   * The manifest of the index that lists what refers to a manifest (distribution specification, "Listing Referrers", and
   * its tag scheme for registries without it); undefined when nothing does.
   */
  referrers(digest: string): Promise<StoredManifest | undefined>;
  /** A blob of at most `sizeBytes`, verified. */
  blob(digest: string, sizeBytes: number): Promise<Uint8Array>;
  /** Puts a blob where there is none yet; gives its digest. */
  putBlob(content: Uint8Array): Promise<string>;
  /** Puts a manifest under a tag, or under its digest where none is given; gives its digest. */
  putManifest(content: Uint8Array, mediaType: string, tag?: string): Promise<string>;
  /**
   * Deletes a manifest and with it all tags that name it (distribution specification, "Deleting manifests"). False when
   * there is none. Blobs stay until the registry collects its garbage.
   */
  deleteManifest(digest: string): Promise<boolean>;
  close(): void;
}

/**
 * Opens the repository that a reference names.
 *
 * @throws (its functions) REGISTRY_AUTH, REGISTRY_REFUSED, REGISTRY_UNREACHABLE, IMAGE_NOT_FOUND, DIGEST_MISMATCH
 */
export async function openRepository(
  reference: string,
  access: SessionOptions["access"],
  options: OpenOptions = {},
): Promise<Repository> {
  const parsed = parseReference(reference);
  const limits = limitsWith(options.limits);
  const { signal } = options;
  const { client, session } = await openSession(parsed, options, limits, access);
  const root = `v2/${parsed.repository}`;
  const manifest = async (name: string, accept = ACCEPTED_TYPES.join(", ")) => {
    // Names come from documents that anybody may have pushed: nothing else becomes part of an address.
    if (!isDigest(name) && !TAG.test(name)) return undefined;
    const found = await get(session, parsed, `${root}/manifests/${name}`, accept, limits.maxManifestBytes, signal);
    if (found !== undefined && isDigest(name)) verifyBytes(formatReference(parsed), name, found.bytes);
    return found;
  };
  return {
    reference: parsed,
    manifest,
    async digestOf(tag) {
      if (!TAG.test(tag)) return undefined;
      const headers = { accept: ACCEPTED_TYPES.join(", ") };
      const response = await session.send({ method: "HEAD", path: `${root}/manifests/${tag}`, headers, signal });
      response.body.destroy();
      const announced = response.headers["docker-content-digest"];
      return response.status === 200 && isDigest(announced) ? announced : undefined;
    },
    async referrers(digest) {
      const path = `${root}/referrers/${digest}`;
      const listed = await get(session, parsed, path, INDEX_TYPE, limits.maxManifestBytes, signal);
      // A registry that does not know the call may answer with anything but an index.
      if (listed?.mediaType === INDEX_TYPE) return listed;
      return manifest(digest.replace(":", "-"), INDEX_TYPE);
    },
    async blob(digest, sizeBytes) {
      if (!isDigest(digest))
        throw imageError("MANIFEST_INVALID", `${JSON.stringify(String(digest).slice(0, 100))} is no digest`);
      const found = await get(session, parsed, `${root}/blobs/${digest}`, "*/*", sizeBytes, signal);
      if (found === undefined)
        throw await refused(parsed, await session.get(`${root}/blobs/${digest}`, { accept: "*/*" }));
      verifyBytes(formatReference(parsed), digest, found.bytes);
      return found.bytes;
    },
    putBlob: (content) => putBlob(session, parsed, content),
    putManifest: (content, mediaType, tag) => putManifest(session, parsed, content, mediaType, tag),
    async deleteManifest(digest) {
      if (!isDigest(digest)) throw imageError("MANIFEST_INVALID", "only a digest names what is deleted");
      const response = await session.send({
        method: "DELETE",
        path: `${root}/manifests/${digest}`,
        headers: {},
        signal,
      });
      if (response.status !== 202 && response.status !== 404) throw await refused(parsed, response);
      response.body.destroy();
      return response.status === 202;
    },
    close: () => client.close(),
  };
}

async function get(
  session: Session,
  reference: ImageReference,
  path: string,
  accept: string,
  limitBytes: number,
  signal: AbortSignal | undefined,
): Promise<StoredManifest | undefined> {
  const response = await session.get(path, { accept }, signal);
  if (response.status === 404) {
    response.body.destroy();
    return undefined;
  }
  if (response.status !== 200) throw await refused(reference, response);
  const bytes = await collectWhole(reference, response, limitBytes, signal);
  const mediaType = (response.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  const digest = sha256(bytes);
  const announced = response.headers["docker-content-digest"];
  if (isDigest(announced) && announced.startsWith("sha256:"))
    requireDigest(formatReference(reference), announced, digest);
  return { bytes, mediaType, digest };
}

/** Distribution specification, "Pushing a blob monolithically", POST then PUT. */
async function putBlob(session: Session, reference: ImageReference, content: Uint8Array): Promise<string> {
  const digest = sha256(content);
  const blobs = `v2/${reference.repository}/blobs`;
  const known = await session.send({ method: "HEAD", path: `${blobs}/${digest}`, headers: {} });
  known.body.destroy();
  if (known.status === 200) return digest;
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
  return digest;
}

async function putManifest(
  session: Session,
  reference: ImageReference,
  content: Uint8Array,
  mediaType: string,
  tag: string | undefined,
): Promise<string> {
  const digest = sha256(content);
  const response = await session.send({
    method: "PUT",
    path: `v2/${reference.repository}/manifests/${tag || digest}`,
    headers: { "content-type": mediaType, "content-length": String(content.length) },
    body: content,
  });
  if (response.status !== 201) throw await refused(reference, response);
  response.body.destroy();
  return digest;
}
