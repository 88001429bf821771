import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { imageError, throwIfCancelled } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { safePath } from "../tar/name.ts";
import { TarReader } from "../tar/tar-reader.ts";
import { readRange } from "./file-blob.ts";

/** Where a member's content lies in the archive. */
export interface Member {
  readonly offset: number;
  readonly size: number;
  /** Path of the member that this one is a link to; empty for files. */
  readonly link: string;
}

/** The members of an archive by path. */
export interface TarIndex {
  /** The member, links followed within the archive. Undefined when there is none. */
  find(path: string): Member | undefined;
}

/** Headers are read in pieces of this size; what lies between them is not read at all. */
const HEADER_READ_BYTES = 64 * 1024;
const MAX_LINKS = 16;
/** Documents that decide what the archive holds: a second one would let two tools see two images. */
const UNIQUE = new Set(["manifest.json", "index.json", "oci-layout"]);

/**
 * Notes where each member of an archive lies, reading the headers only.
 *
 * @throws LAYER_TORN, LAYER_INVALID, LAYER_LIMIT, MANIFEST_INVALID
 */
export async function indexTar(
  what: string,
  file: FileHandle,
  size: number,
  limits: Limits,
  signal?: AbortSignal,
): Promise<TarIndex> {
  const members = new Map<string, Member>();
  const tar: TarReader = new TarReader(
    (entry) => {
      if (members.has(entry.path) && UNIQUE.has(entry.path)) {
        throw imageError(
          "MANIFEST_INVALID",
          `${what} holds ${entry.path} twice`,
          "save the image again; two tools would read two images from this one",
        );
      }
      if (entry.kind === "file") members.set(entry.path, { offset: tar.offset, size: entry.size, link: "" });
      else if (entry.kind === "hardlink") members.set(entry.path, { offset: 0, size: 0, link: entry.linkTarget });
      else if (entry.kind === "symlink") {
        const target = safePath(posix.join(posix.dirname(entry.path), entry.linkTarget)).path;
        members.set(entry.path, { offset: 0, size: 0, link: target });
      }
      return undefined;
    },
    {
      limits: { ...limits, maxEntries: limits.maxArchiveMembers, maxHoleBytes: 0 },
      whiteouts: false,
      onProblem: () => undefined,
    },
  );
  let position = 0;
  const buffer = Buffer.allocUnsafe(HEADER_READ_BYTES);
  while (position < size && !tar.ended) {
    throwIfCancelled(signal);
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - position), position);
    if (bytesRead === 0) break;
    position += bytesRead;
    tar.write(buffer.subarray(0, bytesRead));
    const skip = Math.min(tar.skippable, size - position);
    if (skip > 0) tar.skip(skip);
    position += skip;
  }
  tar.end();
  return { find: (path) => follow(members, path) };
}

function follow(members: ReadonlyMap<string, Member>, path: string): Member | undefined {
  let member = members.get(path);
  for (let hops = 0; member !== undefined && member.link !== "" && hops < MAX_LINKS; hops++)
    member = members.get(member.link);
  return member?.link === "" ? member : undefined;
}

/** The content of a member as a stream. */
export function memberStream(file: FileHandle, member: Member, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  return readRange(file, member.offset, member.size, signal);
}
