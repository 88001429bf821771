import { type OpenOptions, openCatalog, openRepository, type Repository } from "@bulwark/image";
import { CodedError } from "@bulwark/model";
import { matchesGlob } from "@bulwark/policy";
import type { Registry, SeenTag } from "@bulwark/store";
import { createOutbound } from "../security/outbound.ts";
import { placeOf } from "./access.ts";
import { harborRepositories } from "./harbor.ts";
import { imagesBehind } from "./manifests.ts";
import { registryProblem } from "./problem-of.ts";

const MAX_REPOSITORIES = 200_000;
const MAX_TAGS = 50_000;
/** Tags of a repository that are asked for at once. */
const TAGS_AT_ONCE = 8;
/** What says something about one tag or repository, and nothing about the others. */
const LOCAL: ReadonlySet<string> = new Set([
  "IMAGE_NOT_FOUND",
  "MANIFEST_INVALID",
  "DIGEST_MISMATCH",
  "REGISTRY_REFUSED",
  "REGISTRY_AUTH",
  "LAYER_LIMIT",
]);

/**
 * The repositories that the settings of a registry ask for.
 *
 * @throws REGISTRY_AUTH, REGISTRY_REFUSED, REGISTRY_UNREACHABLE
 */
export async function listWanted(registry: ListedRegistry, access: OpenOptions): Promise<readonly string[]> {
  const listing = openListing(registry, access);
  try {
    return await wanted(registry, listing.names);
  } finally {
    listing.close();
  }
}

type ListedRegistry = Pick<Registry, "name" | "kind" | "address" | "settings">;

/** All repositories of a registry, from where its kind keeps the list. */
export function openListing(
  registry: Omit<ListedRegistry, "name">,
  access: OpenOptions,
): { readonly names: AsyncIterable<string>; close(): void } {
  const place = placeOf(registry);
  if (registry.kind !== "harbor") return { names: openCatalog(place, access).repositories(), close: () => {} };
  const { allowPrivate = false, caPem } = registry.settings;
  const outbound = createOutbound({ allowPrivate, ...(caPem === undefined ? {} : { ca: caPem }) });
  const base = place.startsWith("http://") ? place : `https://${place}`;
  const { credentials, signal } = access;
  return { names: harborRepositories({ outbound, base, credentials, signal }), close: () => outbound.close() };
}

async function wanted(registry: ListedRegistry, all: AsyncIterable<string>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const name of all) {
    if (!isWanted(registry, name)) continue;
    names.push(name);
    // A list that is cut short would say of the rest that it is gone.
    if (names.length > MAX_REPOSITORIES) {
      const why = `${registry.name} lists more than ${MAX_REPOSITORIES} repositories`;
      throw new CodedError("REGISTRY_REFUSED", why, "connect it in parts, with globs of repositories to include");
    }
  }
  return names;
}

/** Whether a repository is among those that the settings of its registry ask for. */
export function isWanted({ settings }: Pick<Registry, "settings">, name: string): boolean {
  const { include = [], exclude = [] } = settings;
  const isIncluded = include.length === 0 || include.some((glob) => matchesGlob(glob, name));
  return isIncluded && !exclude.some((glob) => matchesGlob(glob, name));
}

/** What a repository holds, as far as it differs from what is known. */
export interface ReadRepository {
  readonly changed: readonly SeenTag[];
  /** Undefined when the list could not be had whole: nothing is known to be gone then. */
  readonly present: readonly string[] | undefined;
  readonly problems: readonly string[];
}

/**
 * Reads the tags of a repository. A tag whose digest is known is asked for that alone.
 *
 * @param known the digest of each tag, as it was
 * @throws REGISTRY_UNREACHABLE, CANCELLED; what is wrong with one tag or repository becomes a problem
 */
export async function readRepository(
  registry: Registry,
  name: string,
  known: ReadonlyMap<string, string>,
  access: OpenOptions,
): Promise<ReadRepository> {
  const problems: string[] = [];
  const present: string[] = [];
  const listing = await orProblem(problems, `${name}`, async () => {
    for await (const tag of openCatalog(placeOf(registry), access).tags(name)) {
      present.push(tag);
      if (present.length > MAX_TAGS) {
        throw new CodedError("REGISTRY_REFUSED", `it has more than ${MAX_TAGS} tags`, "remove tags that nobody needs");
      }
    }
    return true;
  });
  if (listing === undefined) return { changed: [], present: undefined, problems };
  const repository = await openRepository(`${placeOf(registry)}/${name}`, "pull", access);
  try {
    const changed: SeenTag[] = [];
    const waiting = [...present];
    const reader = async () => {
      for (let tag = waiting.shift(); tag !== undefined; tag = waiting.shift()) {
        const wantedTag = tag;
        const seen = await orProblem(problems, `${name}:${tag}`, () => readTag(repository, wantedTag, known));
        if (seen !== undefined) changed.push(seen);
      }
    };
    await Promise.all(Array.from({ length: TAGS_AT_ONCE }, reader));
    return { changed, present, problems };
  } finally {
    repository.close();
  }
}

async function readTag(
  repository: Repository,
  tag: string,
  known: ReadonlyMap<string, string>,
): Promise<SeenTag | undefined> {
  const before = known.get(tag);
  if (before !== undefined && (await repository.digestOf(tag)) === before) return undefined;
  const manifest = await repository.manifest(tag);
  if (manifest === undefined || manifest.digest === before) return undefined;
  return { name: tag, digest: manifest.digest, images: imagesBehind(manifest) };
}

async function orProblem<Result>(
  problems: string[],
  what: string,
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CodedError) || !LOCAL.has(error.code)) throw error;
    problems.push(`${what}: ${registryProblem(error)}`);
    return undefined;
  }
}
