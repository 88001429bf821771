import { writeFile } from "node:fs/promises";
import { formatReference, openImage, openRepository, parseReference } from "@bulwark/image";
import { generateSigningKey, publicKeyOf, readSigningKey, signImage } from "@bulwark/signature";
import { isInRegistry } from "../check-signatures.ts";
import { CliError } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { SIGN_HELP } from "../sign-help.ts";
import { readTextFile } from "../text-files.ts";

const TABLE = {
  key: { type: "string" },
  "generate-key": { type: "string" },
  "ca-file": { type: "string" },
  "plain-http": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** `bulwark sign`: see SIGN_HELP. */
export async function signCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("sign", args, TABLE);
  if (options.flags.has("help")) {
    process.stdout.write(SIGN_HELP);
    return 0;
  }
  const passphrase = process.env.BULWARK_KEY_PASSPHRASE ?? "";
  const prefix = options.text["generate-key"];
  if (prefix !== undefined) await generate(prefix, passphrase);
  else await sign(options, passphrase);
  return 0;
}

async function generate(prefix: string, passphrase: string): Promise<void> {
  const { privateKey, publicKey } = generateSigningKey(passphrase);
  await write(`${prefix}.key`, privateKey, 0o600);
  await write(`${prefix}.pub`, publicKey, 0o644);
  process.stdout.write(`${prefix}.key and ${prefix}.pub are written\n`);
  if (passphrase === "")
    process.stderr.write("bulwark: the key has no passphrase; set BULWARK_KEY_PASSPHRASE for one\n");
}

/** An existing key is never overwritten: what it signed could not be signed again. */
async function write(file: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { mode, flag: "wx" });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("OUTPUT_UNWRITABLE", `${file} cannot be written: ${why}`, "choose another prefix", cause);
  }
}

async function sign(options: ParsedOptions, passphrase: string): Promise<void> {
  const [source] = options.positionals;
  const file = options.text.key;
  if (source === undefined || file === undefined || options.positionals.length > 1) {
    throw new CliError("USAGE", "sign: it takes one image and --key FILE", "see bulwark sign --help");
  }
  requireRegistry(source);
  const key = readSigningKey(await readTextFile(file, "key"), passphrase, file);
  const caFile = options.text["ca-file"];
  const access = { plainHttp: options.flags.has("plain-http"), ...(caFile === undefined ? {} : { caFile }) };
  const image = await openImage(source, access);
  const { rootDigest } = image;
  await image.close();
  const reference = parseReference(source);
  const repository = await openRepository(source, "pull,push", access);
  try {
    const place = await signImage(repository, rootDigest, `${reference.registry}/${reference.repository}`, key);
    process.stdout.write(`${formatReference({ ...reference, tag: "", digest: rootDigest })} is signed (${place})\n`);
    process.stdout.write(`The public key that verifies it:\n${publicKeyOf(key)}`);
  } finally {
    repository.close();
  }
}

/** `docker:app` and `oci:app` would also be names of images in a registry: what is signed must lie where the signature goes. */
function requireRegistry(source: string): void {
  if (isInRegistry(source)) return;
  throw new CliError(
    "USAGE",
    `sign: signatures lie in the registry, and ${source} names none`,
    "push the image, and sign it there: registry/repository:tag",
  );
}
