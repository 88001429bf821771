import { readFile } from "node:fs/promises";
import { imageError, reasonOf } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { OpenOptions } from "../open-options.ts";
import type { ImageReference } from "../reference.ts";
import { findCredentials } from "./credentials.ts";
import { createHttpClient, type HttpClient } from "./http.ts";
import { createSession, type Session, type SessionOptions } from "./session.ts";

const HUB_HOST = "registry-1.docker.io";

/** A session for one repository; the caller closes the client. */
export async function openSession(
  reference: ImageReference,
  options: OpenOptions,
  limits: Limits,
  access: SessionOptions["access"],
): Promise<{ readonly client: HttpClient; readonly session: Session }> {
  const plainHttp = reference.plainHttp || options.plainHttp === true;
  const host = reference.registry === "docker.io" ? HUB_HOST : reference.registry;
  const base = new URL(`${plainHttp ? "http" : "https"}://${host}/`);
  const client = createHttpClient({
    limits,
    home: base.hostname,
    plainHttp,
    ca: options.ca ?? (await readCa(options.caFile)),
    ...(options.guard === undefined ? {} : { guard: options.guard }),
  });
  const session = createSession({
    client,
    base,
    repository: reference.repository,
    plainHttp,
    access,
    credentials: async () =>
      options.credentials === undefined
        ? await findCredentials(options.dockerConfig, reference.registry, reference.repository)
        : { ...options.credentials, identityToken: "" },
  });
  return { client, session };
}

async function readCa(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw imageError(
      "SOURCE_NOT_FOUND",
      `${path} cannot be read: ${reasonOf(error)}`,
      "check the path of the certificate authority's file",
      error,
    );
  }
}
