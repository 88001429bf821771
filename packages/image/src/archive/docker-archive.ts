import { type ImageConfig, parseConfig } from "../config.ts";
import { sha256, verifyBytes } from "../digest.ts";
import { imageError } from "../errors.ts";
import { invalidDocument } from "../manifest.ts";
import { createOpenedImage, type LayerParts, type OpenedImage } from "../opened-image.ts";
import { formatPlatform } from "../platform.ts";
import { type ResolveOptions, requirePlatform } from "../resolve.ts";
import { safePath } from "../tar/name.ts";

/** One image of a `docker save` archive's manifest.json. */
interface SavedImage {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

/** The members of an archive. */
export interface ArchiveFiles {
  read(path: string, limitBytes: number): Promise<Uint8Array | undefined>;
  stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Bytes of a member, links followed; undefined when it is missing. */
  size(path: string): number | undefined;
  close(): Promise<void>;
}

const HEX_DIGEST = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/;

/**
 * Opens an image of a `docker save` archive, old layout or new. The configuration is held against the digest in its
 * name, each layer against the configuration's diffID.
 */
export async function openDockerArchive(
  what: string,
  files: ArchiveFiles,
  selector: string,
  options: ResolveOptions,
): Promise<OpenedImage> {
  const { limits } = options;
  const bytes = await files.read("manifest.json", limits.maxManifestBytes);
  if (bytes === undefined)
    throw imageError(
      "SOURCE_INVALID",
      `${what} is neither a docker nor an OCI archive: it has no manifest.json and no index.json`,
      "give what docker save or skopeo copy wrote; a root file system is unpacked and read by dir:",
    );
  const saved = selectSaved(what, parseSaved(what, bytes), selector);
  const configBytes = await files.read(saved.config, limits.maxConfigBytes);
  if (configBytes === undefined) throw invalidDocument(what, `its configuration ${saved.config} is missing`);
  const named = HEX_DIGEST.exec(saved.config)?.[1];
  if (named !== undefined) verifyBytes(`configuration of ${what}`, `sha256:${named}`, configBytes);
  const { config, diffIds } = parseConfig(`configuration of ${what}`, configBytes, limits);
  if (diffIds.length !== saved.layers.length) {
    throw invalidDocument(
      what,
      `manifest.json has ${saved.layers.length} layers but the configuration ${diffIds.length}`,
    );
  }
  const platform = { os: config.os, architecture: config.architecture, variant: config.variant };
  requirePlatform(options, platform);
  return createOpenedImage(
    {
      reference: options.reference,
      digest: sha256(configBytes),
      rootDigest: sha256(configBytes),
      platform: formatPlatform(platform),
      config,
      annotations: {},
      layers: saved.layers.map((path, index) => layerParts(files, path, diffIds[index]!, config)),
      close: () => files.close(),
    },
    limits,
  );
}

function layerParts(files: ArchiveFiles, path: string, diffId: string, config: ImageConfig): LayerParts {
  const size = files.size(path);
  // Windows images leave their base layers out of the archive.
  const foreign = size === undefined && config.os === "windows";
  return {
    layer: { diffId, digest: diffId, size: size ?? 0, mediaType: "", foreign },
    digestOfStored: false,
    open: (signal) => {
      if (size === undefined) throw imageError("LAYER_TORN", `the archive has no ${path}`, "save the image again");
      return files.stream(path, signal);
    },
  };
}

function parseSaved(what: string, bytes: Uint8Array): readonly SavedImage[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw imageError("MANIFEST_INVALID", `manifest.json of ${what} is no JSON`, "save the image again", error);
  }
  if (!Array.isArray(value)) throw invalidDocument(`manifest.json of ${what}`, "is no list");
  return value.map((item: unknown) => {
    const image = (typeof item === "object" && item !== null ? item : {}) as Record<string, unknown>;
    const { Config: config, Layers: layers, RepoTags: names } = image;
    if (typeof config !== "string" || !Array.isArray(layers) || !layers.every((layer) => typeof layer === "string")) {
      throw invalidDocument(`manifest.json of ${what}`, "names no configuration or no layers");
    }
    return {
      config: safePath(config).path,
      layers: layers.map((layer) => safePath(layer).path),
      names: Array.isArray(names) ? names.filter((name) => typeof name === "string") : [],
    };
  });
}

function selectSaved(what: string, images: readonly SavedImage[], selector: string): SavedImage {
  const names = images.flatMap((image) => image.names);
  const list = names.length === 0 ? "none" : [...names].sort().join(", ");
  const [first, ...others] = images;
  if (first === undefined) throw imageError("IMAGE_NOT_FOUND", `${what} holds no image`);
  if (selector === "") {
    if (others.length === 0) return first;
    throw imageError(
      "IMAGE_AMBIGUOUS",
      `${what} holds ${images.length} images; their names are: ${list}`,
      "append one of the names with a colon",
    );
  }
  const chosen = images.find((image) =>
    image.names.some((name) => name === selector || name.endsWith(`/${selector}`) || name.endsWith(`:${selector}`)),
  );
  if (chosen === undefined)
    throw imageError("IMAGE_NOT_FOUND", `${what} holds no image ${selector}; its names are: ${list}`);
  return chosen;
}
