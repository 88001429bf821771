import type { Analyzer } from "@bulwark/model";

/** The want that goes by content instead of path. */
const EXECUTABLE = "executable";
/** Linux' PATH_MAX: longer names cannot be opened by anybody, and bound the work of a glob. */
const MAX_PATH_CHARACTERS = 4096;
const NOBODY: readonly Analyzer[] = [];

/** One glob: who wants it, and how to make sure once the quick key has matched. */
interface Want {
  /** Position of the analyzer in the list. */
  readonly place: number;
  matches(path: string): boolean;
}

/**
 * Makes the question "who wants this path?" quick, since a scan asks it for every file of an image and the answer is
 * nearly always nobody: globs are kept by their last part or its extension, and only those under the right key are tried.
 * Analyzers come in the order of the list, each at most once.
 *
 * @example compileWants(analyzers)("var/lib/dpkg/status").map(({ id }) => id) // ["dpkg"]
 */
export function compileWants(analyzers: readonly Analyzer[]): (path: string) => readonly Analyzer[] {
  const byName = new Map<string, Want[]>();
  const byExtension = new Map<string, Want[]>();
  const others: { readonly prefix: string; readonly want: Want }[] = [];
  for (const [place, { wants }] of analyzers.entries()) {
    for (const glob of wants) {
      if (glob === EXECUTABLE) continue;
      const want = { place, matches: matcherOf(glob) };
      const lastPart = glob.slice(glob.lastIndexOf("/") + 1);
      const extension = /^\*[^*]*\.([^*.]+)$/.exec(lastPart)?.[1];
      if (!lastPart.includes("*")) push(byName, lastPart, want);
      else if (extension !== undefined) push(byExtension, extension, want);
      else others.push({ prefix: glob.slice(0, glob.indexOf("*")), want });
    }
  }
  return (path) => {
    if (path.length > MAX_PATH_CHARACTERS) return NOBODY;
    const slash = path.lastIndexOf("/");
    const dot = path.lastIndexOf(".");
    const places: number[] = [];
    keep(byName.get(slash < 0 ? path : path.slice(slash + 1)), path, places);
    if (dot > slash) keep(byExtension.get(path.slice(dot + 1)), path, places);
    for (const { prefix, want } of others) {
      if (path.startsWith(prefix) && want.matches(path)) places.push(want.place);
    }
    if (places.length === 0) return NOBODY;
    return [...new Set(places)].sort((a, b) => a - b).map((place) => analyzers[place]!);
  };
}

/** The analyzers that take files by the ELF magic number, whatever their path. */
export function executableAnalyzers(analyzers: readonly Analyzer[]): readonly Analyzer[] {
  return analyzers.filter(({ wants }) => wants.includes(EXECUTABLE));
}

function keep(wants: readonly Want[] | undefined, path: string, places: number[]): void {
  if (wants === undefined) return;
  for (const want of wants) if (want.matches(path)) places.push(want.place);
}

function push(map: Map<string, Want[]>, key: string, want: Want): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [want]);
  else list.push(want);
}

function matcherOf(glob: string): (path: string) => boolean {
  if (!glob.includes("*")) return (path) => path === glob;
  const shape = new RegExp(`^${glob.split("/").map(patternOfPart).join("").replace(/\/$/, "")}$`);
  return (path) => shape.test(path);
}

/** Each part brings its slash, so that `**` can stand for no part at all. A `**` at the end takes all that follows. */
function patternOfPart(part: string, index: number, parts: readonly string[]): string {
  if (part === "**") return index === parts.length - 1 ? ".+" : "(?:[^/]+/)*";
  return `${part.split("*").map(literal).join("[^/]*")}/`;
}

function literal(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}]/g, "\\$&");
}
