import type { OperatingSystem, PackageFact, PackageType } from "@bulwark/model";
import { distributionOf, distributions } from "./distributions.ts";

/**
 * Package URLs: the purl specification (ECMA-427) and its "PURL-TYPES". Everything that advisory matching needs goes into
 * them, so that an SBOM given back as input matches alike: `distro`, `epoch`, `upstream` (the source package), `rpmmod`.
 */

/** Longer ones are refused. */
const MAX_PURL_LENGTH = 4096;
const OS_TYPES: ReadonlySet<string> = new Set(["deb", "apk", "rpm"]);
/** Types that are read; those on the right are written. */
const TYPES: Readonly<Record<string, PackageType>> = {
  deb: "deb",
  apk: "apk",
  rpm: "rpm",
  npm: "npm",
  pypi: "pypi",
  maven: "maven",
  golang: "golang",
  cargo: "cargo",
  gem: "gem",
  composer: "composer",
  nuget: "nuget",
  generic: "generic",
  bitnami: "generic",
};

/** The parts of a purl, decoded. */
interface PurlParts {
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly qualifiers: ReadonlyMap<string, string>;
}

/**
 * The package URL of a package. OS packages carry their distribution when `os` is given.
 *
 * @example purlOf(bash, debian12) // "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2"
 */
