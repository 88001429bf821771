import { randomUUID } from "node:crypto";
import type { AdmissionBundle, FactsAnswer } from "@bulwark/kubernetes";
import { listenToEvents, type Store } from "@bulwark/store";
import type { ConnectedCluster } from "../../clusters/cluster-stream.ts";
import type { AdmissionAnswers } from "../answer.ts";
import type { AdmissionSource, SourceChange } from "../source.ts";

/** The server's answers without the stream between: what the gateway does with them, and no more. */
export async function createLocalSource(
  answers: AdmissionAnswers,
  store: Store,
  cluster: ConnectedCluster,
): Promise<AdmissionSource & { close(): Promise<void> }> {
  const read = async () => (await answers.bundle(cluster)).document as AdmissionBundle;
  let bundle = await read();
  /** Each replica numbers its own batches. */
  const epoch = randomUUID();
  let sequence = 0;
  const listeners = new Set<(change: SourceChange) => void>();
  const tell = (change: SourceChange) => {
    for (const listener of listeners) listener(change);
  };
  const events = await listenToEvents(store, async ({ topic, tenantId }) => {
    if (tenantId !== cluster.tenantId) return;
    if (topic === "images") tell({ what: "images", digests: [], all: true });
    if (topic !== "admission") return;
    bundle = await read();
    tell({ what: "bundle" });
  });
  let reports: Promise<unknown> = Promise.resolve();
  return {
    bundle: () => bundle,
    isConnected: () => true,
    facts: (references, namespace, signal) =>
      new Promise<FactsAnswer>((resolve, reject) => {
        answers
          .answer(cluster, { references, namespace }, (document) => resolve(document as FactsAnswer), signal)
          .catch(reject);
      }),
    report({ decisions, dropped }) {
      sequence++;
      const batch = { epoch, sequence, document: JSON.parse(JSON.stringify(decisions)), dropped };
      // One after the other, as they come by a stream: what comes late counts as told before.
      reports = reports.then(() => store.tenant(cluster.tenantId, (db) => answers.decided(db, cluster, batch)));
      return true;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await reports;
      await events.close();
    },
  };
}
