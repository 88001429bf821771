import { listLocalImages, openRepository, type Repository, removeLocalImage } from "@bulwark/image";
import {
  announce,
  type CleanupItem,
  deletedManifests,
  endCleanup,
  findZombies,
  getRegistry,
  type KeptManifest,
  listCleanups,
  namedElsewhere,
  nextCleanupItem,
  type Store,
  settleCleanupItem,
} from "@bulwark/store";
import { notFound, ServerError } from "../errors.ts";
import type { TaskContext } from "../jobs/worker.ts";
import { placeOf, registryAccess } from "../registries/access.ts";
import { imagesBehind } from "../registries/manifests.ts";
import { byRepository, type LocalDeps } from "../scans/scan-local-task.ts";
import type { SecretBox } from "../security/secret-box.ts";

export interface CleanupDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly clock: () => Date;
  /** Where this machine's daemons listen, if not where they usually do. */
  readonly sockets?: LocalDeps["sockets"];
}

/**
 * Deletes what a cleanup names, one after the other. Each is looked at once more right before: what somebody used, held or
 * built upon meanwhile stays, and so do images of an index that other tags name. Its manifests are kept first, so that it can be put back. What daemons of a node keep is removed by a worker of that
 * node, and cannot be put back from here. The task's payload: `{ cleanup, node }`.
 */
export function cleanUpHandler(deps: CleanupDeps): (context: TaskContext) => Promise<void> {
  return async ({ tenantId, task, signal, progress }) => {
    const { store, clock } = deps;
    const id = Number(task.payload.cleanup);
    const node = typeof task.payload.node === "string" ? task.payload.node : "";
    const [cleanup] = await store.tenant(tenantId, (db) => listCleanups(db, { id, limit: 1 }));
    if (cleanup === undefined) throw notFound("cleanup", id);
    const all = Object.values(cleanup.items).reduce((sum, count) => sum + count, 0);
    for (let done = all - (cleanup.items.waiting ?? 0); ; done++) {
      signal.throwIfAborted();
      const item = await store.tenant(tenantId, (db) => nextCleanupItem(db, id, node));
      if (item === undefined) break;
      progress(all === 0 ? 1 : done / all, `${item.registry}/${item.repository}@${item.digest.slice(0, 19)}`);
      await cleanItem(deps, tenantId, cleanup.days, { ...item, node }, signal);
    }
    await store.tenant(tenantId, async (db) => {
      await endCleanup(db, id, clock());
      await announce(db, { topic: "images", id });
    });
  };
}

async function cleanItem(
  deps: CleanupDeps,
  tenantId: number,
  days: number,
  item: CleanupItem & { readonly node: string },
  signal: AbortSignal,
): Promise<void> {
  const { store, clock } = deps;
  const settle = (change: Omit<Parameters<typeof settleCleanupItem>[2], "now">) =>
    store.tenant(tenantId, (db) => settleCleanupItem(db, item.id, { ...change, now: clock() }));
  const { repositoryId, digest } = item;
  const only = { repositoryId, digest };
  const still = await store.tenant(tenantId, (db) =>
    findZombies(db, { sight: undefined, days, now: clock(), only, limit: 1 }),
  );
  if (still.length === 0) return settle({ state: "kept", why: "it is in use again, held, or something stands on it" });
  let repository: Repository | undefined;
  try {
    if (item.node !== "") return await settle(await removeFromNode(deps, item, signal));
    repository = await openPlace(deps, tenantId, item, "pull,push,delete", signal);
    const manifests = await readManifests(repository, digest);
    if (manifests.length === 0) return await settle({ state: "kept", why: "the registry does not have it any more" });
    const digests = manifests.map((manifest) => manifest.digest);
    const named = await store.tenant(tenantId, (db) => namedElsewhere(db, item, digests));
    if (named.has(digest)) return await settle({ state: "kept", why: "an index that another tag names has it" });
    // Kept before it is deleted: a server that dies between the two has lost nothing.
    await store.tenant(tenantId, (db) => settleCleanupItem(db, item.id, { state: "waiting", manifests, now: clock() }));
    for (const each of digests) if (!named.has(each)) await repository.deleteManifest(each);
    await settle({ state: "deleted" });
  } catch (error) {
    if (signal.aborted) throw error;
    await settle({ state: "failed", why: (error instanceof Error ? error.message : String(error)).slice(0, 1_000) });
  } finally {
    repository?.close();
  }
}

