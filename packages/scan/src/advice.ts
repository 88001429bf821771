import type { AdvisoryMatch, AdvisorySubject, Image } from "@bulwark/model";
import type { FoundPackage } from "./found-package.ts";

const CREATED_BY_SHOWN = 60;

/**
 * One sentence on what to do about a finding: what the base brought is fixed by rebuilding on a fixed base, what an own
 * layer brought is fixed in that layer.
 */
export function adviceFor(match: AdvisoryMatch, found: FoundPackage, subject: AdvisorySubject, image: Image): string {
  const origin = image.layers[found.layer]?.origin ?? "own";
  if (match.malicious) {
    return `Remove ${found.name} ${found.version} from ${layerName(found.layer, image)} and change every credential the image or its build could reach: the package is malicious.`;
  }
  if (match.fixedVersion === "") return withoutFix(match, found, image);
  const name = nameToUpgrade(found, subject);
  if (image.kind === "source") return inManifest(name, match.fixedVersion, found);
  if (origin === "base") {
    return `Rebuild on a version of ${baseName(image)} with ${name} ${match.fixedVersion} or later; until there is one, upgrade ${name} in a layer of your own.`;
  }
  return `Upgrade ${name} to ${match.fixedVersion} or later in ${layerName(found.layer, image)}.`;
}

/** A lock file is written by a package manager: who edits it by hand loses the change, so the manifest is named. */
function inManifest(name: string, fixedVersion: string, { fact, path }: FoundPackage): string {
  if (fact.evidence !== "locked")
    return `Replace ${path.replace(/^\//, "")} by one with ${name} ${fixedVersion} or later.`;
  const file = path.slice(path.lastIndexOf("/") + 1);
  return `Upgrade ${name} to ${fixedVersion} or later in the manifest, and have its package manager write ${file} again.`;
}

/** Package managers upgrade binaries by their names; the fixed version is that of the source. */
function nameToUpgrade({ fact, name }: FoundPackage, subject: AdvisorySubject): string {
  return fact.source === undefined || subject.name === fact.name ? name : `${name} (source ${subject.name})`;
}

function withoutFix(match: AdvisoryMatch, found: FoundPackage, image: Image): string {
  if (match.status === "no-fix-planned") {
    return `The packager plans no fix: remove ${found.name} if it is not needed, or accept the risk with a waiver.`;
  }
  if (image.layers[found.layer]?.origin === "base")
    return `There is no fixed version yet: watch ${baseName(image)} for one.`;
  return `There is no fixed version yet: consider replacing or removing ${found.name} in ${layerName(found.layer, image)}.`;
}

function baseName(image: Image): string {
  const reference = image.base?.reference ?? "";
  return reference === "" ? "the base image" : reference;
}

function layerName(index: number, image: Image): string {
  if (image.kind === "source") return "the tree";
  const createdBy = image.layers[index]?.createdBy.replace(/\s+/g, " ").trim() ?? "";
  if (createdBy === "") return `layer ${index}`;
  const shown = createdBy.length > CREATED_BY_SHOWN ? `${createdBy.slice(0, CREATED_BY_SHOWN - 1)}…` : createdBy;
  return `layer ${index} (${shown})`;
}
