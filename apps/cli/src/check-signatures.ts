import { dirname, resolve } from "node:path";
import { type OpenedImage, type OpenOptions, openRepository, parseReference, type Repository } from "@bulwark/image";
import type { ScanReport, VerifiedSignature, Violation } from "@bulwark/model";
import { fetchAttachments, readSignaturePolicy, type SignaturePolicy, verifySignatures } from "@bulwark/signature";
import { CliError } from "./failure.ts";
import { readTextFile } from "./text-files.ts";

/** What the signatures of an image add to its report. */
export interface SignatureCheck {
  readonly signatures: readonly VerifiedSignature[];
  readonly violations: readonly Violation[];
}

/** Prefixes of sources whose images come from the registry that their name tells. */
const ENGINE = /^(?:containerd|docker|podman):/;
const ELSEWHERE = /^(?:oci|dir|sbom):|\.(?:tar|tar\.gz|tgz|tar\.zst)(?::[^/]*)?$/;

/** Whether a source names an image of a registry, which nothing else on this machine can be taken for. */
export function isInRegistry(source: string): boolean {
  return !ENGINE.test(source) && !ELSEWHERE.test(source) && !/^(?:\/|\.\.?\/)/.test(source);
}

/**
 * Reads the signature policy and makes sure that signatures can be had of the source.
 *
 * @throws SignatureError for a policy that is wrong, CliError `USAGE` for sources without a registry
 */
export async function readSignatureDemand(file: string, source: string): Promise<SignaturePolicy> {
  if (ELSEWHERE.test(source)) {
    const next = "scan the image where it is signed, or leave --require-signature out";
    throw new CliError("USAGE", `scan: signatures lie in the registry, and ${source} names none`, next);
  }
  return readSignaturePolicy(await readTextFile(file, "signature policy"), file, (path) =>
    readTextFile(resolve(dirname(file), path), "key or trust root"),
  );
}

/**
 * Verifies what vouches for an opened image: for its own manifest, or for the index through which it was found. The
 * digests are those of the image that was opened, so a tag that moves meanwhile changes nothing.
 */
export async function checkSignatures(
  image: OpenedImage,
  source: string,
  policy: SignaturePolicy,
  access: OpenOptions,
): Promise<SignatureCheck> {
  const name = source.replace(ENGINE, "");
  const repository = await openRepository(name, "pull", access);
  try {
    const { registry, repository: path } = parseReference(name);
    const digests = [...new Set([image.rootDigest, image.digest])];
    const verdicts = await Promise.all(
      digests.map((digest) => verdictOn(repository, `${registry}/${path}`, digest, policy)),
    );
    const signatures = verdicts.flatMap(({ verified }) => verified);
    const satisfied = new Set(signatures.map(({ rule }) => rule));
    const violations = verdicts
      .flatMap(({ refused }) => refused)
      .filter(({ rule }, at, all) => !satisfied.has(rule) && all.findIndex((other) => other.rule === rule) === at)
      .map(({ rule, refusals }) => ({
        policy: policy.name,
        rule,
        message: `no signature satisfies it: ${refusals.map(({ message }) => message).join("; ")}`,
      }));
    return { signatures, violations };
  } finally {
    repository.close();
  }
}

async function verdictOn(repository: Repository, path: string, digest: string, policy: SignaturePolicy) {
  const manifest = await repository.manifest(digest);
  const attachments = await fetchAttachments(repository, digest);
  const image = { repository: path, digest, manifest: manifest?.bytes ?? new Uint8Array() };
  return verifySignatures(image, attachments, policy);
}

/** The report with what its signatures say. */
export function withSignatures(report: ScanReport, check: SignatureCheck | undefined): ScanReport {
  if (check === undefined) return report;
  const violations = [...report.verdict.violations, ...check.violations];
  return { ...report, signatures: check.signatures, verdict: { passed: violations.length === 0, violations } };
}
