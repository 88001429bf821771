import type { Analyzer, AnalyzerTools, FileFacts } from "@bulwark/model";
import { type FactList, factList } from "../language-facts.ts";
import { createProblems, type ProblemList } from "../problems.ts";
import { textOf } from "../text.ts";
import { knownGroups } from "./known-groups.ts";
import { knownJars } from "./known-jars.ts";
import { listZip, readZipEntry, type ZipEntry } from "./zip.ts";

const MAX_BYTES = 128 * 1024 * 1024;
/** Archives in archives: an ear holds wars, a war jars, and some jars hold jars. */
const MAX_DEPTH = 4;
/** What all nested archives of one file may inflate to, so that jars in jars end. */
const MAX_NESTED_BYTES = 512 * 1024 * 1024;
const MAX_METADATA_BYTES = 1024 * 1024;
const MAX_LINE_LENGTH = 4_096;
/** The same for properties and manifests: the largest shaded jars hold some hundred of a few hundred bytes each. */
const MAX_ALL_METADATA_BYTES = 32 * 1024 * 1024;
/** A byte of deflated data never becomes more bytes than this (RFC 1951, section 3.2.5: 258 bytes for two bits). */
const MAX_RATIO = 1_032;
/** No file system has longer file names, but archives do. */
const MAX_TITLE_LENGTH = 255;
const ARCHIVE = /\.(?:jar|war|ear|par|hpi|jpi)$/i;
const POM = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;

/** Java archives and what is packed into them: by Maven's properties, the manifest, the file name, or a known digest. */
export const jar: Analyzer = {
  id: "jar",
  version: 3,
  wants: ["**/*.jar", "**/*.war", "**/*.ear", "**/*.par", "**/*.hpi", "**/*.jpi"],
  maxBytes: MAX_BYTES,
  read({ path, bytes }, tools): FileFacts {
    const problems = createProblems();
    const list = factList("maven", "installed");
    readArchive(bytes, { path, inner: "", depth: 0 }, { tools, list, problems, nestedBytes: 0, metadataBytes: 0 });
    const facts = list.facts();
    return { ...facts, problems: [...(facts.problems ?? []), ...problems.list()] };
  },
};

interface Place {
  readonly path: string;
  /** Path inside the outermost archive, empty for itself. */
  readonly inner: string;
  readonly depth: number;
}

interface Reading {
  readonly tools: AnalyzerTools;
  readonly list: FactList;
  readonly problems: ProblemList;
  nestedBytes: number;
  metadataBytes: number;
}

