import type { OpenedImage } from "@bulwark/image";
import type { ContentSink, EntryVisitor, LayerEntry } from "@bulwark/model";
import { toBoth } from "../collect-content.ts";
import { gitIgnore } from "./git-ignore.ts";

/** What version control keeps beside the files: history, not the tree. */
const HISTORY: ReadonlySet<string> = new Set([".git", ".hg", ".svn", ".bzr"]);
/** Where package managers put what a lock file names, and the lock files that name it. */
const INSTALLED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    "node_modules",
    new Set(["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"]),
  ],
  [".venv", new Set(["poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "requirements.txt"])],
]);
const LOCK_NAMES = new Set([...INSTALLED.values()].flatMap((names) => [...names]));
const MAX_IGNORE_FILES = 1_000;
const MAX_IGNORE_BYTES = 64 * 1024;

export interface SourceTreeOptions {
  /** Also reads what package managers installed into the tree. Default false: lock files name it. */
  readonly includeInstalled?: boolean;
}

/** A directory, read as source code. */
export interface SourceTree {
  /** One layer, "the tree". */
  readonly image: OpenedImage;
  /** Whether the tree's `.gitignore` files keep a path out of the history. Known once the layer was read. */
  isIgnored(path: string): boolean;
}

/**
 * Reads an opened directory as source code: without the history of version control, and without what package managers
 * installed into it. Installed packages that no lock file names are a problem of the report.
 */
export function sourceTree(opened: OpenedImage, { includeInstalled = false }: SourceTreeOptions = {}): SourceTree {
  const ignoreFiles = new Map<string, string>();
  let isIgnored: ((path: string) => boolean) | undefined;
  const leftOut = new Map<string, ReadonlySet<string>>();
  const locks = new Set<string>();
  const skipDirectory = (path: string): boolean => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (HISTORY.has(name)) return true;
    const lockNames = includeInstalled ? undefined : INSTALLED.get(name);
    if (lockNames !== undefined) leftOut.set(path, lockNames);
    return lockNames !== undefined;
  };
  const image: OpenedImage = {
    ...opened,
    platform: "",
    layers: opened.layers.map((layer) => ({ ...layer, createdBy: "the tree" })),
    async readLayer(index, visit, options = {}) {
      const summary = await opened.readLayer(index, watching(visit, locks, ignoreFiles), { ...options, skipDirectory });
      for (const [path, lockNames] of leftOut) {
        if (isLocked(path, lockNames, locks)) continue;
        options.onProblem?.(
          path,
          "the packages in it were not looked at, and no lock file names them: commit a lock file, or scan with --include-installed",
        );
      }
      return summary;
    },
  };
  return {
    image,
    isIgnored(path) {
      isIgnored ??= gitIgnore(ignoreFiles);
      return isIgnored(path);
    },
  };
}

/** Notes lock files and `.gitignore` files while others read the tree. */
function watching(visit: EntryVisitor, locks: Set<string>, ignoreFiles: Map<string, string>): EntryVisitor {
  return (entry) => {
    const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
    if (entry.kind === "file" && LOCK_NAMES.has(name)) locks.add(entry.path);
    const sink = visit(entry);
    const isIgnoreFile = name === ".gitignore" && entry.kind === "file" && entry.size <= MAX_IGNORE_BYTES;
    if (!isIgnoreFile || ignoreFiles.size >= MAX_IGNORE_FILES) return sink;
    return toBoth(sink, textSink(entry, ignoreFiles));
  };
}

function textSink({ path }: LayerEntry, ignoreFiles: Map<string, string>): ContentSink {
  const chunks: Buffer[] = [];
  return {
    write: (chunk) => chunks.push(Buffer.from(chunk)),
    end(complete) {
      const directory = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (complete) ignoreFiles.set(directory, Buffer.concat(chunks).toString("utf8"));
    },
  };
}

/** A lock file in the directory or in one above, as in a workspace of several packages. */
function isLocked(path: string, names: ReadonlySet<string>, locks: ReadonlySet<string>): boolean {
  for (let directory = path; directory !== ""; ) {
    directory = directory.slice(0, Math.max(0, directory.lastIndexOf("/")));
    const prefix = directory === "" ? "" : `${directory}/`;
    if ([...names].some((name) => locks.has(`${prefix}${name}`))) return true;
  }
  return false;
}
