import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { imageError, reasonOf } from "../errors.ts";

/** What a registry may be shown. Never part of any message. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** OAuth 2 refresh token in place of a password; empty when there is none. */
  readonly identityToken: string;
}

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_HELPER_OUTPUT_BYTES = 64 * 1024;
const HELPER_TIMEOUT_MS = 30_000;
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Docker Hub's entry in config.json is its old index address. */
const HUB_KEY = "https://index.docker.io/v1/";

type Json = Readonly<Record<string, unknown>>;

function member(object: Json, key: string): Json {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function string(object: Json, key: string): string {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === "string" ? value : "";
}

/**
 * Finds the credentials for a registry in Docker's config.json: `credHelpers`, then `credsStore`, then `auths`.
 *
 * @param configPath undefined for the default, which need not exist; empty for none at all
 * @returns undefined when there are none
 * @throws CREDENTIALS_INVALID for a broken file or helper
 */
export async function findCredentials(
  configPath: string | undefined,
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  if (configPath === "") return undefined;
  const path = configPath ?? join(process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json");
  const config = await readConfig(path, configPath !== undefined);
  if (config === undefined) return undefined;
  const keys =
    registry === "docker.io"
      ? [HUB_KEY, "index.docker.io", "docker.io"]
      : [registry, `https://${registry}`, `http://${registry}`];
  const helpers = member(config, "credHelpers");
  const named = keys.map((key) => string(helpers, key)).find((name) => name !== "");
  const helper = named ?? string(config, "credsStore");
  if (helper !== "") {
    const found = await askHelper(helper, keys[0]!);
    if (found !== undefined) return found;
  }
  return fromAuths(path, member(config, "auths"), keys, repository);
}

async function readConfig(path: string, required: boolean): Promise<Json | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!required && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw imageError(
      "CREDENTIALS_INVALID",
      `${path} cannot be read: ${reasonOf(error)}`,
      "check the file's path and permissions",
      error,
    );
  }
  if (text.length > MAX_CONFIG_BYTES)
    throw imageError("CREDENTIALS_INVALID", `${path} is larger than ${MAX_CONFIG_BYTES} bytes`);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // The parser's message quotes the text, which holds passwords: it is not passed on.
  }
  throw imageError("CREDENTIALS_INVALID", `${path} is no JSON object`, "correct the file or log in again");
}

/** Most specific entry first: `host/a/b`, `host/a`, `host`, as Podman and Skopeo write them. */
function fromAuths(path: string, auths: Json, keys: readonly string[], repository: string): Credentials | undefined {
  const parts = repository.split("/");
  const scoped = parts.map((_, index) => `${keys.at(-1)}/${parts.slice(0, parts.length - index).join("/")}`);
  const host = keys[0]!;
  const candidates = [
    ...scoped.map((key) => key.replace(/^http:\/\//, "")),
    ...keys,
    `https://${host}/v1/`,
    `https://${host}/v2/`,
    `${host}/`,
  ];
  const key = candidates.find((candidate) => Object.hasOwn(auths, candidate));
  if (key === undefined) return undefined;
  const entry = member(auths, key);
  const identityToken = string(entry, "identitytoken");
  const auth = string(entry, "auth");
  if (auth === "") {
    const username = string(entry, "username");
    return username === "" && identityToken === ""
      ? undefined
      : { username, password: string(entry, "password"), identityToken };
  }
  const decoded = Buffer.from(auth, "base64").toString("utf8").replaceAll("\0", "");
  const colon = decoded.indexOf(":");
  if (colon < 0)
    throw imageError(
      "CREDENTIALS_INVALID",
      `${path}: the entry for ${key} holds no user and password`,
      "log in to that registry again",
    );
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), identityToken };
}

/** Runs `docker-credential-NAME get`, without a shell, with the registry on its standard input. */
async function askHelper(name: string, registry: string): Promise<Credentials | undefined> {
  if (!HELPER_NAME.test(name))
    throw imageError("CREDENTIALS_INVALID", `credential helper ${JSON.stringify(name)} has a name that no helper has`);
  const program = `docker-credential-${name}`;
  const { status, output } = await run(program, registry);
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw imageError(
      "CREDENTIALS_INVALID",
      `${program} could not give credentials for ${registry} (status ${status})`,
      `run it by hand: echo ${registry} | ${program} get`,
    );
  }
  let json: Json;
  try {
    json = JSON.parse(output) as Json;
  } catch {
    throw imageError("CREDENTIALS_INVALID", `${program} did not answer with JSON`);
  }
  const username = string(json, "Username");
  const secret = string(json, "Secret");
  if (username === "<token>") return { username: "", password: "", identityToken: secret };
  return username === "" && secret === "" ? undefined : { username, password: secret, identityToken: "" };
}

function run(program: string, input: string): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], {
      stdio: ["pipe", "pipe", "ignore"],
      timeout: HELPER_TIMEOUT_MS,
      shell: false,
    });
    const parts: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_HELPER_OUTPUT_BYTES) child.kill("SIGKILL");
      else parts.push(chunk);
    });
    child.on("error", (error) => {
      reject(
        imageError(
          "CREDENTIALS_INVALID",
          `${program} cannot be run: ${reasonOf(error)}`,
          "install it, or remove it from config.json",
          error,
        ),
      );
    });
    child.on("close", (status) => resolve({ status, output: Buffer.concat(parts).toString("utf8") }));
    // A helper that ends without reading its input is judged by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${input}\n`);
  });
}
