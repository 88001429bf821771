import { parseConfig } from "./config.ts";
import { type ContentSource, readManifest, readSmallBlob } from "./content-source.ts";
import { imageError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { type Descriptor, type Index, invalidDocument, isForeign, type Manifest, parseManifest } from "./manifest.ts";
import { createOpenedImage, type OpenedImage } from "./opened-image.ts";
import { defaultPlatform, formatPlatform, type Platform, platformMatches } from "./platform.ts";

/** Indexes within indexes. Honest ones have one level. */
const MAX_INDEX_DEPTH = 3;

export interface ResolveOptions {
  readonly reference: string;
  /** What was asked for; undefined for this machine's own, which a single image need not be of. */
  readonly platform: Platform | undefined;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

/**
 * Follows a root descriptor through indexes to one image and its configuration; everything on the way is verified.
 *
 * @throws MANIFEST_INVALID, DIGEST_MISMATCH, PLATFORM_NOT_FOUND, LAYER_LIMIT, and the source's own
 */
export async function resolveImage(
  source: ContentSource,
  root: Descriptor,
  options: ResolveOptions,
): Promise<OpenedImage> {
  const { limits, signal, reference } = options;
  const { descriptor, manifest } = await findManifest(source, root, options);
  const what = `configuration of ${reference}`;
  const bytes = await readSmallBlob(source, what, manifest.config, limits.maxConfigBytes, signal);
  const { config, diffIds } = parseConfig(what, bytes, limits);
  if (diffIds.length !== manifest.layers.length) {
    throw invalidDocument(
      reference,
      `the manifest has ${manifest.layers.length} layers but the configuration ${diffIds.length}`,
    );
  }
  const actual: Platform = { os: config.os, architecture: config.architecture, variant: config.variant };
  requirePlatform(options, actual);
  const layers = manifest.layers.map((layer, index) => ({
    layer: {
      diffId: diffIds[index]!,
      digest: layer.digest,
      size: layer.size,
      mediaType: layer.mediaType,
      foreign: isForeign(layer),
    },
    digestOfStored: true,
    open: (layerSignal: AbortSignal | undefined) => source.blob(layer, layerSignal),
  }));
  const parts = {
    reference,
    digest: descriptor.digest,
    rootDigest: root.digest,
    platform: formatPlatform(actual),
    config,
    annotations: { ...root.annotations, ...manifest.annotations },
    layers,
    isRemote: source.isRemote === true,
    close: () => source.close(),
  };
  return createOpenedImage(parts, limits);
}

/** Refuses an image of another platform than the one asked for. Nothing asked for takes what is there. */
export function requirePlatform(options: Pick<ResolveOptions, "reference" | "platform">, actual: Platform): void {
  if (options.platform === undefined || actual.os === "" || platformMatches(options.platform, actual)) return;
  throw platformNotFound(options.reference, options.platform, [formatPlatform(actual)]);
}

function platformNotFound(reference: string, wanted: Platform, offered: readonly string[]): Error {
  const list = offered.length === 0 ? "none" : [...new Set(offered)].sort().join(", ");
  return imageError(
    "PLATFORM_NOT_FOUND",
    `${reference} has no image for ${formatPlatform(wanted)}; there are: ${list}`,
    "choose one of them with --platform",
  );
}

async function findManifest(
  source: ContentSource,
  root: Descriptor,
  options: ResolveOptions,
): Promise<{ descriptor: Descriptor; manifest: Manifest }> {
  let descriptor = root;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) {
    const what = `manifest ${descriptor.digest} of ${options.reference}`;
    const bytes = await readManifest(source, what, descriptor, options.limits.maxManifestBytes, options.signal);
    const document = parseManifest(what, descriptor.mediaType, bytes, options.limits);
    if (document.kind === "manifest") return { descriptor, manifest: document };
    descriptor = chooseManifest(document, options);
  }
  throw invalidDocument(options.reference, `has more than ${MAX_INDEX_DEPTH} indexes within each other`);
}

/** BuildKit's attestations stand in an index beside the images they speak of. */
function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations["vnd.docker.reference.type"] === "attestation-manifest" ||
    (descriptor.platform?.os === "unknown" && descriptor.platform.architecture === "unknown")
  );
}

/**
 * The manifest for the wanted platform: the first that matches, as the specification asks. Entries without a platform
 * are taken when there is only one of them, and nothing else matches.
 */
export function chooseManifest(index: Index, options: Pick<ResolveOptions, "platform" | "reference">): Descriptor {
  const wanted = options.platform ?? defaultPlatform();
  const images = index.manifests.filter((manifest) => !isAttestation(manifest));
  const match = images.find((image) => image.platform !== undefined && platformMatches(wanted, image.platform));
  if (match !== undefined) return match;
  const unnamed = images.filter((image) => image.platform === undefined);
  if (unnamed.length === 1) return unnamed[0]!;
  const offered = images.map((image) => (image.platform === undefined ? "unnamed" : formatPlatform(image.platform)));
  throw platformNotFound(options.reference, wanted, offered);
}
