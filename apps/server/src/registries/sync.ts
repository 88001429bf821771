import { type OpenOptions, openCatalog, openRepository } from "@bulwark/image";
import { matchesGlob } from "@bulwark/policy";
import {
  addTasks,
  announce,
  getRegistry,
  knownTags,
  markRepositoriesGone,
  type NewTask,
  type Registry,
  recordRepository,
  type SeenTag,
  type Store,
  setRegistryState,
} from "@bulwark/store";
import { notFound } from "../errors.ts";
import type { Queue } from "../jobs/queue.ts";
import type { TaskContext } from "../jobs/worker.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { placeOf, registryAccess } from "./access.ts";
import { imagesBehind } from "./manifests.ts";

const MAX_REPOSITORIES = 200_000;
const MAX_TAGS = 50_000;

export interface SyncDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly queue: Queue;
  readonly clock: () => Date;
}

/**
 * Brings what is known of a registry up to date: repositories, tags by digest, what is gone. Only what changed is asked for
 * by manifest; images that were never scanned become tasks of the same job.
 *
 * The task's payload: `{ registry, repository? }`.
 */
export function syncHandler(deps: SyncDeps): (context: TaskContext) => Promise<void> {
  return async (context) => {
    const { tenantId, task } = context;
    const id = Number(task.payload.registry);
    const registry = await deps.store.tenant(tenantId, (db) => getRegistry(db, id));
    if (registry === undefined) throw notFound("registry", id);
    const state = (change: Parameters<typeof setRegistryState>[2]) =>
      deps.store.tenant(tenantId, async (db) => {
        await setRegistryState(db, id, change);
        await announce(db, { topic: "registries", id });
      });
    await state({ state: "syncing" });
    try {
      await syncRegistry(deps, context, registry);
      await state({ state: "ok", syncedAt: deps.clock() });
    } catch (error) {
      await state({ state: "failed", problem: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
}

async function syncRegistry(deps: SyncDeps, context: TaskContext, registry: Registry): Promise<void> {
  const { store, secrets, clock } = deps;
  const { tenantId, signal, task } = context;
  const access = { ...(await registryAccess(store, secrets, tenantId, registry)), signal };
  const only = typeof task.payload.repository === "string" ? task.payload.repository : undefined;
  const names = only === undefined ? await wantedRepositories(registry, access) : [only];
  for (const [index, name] of names.entries()) {
    context.progress(index / names.length, name);
    await syncRepository(deps, context, registry, name, access);
  }
  if (only !== undefined) return;
  await store.tenant(tenantId, (db) => markRepositoriesGone(db, registry.id, names, clock()));
}

async function wantedRepositories(registry: Registry, access: OpenOptions): Promise<readonly string[]> {
  const { include = [], exclude = [] } = registry.settings;
  const names: string[] = [];
  for await (const name of openCatalog(placeOf(registry), access).repositories()) {
    const isIncluded = include.length === 0 || include.some((glob) => matchesGlob(glob, name));
    if (isIncluded && !exclude.some((glob) => matchesGlob(glob, name))) names.push(name);
    if (names.length >= MAX_REPOSITORIES) break;
  }
  return names;
}

async function syncRepository(
  { store, queue, clock }: SyncDeps,
  { tenantId, task }: TaskContext,
  registry: Registry,
  name: string,
  access: OpenOptions,
): Promise<void> {
  const present: string[] = [];
  for await (const tag of openCatalog(placeOf(registry), access).tags(name)) {
    present.push(tag);
    if (present.length >= MAX_TAGS) break;
  }
  const known = await store.tenant(tenantId, (db) => knownTags(db, registry.id, name));
  const changed = await changedTags(registry, name, present, known, access);
  const { unscanned } = await store.tenant(tenantId, (db) =>
    recordRepository(db, { registry: registry.id, name, changed, present }, clock()),
  );
  const tasks: NewTask[] = unscanned.map(({ digest }) => ({
    kind: "scan-image",
    name: `${registry.name}/${name}@${digest.slice(0, 19)}`,
    payload: { digest, registry: registry.id, repository: name },
  }));
  const ids = await store.tenant(tenantId, (db) => addTasks(db, task.jobId, tasks));
  const perMinute = registry.settings.imagesPerMinute ?? 0;
  await queue.add(
    ids.map((taskId) => ({ tenantId, taskId })),
    perMinute === 0 ? 0 : 60 / perMinute,
  );
}

/** Tags whose digest is another than before, with the images behind them. */
async function changedTags(
  registry: Registry,
  name: string,
  present: readonly string[],
  known: ReadonlyMap<string, string>,
  access: OpenOptions,
): Promise<readonly SeenTag[]> {
  const repository = await openRepository(`${placeOf(registry)}/${name}`, "pull", access);
  try {
    const changed: SeenTag[] = [];
    for (const tag of present) {
      const manifest = await repository.manifest(tag);
      if (manifest === undefined || manifest.digest === known.get(tag)) continue;
      const images = imagesBehind(manifest);
      if (images.length > 0) changed.push({ name: tag, digest: manifest.digest, images });
    }
    return changed;
  } finally {
    repository.close();
  }
}
