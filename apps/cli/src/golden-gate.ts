import { chainIdsOf, type OpenedImage } from "@bulwark/image";
import type { ScanReport } from "@bulwark/model";
import type { BuildViolation } from "@bulwark/policy";
import type { KnownBase } from "@bulwark/scan";
import { CliError, plain } from "./failure.ts";
import { askServer, findAccess } from "./server-client.ts";

/** What an image's layers stand on, and which rules about bases it breaks. */
export interface GoldenCheck {
  /** The nearest base that is known; undefined where there is none. */
  readonly base: KnownBase | undefined;
  readonly standing: {
    readonly state: string;
    readonly reference: string;
    readonly digest: string;
    readonly layers: number;
  };
  readonly violations: readonly BuildViolation[];
}

/** Where golden images are looked up: in a list, or on the server that one is logged in to. */
export interface GoldenSource {
  readonly list?: string;
  readonly key?: string;
}

interface Judged extends Pick<GoldenCheck, "violations"> {
  readonly base: GoldenCheck["standing"];
}

/**
 * Finds by an image's layers what it stands on. What its annotations, labels or history say is not asked.
 *
 * @throws CliError when neither a list nor a server can be asked: an image that nobody judged does not pass
 */
export async function checkGolden(image: OpenedImage, source: GoldenSource): Promise<GoldenCheck> {
  const diffIds = image.layers.map(({ diffId }) => diffId);
  if (diffIds.length === 0 || diffIds.includes(""))
    throw new CliError("USAGE", `${image.reference} does not tell its layers`, "give an image with a configuration");
  const { base, violations } =
    source.list === undefined ? await askGolden(image, diffIds) : await judge(image, diffIds, source);
  const known =
    base.layers === 0 ? undefined : { ...base, diffIds: diffIds.slice(0, base.layers), how: "layers" as const };
  return { base: known, standing: base, violations };
}

async function judge(
  image: OpenedImage,
  diffIds: readonly string[],
  { list = "", key }: GoldenSource,
): Promise<Judged> {
  const { judgeByList, readGoldenList } = await import("./golden-list.ts");
  const now = new Date();
  const { reference, platform } = image;
  const read = await readGoldenList(list, key, now);
  return judgeByList(read, chainIdsOf(diffIds), { reference, platform }, now.toISOString().slice(0, 10));
}

async function askGolden({ reference, platform }: OpenedImage, diffIds: readonly string[]): Promise<Judged> {
  try {
    return await askServer<Judged>(findAccess(), "POST", "/golden/check", { diffIds, platform, reference });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const next = `${error.next}; or take a list along: bulwark golden export --output golden.json, then scan --golden golden.json`;
    throw new CliError(error.code, `what the image stands on cannot be asked: ${error.message}`, next, error);
  }
}

/** The report with what its base breaks. Warnings are told on stderr. */
export function withGolden(report: ScanReport, check: GoldenCheck | undefined, quiet: boolean): ScanReport {
  if (check === undefined) return report;
  const { reference } = check.standing;
  const of = reference === "" ? "" : ` (${reference})`;
  const denied = check.violations.filter(({ level }) => level === "deny");
  const warned = check.violations.filter(({ level }) => level === "warn");
  if (!quiet) {
    for (const { rule, message } of warned) process.stderr.write(plain(`bulwark: warning: ${rule}: ${message}${of}\n`));
  }
  const told = denied.map(({ policy, rule, message }) => ({ policy, rule, message: `${message}${of}` }));
  const violations = [...report.verdict.violations, ...told];
  return { ...report, verdict: { passed: violations.length === 0, violations } };
}
