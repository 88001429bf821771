import { matchesGlob } from "@bulwark/policy";
import type { AdmissionBundle, Brake } from "./bundle.ts";
import type { ImageFacts } from "./facts.ts";
import type { SplitReference } from "./reference.ts";

/** What was found before is not looked for again, as long as neither facts nor bundle change. */
const remembered = new WeakMap<ImageFacts, { readonly of: AdmissionBundle; readonly brakes: readonly Brake[] }>();

/**
 * The brakes that deny an image. A brake on a digest needs no report; those on flaws and packages do, and say themselves what
 * happens without one.
 */
export function brakesOn(
  bundle: AdmissionBundle,
  facts: ImageFacts,
  reference: SplitReference | undefined,
): readonly Brake[] {
  if (bundle.brakes.length === 0) return [];
  const written = reference?.digest ?? "";
  const byDigest = bundle.brakes.filter(
    ({ kind, pattern }) =>
      kind === "digest" && pattern !== "" && [written, facts.digest, facts.manifest].includes(pattern),
  );
  const known = remembered.get(facts);
  const others = known?.of === bundle ? known.brakes : bundle.brakes.filter((brake) => holds(brake, facts));
  remembered.set(facts, { of: bundle, brakes: others });
  return [...byDigest, ...others];
}

function holds({ kind, pattern, denyUnknown }: Brake, facts: ImageFacts): boolean {
  if (kind === "digest") return false;
  if (facts.state !== "known") return denyUnknown;
  const isHeld =
    kind === "flaw"
      ? `\n${facts.flaws}\n`.includes(`\n${pattern}\n`)
      : facts.purls.split("\n").some((purl) => matchesGlob(pattern, purl) || isVersionOf(pattern, purl));
  // An image that holds more than is told of it hides nothing by that.
  return isHeld || (facts.cut && denyUnknown);
}

/** A purl without version means all its versions. */
function isVersionOf(pattern: string, purl: string): boolean {
  return purl.startsWith(`${pattern}@`) || purl.startsWith(`${pattern}?`);
}
