import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { OpenedImage } from "@bulwark/image";
import type { ImageFacts } from "@bulwark/model";
import {
  type ChainStates,
  collectFacts,
  decodeLayerReport,
  encodeLayerReport,
  type LayerReports,
  type ScanProgress,
} from "@bulwark/scan";
import type { Scanners } from "@bulwark/scan/shipped";
import { ingestImage, knownChains, loadLayerReport, type Store, saveLayerReport } from "@bulwark/store";
import { digestOfText } from "./digest.ts";
import { matcherOf, stateOfDatabase } from "./match.ts";

/** What a worker scans with. */
export interface ScanTools {
  readonly store: Store;
  readonly database: AdvisoryDatabase;
  readonly scanners: Scanners;
  readonly states: ChainStates;
  readonly clock: () => Date;
}

export interface StoredScan {
  readonly imageId: number;
  readonly facts: ImageFacts;
}

/**
 * Scans an opened image and takes what it tells into the store. Layers that any worker of the estate read are not read
 * again; each one that is read is kept as soon as it is done.
 */
export async function scanIntoStore(
  opened: OpenedImage,
  tenantId: number,
  tools: ScanTools,
  options: {
    readonly signal?: AbortSignal;
    /** Names the image where its source gives no digest, as a root file system. */
    readonly digestOf?: (facts: ImageFacts) => string;
    readonly onProgress?: (progress: ScanProgress) => void;
  } = {},
): Promise<StoredScan> {
  const { store, scanners, states, database, clock } = tools;
  const told = await collectFacts(opened, {
    content: scanners.content,
    inspection: scanners.inspection,
    ...(scanners.components === undefined ? {} : { components: scanners.components }),
    scanners: ["vuln", "secret", "malware", "config"],
    cache: storedReports(store, tenantId, clock),
    states,
    knownChains: (digests, analyzers) => store.tenant(tenantId, (db) => knownChains(db, digests, analyzers)),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const digest = options.digestOf?.(told) ?? told.image.digest;
  const facts = { ...told, image: { ...told.image, digest } };
  const imageId = await store.tenant(tenantId, (db) =>
    ingestImage(db, facts, { match: matcherOf(database), matchedWith: stateOfDatabase(database), now: clock() }),
  );
  return { imageId, facts };
}

/** The estate's layer reports, in the store. */
function storedReports(store: Store, tenantId: number, clock: () => Date): LayerReports {
  return {
    async get(diffId, analyzers) {
      const key = digestOfText(analyzers);
      const bytes = await store.tenant(tenantId, (db) => loadLayerReport(db, diffId, key));
      return bytes === undefined ? undefined : decodeLayerReport(bytes);
    },
    async put(analyzers, report) {
      const layer = { diffId: report.diffId, analyzers: digestOfText(analyzers), report: encodeLayerReport(report) };
      await store.tenant(tenantId, (db) => saveLayerReport(db, layer, clock()));
    },
  };
}
