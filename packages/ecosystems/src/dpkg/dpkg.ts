import type { Analyzer, FileFacts, PackageFact, RecordedFile } from "@bulwark/model";
import { createProblems, type ProblemList } from "../problems.ts";
import { forEachLine, isPlainWord, quoted, textOf } from "../text.ts";

/** The status file of a machine with 5,000 packages is 6 MiB. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Fields that say who a package is are short; deb-control(5) knows none of these over a few hundred bytes. */
const MAX_FIELD_BYTES = 4096;
/** Debian has 65,000 binary packages; no image installs more. */
const MAX_PACKAGES = 100_000;
/** Files that one package owns; the largest known has about 60,000. */
const MAX_OWNED = 500_000;
/**
 * dpkg(1), "Package states": in these the package's files are gone or not all there. In `unpacked`, `half-configured`
 * and the trigger states its files are on disk, so the package counts.
 */
const STATES_WITHOUT_FILES: ReadonlySet<string> = new Set(["not-installed", "config-files", "half-installed"]);
const FIELDS: ReadonlySet<string> = new Set(["package", "status", "version", "architecture", "source"]);
/** Since the merge of /usr (Debian 12) files listed under these are found below usr/. */
const MERGED = /^(?:s?bin|lib(?:|32|64|x32))\//;
/** Images without dpkg have no `.list` beside the checksums. */
const INFO = "var/lib/dpkg/info/";
const COLON = 0x3a;
const BLANK = 0x20;
const TAB = 0x09;

/** Installed Debian packages: `/var/lib/dpkg/status`, and one file per package in images without a package manager. */
export const dpkg: Analyzer = {
  id: "dpkg",
  version: 2,
  wants: [
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/*",
    "var/lib/dpkg/info/*.list",
    "var/lib/dpkg/info/*.md5sums",
    "var/lib/dpkg/diversions",
  ],
  maxBytes: MAX_BYTES,
  read(file) {
    if (file.path.endsWith(".list")) return readFileList(file.bytes);
    if (file.path.endsWith(".md5sums")) return readChecksums(file.bytes, !file.path.startsWith(INFO));
    if (file.path.endsWith("/diversions")) return readDiversions(file.bytes);
    return readStatus(file.bytes);
  },
};

function readStatus(bytes: Uint8Array): FileFacts {
  const packages: PackageFact[] = [];
  const problems = createProblems();
  let fields = new Map<string, string>();
  let sawAny = false;
  let isFull = false;
  const finish = () => {
    const fact = sawAny ? packageOf(fields, problems) : undefined;
    if (fact !== undefined && packages.length < MAX_PACKAGES) packages.push(fact);
    else if (fact !== undefined) isFull = true;
    fields = new Map();
    sawAny = false;
  };
  forEachLine(bytes, (start, end) => {
    if (start === end) return finish();
    sawAny = true;
    // Continuation lines belong to fields that are not read here.
    if (bytes[start] !== BLANK && bytes[start] !== TAB) readField(bytes, start, end, fields, problems);
  });
  if (sawAny && bytes.at(-1) !== 0x0a) problems.add("the file ends within a line, packages after it are missing");
  finish();
  if (isFull) problems.add(`more than ${MAX_PACKAGES} packages, the rest was not read`);
  return { packages, problems: problems.list() };
}

function readField(bytes: Uint8Array, start: number, end: number, fields: Map<string, string>, problems: ProblemList) {
  const colon = bytes.subarray(start, Math.min(end, start + 64)).indexOf(COLON);
  if (colon < 0) return;
  const name = textOf(bytes, start, start + colon).toLowerCase();
  if (!FIELDS.has(name)) return;
  if (end - start > MAX_FIELD_BYTES) {
    problems.add(`a field ${quoted(name)} is ${end - start} bytes long, at most ${MAX_FIELD_BYTES} are read`);
    return;
  }
  fields.set(name, textOf(bytes, start + colon + 1, end).trim());
}

function packageOf(fields: ReadonlyMap<string, string>, problems: ProblemList): PackageFact | undefined {
  const name = fields.get("package") ?? "";
  const version = fields.get("version") ?? "";
  const state = fields.get("status")?.split(/\s+/).at(-1);
  if (state !== undefined && STATES_WITHOUT_FILES.has(state)) return undefined;
  if (!isPlainWord(name)) {
    problems.add(`an entry without a usable package name: ${quoted(name)}`);
    return undefined;
  }
  if (!isPlainWord(version)) {
    problems.add(`package ${quoted(name)} has no usable version: ${quoted(version)}`);
    return undefined;
  }
  const arch = fields.get("architecture");
  return {
    type: "deb",
    namespace: "",
    name,
    version,
    ...sourceOf(fields.get("source"), name, version),
    ...(arch !== undefined && isPlainWord(arch) ? { arch } : {}),
    evidence: "installed",
  };
}

/** `Source: name` or `Source: name (version)`: deb-control(5). Left out where it says nothing new. */
function sourceOf(field: string | undefined, name: string, version: string): Pick<PackageFact, "source"> {
  const match = /^(\S+)(?:\s+\((\S+)\))?$/.exec(field ?? "");
  if (match === null) return {};
  const source = { name: match[1]!, version: match[2] ?? version };
  return source.name === name && source.version === version ? {} : { source };
}

/** One absolute path a line, directories before what is in them: dpkg-query(1), `--listfiles`. */
function readFileList(bytes: Uint8Array): FileFacts {
  const owns: string[] = [];
  const problems = createProblems();
  let previous = "";
  const push = (path: string) => {
    if (path === "" || path === "." || owns.length >= MAX_OWNED) return;
    owns.push(path);
    if (MERGED.test(path)) owns.push(`usr/${path}`);
  };
  forEachLine(bytes, (start, end) => {
    if (end - start > MAX_FIELD_BYTES) return problems.add(`a path of ${end - start} bytes was left out`);
    const path = textOf(bytes, start, end).replace(/^\/+/, "");
    // A directory is followed by its first child; only files are worth keeping.
    if (!path.startsWith(`${previous}/`)) push(previous);
    previous = path;
  });
  push(previous);
  if (owns.length >= MAX_OWNED) problems.add(`more than ${MAX_OWNED} owned files, the rest was not read`);
  return { owns, problems: problems.list() };
}

/** `md5sum  path` lines, one file for each package: deb-md5sums(5). Configuration files are not in it. */
function readChecksums(bytes: Uint8Array, tellsOwner: boolean): FileFacts {
  const recorded: RecordedFile[] = [];
  forEachLine(bytes, (start, end) => {
    if (end - start > MAX_FIELD_BYTES || recorded.length >= MAX_OWNED) return;
    const match = /^([0-9a-f]{32}) [ *](?:\.?\/)?(.+)$/.exec(textOf(bytes, start, end));
    if (match !== null) recorded.push({ path: match[2]!, digest: `md5:${match[1]}` });
  });
  return tellsOwner ? { owns: recorded.map(({ path }) => path), recorded } : { recorded };
}

/** Three lines each: the file, where it was moved, by whom (dpkg-divert(1)). Another package put its own in the place. */
function readDiversions(bytes: Uint8Array): FileFacts {
  const recorded: RecordedFile[] = [];
  let line = 0;
  forEachLine(bytes, (start, end) => {
    if (line++ % 3 !== 0 || end - start > MAX_FIELD_BYTES || recorded.length >= MAX_OWNED) return;
    recorded.push({ path: textOf(bytes, start, end).replace(/^\/+/, ""), digest: "any" });
  });
  return { recorded };
}
