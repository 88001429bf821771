import { matchesGlob } from "@bulwark/policy";
import type { AdmissionBundle } from "./bundle.ts";
import type { CompiledBundle, CompiledPolicy } from "./compile-bundle.ts";
import { modeKey } from "./compile-bundle.ts";
import type { NamespaceFacts } from "./facts.ts";
import type { Mode, Params, Scope, Strictness } from "./policy.ts";
import { MODES } from "./policy.ts";

/** What scopes look at. */
export interface Surroundings {
  readonly kind: string;
  readonly operation: string;
  readonly namespace: string;
  readonly facts: NamespaceFacts;
  readonly cluster: AdmissionBundle["cluster"];
  /** Of the pod, or of the object where it holds none. */
  readonly labels: Readonly<Record<string, string>>;
  readonly exposed: boolean;
}

/** Whether a policy speaks of an object. Of a namespace that nobody knows yet, it does. */
export function isInScope(scope: Scope, at: Surroundings): boolean {
  const { kinds, operations, namespaces, exceptNamespaces, grades, clusters } = scope;
  if (kinds.length > 0 && !kinds.includes(at.kind)) return false;
  if (operations.length > 0 && !operations.includes(at.operation)) return false;
  if (namespaces.length > 0 && !namespaces.some((glob) => matchesGlob(glob, at.namespace))) return false;
  if (exceptNamespaces.some((glob) => matchesGlob(glob, at.namespace))) return false;
  if (clusters.length > 0 && !clusters.some((glob) => matchesGlob(glob, at.cluster.name))) return false;
  if (!fitsLabels(scope.labels, at.labels)) return false;
  if (!at.facts.known) return true;
  if (scope.exposed && !at.exposed) return false;
  return fitsLabels(scope.namespaceLabels, at.facts.labels) && (grades.length === 0 || grades.includes(gradeOf(at)));
}

/** The namespace's business grade, else the cluster's. */
export function gradeOf({ facts, cluster }: Pick<Surroundings, "facts" | "cluster">): string {
  return facts.grade === "" ? cluster.grade : facts.grade;
}

/**
 * The mode that holds for a namespace, and the parameters, as strict as grade and exposure ask. In a namespace that nobody knows yet
 * everything that its grade or its services could ask for holds.
 */
export function strictnessOf(
  { policy, mode }: CompiledPolicy,
  { modes }: Pick<CompiledBundle, "modes">,
  at: Surroundings,
): { readonly mode: Mode; readonly params: Params } {
  let chosen = modes.get(modeKey(policy.name, at.namespace)) ?? mode;
  let params = policy.params;
  if (chosen === "off") return { mode: chosen, params };
  for (const step of policy.stricter) {
    if (!holdsAt(step, at)) continue;
    params = { ...params, ...(at.facts.known ? step.params : fartherOf(policy.params, params, step.params)) };
    if (step.mode !== "" && MODES.indexOf(step.mode) > MODES.indexOf(chosen)) chosen = step.mode;
  }
  return { mode: chosen, params };
}

function holdsAt({ grades, exposed }: Strictness, at: Surroundings): boolean {
  if (!at.facts.known) return grades.length > 0 || exposed;
  return grades.includes(gradeOf(at)) || (exposed && at.exposed);
}

/** Of two steps of which only one may be meant, the number that is farther from the policy's own. */
function fartherOf(own: Params, before: Params, next: Params): Params {
  const distance = (params: Params, name: string) => Math.abs(Number(params[name]) - Number(own[name]));
  return Object.fromEntries(Object.entries(next).filter(([name]) => !(distance(before, name) > distance(next, name))));
}

/** Whether a service that the internet reaches selects the labels. */
export function isExposed(facts: NamespaceFacts, labels: Readonly<Record<string, string>>): boolean {
  return facts.exposedSelectors.some((selector) => {
    const pairs = Object.entries(selector);
    return pairs.length > 0 && pairs.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
  });
}

function fitsLabels(wanted: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(
    ([key, glob]) => Object.hasOwn(labels, key) && matchesGlob(glob, labels[key] ?? ""),
  );
}
