import type { Analyzer, FileFacts, PackageFact, RecordedFile } from "@bulwark/model";
import { createProblems, type ProblemList } from "../problems.ts";
import { isPlainWord, quoted } from "../text.ts";
import { isBerkeley, readBerkeley } from "./berkeley.ts";
import { parseHeader, type RpmHeader, TAG } from "./header.ts";
import { isNdb, readNdb } from "./ndb.ts";
import { isSqlite, readSqlite } from "./sqlite.ts";

/** Fedora has 70,000 binary packages; no image installs more. */
const MAX_PACKAGES = 100_000;
/** All paths of one database together, in characters: half a million files of 60 characters are 30 million. */
const MAX_OWNED_CHARACTERS = 64 * 1024 * 1024;
const DIRECTORY_MODE = 0o040_000;
const FILE_TYPE_MASK = 0o170_000;
/** RPMFILE_CONFIG and RPMFILE_GHOST of rpmfiles.h: files that are there to be changed, or are not in the package. */
const CHANGING = 0x01 | 0x40;
/** RPMTAG_FILEDIGESTALGO holds OpenPGP's numbers of hash algorithms (RFC 4880, section 9.4); a missing tag means MD5. */
const ALGORITHMS: ReadonlyMap<number, { readonly name: string; readonly digits: number }> = new Map([
  [1, { name: "md5", digits: 32 }],
  [2, { name: "sha1", digits: 40 }],
  [8, { name: "sha256", digits: 64 }],
]);

/** Where distributions keep the database: the usual place, openSUSE's and Fedora's, and that of ostree images. */
const FOLDERS = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
const FILES = ["rpmdb.sqlite", "Packages.db", "Packages"];

/** Installed rpm packages, from any of rpm's three database formats. The format is told by content, not by name. */
export const rpm: Analyzer = {
  id: "rpm",
  version: 3,
  wants: FOLDERS.flatMap((folder) => FILES.map((file) => `${folder}/${file}`)),
  maxBytes: 128 * 1024 * 1024,
  read: ({ bytes }) => readDatabase(bytes),
};

interface Collected {
  readonly packages: PackageFact[];
  readonly owns: string[];
  readonly recorded: RecordedFile[];
  readonly problems: ProblemList;
  ownedCharacters: number;
}

function readDatabase(bytes: Uint8Array): FileFacts {
  const collected: Collected = { packages: [], owns: [], recorded: [], problems: createProblems(), ownedCharacters: 0 };
  const visit = (payload: Uint8Array) => collect(collected, payload);
  const { packages, owns, recorded, problems } = collected;
  if (isSqlite(bytes)) readSqlite(bytes, problems, visit);
  else if (isNdb(bytes)) readNdb(bytes, problems, visit);
  else if (isBerkeley(bytes)) readBerkeley(bytes, problems, visit);
  else problems.add("the rpm database is of no known format");
  if (packages.length >= MAX_PACKAGES) problems.add(`more than ${MAX_PACKAGES} packages, the rest was not read`);
  if (collected.ownedCharacters >= MAX_OWNED_CHARACTERS) problems.add("too many owned files, the rest was not read");
  return { packages: withSourceEpochs(packages), owns, recorded, problems: problems.list() };
}

function collect(collected: Collected, payload: Uint8Array): void {
  const header = parseHeader(payload);
  if (header === undefined) {
    collected.problems.add("a package header of the rpm database is damaged");
    return;
  }
  const name = header.text(TAG.name) ?? "";
  // Imported keys are kept as packages without files.
  if (name === "gpg-pubkey" || collected.packages.length >= MAX_PACKAGES) return;
  const fact = packageOf(header, name);
  if (fact === undefined) {
    collected.problems.add(`a package of the rpm database has no usable name or version: ${quoted(name)}`);
    return;
  }
  collected.packages.push(fact);
  collectFiles(collected, header);
}

