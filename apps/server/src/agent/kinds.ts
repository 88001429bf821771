/** A kind of object that the agent watches. */
export interface WatchedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Only in clusters that have it: a cluster without it is complete. */
  readonly optional: boolean;
}

const kind = (apiVersion: string, name: string, plural = `${name.toLowerCase()}s`, optional = false): WatchedKind => ({
  ...{ apiVersion, kind: name, plural, optional },
});

/**
 * What is watched, in the order in which it is listed: what others belong to comes before them. Of secrets and config maps
 * only the metadata is asked for.
 */
export const WATCHED: readonly WatchedKind[] = [
  kind("v1", "Namespace"),
  kind("v1", "Node"),
  kind("v1", "ServiceAccount"),
  kind("apps/v1", "Deployment"),
  kind("apps/v1", "StatefulSet"),
  kind("apps/v1", "DaemonSet"),
  kind("apps/v1", "ReplicaSet"),
  kind("v1", "ReplicationController"),
  kind("batch/v1", "CronJob"),
  kind("batch/v1", "Job"),
  kind("v1", "Pod"),
  kind("v1", "Service"),
  kind("networking.k8s.io/v1", "Ingress", "ingresses"),
  kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  kind("rbac.authorization.k8s.io/v1", "ClusterRole"),
  kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
  kind("rbac.authorization.k8s.io/v1", "Role"),
  kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
  kind("v1", "Secret"),
  kind("v1", "ConfigMap"),
  kind("v1", "PersistentVolume"),
  kind("v1", "PersistentVolumeClaim"),
  kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
  kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
  kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
  kind("gateway.networking.k8s.io/v1", "Gateway", "gateways", true),
  kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", true),
  kind("networking.istio.io/v1", "Gateway", "gateways", true),
  kind("networking.istio.io/v1", "VirtualService", "virtualservices", true),
  kind("networking.istio.io/v1", "DestinationRule", "destinationrules", true),
  kind("networking.istio.io/v1", "ServiceEntry", "serviceentries", true),
  kind("security.istio.io/v1", "RequestAuthentication", "requestauthentications", true),
  kind("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies", true),
  kind("security.istio.io/v1", "PeerAuthentication", "peerauthentications", true),
];

/** Kinds of which nobody but their names is asked for: the API server answers with metadata alone. */
export const METADATA_ONLY: ReadonlySet<string> = new Set(["Secret", "ConfigMap"]);

/** The path of all objects of a kind. @example pathOf(kind) // "/apis/apps/v1/deployments" */
export function pathOf({ apiVersion, plural }: Pick<WatchedKind, "apiVersion" | "plural">): string {
  return `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}/${plural}`;
}
