import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type OpenedImage, type OpenOptions, openImage } from "@bulwark/image";
import {
  type KnownBase,
  openLayerCache,
  type ScanResult,
  scanImage,
  scanSbom,
  type UnjudgedReport,
} from "@bulwark/scan";
import { cacheDirectory, makeScanners, openDatabase } from "@bulwark/scan/shipped";
import { inSameRegistry } from "../base-reference.ts";
import { checkSignatures, readSignatureDemand, type SignatureCheck, withSignatures } from "../check-signatures.ts";
import { CliError } from "../failure.ts";
import { checkGolden, type GoldenCheck, withGolden } from "../golden-gate.ts";
import { judgeReport } from "../judge-report.ts";
import { readOutside } from "../outside-results.ts";
import { type ProgressLine, progressLine } from "../progress-line.ts";
import { parseScanArguments, SCAN_HELP, type ScanArguments } from "../scan-options.ts";
import { readTextFile } from "../text-files.ts";

const SBOM_PREFIX = "sbom:";
const VIOLATED_EXIT = 1;
const GRADE_LABEL = "io.bulwark.grade";

/** `bulwark scan`: see SCAN_HELP. */
export async function scanCommand(args: readonly string[]): Promise<number> {
  const options = parseScanArguments(args);
  if (options === undefined) {
    process.stdout.write(SCAN_HELP);
    return 0;
  }
  const progress = progressLine(options.quiet);
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort(new CliError("INTERRUPTED", "the scan was interrupted")));
  const outside = await readOutside(options);
  const scanned = await scanGiven(options, progress, abort.signal).finally(() => progress.clear());
  const { signatures, golden, ...result } = outside === undefined ? scanned : outside(scanned);
  const today = new Date().toISOString().slice(0, 10);
  const graded = withGrade(result.report, options.grade);
  const judged = withSignatures(await judgeReport(graded, { ...options, today }), signatures);
  const report = withGolden(judged, golden, options.quiet);
  const { renderReport } = await import("../render.ts");
  await print(await renderReport({ ...result, report }, options), options.output);
  return report.verdict.passed ? 0 : VIOLATED_EXIT;
}

/** Who builds the image may grade it by a label; who scans it decides. */
function withGrade(report: UnjudgedReport, given: string | undefined): UnjudgedReport {
  const grade = given ?? report.image.labels?.[GRADE_LABEL];
  return grade === undefined ? report : { ...report, image: { ...report.image, grade } };
}

/** A scan's result, and what the image's signatures say where that was asked. */
interface Scanned extends ScanResult {
  readonly signatures?: SignatureCheck;
  /** What its layers stand on, where that was asked. */
  readonly golden?: GoldenCheck;
}

async function scanGiven(options: ScanArguments, progress: ProgressLine, signal: AbortSignal): Promise<Scanned> {
  const { requireSignature, source, dockerfile } = options;
  if (dockerfile !== undefined) {
    const { scanDockerfile } = await import("../scan-dockerfile.ts");
    return scanDockerfile(dockerfile, options);
  }
  const demand = requireSignature === undefined ? undefined : await readSignatureDemand(requireSignature, source);
  const database = await openDatabase(options.database);
  try {
    if (options.source.startsWith(SBOM_PREFIX)) {
      const file = options.source.slice(SBOM_PREFIX.length);
      return scanSbom(await readTextFile(file, "SBOM"), options.source, database);
    }
    progress.show(`opening ${options.source}`);
    const access = accessOptions(options, signal);
    const image = await openImage(options.source, access);
    try {
      const signatures = demand === undefined ? undefined : await checkSignatures(image, source, demand, access);
      const golden = options.golden === undefined ? undefined : await checkGolden(image, options.golden);
      const result = await scanOpened(image, { ...options, known: golden?.base }, access, database, progress);
      return {
        ...result,
        ...(signatures === undefined ? {} : { signatures }),
        ...(golden === undefined ? {} : { golden }),
      };
    } finally {
      await image.close();
    }
  } finally {
    database.close();
  }
}

