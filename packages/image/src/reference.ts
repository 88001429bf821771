import { isDigest } from "./digest.ts";
import { imageError } from "./errors.ts";

/** A registry reference, completed as Docker does it: `docker.io`, `library/` and `latest` where they are left out. */
export interface ImageReference {
  /** Host with port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  readonly repository: string;
  /** Empty when only a digest is given. */
  readonly tag: string;
  /** Empty when only a tag is given. */
  readonly digest: string;
  /** True when the reference began with `http://`: plain HTTP was asked for. */
  readonly plainHttp: boolean;
}

const MAX_REFERENCE_LENGTH = 1_024;
const MAX_REPOSITORY_LENGTH = 255;
// Grammar of the distribution specification, "Pulling manifests".
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;

function invalid(text: string, why: string): Error {
  const shown = JSON.stringify(text.slice(0, 200));
  return imageError(
    "REFERENCE_INVALID",
    `no image reference: ${shown}: ${why}`,
    "write it as registry/repository:tag or registry/repository@sha256:…",
  );
}

/**
 * Reads a registry reference.
 *
 * @throws REFERENCE_INVALID
 * @example parseReference("debian@sha256:…") // registry docker.io, repository library/debian
 * @example parseReference("http://localhost:5000/team/app:1") // plainHttp true
 */
export function parseReference(text: string): ImageReference {
  if (text.length === 0 || text.length > MAX_REFERENCE_LENGTH) throw invalid(text, "empty or too long");
  const plainHttp = text.startsWith("http://");
  const withoutScheme = plainHttp ? text.slice(7) : text.startsWith("https://") ? text.slice(8) : text;
  const at = withoutScheme.indexOf("@");
  const digest = at < 0 ? "" : withoutScheme.slice(at + 1);
  if (at >= 0 && !isDigest(digest))
    throw invalid(text, "the digest is not sha256 or sha512 with lower-case hexadecimal digits");
  const named = at < 0 ? withoutScheme : withoutScheme.slice(0, at);
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const hasRegistry =
    first.includes(".") || first.includes(":") || first === "localhost" || (plainHttp && first !== "");
  // Hosts are the same in capitals (RFC 4343): policies that name them must not depend on the spelling.
  const registry = hasRegistry ? first.toLowerCase() : "docker.io";
  if (!HOST.test(registry)) throw invalid(text, "the registry is no host name");
  const path = hasRegistry ? named.slice(slash + 1) : named;
  const colon = path.indexOf(":");
  const repository = completed(registry, colon < 0 ? path : path.slice(0, colon));
  const tag = colon < 0 ? (digest === "" ? "latest" : "") : path.slice(colon + 1);
  if (repository.length > MAX_REPOSITORY_LENGTH || !repository.split("/").every((part) => COMPONENT.test(part))) {
    throw invalid(text, "the repository must be lower-case letters, digits and separators");
  }
  if (tag !== "" && !TAG.test(tag)) throw invalid(text, "the tag has characters that no tag has");
  if (colon >= 0 && tag === "") throw invalid(text, "the tag is empty");
  return { registry: isDockerHub(registry) ? "docker.io" : registry, repository, tag, digest, plainHttp };
}

function isDockerHub(registry: string): boolean {
  return registry === "docker.io" || registry === "index.docker.io" || registry === "registry-1.docker.io";
}

function completed(registry: string, repository: string): string {
  return isDockerHub(registry) && !repository.includes("/") ? `library/${repository}` : repository;
}

/** The reference in full: `docker.io/library/debian:12`. Never holds credentials. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === "" ? "" : `:${reference.tag}`;
  const digest = reference.digest === "" ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}
