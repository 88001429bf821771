import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { ServerError } from "../errors.ts";

const hashBytes = promisify(argon2);

/** OWASP Password Storage Cheat Sheet, "Argon2id": 19 MiB, two passes, one lane. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** argon2 version 1.3, the only one that Node computes (RFC 9106). */
const VERSION = 19;
/** A flood of logins takes at most this much memory (19 MiB each) and leaves threads to other work. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 64;
const PHC = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})$/;

/** Hashes a password with argon2id. @returns PHC text: `$argon2id$v=19$m=…,t=…,p=…$salt$hash` */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(SALT_BYTES);
  const cost = { memory: MEMORY_KIB, passes: PASSES, parallelism: PARALLELISM, tagLength: TAG_BYTES };
  const hash = await inTurn(() => hashBytes("argon2id", { message: bytesOf(password), nonce, ...cost }));
  return `$argon2id$v=${VERSION}$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$${base64(nonce)}$${base64(hash)}`;
}

/**
 * Whether the password is that of the hash. Without a hash it works as long and says no, so that the time an answer takes
 * does not tell which accounts there are.
 *
 * @throws ServerError `TOO_MANY_REQUESTS` when too many wait
 */
export async function verifyPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  const parsed = parse(stored ?? NOBODY);
  if (parsed === undefined) throw new Error("a stored password hash cannot be read");
  const computed = await inTurn(() => hashBytes("argon2id", { message: bytesOf(password), ...parsed.parameters }));
  return timingSafeEqual(computed, parsed.hash) && stored != null;
}

/** Whether a hash was made with weaker parameters than today's, to be made again at the next login. */
export function isOutdated(stored: string): boolean {
  const cost = parse(stored)?.parameters;
  return cost === undefined || cost.memory < MEMORY_KIB || cost.passes < PASSES;
}

/** Hash of no password at all, with today's parameters. */
const NOBODY = `$argon2id$v=${VERSION}$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$${base64(Buffer.alloc(SALT_BYTES))}$${base64(
  Buffer.alloc(TAG_BYTES),
)}`;

interface Parsed {
  readonly parameters: Omit<Argon2Parameters, "message">;
  readonly hash: Buffer;
}

function parse(phc: string): Parsed | undefined {
  const [, memory, passes, parallelism, salt = "", hash = ""] = PHC.exec(phc) ?? [];
  if (memory === undefined) return undefined;
  const tag = Buffer.from(hash, "base64");
  const parameters = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    nonce: Buffer.from(salt, "base64"),
    tagLength: tag.length,
  };
  return { parameters, hash: tag };
}

/** One text for what looks the same: SP 800-63B-4, section 3.1.1.2, asks for normalisation before hashing. */
function bytesOf(password: string): Buffer {
  return Buffer.from(password.normalize("NFKC"), "utf8");
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= MAX_AT_ONCE) {
    if (waiting.length >= MAX_WAITING) {
      throw new ServerError("TOO_MANY_REQUESTS", "too many logins at once", "try again in a few seconds");
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
