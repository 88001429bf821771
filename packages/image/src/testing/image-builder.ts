import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { makeTar, type TarInput } from "./tar-writer.ts";

export type LayerCompression = "gzip" | "zstd" | "plain";

/** A layer to build: files by path, tar entries, or a finished tar. */
export interface LayerInput {
  /** Content by path; paths that end in a slash are directories. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly entries?: readonly TarInput[];
  readonly tar?: Uint8Array;
  /** Default gzip. */
  readonly compression?: LayerCompression;
  readonly createdBy?: string;
  /** Stored bytes in place of the compressed tar. */
  readonly stored?: Uint8Array;
  /** What the documents shall say in place of the truth. */
  readonly lie?: {
    readonly digest?: string;
    readonly diffId?: string;
    readonly size?: number;
    readonly mediaType?: string;
    readonly urls?: readonly string[];
  };
}

export interface ImageInput {
  readonly layers: readonly LayerInput[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
  readonly os?: string;
  readonly variant?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image in memory: every blob by digest, and its root. */
export interface BuiltImage {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Descriptor of the manifest. */
  readonly manifest: BuiltDescriptor;
  readonly manifestBytes: Uint8Array;
  readonly configDigest: string;
  readonly layerDigests: readonly string[];
  readonly diffIds: readonly string[];
}

export interface BuiltDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPES = {
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  plain: "application/vnd.oci.image.layer.v1.tar",
} as const;

/** `sha256:…` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The tar of a layer input. */
export function layerTar(layer: LayerInput): Uint8Array {
  if (layer.tar !== undefined) return layer.tar;
  const files = Object.entries(layer.files ?? {}).map(([path, content]) => ({ path, content }));
  return makeTar([...files, ...(layer.entries ?? [])]);
}

function compress(tar: Uint8Array, compression: LayerCompression): Uint8Array {
  if (compression === "gzip") return gzipSync(tar, { level: 6 });
  return compression === "zstd" ? zstdCompressSync(tar) : tar;
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/**
 * Builds an image. The platform is this machine's unless it is given.
 *
 * @example const image = buildImage({ layers: [{ files: { "etc/os-release": "ID=debian\n" } }] }); writeLayout(image, dir);
 */
export function buildImage(input: ImageInput): BuiltImage {
  const blobs = new Map<string, Uint8Array>();
  const put = (bytes: Uint8Array): string => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return digest;
  };
  const layers = input.layers.map((layer) => {
    const tar = layerTar(layer);
    const compression = layer.compression ?? "gzip";
    const stored = layer.stored ?? compress(tar, compression);
    const digest = layer.lie?.digest ?? put(stored);
    blobs.set(digest, stored);
    const descriptor = {
      mediaType: layer.lie?.mediaType ?? LAYER_TYPES[compression],
      digest,
      size: layer.lie?.size ?? stored.length,
      ...(layer.lie?.urls === undefined ? {} : { urls: layer.lie.urls }),
    };
    return { descriptor, diffId: layer.lie?.diffId ?? digestOf(tar), createdBy: layer.createdBy ?? "" };
  });
  const machine = { x64: "amd64" }[process.arch as string] ?? process.arch;
  const platform = {
    os: input.os ?? "linux",
    architecture: input.architecture ?? machine,
    ...(input.variant === undefined ? {} : { variant: input.variant }),
  };
  const config = jsonBytes({
    created: "2024-01-02T03:04:05Z",
    ...platform,
    config: input.config ?? {},
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((layer) => ({ created: "2024-01-02T03:04:05Z", created_by: layer.createdBy })),
  });
  const configDigest = put(config);
  const manifestBytes = jsonBytes({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: configDigest, size: config.length },
    layers: layers.map((layer) => layer.descriptor),
    ...(input.annotations === undefined ? {} : { annotations: input.annotations }),
  });
  const manifest = { mediaType: OCI_MANIFEST, digest: put(manifestBytes), size: manifestBytes.length, platform };
  return {
    blobs,
    manifest,
    manifestBytes,
    configDigest,
    layerDigests: layers.map((layer) => layer.descriptor.digest),
    diffIds: layers.map((layer) => layer.diffId),
  };
}

/** Joins images into an index, such as one for several platforms. */
export function buildIndex(manifests: readonly BuiltDescriptor[]): {
  readonly bytes: Uint8Array;
  readonly descriptor: BuiltDescriptor;
} {
  const bytes = jsonBytes({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  return { bytes, descriptor: { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length } };
}

/** Files of an OCI image layout by path. */
export function layoutFiles(
  blobs: ReadonlyMap<string, Uint8Array>,
  roots: readonly BuiltDescriptor[],
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  files.set("oci-layout", jsonBytes({ imageLayoutVersion: "1.0.0" }));
  files.set("index.json", jsonBytes({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: roots }));
  for (const [digest, bytes] of blobs) files.set(`blobs/${digest.replace(":", "/")}`, bytes);
  return files;
}

/** Writes an OCI image layout into a directory. */
export function writeLayout(image: BuiltImage, directory: string, tag = ""): void {
  const root =
    tag === "" ? image.manifest : { ...image.manifest, annotations: { "org.opencontainers.image.ref.name": tag } };
  mkdirSync(join(directory, "blobs", "sha256"), { recursive: true });
  for (const [path, bytes] of layoutFiles(image.blobs, [root])) writeFileSync(join(directory, path), bytes);
}

/** An OCI archive. */
export function ociArchive(image: BuiltImage): Uint8Array {
  return makeTar([...layoutFiles(image.blobs, [image.manifest])].map(([path, content]) => ({ path, content })));
}

/** A `docker save` archive in the old layout, where layers are uncompressed tars and repeated ones are links. */
export function dockerArchive(
  image: BuiltImage,
  layers: readonly LayerInput[],
  names: readonly string[] = ["test:latest"],
): Uint8Array {
  const entries: TarInput[] = [];
  const seen = new Map<string, string>();
  const paths = layers.map((layer, index) => {
    const diffId = image.diffIds[index]!;
    const path = `${String(index).padStart(64, "0")}/layer.tar`;
    const earlier = seen.get(diffId);
    entries.push(
      earlier === undefined ? { path, content: layerTar(layer) } : { path, type: "2", linkTarget: `../${earlier}` },
    );
    seen.set(diffId, earlier ?? path);
    return path;
  });
  const config = `${image.configDigest.slice(7)}.json`;
  entries.push({ path: config, content: image.blobs.get(image.configDigest)! });
  entries.push({
    path: "manifest.json",
    content: JSON.stringify([{ Config: config, RepoTags: names, Layers: paths }]),
  });
  return makeTar(entries);
}
