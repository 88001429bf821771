import type { EcosystemCatalog, VersionScheme } from "@bulwark/model";

const MAX_LENGTH = 100;

/** Versions of numbers and dots, and nothing else: enough to test ranges. */
export const plainVersions: VersionScheme<readonly number[]> = {
  id: "plain",
  parse: (version) =>
    version.length <= MAX_LENGTH && /^\d+(?:\.\d+)*$/.test(version) ? version.split(".").map(Number) : undefined,
  compare(a, b) {
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const difference = (a[at] ?? 0) - (b[at] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  },
};

/** A catalogue that orders every ecosystem but "Unknown" plainly. */
export const plainCatalog: EcosystemCatalog = {
  normalizeEcosystem: (ecosystem) => (ecosystem === "Unknown" || ecosystem === "" ? undefined : ecosystem),
  normalizeName: (_ecosystem, name) => name.toLowerCase(),
  schemeOf: (ecosystem) => (ecosystem === "Unknown" ? undefined : (plainVersions as VersionScheme)),
};
