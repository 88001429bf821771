import type { StoredManifest } from "@bulwark/image";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";

const MAX_PLATFORMS = 100;
const DIGEST = /^sha256:[a-f0-9]{64}$/;
const IMAGE_CONFIGS = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);

/**
 * The images that a manifest stands for: itself, or those of an index (OCI image specification, "Image Index"), build
 * attestations left out. None for what is no image, such as charts and signatures.
 */
export function imagesBehind({
  bytes,
  digest,
}: StoredManifest): readonly { readonly digest: string; readonly platform: string }[] {
  const document = parse(bytes);
  if (Array.isArray(document.manifests)) {
    return listOf(document.manifests)
      .map(fieldsOf)
      .filter(isImage)
      .slice(0, MAX_PLATFORMS)
      .map((entry) => ({ digest: textOf(entry.digest), platform: platformOf(fieldsOf(entry.platform)) }));
  }
  return IMAGE_CONFIGS.has(textOf(fieldsOf(document.config).mediaType)) ? [{ digest, platform: "" }] : [];
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
