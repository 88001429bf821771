import { listLocalImages, openRepository, type Repository, removeLocalImage } from "@bulwark/image";
import {
  announce,
  beginDeletion,
  type CleanupItem,
  type CleanupTurn,
  type DeletedItem,
  deletedManifests,
  endCleanup,
  explainUnfinished,
  findZombies,
  getRegistry,
  type KeptManifest,
  listCleanups,
  namedElsewhere,
  nextCleanupItem,
  noteDeleted,
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
 * built upon meanwhile stays, and so do images of an index that other tags name. Its manifests are kept first, so that it can be put back, and
 * what was begun is brought to its end by the next try. What daemons of a node keep is removed by a worker of that
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
    const before = all - (cleanup.items.waiting ?? 0);
    const tried: number[] = [];
    let unfinished: unknown;
    for (;;) {
      signal.throwIfAborted();
      const item = await store.tenant(tenantId, (db) => nextCleanupItem(db, id, { node, tried }));
      if (item === undefined) break;
      const done = Math.min(all, before + tried.length);
      progress(all === 0 ? 1 : done / all, `${item.registry}/${item.repository}@${item.digest.slice(0, 19)}`);
      unfinished = (await cleanItem(deps, tenantId, cleanup.days, { ...item, node }, signal)) ?? unfinished;
      tried.push(item.id);
    }
    await store.tenant(tenantId, async (db) => {
      await endCleanup(db, id, clock());
      await announce(db, { topic: "images", id });
    });
    // The next try of this task goes on with what is left.
    if (unfinished !== undefined) throw unfinished;
  };
}

/** @returns why it is half done, where it is */
async function cleanItem(
  deps: CleanupDeps,
  tenantId: number,
  days: number,
  item: CleanupTurn & { readonly node: string },
  signal: AbortSignal,
): Promise<unknown> {
  const { store, clock } = deps;
  const settle = (state: CleanupItem["state"], why = "") =>
    store.tenant(tenantId, (db) => settleCleanupItem(db, item.id, { state, why, now: clock() }));
  const isUnused = await isStillUnused(deps, tenantId, days, item);
  const inUse = "it is in use again, held, or something stands on it";
  if (item.left.length === 0 && !isUnused) return settle("kept", inUse);
  let repository: Repository | undefined;
  let left = item.left;
  try {
    if (item.node !== "") {
      const { state, why } = await removeFromNode(deps, item, signal);
      return await settle(state, why);
    }
    repository = await openPlace(deps, tenantId, item, "pull,push,delete", signal);
    if (left.length === 0) {
      const begun = await beginItem(deps, tenantId, repository, item);
      if (typeof begun === "string") return await settle("kept", begun);
      left = begun;
    }
    // What was begun long ago may be whole all the same, and used by now.
    if (!isUnused && left[0] === item.digest && (await repository.manifest(item.digest)) !== undefined)
      return await settle("kept", inUse);
    await deleteLeft(deps, tenantId, repository, { ...item, left }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const why = (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
    if (left.length === 0 || (await isUntouched(repository, { ...item, left }))) return settle("failed", why);
    await store.tenant(tenantId, (db) => explainUnfinished(db, item.id, why));
    return error;
  } finally {
    repository?.close();
  }
}

async function isStillUnused(
  { store, clock }: CleanupDeps,
  tenantId: number,
  days: number,
  { repositoryId, digest }: CleanupItem,
): Promise<boolean> {
  const query = { sight: undefined, days, now: clock(), only: { repositoryId, digest }, limit: 1 };
  return (await store.tenant(tenantId, (db) => findZombies(db, query))).length > 0;
}

/**
 * Keeps the manifests of an item, which counts as deleted from here on: a server that dies later has lost nothing.
 *
 * @returns digests of what is to be deleted, or why it stays
 */
async function beginItem(
  { store, clock }: CleanupDeps,
  tenantId: number,
  repository: Repository,
  item: CleanupItem,
): Promise<readonly string[] | string> {
  const manifests = await readManifests(repository, item.digest);
  if (manifests.length === 0) return "the registry does not have it any more";
  const digests = manifests.map(({ digest }) => digest);
  return store.tenant(tenantId, async (db) => {
    const named = await namedElsewhere(db, item, digests);
    if (named.has(item.digest)) return "an index that another tag names has it";
    const left = digests.filter((digest) => !named.has(digest));
    return (await beginDeletion(db, item.id, { manifests, left, now: clock() })) ? left : "its job was cancelled";
  });
}

/** Deletes what is left of an item, each once more only where no tag came to name it, until it is put back or given up. */
async function deleteLeft(
  { store }: CleanupDeps,
  tenantId: number,
  repository: Repository,
  item: CleanupTurn,
  signal: AbortSignal,
): Promise<void> {
  for (let left = item.left; left[0] !== undefined; ) {
    signal.throwIfAborted();
    const [digest] = left;
    const named = await store.tenant(tenantId, (db) => namedElsewhere(db, item, [digest]));
    if (!named.has(digest)) await repository.deleteManifest(digest);
    left = await store.tenant(tenantId, (db) => noteDeleted(db, item.id, [digest]));
  }
}

/** Whether nothing of an item was deleted, as far as the registry tells: what the tags name goes first. */
async function isUntouched(repository: Repository | undefined, { digest, left }: CleanupTurn): Promise<boolean> {
  if (left[0] !== digest || repository === undefined) return false;
  return repository.manifest(digest).then(
    (found) => found !== undefined,
    () => false,
  );
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
 * Puts back what a cleanup deleted, with those of its tags that nobody pushed anew. It works until the registry has collected its
 * garbage.
 *
 * @throws ServerError `NOT_FOUND`, `CONFLICT` when the registry does not have the layers any more, or more of it is about to be deleted
 */
export async function restoreItem(deps: CleanupDeps, tenantId: number, itemId: number): Promise<void> {
  const { store, clock } = deps;
  const item = await store.tenant(tenantId, (db) => deletedManifests(db, itemId));
  if (item === undefined) throw notFound("deleted image", itemId);
  if (item.manifests.length === 0) {
    throw new ServerError("CONFLICT", "a node kept it, and no registry", "pull it there again");
  }
  if (item.isAtWork)
    throw new ServerError("CONFLICT", "it is being deleted", "cancel the job of its cleanup first, or wait");
  const repository = await openPlace(deps, tenantId, item, "pull,push");
  let moved: readonly string[];
  try {
    moved = await putBack(repository, item);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const next = "its layers may have been collected as garbage; build it again";
    throw new ServerError("CONFLICT", `the registry does not take it back: ${why}`, next, cause);
  } finally {
    repository.close();
  }
  const why = moved.length === 0 ? "" : `what was pushed since keeps its tags: ${moved.join(", ")}`;
  await store.tenant(tenantId, (db) => settleCleanupItem(db, itemId, { state: "restored", why, now: clock() }));
}

/** @returns tags that were pushed anew since, and stay where they are */
async function putBack(repository: Repository, { manifests, tags }: DeletedItem): Promise<readonly string[]> {
  const [named, ...parts] = manifests;
  for (const { bytes, mediaType } of parts) await repository.putManifest(Buffer.from(bytes, "base64"), mediaType);
  if (named === undefined) return [];
  const bytes = Buffer.from(named.bytes, "base64");
  await repository.putManifest(bytes, named.mediaType);
  const moved: string[] = [];
  for (const tag of tags) {
    const now = await repository.manifest(tag);
    if (now !== undefined && now.digest !== named.digest) moved.push(tag);
    else await repository.putManifest(bytes, named.mediaType, tag);
  }
  return moved;
}
