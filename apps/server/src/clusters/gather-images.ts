import { namesOfImages, type Store } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";

/** Scans end one after the other: what changed meanwhile is told at once. */
const GATHER_MS = 250;
/** More than that is told as everything. */
const MAX_IMAGES = 500;

/** Images that changed, gathered by tenant. */
export interface GatheredImages {
  /** @param id of the image; anything else stands for all of them */
  add(tenantId: number, id: number | string): void;
  close(): void;
}

/** @param tell digests by which pods name the images that changed; undefined: any may have */
export function gatherImages(
  { store, log }: { readonly store: Store; readonly log: FastifyBaseLogger },
  tell: (tenantId: number, digests: readonly string[] | undefined) => void,
): GatheredImages {
  const gathered = new Map<number, { readonly ids: Set<number>; isAll: boolean; readonly timer: NodeJS.Timeout }>();
  const flush = async (tenantId: number) => {
    const { ids, isAll } = gathered.get(tenantId)!;
    gathered.delete(tenantId);
    if (isAll || ids.size > MAX_IMAGES) return tell(tenantId, undefined);
    tell(tenantId, await store.tenant(tenantId, (db) => namesOfImages(db, [...ids])));
  };
  return {
    add(tenantId, id) {
      const known = gathered.get(tenantId);
      const begin = () =>
        void flush(tenantId).catch((err) => {
          log.warn({ err }, "what changed of images could not be looked up; it is told as everything");
          tell(tenantId, undefined);
        });
      const entry = known ?? { ids: new Set(), isAll: false, timer: setTimeout(begin, GATHER_MS).unref() };
      gathered.set(tenantId, entry);
      const number = Number(id);
      if (Number.isInteger(number) && number > 0) entry.ids.add(number);
      else entry.isAll = true;
    },
    close() {
      for (const { timer } of gathered.values()) clearTimeout(timer);
    },
  };
}
