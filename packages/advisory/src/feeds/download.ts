import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { AdvisoryError } from "../errors.ts";

const MAX_DOWNLOAD_BYTES = 4 * 1024 * 1024 * 1024;
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 250;

/** How feeds are fetched: the built-in fetch, or one that trusts other certificates. */
export type Fetch = (
  url: string,
  init?: { headers?: Record<string, string>; signal?: AbortSignal },
) => Promise<Response>;

/**
 * Fetches a small document whole.
 *
 * @throws AdvisoryError `FEED_UNREACHABLE`, `FEED_INVALID` when it is larger than `limitBytes`
 */
export async function fetchText(fetch: Fetch, url: string, limitBytes: number): Promise<string> {
  const response = await withTries(url, async () => accepted(await fetch(url), url));
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limitBytes) throw new AdvisoryError("FEED_INVALID", `${url} is larger than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Downloads a large file. What came before the connection broke is kept beside it and the rest asked for, in this run or
 * the next, as long as the server still has the same version.
 *
 * @param file where it ends up once it is whole
 * @throws AdvisoryError `FEED_UNREACHABLE`
 */
export async function download(
  fetch: Fetch,
  url: string,
  file: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  await withTries(url, () => downloadOnce(fetch, url, file, onBytes));
  renameSync(`${file}.part`, file);
  rmSync(`${file}.etag`, { force: true });
}

async function downloadOnce(fetch: Fetch, url: string, file: string, onBytes: (bytes: number) => void): Promise<void> {
  const [part, etagFile] = [`${file}.part`, `${file}.etag`];
  const etag = existsSync(part) && existsSync(etagFile) ? readFileSync(etagFile, "utf8") : "";
  const held = etag === "" ? 0 : statSync(part).size;
  const headers = held > 0 ? { range: `bytes=${held}-`, "if-range": etag } : undefined;
  const response = await fetch(url, headers === undefined ? {} : { headers });
  if (held > 0 && response.status === 416) {
    rmSync(part); // what was kept is no part of what is there now
    throw new Error("the part that was kept is of no use, starting over");
  }
  accepted(response, url);
  const resumed = response.status === 206;
  writeFileSync(etagFile, response.headers.get("etag") ?? "");
  let bytes = resumed ? held : 0;
  const expected = Number(response.headers.get("content-length") ?? Number.NaN);
  const start = bytes;
  // Each piece is on disk before the next is awaited, so that a connection that breaks costs nothing that came.
  const target = await open(part, resumed ? "a" : "w");
  try {
    for await (const chunk of response.body ?? []) {
      await target.write(chunk);
      bytes += chunk.length;
      if (bytes > MAX_DOWNLOAD_BYTES)
        throw new AdvisoryError("FEED_INVALID", `${url} is larger than ${MAX_DOWNLOAD_BYTES} bytes`);
      onBytes(bytes);
    }
  } finally {
    await target.close();
  }
  if (bytes - start < expected) throw new Error(`the connection ended after ${bytes - start} of ${expected} bytes`);
}

function accepted(response: Response, url: string): Response {
  if (response.ok) return response;
  const next = "check the address, or give another one";
  throw new AdvisoryError("FEED_UNREACHABLE", `${url} answers with status ${response.status}`, next);
}

async function withTries<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (cause) {
      const final = cause instanceof AdvisoryError && !/status (?:429|5\d\d)$/.test(cause.message);
      if (final) throw cause;
      if (tries >= MAX_TRIES) throw unreachable(url, cause);
      await new Promise((resolve) =>
        setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2)),
      );
    }
  }
}

function unreachable(url: string, cause: unknown): AdvisoryError {
  if (cause instanceof AdvisoryError) return cause;
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = inner instanceof Error ? inner.message : String(inner);
  const next = "check the network; what was downloaded is kept and the next update goes on from there";
  return new AdvisoryError("FEED_UNREACHABLE", `${url} cannot be fetched: ${why}`, next, cause);
}