interface Coordinates {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

function readArchive(bytes: Uint8Array, place: Place, reading: Reading): void {
  const entries = listZip(bytes);
  if (entries === undefined) {
    reading.problems.add(`${place.inner || "the archive"} is no ZIP archive`);
    return;
  }
  addOwn(bytes, entries, place, reading);
  for (const entry of entries) if (ARCHIVE.test(entry.name)) readNested(bytes, entry, place, reading);
}

function readNested(bytes: Uint8Array, entry: ZipEntry, place: Place, reading: Reading): void {
  const inner = place.inner === "" ? entry.name : `${place.inner}!/${entry.name}`;
  if (place.depth >= MAX_DEPTH) {
    reading.problems.add(`${inner} is nested deeper than ${MAX_DEPTH} archives and was not read`);
    return;
  }
  const limit = Math.min(MAX_BYTES, MAX_NESTED_BYTES - reading.nestedBytes);
  if (limit <= 0) {
    reading.problems.add(`${inner} was not read: the archives inside hold more than ${MAX_NESTED_BYTES} bytes`);
    return;
  }
  const content = readBounded(bytes, entry, reading, limit);
  reading.nestedBytes += costOf(content, entry, limit);
  if (typeof content === "string") reading.problems.add(`${inner} cannot be read: ${content}`);
  else readArchive(content, { path: entry.name, inner, depth: place.depth + 1 }, reading);
}

/** The content of an entry, or why it cannot be had. */
function readBounded(bytes: Uint8Array, entry: ZipEntry, { tools }: Reading, limit: number): Uint8Array | string {
  try {
    return readZipEntry(bytes, entry, tools, limit);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What an entry takes of a budget: one that failed may have been inflated up to the limit before it did. */
function costOf(content: Uint8Array | string, { compressedSize }: ZipEntry, limit: number): number {
  return typeof content === "string" ? Math.min(limit, compressedSize * MAX_RATIO) : content.length;
}

/** Names the archive itself, and the modules that were merged into it. */
function addOwn(bytes: Uint8Array, entries: readonly ZipEntry[], place: Place, reading: Reading): void {
  const poms = entries.filter(({ name }) => POM.test(name)).map((entry) => readPom(bytes, entry, reading));
  const named = poms.filter((pom) => pom !== undefined);
  const file = place.path.slice(place.path.lastIndexOf("/") + 1);
  const title = file.length > MAX_TITLE_LENGTH ? "" : file.replace(ARCHIVE, "");
  // `h2` does not name `h2o-3.0.jar`.
  const isOwn = ({ artifact }: Coordinates) => title === artifact || title.startsWith(`${artifact}-`);
  const [longest] = named.filter(isOwn).sort((a, b) => b.artifact.length - a.artifact.length);
  const own = longest ?? (named.length === 1 ? named[0] : undefined);
  for (const pom of named) add(pom, place, reading, pom !== own);
  if (own !== undefined) return;
  const guessed =
    fromDigest(bytes, reading.tools) ?? fromManifest(bytes, entries, title, reading) ?? fromFileName(title);
  if (guessed !== undefined) add(guessed, place, reading, false);
}

function add({ group, artifact, version }: Coordinates, place: Place, reading: Reading, merged: boolean): void {
  const more = place.inner === "" ? {} : { inner: place.inner };
  reading.list.add(group, artifact, version, merged || place.inner !== "" ? { ...more, evidence: "embedded" } : more);
}

function readPom(bytes: Uint8Array, entry: ZipEntry, reading: Reading): Coordinates | undefined {
  const fields = readMetadata(bytes, entry, reading, /^(groupId|artifactId|version)\s*[=:]\s*(.*)$/);
  const [group = "", artifact = "", version = ""] = ["groupId", "artifactId", "version"].map(
    (name) => fields.get(name) ?? "",
  );
  return group === "" || artifact === "" || version === "" || version.includes("${")
    ? undefined
    : { group, artifact, version };
}

/** Lines of a small text file that fit a pattern of key and value. */
function readMetadata(
  bytes: Uint8Array,
  entry: ZipEntry,
  reading: Reading,
  pattern: RegExp,
): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const limit = Math.min(MAX_METADATA_BYTES, MAX_ALL_METADATA_BYTES - reading.metadataBytes);
  const content = limit > 0 ? readBounded(bytes, entry, reading, limit) : "the archive holds too many of them";
  reading.metadataBytes += costOf(content, entry, limit);
  if (typeof content === "string") {
    reading.problems.add(`${entry.name} cannot be read: ${content}`);
    return fields;
  }
  for (const line of textOf(content)
    .replace(/\r?\n /g, "")
    .split(/\r?\n/)) {
    const field = line.length > MAX_LINE_LENGTH ? null : pattern.exec(line.trim());
    if (field !== null && !fields.has(field[1] ?? "")) fields.set(field[1] ?? "", field[2] ?? "");
  }
  return fields;
}

/** A jar without metadata, perhaps renamed, is known by its digest. */
function fromDigest(bytes: Uint8Array, tools: AnalyzerTools): Coordinates | undefined {
  const [group = "", artifact = "", version = ""] = knownJars.get(tools.sha1(bytes))?.split(":") ?? [];
  return version === "" ? undefined : { group, artifact, version };
}

function fromManifest(
  bytes: Uint8Array,
  entries: readonly ZipEntry[],
  title: string,
  reading: Reading,
): Coordinates | undefined {
  const entry = entries.find(({ name }) => name === "META-INF/MANIFEST.MF");
  if (entry === undefined) return undefined;
  const fields = readMetadata(bytes, entry, reading, /^([\w-]+): (.*)$/);
  const version =
    fields.get("Implementation-Version") ?? fields.get("Bundle-Version") ?? fields.get("Specification-Version") ?? "";
  if (!/^\d/.test(version)) return undefined;
  const named = fromFileName(title);
  const artifact = named?.artifact ?? fields.get("Implementation-Title") ?? fields.get("Bundle-Name") ?? title;
  const symbolic = (fields.get("Bundle-SymbolicName") ?? "").split(";", 1)[0] ?? "";
  const group = knownGroups.get(artifact) ?? fields.get("Implementation-Vendor-Id") ?? groupOf(symbolic, artifact);
  return { group, artifact, version: named?.version ?? version };
}

/** `org.example.thing` with the artifact `thing` is in the group `org.example`. */
function groupOf(symbolic: string, artifact: string): string {
  const dot = symbolic.lastIndexOf(".");
  return dot > 0 && symbolic.slice(dot + 1) === artifact ? symbolic.slice(0, dot) : symbolic;
}

function fromFileName(title: string): Coordinates | undefined {
  const parts = /^([A-Za-z][\w.-]*?)-(\d[\w.+-]*)$/.exec(title);
  if (parts === null) return undefined;
  const [, artifact = "", version = ""] = parts;
  return { group: knownGroups.get(artifact) ?? "", artifact, version };
}
