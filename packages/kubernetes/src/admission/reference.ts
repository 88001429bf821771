/** An image reference as the container runtime completes it. */
export interface SplitReference {
  /** Host with port; `docker.io` where none is written. */
  readonly registry: string;
  readonly repository: string;
  /** `latest` where neither tag nor digest is written; empty beside a digest. */
  readonly tag: string;
  /** `sha256:…`; empty where only a tag is written. */
  readonly digest: string;
}

const MAX_LENGTH = 1_024;
// Grammar of the OCI distribution specification, "Pulling manifests".
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;
const REPOSITORY = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HUB: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/**
 * Splits a reference; undefined for what no runtime would pull.
 *
 * @example splitReference("nginx") // docker.io, library/nginx, latest
 */
export function splitReference(text: string): SplitReference | undefined {
  if (text === "" || text.length > MAX_LENGTH) return undefined;
  const at = text.indexOf("@");
  const digest = at < 0 ? "" : text.slice(at + 1);
  if (at >= 0 && !DIGEST.test(digest)) return undefined;
  const named = at < 0 ? text : text.slice(0, at);
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const isHost = first.includes(".") || first.includes(":") || first === "localhost";
  const host = isHost ? first.toLowerCase() : "docker.io";
  const rest = isHost ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? (digest === "" ? "latest" : "") : rest.slice(colon + 1);
  if (!REPOSITORY.test(path) || (tag !== "" && !TAG.test(tag)) || (colon >= 0 && tag === "")) return undefined;
  const registry = HUB.has(host) ? "docker.io" : host;
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  return { registry, repository, tag, digest };
}

/** The reference in full, so that two spellings of the same image are one key. */
export function fullReference({ registry, repository, tag, digest }: SplitReference): string {
  return `${registry}/${repository}${tag === "" ? "" : `:${tag}`}${digest === "" ? "" : `@${digest}`}`;
}
