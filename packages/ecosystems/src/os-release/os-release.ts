import type { Analyzer, FileFacts, OperatingSystem } from "@bulwark/model";
import { isPlainWord, quoted, textOf } from "../text.ts";

/** os-release files are a few hundred bytes. */
const MAX_BYTES = 64 * 1024;
const MAX_VALUE = 256;

/**
 * Most telling first: os-release(5) asks to prefer /etc over /usr/lib; the others are for systems older than it, where
 * a rebuild's own file says more than the one it inherited.
 */
const FILES = [
  "etc/os-release",
  "usr/lib/os-release",
  "etc/alpine-release",
  "etc/oracle-release",
  "etc/rocky-release",
  "etc/almalinux-release",
  "etc/centos-release",
  "etc/fedora-release",
  "etc/photon-release",
  "etc/mariner-release",
  "etc/SuSE-release",
  "etc/redhat-release",
  "etc/system-release",
  "etc/lsb-release",
  "etc/debian_version",
] as const;

/** What the first words of a one-line release file stand for. Longer beginnings stand before shorter ones. */
const RELEASE_NAMES: readonly (readonly [string, string])[] = [
  ["red hat enterprise linux", "rhel"],
  ["centos", "centos"],
  ["rocky", "rocky"],
  ["almalinux", "almalinux"],
  ["oracle linux", "ol"],
  ["enterprise linux", "ol"],
  ["amazon linux", "amzn"],
  ["fedora", "fedora"],
  ["opensuse", "opensuse-leap"],
  ["suse linux enterprise", "sles"],
  ["tencentos", "tencentos"],
  ["tlinux", "tencentos"],
  ["openeuler", "openeuler"],
  ["anolis", "anolis"],
  ["vmware photon", "photon"],
  ["photon", "photon"],
  ["cbl-mariner", "mariner"],
  ["mariner", "mariner"],
];

/** Which operating system an image holds. Where several files tell, {@link chooseOs} says which one counts. */
export const osRelease: Analyzer = {
  id: "os-release",
  version: 1,
  wants: FILES,
  maxBytes: MAX_BYTES,
  read({ path, bytes }) {
    const text = textOf(bytes);
    if (path.endsWith("os-release")) return readOsRelease(text);
    if (path === "etc/alpine-release") return ofVersion("alpine", "Alpine Linux", text);
    if (path === "etc/debian_version") return readDebianVersion(text);
    if (path === "etc/lsb-release") return readLsbRelease(text);
    return readReleaseLine(text);
  },
};

/**
 * Picks the operating system that counts from all files that told one: os-release before the older files.
 *
 * @example chooseOs([{ path: "etc/debian_version", os: debian }, { path: "usr/lib/os-release", os: ubuntu }]) // ubuntu
 */
export function chooseOs(
  told: Iterable<{ readonly path: string; readonly os: OperatingSystem }>,
): OperatingSystem | undefined {
  let best: { rank: number; os: OperatingSystem } | undefined;
  for (const { path, os } of told) {
    const place = FILES.indexOf(path as (typeof FILES)[number]);
    const rank = place < 0 ? FILES.length : place;
    if (best === undefined || rank < best.rank) best = { rank, os };
  }
  return best?.os;
}

/** os-release(5): shell assignments, one a line. */
function readOsRelease(text: string): FileFacts {
  const values = assignmentsOf(text);
  const id = (values.get("ID") ?? "").toLowerCase();
  // The specification's own default.
  if (id === "" && values.size > 0)
    return { os: { id: "linux", versionId: "", name: values.get("PRETTY_NAME") ?? "Linux" } };
  if (!isPlainWord(id)) return { problems: [`os-release names no operating system: ID is ${quoted(id)}`] };
  const versionId = values.get("VERSION_ID") ?? "";
  const codename = values.get("VERSION_CODENAME") || codenameIn(values.get("VERSION") ?? "");
  const idLike = (values.get("ID_LIKE") ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return {
    os: {
      id,
      versionId,
      name: values.get("PRETTY_NAME") || `${id} ${versionId}`.trim(),
      ...(idLike.length > 0 ? { idLike } : {}),
      ...(codename ? { codename } : {}),
    },
  };
}

function assignmentsOf(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Z0-9_]+)=([^\r]*)/.exec(line.slice(0, MAX_VALUE + 64));
    if (match !== null) values.set(match[1]!, unquote(match[2]!.trim()).slice(0, MAX_VALUE));
  }
  return values;
}

/** Double quotes allow backslash escapes, single quotes none. Control characters have no place in a value. */
function unquote(value: string): string {
  const quote = value[0];
  const isQuoted = (quote === '"' || quote === "'") && value.length > 1 && value.endsWith(quote);
  const inner = isQuoted ? value.slice(1, -1) : value;
  return (quote === "'" ? inner : inner.replace(/\\(.)/g, "$1")).replace(/[\x00-\x1f\x7f]/g, "");
}

/** Debian before 9 has no VERSION_CODENAME: `VERSION="8 (jessie)"`. */
function codenameIn(version: string): string {
  return /\(([a-z]+)\)/.exec(version)?.[1] ?? "";
}

function ofVersion(id: string, name: string, text: string): FileFacts {
  const versionId = text.trim();
  if (!isPlainWord(versionId) || versionId.length > MAX_VALUE) {
    return { problems: [`the release file of ${name} holds no version: ${quoted(versionId)}`] };
  }
  return { os: { id, versionId, name: `${name} ${versionId}` } };
}

/** `12.5`, or `trixie/sid` before the release. */
function readDebianVersion(text: string): FileFacts {
  const word = text.trim();
  const codename = /^([a-z]+)\/sid$/.exec(word)?.[1];
  if (codename !== undefined)
    return { os: { id: "debian", versionId: "", name: `Debian GNU/Linux ${word}`, codename } };
  return ofVersion("debian", "Debian GNU/Linux", word);
}

function readLsbRelease(text: string): FileFacts {
  const values = assignmentsOf(text);
  const id = (values.get("DISTRIB_ID") ?? "").toLowerCase();
  if (!isPlainWord(id)) return {};
  const versionId = values.get("DISTRIB_RELEASE") ?? "";
  const codename = values.get("DISTRIB_CODENAME");
  const name = values.get("DISTRIB_DESCRIPTION") || `${id} ${versionId}`.trim();
  return { os: { id, versionId, name, ...(codename ? { codename } : {}) } };
}

/** `CentOS Linux release 7.9.2009 (Core)`. */
function readReleaseLine(text: string): FileFacts {
  const line = (text.split("\n")[0] ?? "").trim().slice(0, MAX_VALUE);
  const lower = line.toLowerCase();
  const id = RELEASE_NAMES.find(([beginning]) => lower.startsWith(beginning))?.[1];
  if (id === undefined) return { problems: [`unknown operating system: ${quoted(line)}`] };
  return { os: { id, versionId: /[0-9]+(?:\.[0-9]+)*/.exec(line)?.[0] ?? "", name: line } };
}
