import {
  type AdmissionPolicy,
  type CompiledBundle,
  compileBundle,
  EMPTY_BUNDLE,
  type FactsAnswer,
  judge,
  podOf,
  readReview,
  UNKNOWN_NAMESPACE,
} from "@bulwark/kubernetes";
import type { LearnablePod, TenantQueries } from "@bulwark/store";
import type { BundleCluster } from "../admission/bundle-document.ts";
import { namespaceFacts } from "../admission/cluster-facts.ts";
import { modesIn, policiesOf } from "../admission/policy-set.ts";

/** Of policies that baselines wrote themselves. */
const LEARNED = "learned";
const MAX_NAMESPACES = 1_000;

/** A policy that could be enforced: it asks only of objects, and not of what a scan tells. */
export interface Candidate {
  readonly policy: AdmissionPolicy;
  readonly mode: string;
  readonly changedAt: string | null;
}

/** Says which candidates a pod would break if they were enforced. */
export interface Trial {
  readonly candidates: readonly Candidate[];
  broken(pod: LearnablePod): readonly string[];
}

/** Policies that there are now, each to be tried on pods by itself: what one finds must not use up another's room. */
export async function candidatesOf(
  db: TenantQueries,
  clusterId: number,
): Promise<readonly (Candidate & { readonly text: string })[]> {
  return (await policiesOf(db))
    .filter(({ policy }) => policy.category !== LEARNED)
    .map((each) => {
      const { policy, text, changedAt } = each;
      return { policy, text, mode: modesIn(each, clusterId).mode, changedAt };
    });
}

/** @param facts of namespaces, by name */
export function tryCandidates(
  all: readonly (Candidate & { readonly text: string })[],
  cluster: BundleCluster,
  facts: ReadonlyMap<string, FactsAnswer["namespace"]>,
): Trial {
  const of = { id: cluster.uid, name: cluster.name, grade: cluster.grade };
  const compiled = all.flatMap((candidate) => {
    const policies = [{ text: candidate.text, file: candidate.policy.name, mode: "enforce" as const }];
    const bundle: CompiledBundle = compileBundle({ ...EMPTY_BUNDLE, cluster: of, policies });
    return bundle.needsReports || bundle.problems.length > 0 ? [] : [{ candidate, bundle }];
  });
  return {
    candidates: compiled.map(({ candidate }) => candidate),
    broken: (learnable) => {
      const request = requestOf(learnable);
      const pod = podOf(request);
      const answer = { namespace: facts.get(learnable.namespace) ?? UNKNOWN_NAMESPACE, images: {} };
      return compiled
        .filter(({ bundle }) => judge(request, bundle, answer, { now: 0, elapsed: () => 0 }, pod).wouldDeny)
        .map(({ candidate }) => candidate.policy.name);
    },
  };
}

/** A pod that runs, as it would be asked about if it came now. */
export function requestOf({ namespace, name, document }: Pick<LearnablePod, "namespace" | "name" | "document">) {
  const object = { ...document, apiVersion: "v1", kind: "Pod" };
  const kind = { group: "", version: "v1", kind: "Pod" };
  return readReview(
    JSON.stringify({
      ...{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" },
      request: { uid: "learned", kind, namespace, name, operation: "CREATE", object },
    }),
  );
}

/** Facts of namespaces that were not asked for yet. */
export async function addFacts(
  db: TenantQueries,
  clusterId: number,
  namespaces: Iterable<string>,
  known: Map<string, FactsAnswer["namespace"]>,
): Promise<void> {
  for (const namespace of new Set(namespaces)) {
    if (known.has(namespace) || known.size >= MAX_NAMESPACES) continue;
    known.set(namespace, await namespaceFacts(db, clusterId, namespace));
  }
}
