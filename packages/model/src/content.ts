import type { FindingKind } from "./report.ts";
import type { Severity } from "./severity.ts";

/** What reading content, rather than matching versions, can find. */
export type ContentKind = Exclude<FindingKind, "vulnerability">;

/**
 * Something wrong with one file, before it is known in which layer the file lies and whether a later one removes it.
 * Nothing in it may hold a secret's value.
 */
export interface ContentFact {
  readonly kind: ContentKind;
  /** Id of the rule, kebab case: `aws-access-key-id`, `webshell-php-eval-request`. */
  readonly id: string;
  readonly severity: Severity;
  /** One line for people, without the path. */
  readonly title: string;
  /** What to do next, one sentence. */
  readonly advice: string;
  /** 1 for the first line. */
  readonly line?: number;
  /** What was seen, one printable line of at most 200 characters, secrets redacted. */
  readonly detail?: string;
  /** Tells two values apart without telling either: the first 16 hexadecimal digits of a SHA-256. */
  readonly fingerprint?: string;
  readonly references?: readonly string[];
  /** True: no finding where an OS package put the file there (a set-uid `su` is expected, one in /tmp is not). */
  readonly unlessOwned?: true;
}

/** What a scanner looks at to decide whether it wants a file's content. */
export interface ContentHead {
  /** Relative to the root of the image, `/` between parts, no leading slash. */
  readonly path: string;
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly sizeBytes: number;
}

/**
 * A file's content as a content scanner gets it: whole, or, where the file is large, in pieces that overlap a little and
 * come in order.
 */
export interface ContentFile extends ContentHead {
  /** Valid only during the call: copy what is kept. */
  readonly bytes: Uint8Array;
  /** Where `bytes` begin in the file: 0 for the only or first piece. */
  readonly offset: number;
  /** The first bytes of the file, some kilobytes at most, whichever piece this is. */
  readonly head: Uint8Array;
  /**
   * SHA-256 of the whole file, lower-case hexadecimal: with the only or last piece, and only where a scanner asks for it;
   * undefined otherwise.
   */
  readonly sha256: string | undefined;
}

/** What one scanner found in one file. Empty parts may be left out. */
export interface ContentFacts {
  readonly facts?: readonly ContentFact[];
  /** What could not be looked at, as sentences. Each one clears the report's `complete` flag. */
  readonly problems?: readonly string[];
}

/** Looks for something in the content of files, whoever put them there. */
export interface ContentScanner {
  /** Kebab case, unique: `secrets`, `malware`. */
  readonly id: string;
  /** Part of the layer cache's key: changes whenever the same bytes would give other facts, so it covers the rules. */
  readonly version: string;
  /** Content beyond this is not read; the report says so. */
  readonly maxBytes: number;
  wants(head: ContentHead): boolean;
  /** Whether content that begins like this makes no sense in pieces, as archives do. Left out: it always does. */
  wantsWhole?(head: Uint8Array): boolean;
  /** Whether it has to have the SHA-256 of files of this size. Left out: of none. */
  wantsDigest?(sizeBytes: number): boolean;
  /** Must not throw on hostile input, and must be done in a time that grows with the bytes alone. */
  scan(file: ContentFile): ContentFacts;
}

/** A content scanner that asks another process and so takes its time. */
export interface RemoteScanner extends Omit<ContentScanner, "scan" | "wantsWhole" | "wantsDigest"> {
  /** Gets the first piece only. `bytes` stays valid until the promise is settled. Never rejects: an engine that is away is a problem. */
  scan(file: ContentFile): Promise<ContentFacts>;
}

/**
 * A file that comes whole.
 *
 * @example scanner.scan(wholeFile("app/.env", bytes));
 */
export function wholeFile(path: string, bytes: Uint8Array, mode = 0o644, sha256?: string): ContentFile {
  return { path, mode, sizeBytes: bytes.length, bytes, offset: 0, head: bytes.subarray(0, 4_096), sha256 };
}