function packageOf(header: RpmHeader, name: string): PackageFact | undefined {
  const version = header.text(TAG.version) ?? "";
  const release = header.text(TAG.release) ?? "";
  if (!isPlainWord(name) || !isPlainWord(version) || !isPlainWord(release)) return undefined;
  const epoch = header.numbers(TAG.epoch)[0] ?? 0;
  const prefix = epoch > 0 ? `${epoch}:` : "";
  const arch = header.text(TAG.arch) ?? "";
  const license = header.text(TAG.license) ?? "";
  const module = moduleOf(header.text(TAG.modularityLabel) ?? "");
  const source = sourceOf(header.text(TAG.sourceRpm) ?? "", prefix);
  return {
    type: "rpm",
    namespace: "",
    name,
    version: `${prefix}${version}-${release}`,
    ...(source === undefined ? {} : { source }),
    ...(isPlainWord(arch) ? { arch } : {}),
    ...(isPlainWord(module) ? { module } : {}),
    evidence: "installed",
    ...(license === "" ? {} : { licenses: [license] }),
  };
}

/**
 * `bash-5.1.8-6.el9.src.rpm`: name, version, release. The file name leaves out the epoch; a binary package inherits that
 * of its source unless its specification says otherwise, so the binary's is taken, until {@link withSourceEpochs} knows
 * better.
 */
function sourceOf(file: string, epochPrefix: string): PackageFact["source"] {
  const match = /^(.+)-([^-\s]+)-([^-\s]+)\.(?:no)?src\.rpm$/.exec(file);
  if (match === null || !isPlainWord(match[1]!)) return undefined;
  return { name: match[1]!, version: `${epochPrefix}${match[2]}-${match[3]}` };
}

/**
 * A binary package with a version of its own has an epoch of its own too: perl-Carp 1.50 is built from perl 4:5.32.1. The
 * source's epoch is then that of a sibling which has the version of the source.
 */
function withSourceEpochs(packages: readonly PackageFact[]): readonly PackageFact[] {
  const epochless = (version: string) => version.replace(/^[0-9]+:/, "");
  const keyOf = ({ name, version }: { readonly name: string; readonly version: string }) =>
    `${name}\0${epochless(version)}`;
  const sources = new Map<string, string>();
  for (const { version, source } of packages) {
    if (source !== undefined && epochless(version) === epochless(source.version)) sources.set(keyOf(source), version);
  }
  return packages.map((fact) => {
    const version = fact.source === undefined ? undefined : sources.get(keyOf(fact.source));
    if (fact.source === undefined || version === undefined || epochless(fact.version) === epochless(version))
      return fact;
    return { ...fact, source: { name: fact.source.name, version } };
  });
}

/** `nodejs:18:8060020220523:ad008a3a` is name, stream, version, context: only the first two identify a module. */
function moduleOf(label: string): string {
  const [name = "", stream = ""] = label.split(":");
  return name === "" || stream === "" ? "" : `${name}:${stream}`;
}

function collectFiles(collected: Collected, header: RpmHeader): void {
  const directories = header.texts(TAG.dirNames);
  const indexes = header.numbers(TAG.dirIndexes);
  const modes = header.numbers(TAG.fileModes);
  const flags = header.numbers(TAG.fileFlags);
  const digests = header.texts(TAG.fileDigests);
  const algorithm = ALGORITHMS.get(header.numbers(TAG.fileDigestAlgorithm)[0] ?? 1);
  for (const [place, baseName] of header.texts(TAG.baseNames).entries()) {
    if (((modes[place] ?? 0) & FILE_TYPE_MASK) === DIRECTORY_MODE || baseName === "") continue;
    if (collected.ownedCharacters >= MAX_OWNED_CHARACTERS) return;
    const directory = directories[indexes[place] ?? -1];
    if (directory === undefined) continue;
    const path = `${directory}${baseName}`.replace(/^\/+/, "");
    collected.ownedCharacters += path.length;
    collected.owns.push(path);
    const digest = digests[place] ?? "";
    if (algorithm === undefined || digest.length !== algorithm.digits || ((flags[place] ?? 0) & CHANGING) !== 0)
      continue;
    collected.ownedCharacters += path.length + digest.length;
    collected.recorded.push({ path, digest: `${algorithm.name}:${digest}` });
  }
}
