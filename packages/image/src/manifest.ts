import { isDigest } from "./digest.ts";
import { imageError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Platform } from "./platform.ts";

/** A descriptor (OCI image specification, "Descriptors"), checked. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform: Platform | undefined;
  /** True when it names other places to get the content from. They are shown, never asked. */
  readonly hasUrls: boolean;
}

export interface Manifest {
  readonly kind: "manifest";
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Index {
  readonly kind: "index";
  readonly manifests: readonly Descriptor[];
}

const MAX_INDEX_ENTRIES = 10_000;
const MAX_ANNOTATIONS = 1_000;

const INDEX_TYPES: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFEST_TYPES: readonly string[] = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const CONFIG_TYPES: readonly string[] = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];

/** What a client accepts in place of a manifest. */
export const ACCEPTED_TYPES: readonly string[] = [...MANIFEST_TYPES, ...INDEX_TYPES];

type Json = Readonly<Record<string, unknown>>;

/** MANIFEST_INVALID for the document of that name. */
export function invalidDocument(what: string, why: string): Error {
  return imageError(
    "MANIFEST_INVALID",
    `${what}: ${why}`,
    "build or push the image again; this one cannot be trusted to be what it says",
  );
}

/** Parses a JSON object. */
export function parseJsonObject(what: string, bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw imageError("MANIFEST_INVALID", `${what} is no JSON`, "", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidDocument(what, "is no JSON object");
  return value as Json;
}

/** A string property, empty when it is missing or something else. */
export function text(object: Json, key: string): string {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === "string" ? value : "";
}

/** An object property, empty when it is missing or something else. */
export function objectAt(object: Json, key: string): Json {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The string members of an object property. */
export function stringMap(object: Json, key: string): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(object, key)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries.slice(0, MAX_ANNOTATIONS));
}

function parseDescriptor(what: string, value: unknown, limits: Limits): Descriptor {
  if (typeof value !== "object" || value === null) throw invalidDocument(what, "a descriptor is no object");
  const object = value as Json;
  const size = object.size;
  const digest = object.digest;
  if (!isDigest(digest)) throw invalidDocument(what, "a descriptor has no valid digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalidDocument(what, `${digest} has no valid size`);
  if (size > limits.maxBlobBytes) {
    throw imageError(
      "LAYER_LIMIT",
      `${what}: ${digest} says it has ${size} bytes (limit maxBlobBytes ${limits.maxBlobBytes})`,
    );
  }
  const platform = objectAt(object, "platform");
  const hasPlatform = Object.hasOwn(object, "platform");
  return {
    mediaType: text(object, "mediaType"),
    digest,
    size,
    annotations: stringMap(object, "annotations"),
    platform: hasPlatform
      ? { os: text(platform, "os"), architecture: text(platform, "architecture"), variant: text(platform, "variant") }
      : undefined,
    hasUrls: Array.isArray(object.urls) && object.urls.length > 0,
  };
}

/**
 * Reads a manifest or an index. The media type decides which; a document that says it is something else inside, or
 * that could be read as both, is refused (two tools would see two images).
 *
 * @param mediaType from the descriptor or the Content-Type header, empty when unknown
 * @throws MANIFEST_INVALID, LAYER_LIMIT
 */
export function parseManifest(what: string, mediaType: string, bytes: Uint8Array, limits: Limits): Manifest | Index {
  const json = parseJsonObject(what, bytes);
  const inside = text(json, "mediaType");
  if (json.schemaVersion === 1) {
    throw invalidDocument(
      what,
      "is a schema 1 manifest, which no registry has had to serve since 2019 and which is not supported",
    );
  }
  if (Object.hasOwn(json, "manifests") && (Object.hasOwn(json, "layers") || Object.hasOwn(json, "config"))) {
    throw invalidDocument(what, "is manifest and index at once");
  }
  const known = ACCEPTED_TYPES.includes(mediaType);
  if (known && inside !== "" && inside !== mediaType)
    throw invalidDocument(what, `is served as ${mediaType} but calls itself ${inside}`);
  const type = known ? mediaType : inside;
  const isIndex = INDEX_TYPES.includes(type) || (type === "" && Object.hasOwn(json, "manifests"));
  const isManifest = MANIFEST_TYPES.includes(type) || (type === "" && Object.hasOwn(json, "config"));
  if (isIndex) return parseIndex(what, json, limits);
  if (isManifest) return parseImageManifest(what, json, limits);
  throw invalidDocument(
    what,
    `is neither an image manifest nor an index (media type ${JSON.stringify(type || mediaType)})`,
  );
}

function parseIndex(what: string, json: Json, limits: Limits): Index {
  const manifests = json.manifests;
  if (!Array.isArray(manifests)) throw invalidDocument(what, "has no list of manifests");
  if (manifests.length > MAX_INDEX_ENTRIES)
    throw invalidDocument(what, `lists more than ${MAX_INDEX_ENTRIES} manifests`);
  return { kind: "index", manifests: manifests.map((manifest) => parseDescriptor(what, manifest, limits)) };
}

function parseImageManifest(what: string, json: Json, limits: Limits): Manifest {
  const layers = json.layers;
  if (!Array.isArray(layers)) throw invalidDocument(what, "has no list of layers");
  if (layers.length > limits.maxLayers) {
    throw imageError("LAYER_LIMIT", `${what} lists ${layers.length} layers (limit maxLayers ${limits.maxLayers})`);
  }
  const config = parseDescriptor(what, json.config, limits);
  if (!CONFIG_TYPES.includes(config.mediaType)) {
    throw invalidDocument(what, `holds no container image but ${JSON.stringify(config.mediaType.slice(0, 200))}`);
  }
  return {
    kind: "manifest",
    config,
    layers: layers.map((layer) => parseDescriptor(what, layer, limits)),
    annotations: stringMap(json, "annotations"),
  };
}

/** Layers whose bytes their vendor alone distributes (OCI image layer specification, "Non-Distributable Layers"). */
export function isForeign(layer: Descriptor): boolean {
  return layer.hasUrls || layer.mediaType.includes("nondistributable") || layer.mediaType.includes(".foreign.");
}
