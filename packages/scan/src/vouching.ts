import { createHash, hash } from "node:crypto";
import type { ContentSink } from "@bulwark/model";
import { canonicalPath } from "./os-path.ts";
import { pathListWriter, readPathList } from "./path-list.ts";

/** 128 bits of each digest are kept: enough that nobody finds another content for them. */
const DIGITS = 32;
/** Files of one layer whose digests are held; those beyond are scanned as if nobody vouched for them. */
const MAX_FILES = 300_000;

const ALGORITHMS: readonly string[] = ["md5", "sha1", "sha256"];
/** Recorded as a regular file, found as a link: a digest that no MD5 or SHA-256 of a file begins with. */
const LINK = "link".padEnd(DIGITS, "-");

/** What a record says when another package may have put its own file in the place. */
const ANY = "any";

/** Holds the files of a layer against what its package managers recorded of them. */
export interface Vouching {
  /** A sink that takes the digests of a file; undefined beyond the bound. */
  sinkFor(path: string, sizeBytes: number): ContentSink | undefined;
  /** A symbolic link in a place where a package may have recorded a file. */
  addLink(path: string, target: string): void;
  /** A further name of a file that was seen in this layer. */
  addName(path: string, target: string): void;
  /** Forgets the files that a record vouches for, and gives the paths of the others. */
  verify(recorded: Uint8Array): readonly string[];
  /** Path and digests of the files that nobody vouched for: see `LayerReport.digests`. */
  unverified(): Uint8Array;
}

export function vouching(): Vouching {
  /** Path → the first digits of its digests, one algorithm after the other. */
  const files = new Map<string, string>();
  return {
    sinkFor(path, sizeBytes) {
      if (files.size >= MAX_FILES) return undefined;
      return digestSink(sizeBytes, (digests) => files.set(path, digests));
    },
    addLink(path, target) {
      // apk records the SHA-1 of a link's target; the others record nothing of links.
      if (files.size < MAX_FILES) files.set(path, LINK + hash("sha1", target).slice(0, DIGITS) + LINK);
    },
    addName(path, target) {
      const digests = files.get(target);
      if (digests !== undefined && files.size < MAX_FILES) files.set(path, digests);
    },
    verify(recorded) {
      if (files.size === 0) return [];
      const paths = new Map<string, string>();
      for (const path of files.keys()) paths.set(canonicalPath(path), path);
      for (const { path, digest } of readRecorded(recorded)) {
        const found = paths.get(canonicalPath(path));
        const digests = found === undefined ? undefined : files.get(found);
        // That another package may have put its own file in the place says nothing of what lies there.
        const isVouched = digests !== undefined && digest !== ANY && isRecorded(digests, digest);
        if (found !== undefined && isVouched) files.delete(found);
      }
      return [...files.keys()];
    },
    unverified() {
      const list = pathListWriter();
      for (const [path, digests] of files) {
        list.add(path);
        list.add(digests);
      }
      return list.finish();
    },
  };
}

/** Whether digests, as kept here, are what a record says. Records of unknown algorithms or cut short agree with nothing. */
export function isRecorded(digests: string, recorded: string): boolean {
  if (recorded === ANY) return true;
  const colon = recorded.indexOf(":");
  const place = ALGORITHMS.indexOf(recorded.slice(0, colon));
  const digits = recorded.slice(colon + 1, colon + 1 + DIGITS);
  return place >= 0 && digits.length === DIGITS && digests.startsWith(digits, place * DIGITS);
}

/** The entries of a `LayerReport.recorded` list. */
export function* readRecorded(
  list: Uint8Array,
): Generator<{ readonly database: string; readonly path: string; readonly digest: string }> {
  const values = readPathList(list);
  for (let head = values.next(); !head.done; head = values.next()) {
    const length = Number(values.next().value);
    for (let index = 0; index < length; index++) {
      const path = values.next();
      const digest = values.next();
      if (path.done || digest.done) return;
      yield { database: head.value, path: path.value, digest: digest.value };
    }
  }
}

function digestSink(sizeBytes: number, done: (digests: string) => void): ContentSink {
  let hashes: readonly ReturnType<typeof createHash>[] | undefined;
  let whole: string | undefined;
  return {
    write(chunk) {
      if (hashes === undefined && chunk.length === sizeBytes) {
        whole = ALGORITHMS.map((algorithm) => hash(algorithm, chunk).slice(0, DIGITS)).join("");
        return;
      }
      hashes ??= ALGORITHMS.map((algorithm) => createHash(algorithm));
      for (const each of hashes) each.update(chunk);
    },
    end(complete) {
      if (!complete) return;
      const digests = whole ?? hashes?.map((each) => each.digest("hex").slice(0, DIGITS)).join("");
      if (digests !== undefined) done(digests);
    },
  };
}
