import { join } from "node:path";
import { type ContentSource, collect } from "../content-source.ts";
import { imageError, isImageError } from "../errors.ts";
import { type Descriptor, type Index, invalidDocument, parseJsonObject, parseManifest, text } from "../manifest.ts";
import type { OpenedImage } from "../opened-image.ts";
import { chooseManifest, type ResolveOptions, resolveImage } from "../resolve.ts";
import { openRegularFile, readRange } from "./file-blob.ts";

const REF_NAME = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME = "io.containerd.image.name";

/**
 * The entry of a layout's index that was asked for (OCI image layout specification, "index.json").
 *
 * @param selector tag, name or digest; empty for the only one
 * @throws IMAGE_NOT_FOUND, IMAGE_AMBIGUOUS
 */
function selectFromLayout(what: string, index: Index, selector: string): Descriptor {
  const namesOf = (descriptor: Descriptor): readonly string[] =>
    [descriptor.annotations[REF_NAME], descriptor.annotations[CONTAINERD_NAME]].filter((name) => name !== undefined);
  const names = index.manifests.flatMap(namesOf);
  const list = names.length === 0 ? "none" : [...new Set(names)].sort().join(", ");
  if (selector !== "") {
    const chosen = index.manifests.find(
      (descriptor) =>
        descriptor.digest === selector ||
        namesOf(descriptor).some((name) => name === selector || name.endsWith(`:${selector}`)),
    );
    if (chosen === undefined)
      throw imageError("IMAGE_NOT_FOUND", `${what} holds no image ${selector}; its names are: ${list}`);
    return chosen;
  }
  const [first, ...others] = index.manifests;
  if (first === undefined) throw imageError("IMAGE_NOT_FOUND", `${what} holds no image`);
  if (others.length > 0 && others.some((descriptor) => descriptor.digest !== first.digest)) {
    throw imageError(
      "IMAGE_AMBIGUOUS",
      `${what} holds ${index.manifests.length} images; their names are: ${list}`,
      "append one of the names with a colon",
    );
  }
  return first;
}

/** True when the index is one image for several platforms rather than several images: nothing in it has a name. */
function isOneImage(index: Index): boolean {
  return (
    index.manifests.length > 1 &&
    index.manifests.every((manifest) => manifest.annotations[REF_NAME] === undefined && manifest.platform !== undefined)
  );
}

/** How a layout's files are read: from a directory or from a tar. */
export interface LayoutFiles {
  /** A small file whole. Undefined when there is none. */
  read(path: string, limitBytes: number): Promise<Uint8Array | undefined>;
  /** Throws LAYER_TORN or SOURCE_INVALID when the blob is missing. */
  stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Opens the image of an OCI image layout. */
export async function openLayout(
  what: string,
  files: LayoutFiles,
  selector: string,
  options: ResolveOptions,
): Promise<OpenedImage> {
  const { limits } = options;
  const layout = await files.read("oci-layout", limits.maxManifestBytes);
  const bytes = await files.read("index.json", limits.maxManifestBytes);
  if (layout === undefined || bytes === undefined) {
    throw imageError(
      "SOURCE_INVALID",
      `${what} is no OCI image layout: it has no ${layout === undefined ? "oci-layout" : "index.json"}`,
      "give the directory that holds oci-layout and index.json",
    );
  }
  const version = text(parseJsonObject(`oci-layout of ${what}`, layout), "imageLayoutVersion");
  if (version !== "1.0.0")
    throw imageError("MANIFEST_INVALID", `${what} has layout version ${JSON.stringify(version)}, not 1.0.0`);
  const index = parseManifest(`index.json of ${what}`, "", bytes, limits);
  if (index.kind !== "index") throw invalidDocument(`index.json of ${what}`, "is no index");
  const root =
    selector === "" && isOneImage(index) ? chooseManifest(index, options) : selectFromLayout(what, index, selector);
  return resolveImage(layoutSource(files), root, options);
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function layoutSource(files: LayoutFiles): ContentSource {
  return {
    manifest: (descriptor, limitBytes, signal) =>
      collect(descriptor.digest, files.stream(blobPath(descriptor.digest), signal), limitBytes),
    blob: (descriptor, signal) => files.stream(blobPath(descriptor.digest), signal),
    close: () => files.close(),
  };
}

/** The files of a layout in a directory. Digests are checked before they become part of a path. */
export function directoryFiles(directory: string): LayoutFiles {
  return {
    async read(path, limitBytes) {
      const file = await openRegularFile(join(directory, path)).catch((error) => {
        if (isImageError(error) && error.code === "SOURCE_NOT_FOUND") return undefined;
        throw error;
      });
      if (file === undefined) return undefined;
      try {
        return await collect(path, readRange(file.handle, 0, file.size), limitBytes);
      } finally {
        await file.handle.close();
      }
    },
    async *stream(path, signal) {
      const file = await openRegularFile(join(directory, path));
      try {
        yield* readRange(file.handle, 0, file.size, signal);
      } finally {
        await file.handle.close();
      }
    },
    async close() {},
  };
}
