import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { openArchiveHandle } from "../archive/open-archive.ts";
import { spool } from "../archive/spool.ts";
import { collect } from "../content-source.ts";
import { isDigest } from "../digest.ts";
import { imageError, isImageError, reasonOf, throwIfCancelled } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { OpenOptions } from "../open-options.ts";
import type { OpenedImage } from "../opened-image.ts";
import type { ResolveOptions } from "../resolve.ts";
import type { LocalImage } from "./local-images.ts";
import { daemonUnreachable, findSocket } from "./socket.ts";

/** Names that engines know: references and image ids. What else there may be never becomes part of a request. */
const ENGINE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,1023}$/;
const MAX_LIST_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 16 * 1024;

/**
 * Opens an image of Docker or Podman through the Engine API on its socket: GET /images/NAME/json tells whether it is
 * there, GET /images/NAME/get gives what `docker save` writes. That stream may tell its manifest last and cannot be
 * read twice, so it is kept in a private temporary file without a name.
 */
export async function openEngine(
  engine: "docker" | "podman",
  name: string,
  options: OpenOptions,
  resolve: ResolveOptions,
): Promise<OpenedImage> {
  if (!ENGINE_NAME.test(name) || name.split("/").some((part) => part === "." || part === "..")) {
    throw imageError(
      "REFERENCE_INVALID",
      `no image name: ${JSON.stringify(name.slice(0, 200))}`,
      `list the images with ${engine} images`,
    );
  }
  const socket = findSocket(
    engine,
    engine === "docker" ? options.dockerSocket : options.podmanSocket,
    usualSockets(engine),
  );
  const path = name.split("/").map(encodeURIComponent).join("/");
  const api: Api = { engine, socket, resolve };
  (await ask(api, "GET", name, `/images/${path}/json`)).destroy();
  const stream = await ask(api, "GET", name, `/images/${path}/get`);
  try {
    const spooled = await spool(`${engine}:${name}`, cancellable(api, stream), resolve.limits.maxBlobBytes);
    return await openArchiveHandle(`${engine}:${name}`, spooled.handle, spooled.size, "", resolve);
  } finally {
    stream.destroy();
  }
}

/**
 * Lists the images that Docker or Podman keeps, by GET /images/json: one entry for each name that an image has.
 *
 * @throws DAEMON_UNREACHABLE, DAEMON_REFUSED, CANCELLED
 */
export async function listEngine(
  engine: "docker" | "podman",
  options: OpenOptions,
  limits: Limits,
): Promise<readonly LocalImage[]> {
  const asked = engine === "docker" ? options.dockerSocket : options.podmanSocket;
  const resolve = { limits, signal: options.signal };
  const api: Api = { engine, socket: findSocket(engine, asked, usualSockets(engine)), resolve };
  const stream = await ask(api, "GET", "", "/images/json");
  const bytes = await collect(`the images of ${engine}`, cancellable(api, stream), MAX_LIST_BYTES);
  const found: LocalImage[] = [];
  for (const { Id: digest, RepoTags: names } of parseList(engine, bytes)) {
    if (!isDigest(digest) || !Array.isArray(names)) continue;
    for (const name of names) {
      if (typeof name === "string" && ENGINE_NAME.test(name))
        found.push({ source: engine, namespace: "", name, digest });
    }
  }
  return found;
}

/**
 * Removes a name of an image from Docker or Podman, by DELETE /images/NAME without force: what a container uses is refused.
 *
 * @throws DAEMON_UNREACHABLE, DAEMON_REFUSED, IMAGE_NOT_FOUND, CANCELLED
 */
export async function removeEngine(
  engine: "docker" | "podman",
  name: string,
  options: OpenOptions,
  limits: Limits,
): Promise<void> {
  const asked = engine === "docker" ? options.dockerSocket : options.podmanSocket;
  const resolve = { limits, signal: options.signal };
  const api: Api = { engine, socket: findSocket(engine, asked, usualSockets(engine)), resolve };
  if (!ENGINE_NAME.test(name))
    throw imageError("REFERENCE_INVALID", "no image name", `list the images with ${engine} images`);
  const path = name.split("/").map(encodeURIComponent).join("/");
  (await ask(api, "DELETE", name, `/images/${path}`)).destroy();
}

function parseList(engine: string, bytes: Uint8Array): readonly Readonly<Record<string, unknown>>[] {
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw imageError("DAEMON_REFUSED", `${engine} does not answer with JSON`, "", error);
  }
  return Array.isArray(list) ? list.filter((each) => typeof each === "object" && each !== null) : [];
}

interface Api {
  readonly engine: "docker" | "podman";
  readonly socket: string;
  readonly resolve: Pick<ResolveOptions, "limits" | "signal">;
}

function usualSockets(engine: "docker" | "podman"): readonly string[] {
  const runtimeDirectory = process.env.XDG_RUNTIME_DIR;
  if (engine === "podman") {
    return [
      ...(runtimeDirectory === undefined ? [] : [`${runtimeDirectory}/podman/podman.sock`]),
      "/run/podman/podman.sock",
    ];
  }
  const host = process.env.DOCKER_HOST;
  return host?.startsWith("unix://") ? [host.slice(7)] : ["/var/run/docker.sock"];
}

async function* cancellable(api: Api, stream: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throwIfCancelled(api.resolve.signal);
    if (isImageError(error)) throw error;
    throw imageError(
      "LAYER_TORN",
      `${api.engine} ended the image's stream early: ${reasonOf(error)}`,
      "try again",
      error,
    );
  }
}

function ask(api: Api, method: "GET" | "DELETE", name: string, path: string): Promise<IncomingMessage> {
  const { engine, socket, resolve } = api;
  return new Promise((resolvePromise, reject) => {
    const sent = request({
      socketPath: socket,
      path,
      method,
      headers: { host: "localhost" },
      ...(resolve.signal === undefined ? {} : { signal: resolve.signal }),
    });
    sent.setTimeout(resolve.limits.idleTimeoutMs, () =>
      sent.destroy(new Error(`no answer for ${resolve.limits.idleTimeoutMs} ms`)),
    );
    sent.on("error", (error) => {
      if (resolve.signal?.aborted) reject(imageError("CANCELLED", "reading the image was cancelled", "", error));
      else reject(daemonUnreachable(engine, socket, reasonOf(error), error));
    });
    sent.on("response", (response) => {
      if (response.statusCode === 200) return resolvePromise(response);
      readMessage(response).then((message) => {
        if (response.statusCode === 404)
          return reject(
            imageError("IMAGE_NOT_FOUND", `${engine} has no image ${name}`, `list the images with ${engine} images`),
          );
        reject(
          imageError("DAEMON_REFUSED", `${engine} answers with status ${response.statusCode} for ${name}: ${message}`),
        );
      }, reject);
    });
    sent.end();
  });
}

async function readMessage(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString("utf8");
    if (text.length > MAX_ERROR_BYTES) break;
  }
  const message = /"message"\s*:\s*"([^"\\]{0,300})"/.exec(text)?.[1];
  return message ?? "no message";
}
