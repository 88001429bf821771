import type { OpenedImage } from "@bulwark/image";
import type { BaseImage, Image, LayerReport, Problem } from "@bulwark/model";
import {
  annotatedBase,
  type BaseBoundary,
  boundaryFromHistory,
  boundaryFromOs,
  type KnownBase,
  standsOn,
} from "./base-image.ts";
import type { Inspected } from "./inspect-image.ts";
import type { ReadOptions } from "./read-layers.ts";

/** What helps to tell the base image. */
export interface DescribeOptions {
  /** The image that the user says this one stands on. */
  readonly base?: KnownBase;
  /** Looks up an image that an annotation names; undefined when it cannot be had. */
  readonly findBase?: (reference: string, digest: string) => Promise<KnownBase | undefined>;
}

/** What an image is: its layers, with their instructions and origin, and the base that it stands on. */
export async function describeImage(
  opened: OpenedImage,
  layers: readonly LayerReport[],
  os: Image["os"],
  options: DescribeOptions & Pick<ReadOptions, "content">,
  problems: Problem[],
): Promise<Image> {
  const boundary = await findBoundary(opened, layers, options, problems);
  const kind = options.content?.kind === "source" ? { kind: "source" as const } : {};
  return { ...kind, ...describe(opened, layers, boundary, os) };
}

/** Instructions and labels tell secrets: what was found in them is taken out before anybody reads them. */
export function withoutSecrets(image: Image, { createdBy, labels }: Pick<Inspected, "createdBy" | "labels">): Image {
  return {
    ...image,
    ...(image.labels === undefined ? {} : { labels }),
    layers: image.layers.map((layer) => ({ ...layer, createdBy: createdBy[layer.index] ?? layer.createdBy })),
  };
}

function describe(
  opened: OpenedImage,
  reports: readonly LayerReport[],
  boundary: BaseBoundary,
  os: Image["os"],
): Image {
  const layers = opened.layers.map(({ index, diffId, digest, size, createdBy }) => ({
    index,
    diffId: diffId || (reports[index]?.diffId ?? ""),
    digest,
    size,
    createdBy,
    origin: index < boundary.layers ? ("base" as const) : ("own" as const),
  }));
  return {
    reference: opened.reference,
    digest: opened.digest,
    platform: opened.platform,
    os,
    created: opened.config.created ?? "",
    size: layers.reduce((sum, layer) => sum + layer.size, 0),
    layers,
    base: boundary.base,
    ...(Object.keys(opened.config.labels).length === 0 ? {} : { labels: opened.config.labels }),
  };
}

async function findBoundary(
  opened: OpenedImage,
  reports: readonly LayerReport[],
  options: DescribeOptions,
  problems: Problem[],
): Promise<BaseBoundary> {
  const diffIds = opened.layers.map((layer, index) => layer.diffId || (reports[index]?.diffId ?? ""));
  if (options.base !== undefined) {
    const layers = standsOn(diffIds, options.base);
    if (layers !== undefined) return { base: baseOf(options.base, options.base.how ?? "flag"), layers };
    const what = `the image does not stand on ${options.base.reference}: its lowest layers are others`;
    problems.push({ path: "", layer: -1, what });
  }
  const noted = annotatedBase({ ...opened.config.labels, ...opened.annotations });
  const known = noted === null ? undefined : await options.findBase?.(noted.reference, noted.digest);
  const shared = known === undefined ? undefined : standsOn(diffIds, known);
  if (known !== undefined && shared !== undefined) return { base: baseOf(known, "annotation"), layers: shared };
  return guessBoundary(opened, reports, noted);
}

function guessBoundary(
  opened: OpenedImage,
  reports: readonly LayerReport[],
  noted: { readonly reference: string; readonly digest: string } | null,
): BaseBoundary {
  const fromHistory = boundaryFromHistory(opened.config.history, opened.layers.length);
  const layers = fromHistory ?? boundaryFromOs(reports);
  if (layers === undefined) return { base: null, layers: 0 };
  const how = fromHistory === undefined ? "os-layer" : "history";
  return { base: { reference: noted?.reference ?? "", digest: noted?.digest ?? "", how }, layers };
}

function baseOf({ reference, digest }: KnownBase, how: BaseImage["how"]): BaseImage {
  return { reference, digest, how };
}
