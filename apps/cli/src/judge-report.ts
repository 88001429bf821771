import type { Image, ScanReport, Severity } from "@bulwark/model";
import { applyFindingRules, applyVex, applyWaivers, judge, readPolicy, readVex } from "@bulwark/policy";
import { summarize, type UnjudgedReport } from "@bulwark/scan";
import { defaultPolicyFile } from "@bulwark/scan/shipped/places";
import { readTextFile } from "./text-files.ts";

/** What decides over a report. */
export interface JudgeOptions {
  readonly policies: readonly string[];
  readonly vex: readonly string[];
  readonly severities: readonly Severity[];
  readonly ignoreUnfixed: boolean;
  /** `YYYY-MM-DD`. */
  readonly today: string;
}

/** Leaves out what the user does not ask for, takes out what VEX and waivers cover, and asks the policies. */
export async function judgeReport(report: UnjudgedReport, options: JudgeOptions): Promise<ScanReport> {
  const files = options.policies.length > 0 ? options.policies : [defaultPolicyFile];
  const policies = await Promise.all(files.map(async (file) => readPolicy(await readTextFile(file, "policy"), file)));
  const documents = await Promise.all(options.vex.map(async (file) => readVex(await readTextFile(file, "VEX"), file)));
  const ruled = applyFindingRules(report.findings, policies, report.image);
  const asked = ruled.findings.filter(
    ({ kind, severity, fixedVersion = "" }) =>
      (options.severities.length === 0 || options.severities.includes(severity)) &&
      // A malicious package has no fixed version, and is not for that to be ignored.
      !(options.ignoreUnfixed && kind === "vulnerability" && fixedVersion === ""),
  );
  const vexed = applyVex(asked, documents.flat(), imageNames(report.image));
  const waived = applyWaivers(vexed.findings, policies, report.image, options.today);
  const judged: UnjudgedReport = {
    ...report,
    findings: waived.findings,
    suppressed: [...report.suppressed, ...ruled.suppressed, ...vexed.suppressed, ...waived.suppressed],
    summary: summarize(waived.findings),
  };
  return { ...judged, verdict: judge(judged, policies, options.today) };
}

/**
 * How a VEX document may name the image as a product: its reference, its digest, its purl with all qualifiers a document
 * may give (purl specification, "oci").
 */
function imageNames({ reference, digest, platform }: Image): readonly string[] {
  const repository = reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(reference)?.[1] ?? "";
  const qualifiers = { arch: platform.split("/")[1] ?? "", repository_url: repository, tag };
  const query = Object.entries(qualifiers)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`);
  const version = digest === "" ? "" : `@${encodeURIComponent(digest)}`;
  const purl = `pkg:oci/${repository.split("/").at(-1) ?? ""}${version}?${query.join("&")}`;
  return [reference, digest, purl].filter((word) => word !== "");
}
