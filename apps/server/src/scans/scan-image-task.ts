import { openImage } from "@bulwark/image";
import { CodedError } from "@bulwark/model";
import { announce, failImage, getRegistry, placeOfImage, type Store } from "@bulwark/store";
import { notFound } from "../errors.ts";
import type { TaskContext } from "../jobs/worker.ts";
import { placeOf, registryAccess } from "../registries/access.ts";
import type { SecretBox } from "../security/secret-box.ts";
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
    await store.tenant(tenantId, async (db) => {
      await settle(db, { images: [imageId] }, clock());
      await announce(db, { topic: "images", id: digest });
    });
  } finally {
    await opened.close();
  }
}