/** Removes what daemons of this machine keep under the tags, as long as it is what was looked at. */
async function removeFromNode(
  { sockets = {} }: CleanupDeps,
  { repository, digest, tags }: CleanupItem,
  signal: AbortSignal,
): Promise<{ readonly state: CleanupItem["state"]; readonly why?: string }> {
  const { images } = await listLocalImages({ ...sockets, signal });
  const found = [...(byRepository(images).get(repository) ?? [])].filter(
    ([tag, image]) => tags.includes(tag) && image.digest === digest,
  );
  if (found.length === 0) return { state: "kept", why: "the node does not have it any more, or names another by it" };
  for (const [, image] of found) await removeLocalImage(image, { ...sockets, signal });
  return { state: "deleted" };
}

/** A manifest, and those of its images where it is an index. */
async function readManifests(repository: Repository, digest: string): Promise<readonly KeptManifest[]> {
  const found = await repository.manifest(digest);
  if (found === undefined) return [];
  const kept = [keptOf(found)];
  for (const image of imagesBehind(found)) {
    const own = image.digest === digest ? undefined : await repository.manifest(image.digest);
    if (own !== undefined) kept.push(keptOf(own));
  }
  return kept;
}

function keptOf({ digest, mediaType, bytes }: { digest: string; mediaType: string; bytes: Uint8Array }): KeptManifest {
  return { digest, mediaType, bytes: Buffer.from(bytes).toString("base64") };
}

async function openPlace(
  { store, secrets }: CleanupDeps,
  tenantId: number,
  { registryId, repository }: Pick<CleanupItem, "registryId" | "repository">,
  scope: Parameters<typeof openRepository>[1],
  signal?: AbortSignal,
): Promise<Repository> {
  const registry = await store.tenant(tenantId, (db) => getRegistry(db, registryId));
  if (registry === undefined) throw notFound("registry", registryId);
  const access = await registryAccess(store, secrets, tenantId, registry);
  return openRepository(`${placeOf(registry)}/${repository}`, scope, {
    ...access,
    ...(signal === undefined ? {} : { signal }),
  });
}

/**
 * Puts back what a cleanup deleted, with its tags. It works until the registry has collected its garbage.
 *
 * @throws ServerError `NOT_FOUND`, `CONFLICT` when the registry does not have the layers any more
 */
export async function restoreItem(deps: CleanupDeps, tenantId: number, itemId: number): Promise<void> {
  const { store, clock } = deps;
  const item = await store.tenant(tenantId, (db) => deletedManifests(db, itemId));
  if (item === undefined) throw notFound("deleted image", itemId);
  if (item.manifests.length === 0) {
    throw new ServerError("CONFLICT", "a node kept it, and no registry", "pull it there again");
  }
  const repository = await openPlace(deps, tenantId, item, "pull,push");
  try {
    const [named, ...parts] = item.manifests;
    for (const { bytes, mediaType } of parts) await repository.putManifest(Buffer.from(bytes, "base64"), mediaType);
    if (named !== undefined) {
      const bytes = Buffer.from(named.bytes, "base64");
      for (const tag of item.tags) await repository.putManifest(bytes, named.mediaType, tag);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const next = "its layers may have been collected as garbage; build it again";
    throw new ServerError("CONFLICT", `the registry does not take it back: ${why}`, next, cause);
  } finally {
    repository.close();
  }
  await store.tenant(tenantId, (db) => settleCleanupItem(db, itemId, { state: "restored", now: clock() }));
}
