import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AdmissionPolicy, type Mode, readAdmissionPolicy } from "@bulwark/kubernetes";
import { contentDirectory } from "@bulwark/scan/shipped/places";
import { type ChosenMode, listAdmissionModes, listAdmissionPolicies, type TenantQueries } from "@bulwark/store";

const SHIPPED = join(contentDirectory, "policies/admission");

/** A policy as it holds for a tenant. */
export interface TenantPolicy {
  readonly policy: AdmissionPolicy;
  readonly text: string;
  readonly source: "shipped" | "own";
  /** Of one of the tenant's own; null for one that is shipped. */
  readonly id: number | null;
  /** 0 for one that is shipped. */
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: string | null;
  /** For the whole estate. */
  readonly mode: Mode;
  /** Somebody chose it: since then it is observed. */
  readonly chosen: ChosenMode | undefined;
  /** For single clusters, single namespaces, and both. */
  readonly modes: readonly ChosenMode[];
}

let shipped: readonly { readonly policy: AdmissionPolicy; readonly text: string }[] | undefined;

/** Policies that come with the product, with the text of their files. */
export function shippedPolicies() {
  shipped ??= readdirSync(SHIPPED)
    .sort()
    .map((name) => {
      const text = readFileSync(join(SHIPPED, name, "policy.yaml"), "utf8");
      return { policy: readAdmissionPolicy(text, name), text };
    });
  return shipped;
}

/** The shipped policies and the tenant's own, by name. One of its own takes the place of a shipped one of the same name. */
export async function policiesOf(db: TenantQueries): Promise<readonly TenantPolicy[]> {
  const own = await listAdmissionPolicies(db);
  const modes = await listAdmissionModes(db);
  const texts = [
    ...shippedPolicies()
      .filter(({ policy }) => !own.some(({ name }) => name === policy.name))
      .map((each) => ({ ...each, source: "shipped" as const, id: null, version: 0, changedBy: "", changedAt: null })),
    ...own.map(({ id, name, content, version, changedBy, changedAt }) => {
      const policy = readAdmissionPolicy(content, name);
      return { policy, text: content, source: "own" as const, id, version, changedBy, changedAt };
    }),
  ];
  return texts
    .map((each) => {
      const ofPolicy = modes.filter(({ policy }) => policy === each.policy.name);
      const chosen = ofPolicy.find(({ cluster, namespace }) => cluster === null && namespace === "");
      return {
        ...each,
        mode: chosen?.mode ?? each.policy.mode,
        chosen,
        modes: ofPolicy.filter((one) => one !== chosen),
      };
    })
    .sort((one, other) => (one.policy.name < other.policy.name ? -1 : 1));
}

/**
 * What holds in a cluster. A namespace's mode there goes before the namespace's in every cluster, that before the cluster's, and that
 * before the estate's.
 */
export function modesIn(
  { mode, modes }: Pick<TenantPolicy, "mode" | "modes">,
  clusterId: number,
): { readonly mode: Mode; readonly namespaces: ReadonlyMap<string, Mode> } {
  const here = modes.filter(({ cluster }) => cluster?.id === clusterId);
  const everywhere = modes.filter(({ cluster }) => cluster === null);
  const placed = [...everywhere, ...here].filter(({ namespace }) => namespace !== "");
  return {
    mode: here.find(({ namespace }) => namespace === "")?.mode ?? mode,
    namespaces: new Map(placed.map((each) => [each.namespace, each.mode])),
  };
}

export async function policyNamed(db: TenantQueries, name: string): Promise<TenantPolicy | undefined> {
  return (await policiesOf(db)).find(({ policy }) => policy.name === name);
}
