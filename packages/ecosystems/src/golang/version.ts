import type { VersionScheme } from "@bulwark/model";
import { compareSemantic, type SemanticVersion, semverVersions } from "../semver/version.ts";
import { MAX_VERSION_LENGTH } from "../versions.ts";

/** Toolchain versions: `go1.21rc2`, `go1.22.3 X:boringcrypto`, `go1.20.4 (vendor build)`. */
const TOOLCHAIN = /^go([0-9]+(?:\.[0-9]+)*)(?:(rc|beta)([0-9]+))?(?:[-+ ].*)?$/;
const MODULE = /^v?[0-9]+(?:\.[0-9]+)*(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.+-]*)?$/;

/**
 * Go's order: Go Modules Reference, "Versions" (semantic versions with a `v`; `+incompatible` is build metadata;
 * pseudo-versions are pre-releases), and the toolchain's own versions, which advisories of `stdlib` write as semantic
 * versions (`1.21.0-rc.2`).
 *
 * @example golangVersions.compare(golangVersions.parse("go1.21rc2")!, golangVersions.parse("1.21.0")!) < 0
 */
export const golangVersions: VersionScheme<SemanticVersion> = {
  id: "golang",
  parse(version) {
    if (version.length > MAX_VERSION_LENGTH) return undefined;
    const toolchain = TOOLCHAIN.exec(version);
    if (toolchain !== null) {
      const [, numbers, kind, number] = toolchain;
      return semverVersions.parse(kind === undefined ? numbers! : `${numbers}-${kind}.${number}`);
    }
    return MODULE.test(version) ? semverVersions.parse(version) : undefined;
  },
  compare: compareSemantic,
};
