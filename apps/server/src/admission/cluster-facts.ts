import { exposedSelectors, type NamespaceFacts, UNKNOWN_NAMESPACE } from "@bulwark/kubernetes";
import { fieldsOf, textOf } from "@bulwark/model";
import { getCluster, namespaceObjects, type TenantQueries } from "@bulwark/store";
import type { ConnectedCluster } from "../clusters/cluster-stream.ts";
import type { BundleCluster } from "./bundle-document.ts";

/** Label or annotation of a namespace that says how much depends on it. */
const GRADE_LABEL = "bulwark.dev/grade";

/** What a cluster's agent told of a namespace; unknown before it did. */
export async function namespaceFacts(db: TenantQueries, clusterId: number, namespace: string): Promise<NamespaceFacts> {
  if (namespace === "") return { ...UNKNOWN_NAMESPACE, known: true };
  const objects = await namespaceObjects(db, clusterId, namespace);
  const own = objects.find(({ kind }) => kind === "Namespace");
  if (own === undefined) return UNKNOWN_NAMESPACE;
  const { labels, annotations } = fieldsOf(own.document.metadata);
  const pairs = Object.entries(fieldsOf(labels)).map(([key, value]) => [key, textOf(value)] as const);
  const grade = textOf(fieldsOf(labels)[GRADE_LABEL]) || textOf(fieldsOf(annotations)[GRADE_LABEL]);
  return {
    known: true,
    labels: Object.fromEntries(pairs),
    grade,
    exposedSelectors: exposedSelectors(objects, namespace),
  };
}

/** A connected cluster as a bundle names it. */
export async function clusterOf(db: TenantQueries, cluster: ConnectedCluster, now: Date): Promise<BundleCluster> {
  const found = await getCluster(db, cluster.id, now);
  const { id, uid } = cluster;
  return { id, uid, name: found?.name ?? cluster.name, grade: found?.grade ?? "" };
}
