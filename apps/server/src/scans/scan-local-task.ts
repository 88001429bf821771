import { hostname } from "node:os";
import { type LocalImage, listLocalImages, type OpenOptions, openImage, parseReference } from "@bulwark/image";
import { CodedError } from "@bulwark/model";
import {
  addRegistry,
  announce,
  knownTags,
  listRegistries,
  markRepositoriesGone,
  recordRepository,
  type SeenTag,
  setRegistryState,
} from "@bulwark/store";
import type { TaskContext } from "../jobs/worker.ts";
import { settleBases } from "../rebuilds/settle-bases.ts";
import type { ScanDeps } from "./scan-image-task.ts";
import { scanIntoStore } from "./scan-into-store.ts";
import { settle } from "./settle.ts";

const SHOWN_PROBLEMS = 5;

export interface LocalDeps extends ScanDeps {
  /** Where this machine's daemons listen, if not where they usually do. */
  readonly sockets?: Pick<OpenOptions, "containerdSocket" | "dockerSocket" | "podmanSocket">;
}

/**
 * Scans the images that containerd, Docker and Podman keep on the machine that the worker runs on, as a registry of that
 * machine. What did not change since is not scanned again. The task's payload: `{ force? }`.
 */
export function scanLocalHandler(deps: LocalDeps): (context: TaskContext) => Promise<void> {
  return async (context) => {
    const { store, clock, sockets = {} } = deps;
    const { tenantId, signal } = context;
    const listing = await listLocalImages({ ...sockets, signal });
    if (listing.daemons.length === 0 && listing.problems.length === 0) {
      const why = `neither containerd nor docker nor podman runs on ${hostname()}`;
      throw new CodedError(
        "SOURCE_NOT_FOUND",
        why,
        "give the worker their socket, or scan the images in their registry",
      );
    }
    const registry = await registryOfNode(deps, tenantId);
    const problems = [...listing.problems];
    const repositories = byRepository(listing.images);
    let done = 0;
    for (const [name, images] of repositories) {
      const known = await store.tenant(tenantId, (db) => knownTags(db, registry, name));
      let isScanned = false;
      for (const [tag, image] of images) {
        signal.throwIfAborted();
        context.progress(done / Math.max(1, listing.images.length), `${name}:${tag}`);
        try {
          const isKnown = context.task.payload.force !== true && known.get(tag) === image.digest;
          if (!isKnown) await scanLocal(deps, context, { registry, repository: name, tag, image });
          isScanned ||= !isKnown;
        } catch (error) {
          if (signal.aborted) throw error;
          problems.push(`${name}:${tag}: ${error instanceof Error ? error.message : error}`);
        }
        done++;
      }
      const present = [...images.keys()];
      const id = await store.tenant(tenantId, async (db) => {
        const { id } = await recordRepository(db, { registry, name, changed: [], present }, clock());
        await settle(db, { repositories: [id] }, clock());
        return id;
      });
      if (isScanned || [...known.keys()].some((tag) => !images.has(tag)))
        await settleBases(store, tenantId, { repositories: [id] }, clock());
    }
    const gone = await store.tenant(tenantId, async (db) => {
      // A daemon that does not answer says nothing about what it keeps.
      const left =
        listing.problems.length > 0 ? [] : await markRepositoriesGone(db, registry, [...repositories.keys()], clock());
      if (left.length > 0) await settle(db, { repositories: left }, clock());
      const problem = problems.slice(0, SHOWN_PROBLEMS).join("; ");
      await setRegistryState(db, registry, { state: "ok", problem, syncedAt: clock(), triedAt: clock() });
      await announce(db, { topic: "registries", id: registry });
      return left;
    });
    if (gone.length > 0) await settleBases(store, tenantId, { repositories: gone }, clock());
  };
}

interface Place {
  readonly registry: number;
  readonly repository: string;
  readonly tag: string;
  readonly image: LocalImage;
}

async function scanLocal(
  { store, clock, tools, sockets = {} }: LocalDeps,
  { tenantId, signal }: TaskContext,
  { registry, repository, tag, image }: Place,
): Promise<void> {
  const namespace = image.namespace === "" ? {} : { containerdNamespace: image.namespace };
  const opened = await openImage(`${image.source}:${image.name}`, { ...sockets, ...namespace, signal });
  try {
    const scanTools = {
      store,
      clock,
      states: tools.states,
      scanners: await tools.scanners(),
      database: await tools.database(),
    };
    const { facts } = await scanIntoStore(opened, tenantId, scanTools, { signal });
    const { digest, platform } = facts.image;
    const seen: SeenTag = { name: tag, digest: image.digest, images: [{ digest, platform }] };
    await store.tenant(tenantId, async (db) => {
      await recordRepository(db, { registry, name: repository, changed: [seen] }, clock());
      await announce(db, { topic: "images", id: digest });
    });
  } finally {
    await opened.close();
  }
}

/** The registry that stands for the images of this machine. */
async function registryOfNode({ store }: LocalDeps, tenantId: number): Promise<number> {
  const name = `images of ${hostname()}`;
  return store.tenant(tenantId, async (db) => {
    const known = (await listRegistries(db)).find((each) => each.kind === "local" && each.name === name);
    const id = known?.id ?? (await addRegistry(db, { name, kind: "local", address: hostname(), settings: {} }));
    if (id === undefined) throw new Error(`the name "${name}" is taken by a registry`);
    return id;
  });
}

/** Images by repository and tag. Names that are digests only repeat images that have names. */
export function byRepository(images: readonly LocalImage[]): ReadonlyMap<string, ReadonlyMap<string, LocalImage>> {
  const found = new Map<string, Map<string, LocalImage>>();
  for (const image of images) {
    const named = nameOf(image.name);
    if (named === undefined) continue;
    const tags = found.get(named.repository) ?? new Map<string, LocalImage>();
    // The same name in two namespaces, or in two daemons, is told once where it is the same image.
    const tag =
      tags.has(named.tag) && tags.get(named.tag)?.digest !== image.digest
        ? `${named.tag} (${image.namespace || image.source})`
        : named.tag;
    tags.set(tag, image);
    found.set(named.repository, tags);
  }
  return found;
}

function nameOf(name: string): { readonly repository: string; readonly tag: string } | undefined {
  if (name.startsWith("sha256:") || name.includes("@")) return undefined;
  try {
    const { registry, repository, tag } = parseReference(name);
    return { repository: `${registry}/${repository}`, tag: tag === "" ? "latest" : tag };
  } catch {
    return { repository: name.slice(0, 255), tag: "latest" };
  }
}
