import { controllerOf, isTrueAt, type Json, mapAt, podAddressesOf, podContainers, textAt } from "@bulwark/kubernetes";
import { objectsByUid, type SeenObject, type SeenPod, type SeenWorkload, type TenantQueries } from "@bulwark/store";

/** A chain of owners is followed this far: pod, replica set, deployment, and what makes deployments. */
const MAX_HOPS = 5;

/** Pods as they are kept, each with the workload at the top of its chain of owners. */
export async function podsOf(
  db: TenantQueries,
  clusterId: number,
  objects: readonly SeenObject[],
): Promise<readonly SeenPod[]> {
  const pods = objects.filter(({ kind }) => kind === "Pod");
  const known = new Map<string, Pick<SeenObject, "uid" | "kind" | "namespace" | "name" | "document">>();
  let wanted = ownersOf(pods.map(({ document }) => document));
  for (let hop = 0; hop < MAX_HOPS && wanted.length > 0; hop++) {
    const found = await objectsByUid(db, clusterId, wanted);
    for (const each of found) known.set(each.uid, each);
    wanted = ownersOf(found.map(({ document }) => document)).filter((uid) => !known.has(uid));
  }
  return pods.map((pod) => {
    const spec = mapAt(pod.document, "spec");
    return {
      uid: pod.uid,
      namespace: pod.namespace,
      name: pod.name,
      node: textAt(spec, "nodeName"),
      serviceAccount: textAt(spec, "serviceAccountName"),
      phase: textAt(pod.document, "status", "phase"),
      addresses: podAddressesOf(pod.document),
      hostNetwork: isTrueAt(spec, "hostNetwork"),
      startedAt: textAt(pod.document, "status", "startTime") || null,
      workload: workloadOf(pod, known),
      containers: podContainers(pod.document),
    };
  });
}

function ownersOf(documents: readonly Json[]): readonly string[] {
  return [...new Set(documents.flatMap((document) => controllerOf(document)?.uid ?? []))];
}

/** The last owner that is known; where an owner was not told of, it is what its pod calls it. */
function workloadOf(
  pod: SeenObject,
  known: ReadonlyMap<string, Pick<SeenObject, "uid" | "kind" | "namespace" | "name" | "document">>,
): SeenWorkload {
  let top: SeenWorkload & { readonly document: Json } = pod;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const owner = controllerOf(top.document);
    // A static pod belongs to its node, which nobody deployed.
    if (owner === undefined || owner.kind === "Node" || owner.uid === "") break;
    const found = known.get(owner.uid);
    if (found === undefined) return { uid: owner.uid, kind: owner.kind, namespace: pod.namespace, name: owner.name };
    top = found;
  }
  const { uid, kind, namespace, name } = top;
  return { uid, kind, namespace, name };
}