export function purlOf(fact: PackageFact, os: OperatingSystem | undefined): string {
  const isOsPackage = OS_TYPES.has(fact.type);
  const { epoch, version } = fact.type === "rpm" ? splitEpoch(fact.version) : { epoch: "", version: fact.version };
  const qualifiers = {
    arch: fact.arch ?? "",
    distro: isOsPackage && os !== undefined ? distroOf(os) : "",
    epoch,
    rpmmod: fact.module ?? "",
    upstream: fact.source === undefined ? "" : `${fact.source.name}@${fact.source.version}`,
  };
  const namespace = isOsPackage ? fact.namespace || vendorOf(os) : fact.namespace;
  const path = [...namespace.split("/"), ...nameParts(fact)].filter((part) => part !== "").map(encode);
  const query = Object.entries(qualifiers)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${encode(value)}`);
  return `pkg:${fact.type}/${path.join("/")}${version === "" ? "" : `@${encode(version)}`}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

/**
 * The package a purl names, as found in an SBOM. Undefined when it is no purl or of a type without advisories here. The
 * namespace of OS packages is left out, since {@link osOfPurl} tells their distribution.
 *
 * @example factOfPurl("pkg:npm/%40babel/core@7.0.0")?.namespace // "@babel"
 */
export function factOfPurl(purl: string): PackageFact | undefined {
  const parts = parsePurl(purl);
  const type = parts === undefined ? undefined : TYPES[parts.type];
  if (parts === undefined || type === undefined) return undefined;
  const { namespace, name, qualifiers } = parts;
  const epoch = type === "rpm" ? (qualifiers.get("epoch") ?? "") : "";
  const version = /^0*$/.test(epoch) ? parts.version : `${epoch}:${parts.version}`;
  const arch = qualifiers.get("arch");
  const module = qualifiers.get("rpmmod")?.split(":").slice(0, 2).join(":");
  const source = sourceOf(qualifiers.get("upstream"), version, epoch);
  const isInName = type === "golang" && namespace !== "";
  return {
    type,
    namespace: OS_TYPES.has(type) || isInName ? "" : namespace,
    name: isInName ? `${namespace}/${name}` : name,
    version,
    ...(source === undefined ? {} : { source }),
    ...(arch ? { arch } : {}),
    ...(module ? { module } : {}),
    evidence: "installed",
  };
}

/**
 * The operating system that the purl of an OS package tells: by its `distro` (`debian-12`, `3.19.1`, `bookworm`), for
 * rolling distributions by its namespace alone. Undefined for other packages and when neither says.
 *
 * @example osOfPurl("pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1")?.versionId // "3.19.1"
 */
export function osOfPurl(purl: string): OperatingSystem | undefined {
  const parts = parsePurl(purl);
  if (parts === undefined || !OS_TYPES.has(parts.type)) return undefined;
  const ofVendor = distributions.find(
    ({ vendor, ids, type }) => type === parts.type && (vendor === parts.namespace || ids.includes(parts.namespace)),
  );
  const distro = (parts.qualifiers.get("distro") ?? "").trim();
  const [id, release] = splitDistro(distro, ofVendor?.ids[0] ?? parts.namespace);
  if (id === "" || (release === "" && distributionOf(id)?.releasesOf({ id, versionId: "", name: "" }) === undefined))
    return undefined;
  const isVersion = /^[0-9]/.test(release);
  const name = `${id} ${release}`.trim();
  return {
    id,
    versionId: isVersion ? release : "",
    name,
    ...(release === "" || isVersion ? {} : { codename: release }),
  };
}

/** `debian-12`, `opensuse-leap-15.5`, `debian-trixie` as written here; a bare version or codename as others write it. */
function splitDistro(distro: string, vendorId: string): readonly [id: string, release: string] {
  const known = distributions.flatMap(({ ids }) => ids).filter((id) => distro === id || distro.startsWith(`${id}-`));
  const longest = known.toSorted((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return [longest, distro.slice(longest.length + 1)];
  const match = /^([a-z][a-z0-9._-]*?)-([0-9].*)$/.exec(distro);
  return match === null ? [vendorId, distro] : [match[1]!, match[2]!];
}

function distroOf(os: OperatingSystem): string {
  // openEuler tells its service pack only in its name, and advisories differ by it.
  const release = os.id === "openeuler" ? distributionOf(os.id)?.releasesOf(os)?.[0] : undefined;
  return [os.id, release ?? (os.versionId || os.codename || "")].filter((part) => part !== "").join("-");
}

function vendorOf(os: OperatingSystem | undefined): string {
  return os === undefined ? "" : (distributionOf(os.id)?.vendor ?? os.id);
}

/** A Go module path is all name here and namespace with name in a purl. PyPI and Composer ask for lower case. */
function nameParts({ type, name }: PackageFact): readonly string[] {
  if (type === "golang") return name.split("/");
  if (type === "pypi") return [name.toLowerCase().replaceAll("_", "-")];
  return [type === "composer" ? name.toLowerCase() : name];
}

function splitEpoch(version: string): { readonly epoch: string; readonly version: string } {
  const match = /^([0-9]+):(.*)$/.exec(version);
  return match === null ? { epoch: "", version } : { epoch: match[1]!, version: match[2]! };
}

/** `name@version`, a bare name, or the file name of a source rpm, which leaves out the epoch. */
function sourceOf(upstream: string | undefined, version: string, epoch: string): PackageFact["source"] {
  if (upstream === undefined || upstream === "") return undefined;
  const file = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(upstream);
  if (file !== null) return { name: file[1]!, version: /^0*$/.test(epoch) ? file[2]! : `${epoch}:${file[2]}` };
  const at = upstream.lastIndexOf("@");
  return at <= 0 ? { name: upstream, version } : { name: upstream.slice(0, at), version: upstream.slice(at + 1) };
}

/** "How to parse a purl string", from its right end. */
function parsePurl(purl: string): PurlParts | undefined {
  if (purl.length > MAX_PURL_LENGTH || !/^pkg:/i.test(purl)) return undefined;
  const [withoutSubpath = ""] = purl.slice(4).split("#", 1);
  const question = withoutSubpath.indexOf("?");
  const main = question < 0 ? withoutSubpath : withoutSubpath.slice(0, question);
  const qualifiers = parseQualifiers(question < 0 ? "" : withoutSubpath.slice(question + 1));
  const lastSlash = main.lastIndexOf("/");
  const at = main.indexOf("@", lastSlash);
  const parts = (at < 0 ? main : main.slice(0, at))
    .split("/")
    .filter((part) => part !== "")
    .map(decode);
  const version = at < 0 ? "" : decode(main.slice(at + 1));
  if (qualifiers === undefined || version === undefined || parts.length < 2) return undefined;
  if (!parts.every((part) => part !== undefined)) return undefined;
  return {
    type: parts[0]!.toLowerCase(),
    namespace: parts.slice(1, -1).join("/"),
    name: parts.at(-1)!,
    version,
    qualifiers,
  };
}

function parseQualifiers(query: string): ReadonlyMap<string, string> | undefined {
  const qualifiers = new Map<string, string>();
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if (equals <= 0) continue;
    const value = decode(pair.slice(equals + 1));
    if (value === undefined) return undefined;
    qualifiers.set(pair.slice(0, equals).toLowerCase(), value);
  }
  return qualifiers;
}

/** "Character encoding": everything but letters, digits, `.-_~` and the colon. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":");
}

/** Undefined for broken escapes and for bytes that are no UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
