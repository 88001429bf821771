import {
  type AdmissionBundle,
  EMPTY_BUNDLE,
  type FactsAnswer,
  type ImageFacts,
  UNKNOWN_NAMESPACE,
  unknownImage,
} from "@bulwark/kubernetes";
import type { AdmissionSource, DecisionBatch, SourceChange } from "../source.ts";

/** A server that does what a test says. */
export interface TestSource extends AdmissionSource {
  give(bundle: Partial<AdmissionBundle>): void;
  tell(change: SourceChange): void;
  readonly images: Map<string, ImageFacts>;
  readonly asked: (readonly string[])[];
  readonly batches: DecisionBatch[];
  /** How questions are answered. */
  answers: "at once" | "never" | "by refusing";
  isUp: boolean;
  takesReports: boolean;
}

export function createTestSource(first: Partial<AdmissionBundle> | undefined = {}): TestSource {
  let bundle: AdmissionBundle | undefined = first === undefined ? undefined : { ...EMPTY_BUNDLE, ...first };
  const listeners = new Set<(change: SourceChange) => void>();
  const made: TestSource = {
    ...{ images: new Map(), asked: [], batches: [], answers: "at once", isUp: true, takesReports: true },
    bundle: () => bundle,
    isConnected: () => made.isUp,
    async facts(references): Promise<FactsAnswer> {
      made.asked.push(references);
      if (made.answers === "never") return new Promise<never>(() => {});
      if (made.answers === "by refusing") throw new Error("no");
      const found = references.map((each) => [each, made.images.get(each) ?? unknownImage("no scan")] as const);
      return { namespace: { ...UNKNOWN_NAMESPACE, known: true }, images: Object.fromEntries(found) };
    },
    report(batch) {
      if (made.takesReports) made.batches.push(batch);
      return made.takesReports;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    give(next) {
      bundle = { ...(bundle ?? EMPTY_BUNDLE), ...next };
      made.tell({ what: "bundle" });
    },
    tell(change) {
      for (const listener of listeners) listener(change);
    },
  };
  return made;
}
