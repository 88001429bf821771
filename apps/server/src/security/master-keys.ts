import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { SecurityError } from "./errors.ts";
import { runKmsCommand } from "./kms-command.ts";

const KEY_BYTES = 32;
const MAX_FILE_BYTES = 1024 * 1024;
const OWNER_ONLY = 0o600;
/** A group may read, as with a mounted secret of Kubernetes; everything else must be the owner's. */
const FORBIDDEN_BITS = 0o037;

/** Where the master keys are. */
export interface KeySource {
  /** The key file; made on first start, for its owner alone. */
  readonly file: string;
  /**
   * A program and its arguments that wraps and unwraps keys, run without a shell: `wrap` or `unwrap` is added to the
   * arguments, the key (base64) comes on stdin, and the answer (one line; base64 when unwrapping) is read from stdout. Then
   * the file holds wrapped keys only. Without it the file holds the keys themselves.
   */
  readonly kmsCommand?: readonly string[];
}

/** A key that seals secrets. */
export interface MasterKey {
  /** Sixteen hexadecimal digits, no part of the key. */
  readonly id: string;
  readonly key: Buffer;
}

const KeyFile = Type.Object(
  {
    version: Type.Literal(1),
    /** Oldest first. */
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: "^[0-9a-f]{16}$" }),
          created: Type.String(),
          key: Type.Optional(Type.String()),
          wrapped: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
      { minItems: 1 },
    ),
  },
  { additionalProperties: false },
);
type KeyFile = Static<typeof KeyFile>;
type KeyEntry = KeyFile["keys"][number];

/**
 * Reads the master keys, oldest first; makes the file where there is none. Servers that start at once on one directory
 * agree on one key.
 *
 * @throws SecurityError `KEY_FILE_UNSAFE`, `KEY_FILE_BROKEN`, `KMS_FAILED`
 */
export async function loadMasterKeys(source: KeySource): Promise<readonly MasterKey[]> {
  const known = (await readKeyFile(source.file)) ?? (await makeKeyFile(source));
  const keys: MasterKey[] = [];
  for (const entry of known.keys) keys.push({ id: entry.id, key: await keyOf(entry, source) });
  return keys;
}

/** Adds a key, which is the newest from then on. */
export async function addMasterKey(source: KeySource): Promise<MasterKey> {
  const known = (await readKeyFile(source.file)) ?? (await makeKeyFile(source));
  const made = await newEntry(source);
  const temporary = await writeBeside(source.file, { version: 1, keys: [...known.keys, made.entry] });
  await rename(temporary, source.file);
  return made;
}

async function readKeyFile(file: string): Promise<KeyFile | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if ((found.mode & FORBIDDEN_BITS) !== 0) {
    const message = `the key file ${file} is open to others (mode ${(found.mode & 0o777).toString(8)})`;
    throw new SecurityError(
      "KEY_FILE_UNSAFE",
      message,
      `chmod 600 ${file}, and rotate the key if others could read it`,
    );
  }
  if (!found.isFile() || found.size > MAX_FILE_BYTES) throw brokenFile(file);
  const content = parse(await readFile(file, "utf8"), file);
  if (!Value.Check(KeyFile, content)) throw brokenFile(file);
  return content;
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The cause is left out: a parser's message may quote the text.
    throw brokenFile(file);
  }
}

async function makeKeyFile(source: KeySource): Promise<KeyFile> {
  await mkdir(dirname(source.file), { recursive: true, mode: 0o700 });
  const { entry } = await newEntry(source);
  const temporary = await writeBeside(source.file, { version: 1, keys: [entry] });
  try {
    // Unlike a rename, a link never replaces the file that another server made meanwhile.
    await link(temporary, source.file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  const made = await readKeyFile(source.file);
  if (made === undefined) throw brokenFile(source.file);
  return made;
}

async function newEntry(source: KeySource): Promise<MasterKey & { readonly entry: KeyEntry }> {
  const key = randomBytes(KEY_BYTES);
  const id = randomBytes(8).toString("hex");
  const text = key.toString("base64");
  const kept =
    source.kmsCommand === undefined ? { key: text } : { wrapped: await runKmsCommand(source.kmsCommand, "wrap", text) };
  return { id, key, entry: { id, created: new Date().toISOString(), ...kept } };
}

async function keyOf(entry: KeyEntry, source: KeySource): Promise<Buffer> {
  const key = Buffer.from(await keyText(entry, source), "base64");
  if (key.length === KEY_BYTES) return key;
  if (entry.wrapped === undefined) throw brokenFile(source.file);
  const message = `the KMS command gave ${key.length} bytes for the master key ${entry.id}, not ${KEY_BYTES}`;
  throw new SecurityError("KMS_FAILED", message, "it must print the key in base64 as it was given to be wrapped");
}

async function keyText(entry: KeyEntry, source: KeySource): Promise<string> {
  if (entry.key !== undefined) return entry.key;
  if (entry.wrapped === undefined) throw brokenFile(source.file);
  if (source.kmsCommand !== undefined) return runKmsCommand(source.kmsCommand, "unwrap", entry.wrapped);
  const message = `the master key ${entry.id} in ${source.file} is wrapped`;
  throw new SecurityError("KMS_FAILED", message, "start the server with the --kms-command that wrapped it");
}

async function writeBeside(file: string, content: KeyFile): Promise<string> {
  const temporary = `${file}.${randomBytes(8).toString("hex")}`;
  const handle = await open(temporary, "wx", OWNER_ONLY);
  try {
    await handle.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

function brokenFile(file: string): SecurityError {
  const next = "restore it from the backup; without it the stored credentials must be entered again";
  return new SecurityError("KEY_FILE_BROKEN", `${file} holds no master keys`, next);
}
