import type { AdmissionBundle } from "@bulwark/kubernetes";
import { admissionState, listAdmissionExceptions, listBrakes, listGrants, type TenantQueries } from "@bulwark/store";
import { modesIn, policiesOf } from "./policy-set.ts";
import { admissionSettings } from "./settings.ts";

/** More than a person keeps an overview of. */
const MAX_EXCEPTIONS = 5_000;
const MAX_BRAKES = 1_000;
const MAX_GRANTS = 1_000;

/** The cluster that a bundle is for. */
export interface BundleCluster {
  readonly id: number;
  readonly uid: string;
  readonly name: string;
  readonly grade: string;
}

/** What replicas of a cluster judge by, now. What ends by time is left to them. */
export async function bundleFor(db: TenantQueries, cluster: BundleCluster, now: Date): Promise<AdmissionBundle> {
  const { revision } = await admissionState(db);
  const policies = (await policiesOf(db))
    .map((each) => ({ ...each, ...modesIn(each, cluster.id) }))
    .filter(({ mode, namespaces }) => mode !== "off" || namespaces.size > 0);
  const exceptions = await listAdmissionExceptions(db, { limit: MAX_EXCEPTIONS, inForceAt: now });
  const brakes = await listBrakes(db, { limit: MAX_BRAKES, isOn: true });
  const grants = await listGrants(db, { limit: MAX_GRANTS, inForceAt: now });
  const { mutation } = await admissionSettings(db);
  const isHere = (each: { readonly cluster: { readonly id: number } | null }) =>
    each.cluster === null || each.cluster.id === cluster.id;
  return {
    // 0 says that there is nothing: replicas are not ready before they have a bundle.
    revision: revision + 1,
    cluster: { id: cluster.uid, name: cluster.name, grade: cluster.grade },
    policies: policies.map(({ policy, text, mode }) => ({ text, file: policy.name, mode })),
    modes: policies.flatMap(({ policy, namespaces }) =>
      [...namespaces].map(([namespace, mode]) => ({ policy: policy.name, namespace, mode })),
    ),
    exceptions: exceptions
      .filter(isHere)
      .map(({ id, policy, rule, namespace, object, image, until, reason, approver }) => ({
        ...{ id: String(id), policy, rule, namespace, object, image, until, reason, approvedBy: approver?.name ?? "" },
      })),
    brakes: brakes.map(({ id, kind, pattern, reason, denyUnknown }) => ({
      ...{ id: String(id), kind, pattern, reason, denyUnknown },
    })),
    grants: grants.filter(isHere).map(({ id, code, user, namespace, reason, until, passesBrake }) => ({
      ...{ id: String(id), code, user, namespace, reason, until, passesBrake },
    })),
    mutation,
  };
}
