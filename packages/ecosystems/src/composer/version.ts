import type { VersionScheme } from "@bulwark/model";
import { compareDigits, compareLists, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

export interface ComposerVersion {
  readonly numbers: readonly string[];
  /** Position in {@link STABILITIES}. */
  readonly stability: number;
  readonly stabilityNumbers: readonly string[];
  /** `-dev` behind a stability: just before it. */
  readonly isDev: boolean;
}

/** Lowest first, as PHP's version_compare ranks them; the empty one is the release itself. */
const STABILITIES = ["dev", "alpha", "beta", "rc", "", "patch"];
const ALIASES: Readonly<Record<string, string>> = { a: "alpha", b: "beta", p: "patch", pl: "patch", stable: "" };

const SUFFIX =
  "(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?[0-9]+(?:[.-][0-9]+)*)?))?([.-]?dev)?(?:\\+[0-9a-z.-]*)?$";
const NUMBERED = new RegExp(`^v?([0-9]{1,5}(?:\\.[0-9]+){0,3})${SUFFIX}`);
/** Versions that are dates: `2010-01-02`, `20100102`. */
const DATED = new RegExp(`^v?([0-9]{4,}(?:[.-][0-9]{2,4}){0,6})${SUFFIX}`);

/**
 * Composer's order: composer/semver, normalised versions compared as PHP's version_compare does. Branches (`dev-main`,
 * `1.x-dev`) have no place in it and give undefined.
 *
 * @example composerVersions.compare(composerVersions.parse("v1.0-RC1")!, composerVersions.parse("1.0.0")!) < 0
 */
export const composerVersions: VersionScheme<ComposerVersion> = {
  id: "composer",
  parse(version) {
    const text = version.trim().toLowerCase();
    if (text.length > MAX_VERSION_LENGTH) return undefined;
    const match = NUMBERED.exec(text) ?? DATED.exec(text);
    if (match === null) return undefined;
    const [, numbers = "", word = "", wordNumbers = "", dev] = match;
    const stability = ALIASES[word] ?? word;
    const isPlainDev = dev !== undefined && stability === "";
    return {
      numbers: numbersOf(numbers),
      stability: STABILITIES.indexOf(isPlainDev ? "dev" : stability),
      stabilityNumbers: stability === "" ? [] : numbersOf(wordNumbers),
      isDev: dev !== undefined && !isPlainDev,
    };
  },
  compare(a, b) {
    return (
      compareLists(a.numbers, b.numbers, "", compareDigits) ||
      a.stability - b.stability ||
      compareStabilityNumbers(a, b)
    );
  },
};

function numbersOf(text: string): string[] {
  return text
    .split(/[.-]/)
    .filter((part) => part !== "")
    .map(significantDigits);
}

/** `alpha-dev` < `alpha` < `alpha1-dev` < `alpha1` < `alpha1.0`. */
function compareStabilityNumbers(a: ComposerVersion, b: ComposerVersion): number {
  const shared = Math.min(a.stabilityNumbers.length, b.stabilityNumbers.length);
  const order = compareLists(
    a.stabilityNumbers.slice(0, shared),
    b.stabilityNumbers.slice(0, shared),
    "",
    compareDigits,
  );
  return order || a.stabilityNumbers.length - b.stabilityNumbers.length || Number(b.isDev) - Number(a.isDev);
}
