import type { Analyzer, FileFacts, PackageFact } from "@bulwark/model";
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
/** Fields of the installed database that are read: apk-package(5), and `F:` directory, `R:` file of the database. */
const FIELDS = "PVAoLFR";

interface Entry {
  readonly fields: Map<string, string>;
  directory: string;
}

/** Installed Alpine packages (also Wolfi and Chainguard): `/lib/apk/db/installed`. */
export const apk: Analyzer = {
  id: "apk",
  version: 1,
  wants: ["lib/apk/db/installed", "usr/lib/apk/db/installed"],
  maxBytes: MAX_BYTES,
  read: ({ bytes }) => readInstalled(bytes),
};

function readInstalled(bytes: Uint8Array): FileFacts {
  const packages: PackageFact[] = [];
  const owns: string[] = [];
  const problems = createProblems();
  let entry: Entry = { fields: new Map(), directory: "" };
  let isFull = false;
  const finish = () => {
    if (entry.fields.size > 0) {
      const fact = packageOf(entry.fields, problems);
      if (fact !== undefined && packages.length < MAX_PACKAGES) packages.push(fact);
      else if (fact !== undefined) isFull = true;
    }
    entry = { fields: new Map(), directory: "" };
  };
  forEachLine(bytes, (start, end) => {
    if (start === end) return finish();
    if (bytes[start + 1] !== COLON) return;
    const field = String.fromCharCode(bytes[start]!);
    if (!FIELDS.includes(field)) return;
    if (end - start > MAX_LINE_BYTES) return problems.add(`a field ${field} of ${end - start} bytes was left out`);
    const value = textOf(bytes, start + 2, end);
    if (field === "F") entry.directory = value;
    else if (field === "R") pushOwned(owns, entry.directory, value);
    else entry.fields.set(field, value);
  });
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a)
    problems.add("the file ends within a line, packages after it are missing");
  finish();
  if (isFull) problems.add(`more than ${MAX_PACKAGES} packages, the rest was not read`);
  if (owns.length >= MAX_OWNED) problems.add(`more than ${MAX_OWNED} owned files, the rest was not read`);
  return { packages, owns, problems: problems.list() };
}

function pushOwned(owns: string[], directory: string, name: string): void {
  if (owns.length < MAX_OWNED && name !== "") owns.push(directory === "" ? name : `${directory}/${name}`);
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
