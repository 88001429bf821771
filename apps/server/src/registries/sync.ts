import type { OpenOptions } from "@bulwark/image";
import {
  addTasks,
  announce,
  getRegistry,
  knownTags,
  markRepositoriesGone,
  type NewTask,
  type Registry,
  recordRepository,
  type Store,
  setRegistryState,
} from "@bulwark/store";
import { notFound } from "../errors.ts";
import type { Queue } from "../jobs/queue.ts";
import { enqueue } from "../jobs/start-job.ts";
import type { TaskContext } from "../jobs/worker.ts";
import { settleBases } from "../rebuilds/settle-bases.ts";
import { settle } from "../scans/settle.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { registryAccess } from "./access.ts";
import { registryProblem } from "./problem-of.ts";
import { listWanted, readRepository } from "./read-registry.ts";

/** Problems of single tags and repositories that a registry shows; the rest is counted. */
const SHOWN_PROBLEMS = 5;

export interface SyncDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly queue: Queue;
  readonly clock: () => Date;
}

/**
 * Brings what is known of a registry up to date: repositories, tags by digest, what is gone. Only what changed is asked for
 * by manifest; images that were never scanned become tasks of the same job. What cannot be read of it is told and does not
 * keep the rest from being read.
 *
 * The task's payload: `{ registry, repository? }`.
 */
export function syncHandler(deps: SyncDeps): (context: TaskContext) => Promise<void> {
  return async (context) => {
    const { tenantId, task, signal } = context;
    const id = Number(task.payload.registry);
    const registry = await deps.store.tenant(tenantId, (db) => getRegistry(db, id));
    if (registry === undefined) throw notFound("registry", id);
    const only = typeof task.payload.repository === "string" ? task.payload.repository : undefined;
    const tell = (change: Parameters<typeof setRegistryState>[2]) =>
      deps.store.tenant(tenantId, async (db) => {
        await setRegistryState(db, id, change);
        await announce(db, { topic: "registries", id });
      });
    if (only === undefined) await tell({ state: "syncing", triedAt: deps.clock() });
    try {
      const problems = await syncRegistry(deps, context, registry, only);
      if (only === undefined) await tell({ state: "ok", problem: summaryOf(problems), syncedAt: deps.clock() });
    } catch (error) {
      // Whoever stopped it knows; the registry has no problem.
      if (signal.aborted) await tell({ state: registry.syncedAt === null ? "new" : "ok" });
      else await tell({ state: "failed", problem: registryProblem(error) });
      throw error;
    }
  };
}

async function syncRegistry(
  deps: SyncDeps,
  context: TaskContext,
  registry: Registry,
  only: string | undefined,
): Promise<readonly string[]> {
  const { store, secrets, clock } = deps;
  const { tenantId, signal } = context;
  const access = { ...(await registryAccess(store, secrets, tenantId, registry)), signal };
  const problems: string[] = [];
  const names = only === undefined ? await listWanted(registry, access) : [only];
  for (const [index, name] of names.entries()) {
    signal.throwIfAborted();
    context.progress(index / names.length, name);
    for (const problem of await syncRepository(deps, context, registry, name, access)) problems.push(problem);
  }
  if (only === undefined) {
    const repositories = await store.tenant(tenantId, async (db) => {
      const gone = await markRepositoriesGone(db, registry.id, names, clock());
      if (gone.length > 0) await settle(db, { repositories: gone }, clock());
      return gone;
    });
    if (repositories.length > 0) await settleBases(store, tenantId, { repositories }, clock());
  }
  return problems;
}

async function syncRepository(
  deps: SyncDeps,
  { tenantId, task }: TaskContext,
  registry: Registry,
  name: string,
  access: OpenOptions,
): Promise<readonly string[]> {
  const { store, clock } = deps;
  const known = await store.tenant(tenantId, (db) => knownTags(db, registry.id, name));
  const { changed, present, problems } = await readRepository(registry, name, known, access);
  const { id, isMoved, tickets } = await store.tenant(tenantId, async (db) => {
    const seen = { registry: registry.id, name, changed, ...(present === undefined ? {} : { present }) };
    const { id, unscanned } = await recordRepository(db, seen, clock());
    // A tag that moved to an image that is known, or was deleted, changes what is at risk without a scan.
    const isMoved = changed.length > 0 || [...known.keys()].some((tag) => present?.includes(tag) === false);
    if (isMoved) await settle(db, { repositories: [id] }, clock());
    const tasks: NewTask[] = unscanned.map(({ digest }) => ({
      kind: "scan-image",
      name: `${registry.name}/${name}@${digest.slice(0, 19)}`,
      payload: { digest, registry: registry.id, repository: name },
    }));
    const added = await addTasks(db, task.jobId, tasks);
    if (added.length > 0) await announce(db, { topic: "jobs", id: task.jobId });
    return { id, isMoved, tickets: added };
  });
  await enqueue(deps, tenantId, tickets);
  if (isMoved) await settleBases(store, tenantId, { repositories: [id] }, clock());
  return problems;
}

function summaryOf(problems: readonly string[]): string {
  const shown = problems.slice(0, SHOWN_PROBLEMS).join("; ");
  return problems.length <= SHOWN_PROBLEMS ? shown : `${shown}; and ${problems.length - SHOWN_PROBLEMS} more`;
}
