import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { OpenedImage } from "@bulwark/image";
import type { BaseImage, Finding, Image, LayerReport, Problem, ScannerName, ScanReport } from "@bulwark/model";
import {
  annotatedBase,
  type BaseBoundary,
  boundaryFromHistory,
  boundaryFromOs,
  type KnownBase,
  standsOn,
} from "./base-image.ts";
import { type ComponentLists, judgeComponents } from "./components/judge-components.ts";
import { contentFindings } from "./content-findings.ts";
import { type FoundPackage, namePackages } from "./found-package.ts";
import { type ImageInspection, type Inspected, inspectImage } from "./inspect-image.ts";
import { mergeLayers } from "./merge-layers.ts";
import { type ReadOptions, readLayers } from "./read-layers.ts";
import { summarize } from "./summarize.ts";
import { findTampered, TAMPERING } from "./tampering.ts";
import { findVulnerabilities } from "./vulnerabilities.ts";

/** A report before policies are asked. */
export type UnjudgedReport = Omit<ScanReport, "verdict">;

/** A scan's report, and the packages with all that matching and the SBOM formats need beyond it. */
export interface ScanResult {
  readonly report: UnjudgedReport;
  readonly packages: readonly FoundPackage[];
}

export interface ScanOptions extends ReadOptions {
  /** Left out: packages are listed, nothing is matched. */
  readonly database?: AdvisoryDatabase;
  /** The image that the user says this one stands on. */
  readonly base?: KnownBase;
  /** What the options amount to, for the report. */
  readonly scanners?: readonly ScannerName[];
  /** Left out: the configuration is not looked at. */
  readonly inspection?: ImageInspection;
  /** Lists that packages and names are held against. */
  readonly components?: ComponentLists;
  /** Looks up an image that an annotation names; undefined when it cannot be had. */
  readonly findBase?: (reference: string, digest: string) => Promise<KnownBase | undefined>;
}

/**
 * Scans an opened image: reads its layers, finds packages, ties each to its layer and origin, and matches advisories.
 *
 * @throws what reading the layers throws; anything wrong inside a file becomes a problem in the report
 * @example const { report } = await scanImage(await openImage("docker.io/library/debian:12"), { database });
 */
export async function scanImage(opened: OpenedImage, options: ScanOptions): Promise<ScanResult> {
  const layers = await readLayers(opened, options);
  const merged = mergeLayers(layers);
  const packages = namePackages(merged.packages, merged.os);
  const problems = merged.problems.map((problem) => ({ ...problem, path: problem.path && `/${problem.path}` }));
  const boundary = await findBoundary(opened, layers, options, problems);
  const kind = options.content?.kind === "source" ? { kind: "source" as const } : {};
  const described: Image = { ...kind, ...describe(opened, layers, boundary, merged.os) };
  const inspected = inspectImage(opened, merged, packages, described, options.inspection ?? {}, options.cache);
  problems.push(...inspected.problems);
  const image = withoutSecrets(described, inspected);
  const { scanners = [], remote = [] } = options.content ?? {};
  const looksForMalware = options.scanners?.includes("malware") ?? true;
  const tampered = looksForMalware && scanners.length + remote.length > 0 ? findTampered(layers) : [];
  const known = [...scanners, ...remote, { id: TAMPERING, version: "1" }];
  const found = contentFindings([...merged.content, ...tampered], image, known);
  const named = options.components === undefined ? [] : judgeComponents(packages, options.components, image);
  const all = [...found, ...inspected.findings, ...named];
  return assemble(image, packages, problems, options.database, all, options.scanners);
}

/** Instructions and labels tell secrets: what was found in them is taken out before anybody reads them. */
function withoutSecrets(image: Image, { createdBy, labels }: Pick<Inspected, "createdBy" | "labels">): Image {
  return {
    ...image,
    ...(image.labels === undefined ? {} : { labels }),
    layers: image.layers.map((layer) => ({ ...layer, createdBy: createdBy[layer.index] ?? layer.createdBy })),
  };
}

/** Makes the report of an image whose packages are known, however they became known. */
export function assemble(
  image: Image,
  packages: readonly FoundPackage[],
  readProblems: readonly Problem[],
  database: AdvisoryDatabase | undefined,
  content: readonly Finding[] = [],
  scanners: readonly ScannerName[] = ["vuln"],
): ScanResult {
  const matched =
    database === undefined ? { findings: [], problems: [] } : findVulnerabilities(packages, image, database);
  const problems = [...readProblems, ...matched.problems];
  const findings: readonly Finding[] = [...matched.findings, ...content];
  const report: UnjudgedReport = {
    schemaVersion: 1,
    image,
    packages: packages.map(({ purl, name, version, path, layer }) => ({ purl, name, version, path, layer })),
    findings,
    suppressed: [],
    summary: summarize(findings),
    complete: problems.length === 0,
    problems,
    scanners,
    database: database === undefined ? null : databaseInfo(database),
  };
  return { report, packages };
}

function databaseInfo({ info }: AdvisoryDatabase): ScanReport["database"] {
  return { built: info.built, records: info.records, seedOnly: info.seedOnly };
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
  options: ScanOptions,
  problems: Problem[],
): Promise<BaseBoundary> {
  const diffIds = opened.layers.map((layer, index) => layer.diffId || (reports[index]?.diffId ?? ""));
  if (options.base !== undefined) {
    const layers = standsOn(diffIds, options.base);
    if (layers !== undefined) return { base: baseOf(options.base, "flag"), layers };
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
