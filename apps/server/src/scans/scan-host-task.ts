import { hostname } from "node:os";
import { type OpenedImage, openImage } from "@bulwark/image";
import { addRegistry, announce, listRegistries, recordRepository, setRegistryState } from "@bulwark/store";
import type { TaskContext } from "../jobs/worker.ts";
import { digestOfText } from "./digest.ts";
import type { ScanDeps } from "./scan-image-task.ts";
import { scanIntoStore } from "./scan-into-store.ts";
import { settle } from "./settle.ts";

/** The registry that stands for machines themselves. */
const HOSTS = "hosts";

/** Not what the machine is made of: passing files, and the files of images and containers, which are scanned as such. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "tmp",
  "var/tmp",
  "var/cache",
  "var/lib/containerd",
  "var/lib/containers",
  "var/lib/docker",
  "var/lib/kubelet",
]);

/**
 * Scans the root file system of the machine that the worker runs on, as an image of one layer under the name of the host.
 * The task's payload: `{ root }`.
 */
export function scanHostHandler({ store, tools, clock }: ScanDeps): (context: TaskContext) => Promise<void> {
  return async ({ tenantId, task, signal, progress }) => {
    const root = String(task.payload.root ?? "/");
    progress(0, "reading files");
    const opened = withoutPassing(await openImage(`dir:${root}`, { signal }));
    try {
      const { imageId, facts } = await scanIntoStore(
        opened,
        tenantId,
        { store, clock, states: tools.states, scanners: await tools.hostScanners(), database: await tools.database() },
        { signal, digestOf: (found) => digestOfText(JSON.stringify([hostname(), root, found.chainDigests])) },
      );
      const { digest, platform } = facts.image;
      await store.tenant(tenantId, async (db) => {
        const known = (await listRegistries(db)).find(({ kind, name }) => kind === "local" && name === HOSTS);
        const address = "local";
        const registry = known?.id ?? (await addRegistry(db, { name: HOSTS, kind: "local", address, settings: {} }));
        if (registry === undefined) throw new Error("the name hosts is taken by a registry");
        const tag = { name: "current", digest, images: [{ digest, platform }] };
        await recordRepository(db, { registry, name: hostname(), changed: [tag], present: ["current"] }, clock());
        await setRegistryState(db, registry, { state: "ok", syncedAt: clock() });
        await settle(db, { images: [imageId] }, clock());
        await announce(db, { topic: "images", id: digest });
      });
    } finally {
      await opened.close();
    }
  };
}

function withoutPassing(opened: OpenedImage): OpenedImage {
  return {
    ...opened,
    readLayer: (index, visit, options) =>
      opened.readLayer(index, visit, { ...options, skipDirectory: (path) => LEFT_OUT.has(path) }),
  };
}
