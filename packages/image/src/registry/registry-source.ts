import { type ContentSource, collect } from "../content-source.ts";
import { requireDigest, sha256, verifyBytes } from "../digest.ts";
import { imageError, isImageError, reasonOf, throwIfCancelled } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { ACCEPTED_TYPES, type Descriptor } from "../manifest.ts";
import type { OpenOptions } from "../open-options.ts";
import type { OpenedImage } from "../opened-image.ts";
import { formatReference, type ImageReference } from "../reference.ts";
import { type ResolveOptions, resolveImage } from "../resolve.ts";
import type { HttpClient, HttpResponse } from "./http.ts";
import { openSession } from "./open-session.ts";
import { refused } from "./refused.ts";
import type { Session } from "./session.ts";

/** Connections cut one after another while a blob is read, progress or not. */
const MAX_RESUMES = 100;

/** Opens an image of a registry. */
export async function openRegistryImage(
  reference: ImageReference,
  options: OpenOptions,
  resolve: ResolveOptions,
): Promise<OpenedImage> {
  const { client, session } = await openSession(reference, options, resolve.limits, "pull");
  const registry: Registry = { client, session, reference, limits: resolve.limits };
  try {
    const root = await fetchRoot(registry, resolve.signal);
    return await resolveImage(registrySource(registry, root), root.descriptor, resolve);
  } catch (error) {
    client.close();
    throw error;
  }
}

interface Registry {
  readonly client: HttpClient;
  readonly session: Session;
  readonly reference: ImageReference;
  readonly limits: Limits;
}

interface Root {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Fetches what tag or digest name, and makes the descriptor that a layout would hold. */
async function fetchRoot(registry: Registry, signal: AbortSignal | undefined): Promise<Root> {
  const { reference, limits } = registry;
  const what = formatReference(reference);
  const { bytes, mediaType, announced } = await fetchManifest(
    registry,
    reference.digest === "" ? reference.tag : reference.digest,
    limits.maxManifestBytes,
    signal,
  );
  if (reference.digest !== "") verifyBytes(what, reference.digest, bytes);
  const digest = reference.digest === "" ? sha256(bytes) : reference.digest;
  if (announced.startsWith("sha256:")) requireDigest(what, announced, sha256(bytes));
  return {
    bytes,
    descriptor: { mediaType, digest, size: bytes.length, annotations: {}, platform: undefined, hasUrls: false },
  };
}

async function fetchManifest(registry: Registry, name: string, limitBytes: number, signal: AbortSignal | undefined) {
  const path = `v2/${registry.reference.repository}/manifests/${name}`;
  for (let attempt = 1; ; attempt++) {
    const response = await registry.session.get(path, { accept: ACCEPTED_TYPES.join(", ") }, signal);
    if (response.status !== 200) throw await refused(registry.reference, response);
    try {
      const bytes = await collect(
        `manifest ${name} of ${formatReference(registry.reference)}`,
        response.body,
        limitBytes,
      );
      const announced = response.headers["docker-content-digest"];
      return { bytes, mediaType: mediaTypeOf(response), announced: typeof announced === "string" ? announced : "" };
    } catch (error) {
      throwIfCancelled(signal);
      if (isImageError(error) || attempt >= registry.limits.retryAttempts)
        throw isImageError(error) ? error : cut(registry, error);
      await registry.client.pause(attempt, undefined, signal);
    }
  }
}

function mediaTypeOf(response: HttpResponse): string {
  return (response.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
}

function cut(registry: Registry, error: unknown): Error {
  return imageError(
    "REGISTRY_UNREACHABLE",
    `${registry.reference.registry} cut the connection again and again: ${reasonOf(error)}`,
    "try again later",
    error,
  );
}

function registrySource(registry: Registry, root: Root): ContentSource {
  return {
    isRemote: true,
    async manifest(descriptor, limitBytes, signal) {
      if (descriptor.digest === root.descriptor.digest) return root.bytes;
      return (await fetchManifest(registry, descriptor.digest, limitBytes, signal)).bytes;
    },
    blob: (descriptor, signal) => fetchBlob(registry, descriptor, signal),
    close: async () => registry.client.close(),
  };
}

/**
 * Streams a blob up to its declared size. A connection that is cut is taken up again where it ended (RFC 9110 section
 * 14.2, which the distribution specification lets registries support); the caller's hash runs on over the seam.
 */
async function* fetchBlob(
  registry: Registry,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let position = 0;
  let failures = 0;
  for (let resumes = 0; position < descriptor.size; resumes++) {
    const response = await requestBlob(registry, descriptor, position, signal);
    try {
      let skip = response.status === 206 ? 0 : position;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        const dropped = Math.min(skip, chunk.length);
        skip -= dropped;
        const part = chunk.subarray(dropped, dropped + descriptor.size - position);
        if (part.length === 0) continue;
        position += part.length;
        failures = 0;
        yield part;
        if (position >= descriptor.size) return;
      }
      // A complete answer that is shorter than declared: the reader of the layer says so.
      return;
    } catch (error) {
      throwIfCancelled(signal);
      if (isImageError(error)) throw error;
      failures++;
      if (failures >= registry.limits.retryAttempts || resumes >= MAX_RESUMES) throw cut(registry, error);
      await registry.client.pause(failures, undefined, signal);
    } finally {
      response.body.destroy();
    }
  }
}

async function requestBlob(
  registry: Registry,
  descriptor: Descriptor,
  position: number,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const path = `v2/${registry.reference.repository}/blobs/${descriptor.digest}`;
  const range: Record<string, string> = position === 0 ? {} : { range: `bytes=${position}-` };
  const response = await registry.session.get(path, { accept: "*/*", "accept-encoding": "identity", ...range }, signal);
  if (response.status === 200) return response;
  if (response.status === 206 && position > 0) {
    if ((response.headers["content-range"] ?? "").startsWith(`bytes ${position}-`)) return response;
    response.body.destroy();
    throw imageError(
      "REGISTRY_REFUSED",
      `${registry.reference.registry} sends another part of ${descriptor.digest} than was asked for`,
    );
  }
  throw await refused(registry.reference, response);
}
