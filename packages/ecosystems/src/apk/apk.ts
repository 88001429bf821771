import type { Analyzer, FileFacts, PackageFact, RecordedFile } from "@bulwark/model";
import { createProblems, type ProblemList } from "../problems.ts";
import { forEachLine, isPlainWord, quoted, textOf } from "../text.ts";

/** The database of an image with 500 packages is 3 MiB. */
const MAX_BYTES = 32 * 1024 * 1024;
/** The longest lines are dependency lists, which are not read; names, versions and paths are short. */
const MAX_LINE_BYTES = 4096;
/** Alpine has 30,000 packages. */
const MAX_PACKAGES = 100_000;
const MAX_OWNED = 2_000_000;
const COLON = 0x3a;
/** Fields of the installed database that are read: apk-package(5), and `F:` directory, `R:` file and `Z:` its checksum of the database. */
const FIELDS = "PVAoLFRZ";
/** `Q1` and the SHA-1 of a file's content, or of a link's target, in base64. */
const SHA1_DIGITS = 40;
const CHECKSUM = /^Q1([A-Za-z0-9+/]{27}=)$/;
/** Configuration is there to be changed. */
const CONFIGURATION = /^etc\//;

interface Entry {
  readonly fields: Map<string, string>;
  directory: string;
  /** The file whose lines are being read. */
  file: string;
}

/** Installed Alpine packages (also Wolfi and Chainguard): `/lib/apk/db/installed`. */
export const apk: Analyzer = {
  id: "apk",
  version: 2,
  wants: ["lib/apk/db/installed", "usr/lib/apk/db/installed"],
  maxBytes: MAX_BYTES,
  read: ({ bytes }) => readInstalled(bytes),
};

function readInstalled(bytes: Uint8Array): FileFacts {
  const packages: PackageFact[] = [];
  const owns: string[] = [];
  const recorded: RecordedFile[] = [];
  const problems = createProblems();
  let entry: Entry = { fields: new Map(), directory: "", file: "" };
  let isFull = false;
  const finish = () => {
    if (entry.fields.size > 0) {
      const fact = packageOf(entry.fields, problems);
      if (fact !== undefined && packages.length < MAX_PACKAGES) packages.push(fact);
      else if (fact !== undefined) isFull = true;
    }
    entry = { fields: new Map(), directory: "", file: "" };
  };
  forEachLine(bytes, (start, end) => {
    if (start === end) return finish();
    if (bytes[start + 1] !== COLON) return;
    const field = String.fromCharCode(bytes[start]!);
    if (!FIELDS.includes(field)) return;
    if (end - start > MAX_LINE_BYTES) return problems.add(`a field ${field} of ${end - start} bytes was left out`);
    const value = textOf(bytes, start + 2, end);
    if (field === "F") entry.directory = value;
    else if (field === "R") {
      entry.file = value === "" || entry.directory === "" ? value : `${entry.directory}/${value}`;
      if (owns.length < MAX_OWNED && entry.file !== "") owns.push(entry.file);
    } else if (field === "Z") pushRecorded(recorded, entry.file, value);
    else entry.fields.set(field, value);
  });
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a)
    problems.add("the file ends within a line, packages after it are missing");
  finish();
  if (isFull) problems.add(`more than ${MAX_PACKAGES} packages, the rest was not read`);
  if (owns.length >= MAX_OWNED) problems.add(`more than ${MAX_OWNED} owned files, the rest was not read`);
  return { packages, owns, recorded, problems: problems.list() };
}

function pushRecorded(recorded: RecordedFile[], path: string, checksum: string): void {
  const sha1 = CHECKSUM.exec(checksum)?.[1];
  if (sha1 === undefined || path === "" || CONFIGURATION.test(path) || recorded.length >= MAX_OWNED) return;
  recorded.push({ path, digest: `sha1:${hexOf(sha1)}` });
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 that a pattern has checked, as hexadecimal: every two letters are three digits of four bits. */
function hexOf(base64: string): string {
  let hex = "";
  for (let at = 0; at < base64.length; at += 2) {
    const bits = BASE64.indexOf(base64[at]!) * 64 + Math.max(0, BASE64.indexOf(base64[at + 1]!));
    hex += bits.toString(16).padStart(3, "0");
  }
  return hex.slice(0, SHA1_DIGITS);
}

function packageOf(fields: ReadonlyMap<string, string>, problems: ProblemList): PackageFact | undefined {
  const name = fields.get("P") ?? "";
  const version = fields.get("V") ?? "";
  if (!isPlainWord(name)) {
    problems.add(`an entry without a usable package name: ${quoted(name)}`);
    return undefined;
  }
  if (!isPlainWord(version)) {
    problems.add(`package ${quoted(name)} has no usable version: ${quoted(version)}`);
    return undefined;
  }
  const arch = fields.get("A");
  const origin = fields.get("o");
  const license = fields.get("L")?.trim();
  return {
    type: "apk",
    namespace: "",
    name,
    version,
    // All packages of one build share its version.
    ...(origin !== undefined && isPlainWord(origin) && origin !== name ? { source: { name: origin, version } } : {}),
    ...(arch !== undefined && isPlainWord(arch) ? { arch } : {}),
    evidence: "installed",
    ...(license ? { licenses: [license] } : {}),
  };
}
