import { openImage, openRepository, type Repository } from "@bulwark/image";
import { CodedError } from "@bulwark/model";
import {
  announce,
  failImage,
  getRegistry,
  indexesToAsk,
  placeOfImage,
  type Store,
  setProvenBase,
} from "@bulwark/store";
import { notFound } from "../errors.ts";
import type { TaskContext } from "../jobs/worker.ts";
import { settleBases } from "../rebuilds/settle-bases.ts";
import { placeOf, registryAccess } from "../registries/access.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { provenBase } from "./provenance.ts";
import { scanIntoStore } from "./scan-into-store.ts";
import { settle } from "./settle.ts";
import type { ScannerTools } from "./tools.ts";

export interface ScanDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly tools: ScannerTools;
  readonly clock: () => Date;
}

/** Scans one image of a registry. The task's payload: `{ digest }`. */
export function scanImageHandler(deps: ScanDeps): (context: TaskContext) => Promise<void> {
  return async (context) => {
    const digest = String(context.task.payload.digest);
    try {
      await scanImage(deps, context, digest);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (!context.signal.aborted) {
        await deps.store.tenant(context.tenantId, (db) => failImage(db, digest, problem));
      }
      throw error;
    }
  };
}

async function scanImage(
  { store, secrets, tools, clock }: ScanDeps,
  { tenantId, signal, progress }: TaskContext,
  digest: string,
): Promise<void> {
  const place = await store.tenant(tenantId, (db) => placeOfImage(db, digest));
  if (place === undefined) throw notFound("image", digest);
  const registry = await store.tenant(tenantId, (db) => getRegistry(db, place.registry));
  if (registry === undefined) throw notFound("registry", place.registry);
  if (registry.kind === "local") {
    const why = `the image lies on ${registry.address} alone, in no registry`;
    throw new CodedError("SOURCE_NOT_FOUND", why, "scan the local images of that machine again");
  }
  const access = await registryAccess(store, secrets, tenantId, registry);
  progress(0, "opening");
  const opened = await openImage(`${placeOf(registry)}/${place.repository}@${digest}`, { ...access, signal });
  try {
    const { imageId } = await scanIntoStore(
      opened,
      tenantId,
      { store, clock, states: tools.states, scanners: await tools.scanners(), database: await tools.database() },
      {
        signal,
        onProgress: ({ bytesRead, bytesTotal, layersDone, layers }) =>
          progress(bytesTotal === 0 ? 1 : bytesRead / bytesTotal, `layer ${layersDone} of ${layers}`),
      },
    );
    await noteProvenance(store, tenantId, imageId, digest, place.repository, () =>
      openRepository(`${placeOf(registry)}/${place.repository}`, "pull", { ...access, signal }),
    );
    await store.tenant(tenantId, async (db) => {
      await settle(db, { images: [imageId] }, clock());
      await announce(db, { topic: "images", id: digest });
    });
    await settleBases(store, tenantId, { images: [imageId] }, clock());
  } finally {
    await opened.close();
  }
}

/** An attestation that is damaged or gone says nothing of the base; that the registry cannot be asked is another matter. */
const OF_ONE: ReadonlySet<string> = new Set(["DIGEST_MISMATCH", "IMAGE_NOT_FOUND", "MANIFEST_INVALID"]);

function unreadable(error: unknown): undefined {
  if (error instanceof CodedError && OF_ONE.has(error.code)) return undefined;
  throw error;
}

/** Where an image does not say on what it stands, its build provenance may. Without one, or a readable one, nothing changes. */
async function noteProvenance(
  store: Store,
  tenantId: number,
  imageId: number,
  digest: string,
  name: string,
  open: () => Promise<Repository>,
): Promise<void> {
  const indexes = await store.tenant(tenantId, (db) => indexesToAsk(db, imageId, name));
  if (indexes.length === 0) return;
  const repository = await open();
  try {
    for (const index of indexes) {
      const base = await provenBase(repository, index, digest).catch(unreadable);
      if (base === undefined) continue;
      await store.tenant(tenantId, (db) => setProvenBase(db, imageId, base));
      return;
    }
  } finally {
    repository.close();
  }
}
