import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { OpenedImage } from "@bulwark/image";
import type { Finding, Image, Problem, ScannerName, ScanReport } from "@bulwark/model";
import { type ComponentLists, judgeComponents } from "./components/judge-components.ts";
import { contentFindings } from "./content-findings.ts";
import { type DescribeOptions, describeImage, withoutSecrets } from "./describe-image.ts";
import { type FoundPackage, namePackages } from "./found-package.ts";
import { type ImageInspection, inspectImage } from "./inspect-image.ts";
import type { ConfigReports } from "./layer-cache.ts";
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

export interface ScanOptions extends ReadOptions, DescribeOptions {
  /** What was found in configurations before. */
  readonly configs?: ConfigReports;
  /** Left out: packages are listed, nothing is matched. */
  readonly database?: AdvisoryDatabase;
  /** What the options amount to, for the report. */
  readonly scanners?: readonly ScannerName[];
  /** Left out: the configuration is not looked at. */
  readonly inspection?: ImageInspection;
  /** Lists that packages and names are held against. */
  readonly components?: ComponentLists;
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
  const described = await describeImage(opened, layers, merged.os, options, problems);
  const inspected = inspectImage(opened, merged, packages, described, options.inspection ?? {}, options.configs);
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
