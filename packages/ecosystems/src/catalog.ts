import type { EcosystemCatalog } from "@bulwark/model";
import { distributions } from "./distributions.ts";
import { languages } from "./languages.ts";

const languageByOsv = new Map(languages.map((language) => [language.osv, language]));
/** Where two distributions share a family they share its version order and spelling too. */
const distributionByFamily = new Map(distributions.map((distribution) => [distribution.family, distribution]));

/** OSV's ecosystems, as the advisory database needs them. */
export const catalog: EcosystemCatalog = {
  normalizeEcosystem(ecosystem) {
    const { family, release } = partsOf(ecosystem);
    // `Maven:https://…` names the repository; group and artifact are the same everywhere.
    if (languageByOsv.has(family)) return family;
    const distribution = distributionByFamily.get(family);
    if (distribution === undefined) return undefined;
    return release === "" ? family : `${family}:${distribution.normalizeRelease(release)}`;
  },
  normalizeName(ecosystem, name) {
    return languageByOsv.get(partsOf(ecosystem).family)?.normalizeName(name) ?? name;
  },
  schemeOf(ecosystem) {
    const { family } = partsOf(ecosystem);
    return languageByOsv.get(family)?.versions ?? distributionByFamily.get(family)?.versions;
  },
};

/** OSV schema, "affected[].package.ecosystem": a family, and after a colon what its own section says. */
function partsOf(ecosystem: string): { readonly family: string; readonly release: string } {
  const colon = ecosystem.indexOf(":");
  if (colon < 0) return { family: ecosystem, release: "" };
  return { family: ecosystem.slice(0, colon), release: ecosystem.slice(colon + 1) };
}
