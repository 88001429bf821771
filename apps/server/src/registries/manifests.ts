import type { StoredManifest } from "@bulwark/image";
import { CodedError, type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";

/** Images of one index. The largest that are published have some twenty. */
const MAX_PLATFORMS = 100;
const DIGEST = /^sha256:[a-f0-9]{64}$/;
const IMAGE_CONFIGS = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);
const INDEX_TYPES = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

/** An image that a tag stands for. */
export interface SeenImage {
  readonly digest: string;
  readonly platform: string;
}

/**
 * The images that a manifest stands for: itself, or those of an index (OCI image specification, "Image Index"), build
 * attestations left out. None for what is no image, such as charts and signatures.
 *
 * @throws MANIFEST_INVALID for a document that could be read as manifest and as index: two readers of it would see two images. For
 * an index with images that are not looked at too: a node may run the very one that nobody judged
 */
export function imagesBehind({ bytes, digest, mediaType }: StoredManifest): readonly SeenImage[] {
  const document = parse(bytes);
  const isIndex = INDEX_TYPES.has(mediaType);
  const looksLikeIndex = document.manifests !== undefined;
  const looksLikeManifest = document.config !== undefined || document.layers !== undefined;
  const own = textOf(document.mediaType);
  if ((looksLikeIndex && looksLikeManifest) || looksLikeIndex !== isIndex || (own !== "" && own !== mediaType)) {
    const why = `${digest} was sent as ${mediaType.slice(0, 100)} but does not look like that`;
    throw invalid(why, "push the image again; this one cannot be trusted to be what it says");
  }
  if (!isIndex) return IMAGE_CONFIGS.has(textOf(fieldsOf(document.config).mediaType)) ? [{ digest, platform: "" }] : [];
  return imagesOfIndex(digest, listOf(document.manifests).map(fieldsOf).filter(isImage));
}

function imagesOfIndex(index: string, entries: readonly Fields[]): readonly SeenImage[] {
  const found = new Map<string, SeenImage>();
  for (const entry of entries) {
    const digest = textOf(entry.digest);
    if (!DIGEST.test(digest)) {
      const why = `${index} names an image by ${digest === "" ? "no digest" : digest.slice(0, 100)}, which is not understood`;
      throw invalid(why, "push the index again with digests of sha256");
    }
    // One image may serve several platforms.
    if (!found.has(digest)) found.set(digest, { digest, platform: platformOf(fieldsOf(entry.platform)) });
  }
  if (found.size > MAX_PLATFORMS)
    throw invalid(`${index} names ${found.size} images, more than ${MAX_PLATFORMS}`, "push it in several indexes");
  return [...found.values()];
}

/** Build attestations call themselves of an unknown system, which no node is. */
function isImage(entry: Fields): boolean {
  return fieldsOf(entry.platform).os !== "unknown";
}

function invalid(why: string, next: string): CodedError {
  return new CodedError("MANIFEST_INVALID", why, next);
}

function platformOf(platform: Fields): string {
  const parts = [textOf(platform.os), textOf(platform.architecture), textOf(platform.variant)];
  return parts
    .filter((part) => part !== "")
    .join("/")
    .slice(0, 60);
}

function parse(bytes: Uint8Array): Fields {
  try {
    return fieldsOf(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    return {};
  }
}
