import type { VersionScheme } from "@bulwark/model";
import { compareSemantic, type SemanticVersion, semverVersions } from "../semver/version.ts";
import { MAX_VERSION_LENGTH } from "../versions.ts";

const SHAPE = /^[0-9]+(?:\.[0-9]+){0,3}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.+-]*)?$/;

/**
 * NuGet's order: Semantic Versioning with a fourth number, missing numbers zero, pre-releases compared without case
 * (NuGet documentation, "Package versioning", "Normalized version numbers").
 *
 * @example nugetVersions.compare(nugetVersions.parse("1.0.0-BETA")!, nugetVersions.parse("1.0.0.0-beta")!) === 0
 */
export const nugetVersions: VersionScheme<SemanticVersion> = {
  id: "nuget",
  parse(version) {
    const text = version.trim().toLowerCase();
    return text.length <= MAX_VERSION_LENGTH && SHAPE.test(text) ? semverVersions.parse(text) : undefined;
  },
  compare: compareSemantic,
};
