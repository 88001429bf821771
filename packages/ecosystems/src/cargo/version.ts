import type { VersionScheme } from "@bulwark/model";
import { compareSemantic, parseStrict, type SemanticVersion } from "../semver/version.ts";

/**
 * Cargo's order: strict Semantic Versioning 2.0.0. The registry refuses everything else.
 *
 * @example cargoVersions.parse("1.0") === undefined
 */
export const cargoVersions: VersionScheme<SemanticVersion> = {
  id: "cargo",
  parse: parseStrict,
  compare: compareSemantic,
};
