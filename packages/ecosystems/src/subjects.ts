import type { AdvisorySubject, OperatingSystem, PackageFact } from "@bulwark/model";
import { type Distribution, distributionOf } from "./distributions.ts";
import { advisoryNameOf, languages } from "./languages.ts";

/**
 * How advisories name a package. Several subjects where a vendor spreads one release over several products.
 * `undetermined` says why no advisory can speak of the package, in the same words for all that share the reason: it is
 * never "not affected".
 *
 * @example subjectsOf(libssl3, debian12) // [{ ecosystem: "Debian:12", name: "openssl", version: "3.0.11-1~deb12u2" }]
 */
export function subjectsOf(
  fact: PackageFact,
  os: OperatingSystem | undefined,
): readonly AdvisorySubject[] | { readonly undetermined: string } {
  if (fact.version === "") return { undetermined: "the version is unknown" };
  const language = languages.find(({ type }) => type === fact.type);
  if (fact.type === "maven" && fact.namespace === "")
    return { undetermined: "the Maven group is unknown, and advisories name none without it" };
  if (language !== undefined) {
    return [{ ecosystem: language.osv, name: advisoryNameOf(language, fact), version: fact.version }];
  }
  if (os === undefined) return { undetermined: "the operating system is unknown" };
  const distribution = distributionOf(os.id);
  if (distribution === undefined) return { undetermined: `no advisories are known for ${os.name || os.id}` };
  if (distribution.type !== fact.type) {
    return { undetermined: `${os.name || os.id} does not use ${fact.type} packages` };
  }
  const releases = distribution.releasesOf(os);
  if (releases === undefined) return { undetermined: `the release of ${os.name || os.id} is unknown` };
  const ecosystems = releases.map((release) =>
    release === "" ? distribution.family : `${distribution.family}:${release}`,
  );
  return ecosystems.flatMap((ecosystem) => namesOf(fact, distribution).map((named) => ({ ecosystem, ...named })));
}

function namesOf(fact: PackageFact, distribution: Distribution): Omit<AdvisorySubject, "ecosystem">[] {
  const binary = { name: fact.name, version: fact.version };
  const source = fact.source ?? binary;
  const isSame = source.name === binary.name && source.version === binary.version;
  const named = { source: [source], binary: [binary], both: isSame ? [binary] : [binary, source] };
  return named[distribution.advisoriesName].map(({ name, version }) => ({
    name,
    version: distribution.ignoresEpoch ? version.replace(/^[0-9]+:/, "") : version,
    ...(fact.module === undefined ? {} : { module: fact.module }),
  }));
}
