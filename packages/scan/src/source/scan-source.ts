import type { OpenedImage } from "@bulwark/image";
import type { Finding, FindingKind } from "@bulwark/model";
import { type ScanOptions, type ScanResult, scanImage } from "../scan-image.ts";
import { summarize } from "../summarize.ts";
import { type SourceTreeOptions, sourceTree } from "./source-tree.ts";

/** Rules that tell of source code in an image, where it does not belong. */
const CODE_LEAK = /^code-leak-/;
const MAX_DETAIL = 200;

/** What to do about a file of a tree; rules speak of images and layers. */
const ADVICE: Readonly<Partial<Record<FindingKind, string>>> = {
  secret: "Revoke it where it was issued and take it out of the file; once committed, it stays in the history.",
  malware: "Find out which commit brought it and remove it; whoever built or ran the tree since then may be affected.",
  webshell: "Find out which commit brought it and remove it; look for requests to it wherever the tree was deployed.",
};

/**
 * Scans an opened directory as source code: what its lock files name, and what the given content scanners find. There is
 * one layer, "the tree", and all of it is the team's own.
 *
 * @throws what {@link scanImage} throws
 * @example const { report } = await scanSource(await openImage("dir:."), { database, content: { scanners } });
 */
export async function scanSource(
  opened: OpenedImage,
  options: ScanOptions,
  treeOptions: SourceTreeOptions = {},
): Promise<ScanResult> {
  const tree = sourceTree(opened, treeOptions);
  const { report, packages } = await scanImage(tree.image, {
    ...options,
    content: { ...options.content, kind: "source", notable: false },
  });
  const findings = report.findings
    .filter((finding) => belongs(finding, tree.isIgnored))
    .map((finding) => inTree(finding, tree.isIgnored));
  return { packages, report: { ...report, findings, summary: summarize(findings) } };
}

/** Source code belongs into a tree; a file of settings does where git leaves it alone. Its secrets are told anyway. */
function belongs({ kind, id, path = "", evidence }: Finding, isIgnored: (path: string) => boolean): boolean {
  if (kind !== "secret") return true;
  if (CODE_LEAK.test(id)) return false;
  return evidence?.fingerprint !== undefined || !isIgnored(path.replace(/^\//, ""));
}

function inTree(finding: Finding, isIgnored: (path: string) => boolean): Finding {
  const { kind, evidence, package: subject, path = "" } = finding;
  // A malicious package is found by its version, and has advice of its own.
  if (evidence === undefined || subject !== undefined || kind === "misconfiguration") return finding;
  const told = {
    ...finding,
    title: finding.title.replace(/ in the image$/, " in the tree"),
    advice: ADVICE[kind] ?? finding.advice,
  };
  if (!isIgnored(path.replace(/^\//, ""))) return told;
  const detail = [evidence.detail, "ignored by git"].filter((part) => part !== undefined && part !== "").join("; ");
  return { ...told, evidence: { ...evidence, detail: detail.slice(-MAX_DETAIL) } };
}
