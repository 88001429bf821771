import { createPublicKey, type KeyObject, verify } from "node:crypto";
import {
  type Assessment,
  assessBase,
  type BaseStanding,
  type GoldenState,
  type PathBase,
  readBuildRules,
  standingOnPath,
} from "@bulwark/policy";
import { CliError } from "./failure.ts";
import { readTextFile } from "./text-files.ts";

/** As the server signs it: over these bytes and the payload. */
const PREFIX = "bulwark golden v1\0";
const MAX_BASES = 200_000;
const STATES: readonly GoldenState[] = ["revoked", "at-risk", "published", "deprecated"];

/** A list of golden images that was taken from a server, so that none is needed. */
export interface GoldenList {
  readonly expiresAt: string;
  readonly bases: readonly PathBase[];
  readonly rules: readonly { readonly name: string; readonly content: string }[];
}

/**
 * Reads a list that `bulwark golden export` wrote.
 *
 * @param key file of the public key (PEM) that must have signed it; left out: the list's own, which only tells that it is whole
 * @throws CliError `GOLDEN_INVALID`, `FILE_UNREADABLE`
 */
export async function readGoldenList(file: string, key: string | undefined, now: Date): Promise<GoldenList> {
  const signed = objectOf(parse(await readTextFile(file, "golden list"), file), file);
  const { payload, signature, publicKey } = signed;
  if (typeof payload !== "string" || typeof signature !== "string" || typeof publicKey !== "string")
    throw invalid(file, "it has no payload with a signature");
  const trusted = keyOf(key === undefined ? publicKey : await readTextFile(key, "public key"), key ?? file);
  const isSigned = verify(null, Buffer.from(`${PREFIX}${payload}`), trusted, Buffer.from(signature, "base64"));
  if (!isSigned)
    throw invalid(file, key === undefined ? "its signature does not hold" : `the key in ${key} did not sign it`);
  const list = objectOf(parse(payload, file), file);
  if (list.kind !== "bulwark-golden" || list.schemaVersion !== 1) throw invalid(file, "it is no list of golden images");
  const expiresAt = String(list.expiresAt);
  const expires = Date.parse(expiresAt);
  if (Number.isNaN(expires) || expires < now.getTime())
    throw invalid(file, `its time was up at ${expiresAt}`, "take a new one: bulwark golden export --output FILE");
  return { expiresAt, bases: basesOf(list.bases, file), rules: rulesOf(list.rules, file) };
}

/** Judges chains of layers by a list, as the server would by what it knows of golden images. */
export function judgeByList(
  { bases, rules }: GoldenList,
  chains: readonly string[],
  image: { readonly reference: string; readonly platform: string },
  today: string,
): Assessment & { readonly base: BaseStanding } {
  const held = new Set(chains);
  const worst = new Map<string, PathBase>();
  for (const base of bases) {
    const kept = worst.get(base.chain);
    if (!held.has(base.chain) || (kept !== undefined && rankOf(kept) <= rankOf(base))) continue;
    worst.set(base.chain, base);
  }
  const base = standingOnPath([...worst.values()].sort((one, other) => one.layers - other.layers));
  const files = rules.map(({ name, content }) => readBuildRules(content, name));
  return { base, ...assessBase(base, { ...image, role: "leaf" }, files, today) };
}

const rankOf = ({ golden }: PathBase) => (golden === null ? STATES.length : STATES.indexOf(golden));

function basesOf(value: unknown, file: string): readonly PathBase[] {
  if (!Array.isArray(value) || value.length > MAX_BASES) throw invalid(file, "its bases are no list");
  return value.map((entry) => {
    const { chain, layers, reference, digest, tag, host, state } = objectOf(entry, file);
    const golden = STATES.find((known) => known === state);
    if (typeof chain !== "string" || typeof layers !== "number" || golden === undefined)
      throw invalid(file, "one of its bases has no chain or standing");
    const tags = typeof tag === "string" && tag !== "" ? [tag] : [];
    return { chain, layers, reference: String(reference), digest: String(digest), tags, host: String(host), golden };
  });
}

function rulesOf(value: unknown, file: string): GoldenList["rules"] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(file, "it has no rules");
  return value.map((entry) => {
    const { name, content } = objectOf(entry, file);
    if (typeof name !== "string" || typeof content !== "string") throw invalid(file, "one of its rules is none");
    return { name, content };
  });
}

function keyOf(pem: string, file: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new CliError("GOLDEN_INVALID", `${file} holds no public key`, "give a key in PEM", cause);
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(file, "it is not JSON", undefined, cause);
  }
}

function objectOf(value: unknown, file: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(file, "it does not have the form of one");
}

function invalid(file: string, why: string, next?: string, cause?: unknown): CliError {
  const what = `the golden list ${file} cannot be used: ${why}`;
  return new CliError("GOLDEN_INVALID", what, next ?? "take it anew: bulwark golden export --output FILE", cause);
}
