import { imageError } from "../errors.ts";
import { limitsWith } from "../limits.ts";
import type { OpenOptions } from "../open-options.ts";
import { type ImageReference, parseReference } from "../reference.ts";
import { openSession } from "./open-session.ts";
import { collectWhole, refused } from "./refused.ts";
import type { Session } from "./session.ts";

/** Asked for in one page; a registry may give fewer. */
const PAGE = 1_000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
/** Pages of one list: a registry that pages for ever is not followed for ever. */
const MAX_PAGES = 10_000;
const MAX_NAME = 255;
/** Distribution specification, "Pulling manifests". */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Lists of a registry. Names that are none by the specification are left out: anybody may have pushed them. */
export interface Catalog {
  /** All repositories that the account may list (distribution specification, "catalog" of Docker's registry API). */
  repositories(): AsyncGenerator<string>;
  tags(repository: string): AsyncGenerator<string>;
}

/**
 * Opens the lists of a registry.
 *
 * @param address `host[:port]`, with `http://` before it for plain HTTP
 * @throws (its functions) REGISTRY_AUTH, REGISTRY_REFUSED, REGISTRY_UNREACHABLE
 */
export function openCatalog(address: string, options: OpenOptions = {}): Catalog {
  const place = address.replace(/^https:\/\//, "").replace(/\/$/, "");
  return {
    repositories: () => {
      const reference = parseReference(`${place}/catalog:latest`);
      return names({ ...reference, repository: "" }, "v2/_catalog", "repositories", isRepository, options);
    },
    tags(repository) {
      const reference = parseReference(`${place}/${repository}:latest`);
      return names(reference, `v2/${repository}/tags/list`, "tags", (name) => TAG.test(name), options);
    },
  };
}

function isRepository(name: string): boolean {
  return name.length <= MAX_NAME && REPOSITORY.test(name);
}

async function* names(
  reference: ImageReference,
  path: string,
  member: "repositories" | "tags",
  isName: (name: string) => boolean,
  options: OpenOptions,
): AsyncGenerator<string> {
  const { client, session } = await openSession(reference, options, limitsWith(options.limits), "pull");
  try {
    let next: string | undefined = `${path}?n=${PAGE}`;
    let last = "";
    for (let page = 0; next !== undefined; page++) {
      if (page >= MAX_PAGES)
        throw imageError("REGISTRY_REFUSED", `${reference.registry} lists more than ${MAX_PAGES} pages`);
      const { found, link } = await readPage(session, reference, next, member, options.signal);
      yield* found.filter(isName);
      // A page that ends where the one before ended would come for ever.
      next = link === undefined || found.at(-1) === last ? undefined : link;
      last = found.at(-1) ?? "";
    }
  } finally {
    client.close();
  }
}

async function readPage(
  session: Session,
  reference: ImageReference,
  path: string,
  member: "repositories" | "tags",
  signal: AbortSignal | undefined,
): Promise<{ readonly found: readonly string[]; readonly link: string | undefined }> {
  const response = await session.get(path, { accept: "application/json" }, signal);
  if (response.status === 404 && member === "tags") {
    response.body.destroy();
    return { found: [], link: undefined };
  }
  if (response.status !== 200) throw await refused(reference, response);
  const bytes = await collectWhole(reference, response, MAX_PAGE_BYTES, signal);
  const list = parse(bytes)?.[member];
  const found = Array.isArray(list) ? list.filter((name) => typeof name === "string") : [];
  return { found, link: nextLink(response.headers.link) };
}

function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The path of `Link: </v2/_catalog?n=…&last=…>; rel="next"` (RFC 8288); a link to another host is none. */
function nextLink(header: string | readonly string[] | undefined): string | undefined {
  const target = /<([^>]{1,2000})>\s*;[^,]*rel="?next"?/.exec(String(header ?? ""))?.[1];
  if (target === undefined) return undefined;
  const url = new URL(target, "https://registry.invalid/");
  return url.hostname === "registry.invalid" || /^https?:/.test(target)
    ? `${url.pathname.slice(1)}${url.search}`
    : undefined;
}
