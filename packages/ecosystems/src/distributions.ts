import type { OperatingSystem, PackageType, VersionScheme } from "@bulwark/model";
import { apkVersions } from "./apk/version.ts";
import { dpkgVersions } from "./dpkg/version.ts";
import { rpmVersions } from "./rpm/version.ts";

/**
 * Linux distributions as advisories see them. OSV's ecosystem is `family:release`; which packages a family's records name:
 *
 * - source packages: Debian, Ubuntu, Alpine and Rocky Linux (OSV schema, "Defined ecosystems"; Debian's records agree), SUSE,
 *   openSUSE, openEuler, Azure Linux, Photon OS and Mageia (not yet tried on a full export);
 * - binary packages: AlmaLinux (its records do, though the schema says source), Red Hat, and the vendors' own OVAL-like feeds
 *   of Amazon, Oracle, Fedora, TencentOS and Anolis (not yet tried on a full export);
 * - either: Wolfi and Chainguard, where origins and sub-packages always have the same version.
 */
export interface Distribution {
  /** `ID` values of os-release. */
  readonly ids: readonly string[];
  readonly type: PackageType;
  /** purl namespace: the vendor. */
  readonly vendor: string;
  readonly family: string;
  readonly advisoriesName: "source" | "binary" | "both";
  /** Advisories are written without epochs. */
  readonly ignoresEpoch?: true;
  readonly versions: VersionScheme;
  /** Releases (OSV's suffix) whose advisories hold for this system, the empty one for none; undefined when it is unknown. */
  releasesOf(os: OperatingSystem): readonly string[] | undefined;
  /** The one spelling of a release out of an advisory. */
  normalizeRelease(release: string): string;
}

const DEBIAN_RELEASES: Readonly<Record<string, string>> = {
  lenny: "5.0",
  squeeze: "6.0",
  wheezy: "7",
  jessie: "8",
  stretch: "9",
  buster: "10",
  bullseye: "11",
  bookworm: "12",
  trixie: "13",
  forky: "14",
  duke: "15",
};

/**
 * SUSE files most of a server's packages under the module that ships them, and which modules an image uses is not in its
 * os-release. A fix for long-term support only still says that older systems have the flaw.
 */
const SUSE_PRODUCTS = [
  "Linux Enterprise Server",
  "Linux Enterprise Module for Basesystem",
  "Linux Enterprise Module for Server Applications",
  "Linux Enterprise Module for Development Tools",
  "Linux Enterprise Module for Containers",
  "Linux Enterprise Module for Web and Scripting",
  "Linux Enterprise Module for Python 3",
  "Linux Enterprise Module for Legacy",
];

const asIs = (release: string) => release;
const majorOf = (release: string) => /^v?([0-9]+)/.exec(release)?.[1] ?? release;
const major = (os: OperatingSystem) => onlyIf(/^([0-9]+)/.exec(os.versionId)?.[1]);
const rolling = () => [""];
const onlyIf = (release: string | undefined) => (release === undefined ? undefined : [release]);

const deb = { type: "deb", versions: dpkgVersions, advisoriesName: "source" } as const;
const apk = { type: "apk", versions: apkVersions } as const;
const rpm = { type: "rpm", versions: rpmVersions } as const;
const rpmByMajor = { ...rpm, releasesOf: major, normalizeRelease: majorOf } as const;