async function scanOpened(
  image: OpenedImage,
  options: ScanArguments & { readonly known: KnownBase | undefined },
  access: OpenOptions,
  database: Awaited<ReturnType<typeof openDatabase>>,
  progress: ProgressLine,
): Promise<ScanResult> {
  const scanners = await makeScanners(options);
  const cache = options.useCache ? openLayerCache(join(cacheDirectory(), "layers.db")) : undefined;
  try {
    const scan = await scanOf(options);
    const result = await scan(image, {
      ...(options.scanners.includes("vuln") ? { database } : {}),
      scanners: options.scanners,
      content: scanners.content,
      inspection: scanners.inspection,
      ...(scanners.components === undefined ? {} : { components: scanners.components }),
      ...(cache === undefined ? {} : { cache, configs: cache }),
      ...(access.signal === undefined ? {} : { signal: access.signal }),
      ...(await givenBase(options, access)),
      findBase: (reference, digest) => annotatedBase(reference, digest, options, access),
      onProgress: progress.scan,
    });
    return withProblems(result, scanners.problems);
  } finally {
    cache?.close();
  }
}

/** What a directory is read as decides how it is scanned. */
async function scanOf({ kind, includeInstalled }: ScanArguments): Promise<typeof scanImage> {
  if (kind === "image") return scanImage;
  const { scanSource } = await import("@bulwark/scan/source");
  return (image, options) => scanSource(image, options, { includeInstalled });
}

/** Rules that could not be used are part of what was not looked at. */
function withProblems(result: ScanResult, problems: readonly string[]): ScanResult {
  if (problems.length === 0) return result;
  const told = problems.map((what) => ({ path: "", layer: -1, what }));
  return { ...result, report: { ...result.report, complete: false, problems: [...result.report.problems, ...told] } };
}

function accessOptions(options: ScanArguments, signal: AbortSignal): OpenOptions {
  return {
    signal,
    offline: options.offline,
    plainHttp: options.plainHttp,
    ...(options.platform === undefined ? {} : { platform: options.platform }),
    ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    ...engineSockets(process.env),
  };
}

/** Where the engines listen, by the variables their own clients read. */
function engineSockets(environment: NodeJS.ProcessEnv): Partial<OpenOptions> {
  const unix = (address = "") => (address.startsWith("unix://") ? address.slice("unix://".length) : undefined);
  const sockets = {
    containerdSocket: environment.CONTAINERD_ADDRESS?.replace(/^unix:[/][/]/, ""),
    containerdNamespace: environment.CONTAINERD_NAMESPACE,
    dockerSocket: unix(environment.DOCKER_HOST),
    podmanSocket: unix(environment.CONTAINER_HOST),
  };
  return Object.fromEntries(Object.entries(sockets).filter(([, value]) => value !== undefined && value !== ""));
}

/** What layers tell counts for more than what the user names. */
async function givenBase(
  { known, base }: ScanArguments & { readonly known: KnownBase | undefined },
  access: OpenOptions,
): Promise<{ readonly base?: KnownBase }> {
  if (known !== undefined) return { base: known };
  return base === undefined ? {} : { base: await knownBase(base, access) };
}

async function knownBase(source: string, access: OpenOptions): Promise<KnownBase> {
  const base = await openImage(source, access);
  const { reference, digest } = base;
  await base.close();
  return { reference, digest, diffIds: base.layers.map(({ diffId }) => diffId) };
}

/** An annotation is the builder's word: when the image it names cannot be had, the history is read instead. */
async function annotatedBase(
  reference: string,
  digest: string,
  options: ScanArguments,
  access: OpenOptions,
): Promise<KnownBase | undefined> {
  const named = options.offline ? undefined : inSameRegistry(reference, options.source);
  if (named === undefined) return undefined;
  const pinned = digest === "" || named.includes("@") ? named : `${named}@${digest}`;
  const scheme = options.source.startsWith("http://") ? "http://" : "";
  try {
    return await knownBase(`${scheme}${pinned}`, access);
  } catch {
    return undefined;
  }
}

async function print(text: string, output: string | undefined): Promise<void> {
  if (output === undefined) {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    });
    return;
  }
  try {
    await writeFile(output, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(
      "OUTPUT_UNWRITABLE",
      `the report cannot be written to ${output}: ${why}`,
      "choose another --output",
      cause,
    );
  }
}
