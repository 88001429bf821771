import { join } from "node:path";
import { openImage } from "@bulwark/image";
import { buildImage, type ImageInput, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { keepChainStates } from "@bulwark/scan";
import { makeScanners, openDatabase } from "@bulwark/scan/shipped";
import { addRegistry, recordRepository, type Store } from "@bulwark/store";
import { scanIntoStore } from "../scans/scan-into-store.ts";
import { settle } from "../scans/settle.ts";

/** Pushes images into a registry that is only told of, and scans them: everything but the network is real. */
export interface ScannedImages {
  /** @returns digest of the image */
  push(repository: string, tag: string, image: ImageInput): Promise<string>;
  close(): void;
}

export async function scannedImages(store: Store, tenantId: number, clock: () => Date): Promise<ScannedImages> {
  const directory = temporaryDirectory();
  const nothing = {
    secretRules: [],
    yaraRules: [],
    indicators: [],
    denyLists: [],
    registries: [],
    trustPackages: true,
  };
  const scanners = await makeScanners({ ...nothing, scanners: ["vuln", "secret", "malware", "config"] });
  const database = await openDatabase(undefined);
  const tools = { store, scanners, database, states: keepChainStates(), clock };
  const place = { name: "registry", kind: "oci", address: "registry.invalid", settings: {} } as const;
  const registry = (await store.tenant(tenantId, (db) => addRegistry(db, place))) ?? 1;
  let pushed = 0;
  return {
    async push(repository, tag, image) {
      const layout = join(directory.path, String(pushed++));
      writeLayout(buildImage(image), layout, "v1");
      const opened = await openImage(`oci:${layout}:v1`);
      const { digest, platform } = opened;
      const changed = [{ name: tag, digest, images: [{ digest, platform }] }];
      await store.tenant(tenantId, async (db) => {
        const { id } = await recordRepository(db, { registry, name: repository, changed }, clock());
        await settle(db, { repositories: [id] }, clock());
      });
      const { imageId } = await scanIntoStore(opened, tenantId, tools);
      await store.tenant(tenantId, (db) => settle(db, { images: [imageId] }, clock()));
      await opened.close();
      return digest;
    },
    close() {
      database.close();
      directory.remove();
    },
  };
}
