import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { CliError } from "./failure.ts";

const TIMEOUT_MS = 60_000;
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
    return JSON.parse(readFileSync(accessFile(), "utf8")) as ServerAccess;
  } catch (cause) {
    const next = "run bulwark login URL, or set BULWARK_SERVER and BULWARK_TOKEN";
    throw new CliError("NOT_LOGGED_IN", "no server is known", next, cause);
  }
}

/**
 * Sends a request to the server's API.
 *
 * @param path below `/api/v1`
 * @throws CliError `SERVER_UNREACHABLE`, `SERVER_REFUSED`
 */
export async function askServer<Answer>(
  access: ServerAccess,
  method: "GET" | "POST" | "PATCH",
  path: string,
  body?: object,
): Promise<Answer> {
  const url = new URL(`/api/v1${path}`, access.url);
  const { status, text } = await send(access, method, url, body);
  const answer = parse(text);
  if (status >= 200 && status < 300 && answer !== undefined) return answer as Answer;
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
      const next = "check the address, that the server runs, and --ca-file for a certificate of its own";
      reject(new CliError("SERVER_UNREACHABLE", `${url.origin} cannot be asked: ${cause.message}`, next, cause));
    };
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
    sent.on("error", fail);
    sent.on("response", (answer) => {
      readAll(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), fail);
    });
    sent.end(payload);
  });
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
