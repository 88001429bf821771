import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { CliError } from "./failure.ts";

const TIMEOUT_MS = 60_000;
const NO_CONTENT = 204;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Where the server is, and who asks. */
export interface ServerAccess {
  readonly url: string;
  readonly token: string;
  /** PEM text to trust beside the system's certificates. */
  readonly ca?: string;
}

function accessFile(): string {
  const xdg = process.env.XDG_CONFIG_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".config"), "bulwark", "server.json");
}

/** That of whoever called sudo where root has none: `sudo bulwark sensor install` follows a login without sudo. */
function keptFile(): string {
  const own = accessFile();
  const { SUDO_USER: user } = process.env;
  if (existsSync(own) || user === undefined || process.getuid?.() !== 0) return own;
  const home = homeOf(user, readFileSync("/etc/passwd", "utf8"));
  return home === undefined ? own : join(home, ".config", "bulwark", "server.json");
}

/** @param passwd text of a passwd file (passwd(5)) */
export function homeOf(user: string, passwd: string): string | undefined {
  const fields = passwd.split("\n").map((line) => line.split(":"));
  return fields.find(([name]) => name === user)?.[5];
}

/** Keeps an access for later commands, in a file that only its owner can read. */
export function keepAccess(access: ServerAccess): string {
  const file = accessFile();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(access)}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}

/**
 * The access that `bulwark login` kept, or that of `BULWARK_SERVER` and `BULWARK_TOKEN`.
 *
 * @throws CliError `NOT_LOGGED_IN`
 */
export function findAccess(): ServerAccess {
  const { BULWARK_SERVER: url, BULWARK_TOKEN: token } = process.env;
  if (url !== undefined && token !== undefined && url !== "" && token !== "") return { url, token };
  try {
    return JSON.parse(readFileSync(keptFile(), "utf8")) as ServerAccess;
  } catch (cause) {
    const next = "run bulwark login URL, or set BULWARK_SERVER and BULWARK_TOKEN";
    throw new CliError("NOT_LOGGED_IN", "no server is known", next, cause);
  }
}

/**
 * Sends a request to the server's API.
 *
 * @returns what it answers; undefined where it has nothing to say
 * @param path below `/api/v1`
 * @throws CliError `SERVER_UNREACHABLE`, `SERVER_REFUSED`
 */
export async function askServer<Answer>(
  access: ServerAccess,
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: object,
): Promise<Answer> {
  const url = new URL(`/api/v1${path}`, access.url);
  const { status, text } = await send(access, method, url, body);
  const answer = parse(text);
  const isAnswered = answer !== undefined || status === NO_CONTENT;
  if (status >= 200 && status < 300 && isAnswered) return answer as Answer;
  throw refused(url, status, answer);
}

/** Asks for something that is no JSON, such as a page. */
export async function askServerText(access: ServerAccess, path: string): Promise<string> {
  const url = new URL(`/api/v1${path}`, access.url);
  const { status, text } = await send(access, "GET", url, undefined);
  if (status === 200) return text;
  throw refused(url, status, parse(text));
}

function refused(url: URL, status: number, answer: unknown): CliError {
  const { title = `it answers with status ${status}`, next = "" } = (answer ?? {}) as { title?: string; next?: string };
  return new CliError("SERVER_REFUSED", `${url.origin} refuses: ${title}`, next);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(
  { token, ca }: ServerAccess,
  method: string,
  url: URL,
  body: object | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const isHttps = url.protocol === "https:";
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = (isHttps ? httpsRequest : httpRequest)(url, {
      method,
      timeout: TIMEOUT_MS,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(payload === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    });
    const fail = (cause: Error) => {
      const { why, next } = whyUnreachable(url, cause);
      reject(new CliError("SERVER_UNREACHABLE", `${url.origin} cannot be asked: ${why}`, next, cause));
    };
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
    sent.on("error", fail);
    sent.on("response", (answer) => {
      readAll(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), fail);
    });
    sent.end(payload);
  });
}

/** What TLS says of an answer that is none, and Node of a connection that ends before one. */
const NO_TLS = /wrong version number|packet length too long/;
const HUNG_UP = "ECONNRESET";

function whyUnreachable(url: URL, cause: Error & { readonly code?: string }): { why: string; next: string } {
  const other = (scheme: string) => `log in again with ${scheme}://${url.host}`;
  if (NO_TLS.test(cause.message)) return { why: "it does not speak TLS", next: other("http") };
  if (url.protocol === "http:" && cause.code === HUNG_UP)
    return { why: "it hangs up on plain HTTP", next: `if it speaks TLS, ${other("https")}` };
  const next = "check the address, that the server runs, and --ca-file for a certificate of its own";
  return { why: cause.message, next };
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
