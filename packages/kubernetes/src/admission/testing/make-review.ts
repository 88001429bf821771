import type { AdmissionBundle } from "../bundle.ts";
import { EMPTY_BUNDLE } from "../bundle.ts";
import type { FactsAnswer, ImageFacts } from "../facts.ts";
import { UNKNOWN_NAMESPACE, unknownImage } from "../facts.ts";
import type { Mode } from "../policy.ts";

/** A review of the API server, with what a test changes. */
export function makeReview(object: unknown, change: Readonly<Record<string, unknown>> = {}): string {
  const { kind = "Pod" } = (object ?? {}) as { kind?: string };
  const group = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].includes(kind)
    ? "apps"
    : ["Job", "CronJob"].includes(kind)
      ? "batch"
      : "";
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      ...{ uid: "705ab4f5-6393-11e8-b7cc-42010a800002", kind: { group, version: "v1", kind }, namespace: "shop" },
      ...{ operation: "CREATE", userInfo: { username: "ann", groups: ["system:authenticated"] }, dryRun: false },
      ...{ name: "web", object, oldObject: null, options: { kind: "CreateOptions" } },
      ...change,
    },
  });
}

/** A pod with one container, and what a test adds to its spec. */
export function makePod(
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
) {
  return {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop", ...metadata } },
    spec: { containers: [{ name: "app", image: "registry.example/shop/app:1" }], ...spec },
  };
}

/** A bundle of policies in the mode that each test needs. */
export function makeBundle(
  policies: readonly string[],
  change: Partial<AdmissionBundle> = {},
  mode: Mode = "enforce",
): AdmissionBundle {
  return {
    ...EMPTY_BUNDLE,
    policies: policies.map((text, at) => ({ text, file: `policy-${at}.yaml`, mode })),
    ...change,
  };
}

/** Facts of an image that is known and clean, with what a test changes. */
export function knownImage(change: Partial<ImageFacts> = {}): ImageFacts {
  return {
    ...unknownImage(""),
    state: "known",
    complete: true,
    digest: `sha256:${"a".repeat(64)}`,
    resolved: true,
    ...change,
  };
}

/** An answer about the image of {@link makePod}. */
export function makeFacts(image: Partial<ImageFacts> = {}, change: Partial<FactsAnswer> = {}): FactsAnswer {
  return {
    namespace: { ...UNKNOWN_NAMESPACE, known: true },
    images: { "registry.example/shop/app:1": knownImage(image) },
    ...change,
  };
}
