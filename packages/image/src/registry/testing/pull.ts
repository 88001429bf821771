import { writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { openImage } from "../../open-image.ts";
import type { OpenOptions } from "../../open-options.ts";
import { buildImage, type LayerInput } from "../../testing/image-builder.ts";
import { type LayerContents, readAll } from "../../testing/read-all.ts";
import {
  contentOf,
  type Intercept,
  type RegistryContent,
  type SeenRequest,
  startRegistry,
  type TestRegistry,
} from "../../testing/registry.ts";
import { temporaryDirectory } from "../../testing/temporary.ts";

export const directory = temporaryDirectory();
const layers: readonly LayerInput[] = [
  {
    files: { "etc/os-release": "ID=debian\n", large: Buffer.alloc(400_000, "0123456789abcdef") },
    compression: "plain",
  },
  { files: { small: "small" } },
];
export const image = buildImage({ layers });
export const content = contentOf({ "team/app:1": image });
export const quick = { retryDelayMs: 1, retryMaxDelayMs: 5 };
const servers: TestRegistry[] = [];

/** A registry of this test, which ends with it. */
export async function serve(intercept?: Intercept, what: RegistryContent = content): Promise<TestRegistry> {
  const registry = await startRegistry(what, intercept);
  servers.push(registry);
  return registry;
}

/** Ends the registries of a test. */
export async function closeServers(): Promise<void> {
  for (const server of servers.splice(0)) await server.close();
}

/** Everything that is in the layers of an image. */
export async function pull(
  registry: TestRegistry,
  options: OpenOptions = {},
  name = "team/app:1",
): Promise<LayerContents[]> {
  const opened = await openImage(`http://${registry.host}/${name}`, {
    limits: quick,
    dockerConfig: noLogin(),
    ...options,
  });
  try {
    return await Promise.all(opened.layers.map((layer) => readAll(opened, layer.index)));
  } finally {
    await opened.close();
  }
}

/** Writes a configuration of Docker's. @returns its path */
export function writeConfig(value: unknown): string {
  const path = join(directory.path, `config-${Math.random()}.json`);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

export const noLogin = (): string => writeConfig({});
export const login = (host: string, user = "user", password = "pass-word"): string =>
  writeConfig({ auths: { [host]: { auth: Buffer.from(`${user}:${password}`).toString("base64") } } });
export const SECRET = Buffer.from("user:pass-word").toString("base64");

export const isBlob = (request: SeenRequest): boolean => request.url.includes("/blobs/");
export const isLargeBlob = (request: SeenRequest): boolean => request.url.endsWith(image.layerDigests[0]!);

export function status(response: ServerResponse, code: number, headers: Record<string, string> = {}): true {
  response.writeHead(code, headers).end();
  return true;
}
