import { createHash } from "node:crypto";
import {
  type AttackPath,
  findAttackPaths,
  findExposure,
  type KubeObject,
  labelsAt,
  mapAt,
  type PathWorkload,
  podTemplateOf,
  type Target,
  textAt,
} from "@bulwark/kubernetes";
import {
  announce,
  type FoundPath,
  keepAnalysis,
  lockCluster,
  objectsOfKinds,
  type Store,
  settleWorkloads,
  type TenantQueries,
  type WorkloadFacts,
  type WorkloadVerdict,
  workloadFacts,
} from "@bulwark/store";

/** What is read whole to know who reaches what; pods are read one of a workload. */
const KINDS = [
  ...["Namespace", "ServiceAccount", "Service", "Ingress", "HTTPRoute", "VirtualService"],
  ...["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
];
/** Labels and annotations that name whoever answers for something, such as `owner` or `example.com/team`. */
const OWNER_KEY = /(?:^|\/)(?:owner|team)$/i;
/** Those that tell how much depends on it. */
const GRADE_KEY = /(?:^|\/)(?:grade|business-grade)$/i;
const WORST = ["critical", "high", "medium", "low"];

/**
 * Works out who answers for each workload of a cluster, what of it is reached from outside, and where that leads.
 *
 * @returns false where somebody else is at it, or the cluster is gone
 */
export async function analyseCluster(store: Store, tenantId: number, id: number, now: Date): Promise<boolean> {
  return store.tenant(tenantId, async (db) => {
    const cluster = await lockCluster(db, id);
    if (cluster === undefined) return false;
    await settleWorkloads(db, id, now);
    await keepAnalysis(db, id, { ...(await analyse(db, id, cluster)), now });
    await announce(db, { topic: "clusters", id });
    return true;
  });
}

async function analyse(
  db: TenantQueries,
  id: number,
  cluster: { readonly grade: string | null; readonly owner: string | null },
): Promise<{ readonly workloads: readonly WorkloadVerdict[]; readonly paths: readonly FoundPath[] }> {
  const objects: readonly KubeObject[] = await objectsOfKinds(db, id, KINDS);
  const facts = (await workloadFacts(db, id)).map((each) => ({ ...each, template: templateOf(each) }));
  const namespaces = new Map(objects.filter(({ kind }) => kind === "Namespace").map((each) => [each.name, each]));
  const targets = facts.map(
    ({ uid, namespace, template }): Target => ({ uid, namespace, labels: template.labels, spec: template.spec }),
  );
  const exposure = findExposure(objects, targets);
  const workloads = facts.map(
    ({ uid, kind, namespace, name, nodes, template }): PathWorkload => ({
      ...{ uid, kind, namespace, name, nodes, spec: template.spec, exposure: exposure.get(uid) ?? [] },
    }),
  );
  const paths = findAttackPaths(objects, workloads);
  const byWorkload = Map.groupBy(paths, ({ workload }) => workload);
  return {
    workloads: facts.map((each) => {
      const space = namespaces.get(each.namespace)?.document;
      const places = [each.pod, each.document, space].filter((place) => place != null);
      const owner = ownerOf(each, space, cluster.owner);
      return {
        id: each.id,
        ...{ ownerName: owner.name, ownerFrom: owner.from },
        grade: taggedWith(places, GRADE_KEY)?.value ?? cluster.grade,
        exposure: exposure.get(each.uid) ?? [],
        serviceAccount: textAt(each.template.spec, "serviceAccountName") || "default",
        worstPath: worst(byWorkload.get(each.uid) ?? []),
      };
    }),
    paths: keyed(paths, new Map(facts.map(({ uid, id }) => [uid, id]))),
  };
}

/** The pod that runs, or else the one that would. */
function templateOf({ kind, pod, document }: WorkloadFacts) {
  const template = pod === null ? document && podTemplateOf(kind, document) : podTemplateOf("Pod", pod);
  return { labels: labelsAt(template, "metadata", "labels"), spec: mapAt(template, "spec") };
}

/** By labels and annotations of the pods, of the workload, of the namespace; by the image; by the cluster. */
function ownerOf(
  { pod, document, imageOwner }: WorkloadFacts,
  space: unknown,
  clusterOwner: string | null,
): { readonly name: string; readonly from: string } {
  const own = taggedWith([pod, document], OWNER_KEY);
  if (own !== undefined) return { name: own.value, from: own.key };
  const shared = taggedWith([space], OWNER_KEY);
  if (shared !== undefined) return { name: shared.value, from: `namespace ${shared.key}` };
  if (imageOwner !== null) return { name: imageOwner, from: "image" };
  return clusterOwner === null ? { name: "", from: "" } : { name: clusterOwner, from: "cluster" };
}

function taggedWith(
  documents: readonly unknown[],
  key: RegExp,
): { readonly key: string; readonly value: string } | undefined {
  for (const document of documents) {
    for (const part of ["labels", "annotations"]) {
      const found = Object.entries(labelsAt(document, "metadata", part)).find(
        ([name, value]) => key.test(name) && value !== "",
      );
      if (found !== undefined) return { key: found[0], value: found[1] };
    }
  }
  return undefined;
}

function worst(paths: readonly AttackPath[]): string {
  return WORST.find((severity) => paths.some((path) => path.severity === severity)) ?? "";
}

function keyed(paths: readonly AttackPath[], ids: ReadonlyMap<string, number>): readonly FoundPath[] {
  return paths.flatMap(({ workload, target, severity, isExposed, steps }) => {
    const workloadId = ids.get(workload);
    if (workloadId === undefined) return [];
    const key = createHash("sha256").update(`${workload} ${target}`).digest("base64url");
    return [{ key, workloadId, target, severity, exposed: isExposed, steps }];
  });
}
