import type { BaseImage, LayerReport } from "@bulwark/model";

const ANNOTATION_NAME = "org.opencontainers.image.base.name";
const ANNOTATION_DIGEST = "org.opencontainers.image.base.digest";

/** A history entry as far as the base is read off it. */
export interface HistoryEntry {
  readonly createdBy: string;
  readonly emptyLayer: boolean;
}

/** How many of the lowest layers are the base image's, and which image that is. */
export interface BaseBoundary {
  readonly base: BaseImage | null;
  readonly layers: number;
}

/** What is known of an image that was named or annotated as the base. */
export interface KnownBase {
  readonly reference: string;
  readonly digest: string;
  readonly diffIds: readonly string[];
  /** How a base that was given is known; `flag` when left out. */
  readonly how?: "flag" | "layers";
}

/** Number of layers that the image shares with `base` when it stands on it, else undefined. */
export function standsOn(diffIds: readonly string[], base: KnownBase): number | undefined {
  const all = base.diffIds.length > 0 && base.diffIds.every((diffId, index) => diffId === diffIds[index]);
  return all ? base.diffIds.length : undefined;
}

/** The base that the image's builder wrote into its annotations or labels (OCI image specification, "Annotations"). */
export function annotatedBase(notes: Readonly<Record<string, string>>): { reference: string; digest: string } | null {
  const reference = notes[ANNOTATION_NAME] ?? "";
  const digest = notes[ANNOTATION_DIGEST] ?? "";
  return reference === "" && digest === "" ? null : { reference, digest };
}

/**
 * Reads the boundary off the build history. A base image almost always ends with its CMD or ENTRYPOINT; instructions
 * after it belong to the image that was built on it.
 */
export function boundaryFromHistory(history: readonly HistoryEntry[], layerCount: number): number | undefined {
  let end = history.length;
  while (end > 0 && history[end - 1]?.emptyLayer === true) end--;
  for (let at = end - 1; at >= 0; at--) {
    const entry = history[at];
    if (entry?.emptyLayer !== true || !/^(?:CMD|ENTRYPOINT)\b/.test(entry.createdBy)) continue;
    const layers = history.slice(0, at).filter((before) => !before.emptyLayer).length;
    return layers > 0 && layers < layerCount ? layers : undefined;
  }
  return undefined;
}

/**
 * Where neither annotation nor history tells: the layer that brings the operating system (its release file and package
 * database) and all below it are the base, as long as something stands on it.
 */
export function boundaryFromOs(layers: readonly LayerReport[]): number | undefined {
  const first = layers.findIndex((layer) => layer.files.some((file) => file.os !== undefined));
  if (first < 0 || first + 1 >= layers.length) return undefined;
  const layer = layers[first];
  const hasPackages = layer?.files.some((file) => file.packages.some((fact) => /^(?:deb|apk|rpm)$/.test(fact.type)));
  return hasPackages === true ? first + 1 : undefined;
}
