import { posix } from "node:path";
import { type Fields, fieldsOf, textOf } from "@bulwark/model";

/** Base ids that name each other are followed so far. */
const MAX_BASES = 10;
const MAX_PATH = 4_096;
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/** What a run tells of the places its results lie in. */
export interface PathContext {
  /** Absolute path of what was scanned; empty when it is no directory. */
  readonly root: string;
  /** `run.originalUriBaseIds`. */
  readonly bases: Fields;
  /** `run.artifacts`. */
  readonly artifacts: readonly unknown[];
}

/** An absolute path inside what was scanned, or what stood in the place of one. */
export interface SarifPath {
  readonly path?: string;
  readonly detail?: string;
}

/**
 * The file that an artifact location names (SARIF 2.1.0, section 3.4). Relative addresses are taken from the root of what
 * was scanned, whatever `uriBaseId` they name: where the analyser's own root lay is of another machine. Absolute ones
 * become relative where they lie below the directory that was scanned. No path leads out of the root.
 *
 * @example pathOf({ uri: "src/a.py", uriBaseId: "%SRCROOT%" }, context); // { path: "/src/a.py" }
 */
export function pathOf(location: Fields, context: PathContext): SarifPath {
  const { index } = location;
  const byIndex = typeof index === "number" ? fieldsOf(fieldsOf(context.artifacts[index]).location) : {};
  const given = textOf(location.uri) === "" ? byIndex : location;
  const uri = textOf(given.uri).slice(0, MAX_PATH);
  if (uri === "") return {};
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "file") return { detail: `in ${uri.slice(0, 190)}` };
  if (scheme === "file" || uri.startsWith("/")) return { path: inRoot(decoded(filePath(uri)), context.root) };
  const prefix = relativeBase(textOf(given.uriBaseId), context);
  return { path: inRoot(decoded(prefix + uri), context.root) };
}

/** What base ids put before an address, as far as they are relative or below the root themselves. */
function relativeBase(id: string, { bases, root }: PathContext): string {
  let prefix = "";
  let next = id;
  for (let step = 0; step < MAX_BASES && next !== "" && Object.hasOwn(bases, next); step++) {
    const base = fieldsOf(bases[next]);
    const uri = textOf(base.uri).slice(0, MAX_PATH);
    if (SCHEME.test(uri) || uri.startsWith("/")) {
      const path = filePath(uri);
      return root !== "" && isBelow(decoded(path), root) ? `${path.replace(/\/?$/, "/")}${prefix}` : prefix;
    }
    prefix = uri === "" ? prefix : `${uri.replace(/\/?$/, "/")}${prefix}`;
    next = textOf(base.uriBaseId);
  }
  return prefix;
}

/** The path of a `file:` address, whatever its host (RFC 8089). */
function filePath(uri: string): string {
  return uri.replace(/^file:(?:\/\/[^/]*)?/i, "").replace(/[?#].*$/s, "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that encodes nothing stands for itself
  }
}

function inRoot(path: string, root: string): string {
  const absolute = posix.normalize(`/${path.replaceAll("\\", "/")}`).replace(/^\/+/, "/");
  return root !== "" && isBelow(absolute, root) ? posix.normalize(`/${absolute.slice(root.length)}`) : absolute;
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.replace(/\/?$/, "/"));
}
