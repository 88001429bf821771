import type { StoredManifest } from "@bulwark/image";
import { CodedError, type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";

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
 * @throws MANIFEST_INVALID for a document that could be read as manifest and as index: two readers of it would see two images
 */
export function imagesBehind({ bytes, digest, mediaType }: StoredManifest): readonly SeenImage[] {
  const document = parse(bytes);
  const isIndex = INDEX_TYPES.has(mediaType);
  const looksLikeIndex = document.manifests !== undefined;
  const looksLikeManifest = document.config !== undefined || document.layers !== undefined;
  const own = textOf(document.mediaType);
  if ((looksLikeIndex && looksLikeManifest) || looksLikeIndex !== isIndex || (own !== "" && own !== mediaType)) {
    const why = `${digest} was sent as ${mediaType.slice(0, 100)} but does not look like that`;
    throw new CodedError(
      "MANIFEST_INVALID",
      why,
      "push the image again; this one cannot be trusted to be what it says",
    );
  }
  if (!isIndex) return IMAGE_CONFIGS.has(textOf(fieldsOf(document.config).mediaType)) ? [{ digest, platform: "" }] : [];
  return listOf(document.manifests)
    .map(fieldsOf)
    .filter(isImage)
    .slice(0, MAX_PLATFORMS)
    .map((entry) => ({ digest: textOf(entry.digest), platform: platformOf(fieldsOf(entry.platform)) }));
}

function isImage(entry: Fields): boolean {
  const { os } = fieldsOf(entry.platform);
  return DIGEST.test(textOf(entry.digest)) && os !== "unknown";
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