/** Every distribution there is. A new one is one entry here. */
export const distributions: readonly Distribution[] = [
  {
    ...deb,
    ids: ["debian", "raspbian"],
    vendor: "debian",
    family: "Debian",
    releasesOf: debianRelease,
    normalizeRelease: asIs,
  },
  {
    ...deb,
    ids: ["ubuntu"],
    vendor: "ubuntu",
    family: "Ubuntu",
    releasesOf: (os) => onlyIf(/^[0-9]+\.[0-9]+/.exec(os.versionId)?.[0]),
    // `Pro:` stays: its fixes reach subscribers only, so it is an ecosystem of its own that no image is matched with.
    normalizeRelease: (release) => release.replace(/:LTS$/, ""),
  },
  {
    ...apk,
    ids: ["alpine"],
    vendor: "alpine",
    family: "Alpine",
    advisoriesName: "source",
    // Edge (3.21_alpha…) has no release of its own in the advisories.
    releasesOf: (os) => onlyIf(/^([0-9]+\.[0-9]+)(?:\.[0-9]+)*$/.exec(os.versionId)?.[1]?.replace(/^/, "v")),
    normalizeRelease: (release) => (/^[0-9]/.test(release) ? `v${release}` : release),
  },
  {
    ...apk,
    ids: ["wolfi"],
    vendor: "wolfi",
    family: "Wolfi",
    advisoriesName: "both",
    releasesOf: rolling,
    normalizeRelease: asIs,
  },
  {
    ...apk,
    ids: ["chainguard"],
    vendor: "chainguard",
    family: "Chainguard",
    advisoriesName: "both",
    releasesOf: rolling,
    normalizeRelease: asIs,
  },
  {
    ...rpmByMajor,
    ids: ["rhel", "redhat"],
    vendor: "redhat",
    family: "Red Hat",
    advisoriesName: "binary",
    normalizeRelease: redHatRelease,
  },
  {
    // CentOS Linux was a rebuild of RHEL. CentOS Stream runs ahead of it, so that a fix may have come earlier and under
    // another release number: matches with Red Hat's advisories may be late there, never early.
    ...rpmByMajor,
    ids: ["centos"],
    vendor: "centos",
    family: "Red Hat",
    advisoriesName: "binary",
    normalizeRelease: redHatRelease,
  },
  { ...rpmByMajor, ids: ["rocky"], vendor: "rocky", family: "Rocky Linux", advisoriesName: "source" },
  { ...rpmByMajor, ids: ["almalinux"], vendor: "almalinux", family: "AlmaLinux", advisoriesName: "binary" },
  { ...rpmByMajor, ids: ["ol", "oracle"], vendor: "oracle", family: "Oracle Linux", advisoriesName: "binary" },
  {
    ...rpmByMajor,
    ids: ["amzn", "amazon"],
    vendor: "amazon",
    family: "Amazon Linux",
    advisoriesName: "binary",
    releasesOf: amazonRelease,
  },
  { ...rpmByMajor, ids: ["fedora"], vendor: "fedora", family: "Fedora", advisoriesName: "binary" },
  {
    ...rpm,
    ids: ["sles", "sled", "sles_sap", "sle_hpc"],
    vendor: "suse",
    family: "SUSE",
    advisoriesName: "source",
    releasesOf: suseReleases,
    normalizeRelease: asIs,
  },
  {
    ...rpm,
    ids: ["opensuse-leap", "opensuse"],
    vendor: "opensuse",
    family: "openSUSE",
    advisoriesName: "source",
    releasesOf: (os) => (/^[0-9]/.test(os.versionId) ? [`Leap ${os.versionId}`] : undefined),
    normalizeRelease: (release) => release.replace(/^Leap:/, "Leap "),
  },
  {
    ...rpm,
    ids: ["opensuse-tumbleweed"],
    vendor: "opensuse",
    family: "openSUSE",
    advisoriesName: "source",
    releasesOf: () => ["Tumbleweed"],
    normalizeRelease: (release) => release.replace(/^Leap:/, "Leap "),
  },
  {
    ...rpm,
    ids: ["openeuler"],
    vendor: "openeuler",
    family: "openEuler",
    advisoriesName: "source",
    ignoresEpoch: true,
    releasesOf: openEulerRelease,
    normalizeRelease: asIs,
  },
  // Rebuilds of RHEL's sources with their own release numbers. Neither has an OSV ecosystem: the names are those of their
  // vendors' feeds. Nearest relatives: TencentOS 3 and Anolis 8 to RHEL 8, TencentOS 2 to RHEL 7, TencentOS 4 to none.
  { ...rpmByMajor, ids: ["tencentos", "tlinux"], vendor: "tencentos", family: "TencentOS", advisoriesName: "binary" },
  { ...rpmByMajor, ids: ["anolis"], vendor: "anolis", family: "Anolis", advisoriesName: "binary" },
  { ...rpmByMajor, ids: ["photon"], vendor: "photon", family: "Photon OS", advisoriesName: "source" },
  {
    ...rpmByMajor,
    ids: ["azurelinux", "mariner"],
    vendor: "azurelinux",
    family: "Azure Linux",
    advisoriesName: "source",
    ignoresEpoch: true,
  },
  { ...rpmByMajor, ids: ["mageia"], vendor: "mageia", family: "Mageia", advisoriesName: "source" },
];

/** The distribution of an os-release `ID`. Relatives (`ID_LIKE`) do not count: they have other versions and fixes. */
export function distributionOf(osId: string): Distribution | undefined {
  return distributions.find(({ ids }) => ids.includes(osId));
}

/** Testing and unstable have no VERSION_ID; both call themselves by the codename of the next release. */
function debianRelease(os: OperatingSystem): readonly string[] | undefined {
  const version = /^[0-9]+(?:\.[0-9]+)?/.exec(os.versionId)?.[0];
  if (version === undefined) return onlyIf(DEBIAN_RELEASES[os.codename ?? ""]);
  // Until 6.0 the second number belonged to the release; later it is the point release (`12.5` of debian_version).
  return [Number(majorOf(version)) < 7 ? version : majorOf(version)];
}

function redHatRelease(release: string): string {
  const enterprise = /^enterprise_linux:([0-9]+)(?:\.[0-9]+)?(?:::.*)?$/.exec(release)?.[1];
  // Extended-support streams and layered products have their own fixed versions: kept apart, without the repository.
  return enterprise ?? release.replace(/::.*$/, "");
}

/** Amazon Linux 1 is numbered by date: `2018.03`. */
function amazonRelease(os: OperatingSystem): readonly string[] | undefined {
  return /^201[0-9]\./.test(os.versionId) ? ["1"] : major(os);
}

function suseReleases(os: OperatingSystem): readonly string[] | undefined {
  const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(os.versionId);
  if (match === null) return undefined;
  const [, number, pack = "0"] = match;
  const release = pack === "0" ? number! : `${number} SP${pack}`;
  return [...SUSE_PRODUCTS.map((product) => `${product} ${release}`), `Linux Enterprise Server ${release}-LTSS`];
}

/** `VERSION_ID="22.03"`, and the service pack only in the name: `openEuler 22.03 (LTS-SP1)`. */
function openEulerRelease(os: OperatingSystem): readonly string[] | undefined {
  if (!/^[0-9]+\.[0-9]+/.test(os.versionId)) return undefined;
  const pack = /\((LTS(?:-SP[0-9]+)?)\)/.exec(os.name)?.[1];
  return [pack === undefined || os.versionId.includes("LTS") ? os.versionId : `${os.versionId}-${pack}`];
}
