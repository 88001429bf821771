import type { ClusterFacts, ClusterList } from "@bulwark/benchmark/benchmark";
import { containersOf, controllerOf, labelsAt, mapAt, POD_KINDS, podTemplateOf } from "@bulwark/kubernetes";
import type { StoredObject } from "@bulwark/store";

/** Which kinds a list of the benchmark is made of: the list is there when all of them were told of whole. */
const KINDS: Readonly<Record<ClusterList, readonly string[]>> = {
  workloads: ["Pod", ...POD_KINDS.filter((kind) => kind !== "Pod" && kind !== "PodTemplate")],
  namespaces: ["Namespace"],
  serviceAccounts: ["ServiceAccount"],
  roles: ["ClusterRole", "Role"],
  bindings: ["ClusterRoleBinding", "RoleBinding"],
  networkPolicies: ["NetworkPolicy"],
  services: ["Service"],
  ingresses: ["Ingress"],
  nodes: ["Node"],
  webhooks: ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
  peerAuthentications: ["PeerAuthentication"],
  authorizationPolicies: ["AuthorizationPolicy"],
  requestAuthentications: ["RequestAuthentication"],
  gateways: ["Gateway"],
  destinationRules: ["DestinationRule"],
  serviceEntries: ["ServiceEntry"],
};
/** Kinds that only clusters with a mesh have, by the name of their definition. */
const OF_MESH: Readonly<Partial<Record<ClusterList, string>>> = {
  peerAuthentications: "peerauthentications.security.istio.io",
  authorizationPolicies: "authorizationpolicies.security.istio.io",
  requestAuthentications: "requestauthentications.security.istio.io",
  gateways: "gateways.networking.istio.io",
  destinationRules: "destinationrules.networking.istio.io",
  serviceEntries: "serviceentries.networking.istio.io",
};
const DEFINITION = "CustomResourceDefinition";
/** Which controllers of Kubernetes make what, and take away what only says that they made it. */
const MAKERS: Readonly<Record<string, readonly string[]>> = {
  Pod: ["ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"],
  ReplicaSet: ["Deployment"],
  Job: ["CronJob"],
};
/** Steps from a pod to what somebody deployed. */
const MAX_STEPS = 3;

/** All kinds that benchmarks look at. */
export const BENCHMARK_KINDS: readonly string[] = [...new Set([...Object.values(KINDS).flat(), DEFINITION])];

/**
 * The lists of a cluster. Pods that a controller of Kubernetes made are judged by what made them; those that name another owner, be
 * it one that is not there, by themselves.
 *
 * @param synced kinds that the cluster told of whole, such as `apps/v1/Deployment`
 */
export function clusterFacts(objects: readonly StoredObject[], synced: readonly string[]): ClusterFacts {
  const byUid = new Map(objects.map((object) => [object.uid, object]));
  const facts: Partial<Record<ClusterList, readonly Readonly<Record<string, unknown>>[]>> = {};
  for (const [list, kinds] of Object.entries(KINDS) as [ClusterList, readonly string[]][]) {
    if (!kinds.every((kind) => isTold(list, kind, synced)) && !isAbsent(list, objects, synced)) continue;
    const own = objects.filter(({ kind }) => kinds.includes(kind)).filter((object) => !isForeign(list, object));
    facts[list] = list === "workloads" ? own.flatMap((object) => workloadOf(object, byUid)) : own.map(itemOf);
  }
  return facts;
}

/** Whether the objects of a kind are all known; two kinds of one name are told apart by their group. */
function isTold(list: ClusterList, kind: string, synced: readonly string[]): boolean {
  return synced.some((each) => each.endsWith(`/${kind}`) && (list !== "gateways" || each.includes("istio.io")));
}

/** Whether the cluster has no such kind: all its definitions are known, and none is of it. */
function isAbsent(list: ClusterList, objects: readonly StoredObject[], synced: readonly string[]): boolean {
  const definition = OF_MESH[list];
  if (definition === undefined || !synced.some((each) => each.endsWith(`/${DEFINITION}`))) return false;
  return !objects.some(({ kind, name }) => kind === DEFINITION && name === definition);
}

/** The Gateway of Kubernetes' own API is another thing than Istio's. */
function isForeign(list: ClusterList, { apiVersion }: StoredObject): boolean {
  return list === "gateways" && !apiVersion.includes("istio.io");
}

function itemOf({ kind, namespace, name, document }: StoredObject) {
  const labels = labelsAt(document, "metadata", "labels");
  return { ...document, kind, namespace, name, labels, annotations: labelsAt(document, "metadata", "annotations") };
}

type ByUid = ReadonlyMap<string, StoredObject>;

/** The pod that an object is or makes; undefined of what agents tell no more than the name. */
function templateOf({ kind, document }: StoredObject) {
  const template = podTemplateOf(kind, document);
  return template === undefined || Object.keys(template.spec).length === 0 ? undefined : template;
}

/** Whether another object that is judged says what this one is. */
function isMade(object: StoredObject, byUid: ByUid, steps = MAX_STEPS): boolean {
  const maker = byUid.get(controllerOf(object.document)?.uid ?? "");
  if (maker === undefined || steps === 0 || maker.namespace !== object.namespace) return false;
  if (MAKERS[object.kind]?.includes(maker.kind) !== true) return false;
  return templateOf(maker) !== undefined || isMade(maker, byUid, steps - 1);
}

function workloadOf(object: StoredObject, byUid: ByUid) {
  const { kind, namespace, name, document } = object;
  const template = templateOf(object);
  if (template === undefined || isMade(object, byUid)) return [];
  const { spec, metadata } = template;
  const containers = containersOf(spec).map(({ role, container }) => ({ ...container, role }));
  const annotations = labelsAt(document, "metadata", "annotations");
  return [
    {
      kind,
      namespace,
      name,
      labels: labelsAt(metadata, "labels"),
      annotations,
      spec: mapAt({ spec }, "spec"),
      containers,
    },
  ];
}
