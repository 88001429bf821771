import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { parseAllDocuments, stringify } from "yaml";

/** Not emptied out of the image: see deploy/Containerfile. */
const MANIFESTS = join(import.meta.dirname, "../../../../deploy/kubernetes");
const NAMESPACE = "bulwark-agent";
/** Of the gateway, where nobody says another. */
const USUAL_PORT = 9443;
const AGENT = ["namespace.yaml", "rbac.yaml", "agent.yaml", "network-policies.yaml"];
const ADMISSION = ["rbac.yaml", "service.yaml", "webhooks.yaml", "network-policies.yaml"];
const CLUSTER_WIDE: ReadonlySet<string> = new Set([
  "Namespace",
  "ClusterRole",
  "ClusterRoleBinding",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
]);

export interface JoinOptions {
  /** HOST:PORT of the gateway, as pods of the cluster reach it. */
  readonly gateway: string;
  readonly token: string;
  /** Reference of the image that holds the server. */
  readonly image: string;
  /** Whether the API server is to ask about what starts. */
  readonly admission: boolean;
}

/**
 * Everything that a cluster needs to join, for `kubectl apply -f -`: what `kubectl kustomize deploy/kubernetes/agent` (or
 * `…/admission`) gives, with the gateway, the image and a Secret that holds the token.
 */
export function joinManifest({ gateway, token, image, admission }: JoinOptions): string {
  const read = (folder: string, names: readonly string[]) => names.flatMap((name) => documentsOf(folder, name));
  const objects = [...read("agent", AGENT), ...(admission ? read("admission", ADMISSION) : [])];
  const [patch = {}] = admission ? documentsOf("admission", "agent.yaml") : [];
  const ofGateway = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "bulwark-gateway" },
    data: { address: gateway },
  };
  const ofToken = {
    ...{ apiVersion: "v1", kind: "Secret", type: "Opaque" },
    ...{ metadata: { name: "bulwark-cluster-token" }, stringData: { token } },
  };
  const [namespace = {}, ...others] = objects.map((object) => {
    if (object.kind === "Deployment") return withImage(fieldsOf(merged(object, patch)), image);
    return object.kind === "NetworkPolicy" ? withGateway(object, portOf(gateway)) : object;
  });
  // The namespace comes first, and what pods mount before the pods.
  const all = [namespace, ofGateway, ofToken, ...others].map(placed);
  return all.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
}

function documentsOf(folder: string, name: string): readonly Fields[] {
  const text = readFileSync(join(MANIFESTS, folder, name), "utf8");
  return parseAllDocuments(text).map((document) => fieldsOf(document.toJS()));
}

function placed(object: Fields): Fields {
  const metadata = fieldsOf(object.metadata);
  const labels = { ...fieldsOf(metadata.labels), "app.kubernetes.io/part-of": "bulwark" };
  const namespace = CLUSTER_WIDE.has(textOf(object.kind)) ? {} : { namespace: NAMESPACE };
  return { ...object, metadata: { ...metadata, ...namespace, labels } };
}

function withImage(deployment: Fields, image: string): Fields {
  const container = { name: "agent", image };
  return fieldsOf(merged(deployment, { spec: { template: { spec: { containers: [container] } } } }));
}

function portOf(gateway: string): number {
  return Number(gateway.slice(gateway.lastIndexOf(":") + 1));
}

/** The way out to the gateway leads to its own port, wherever that is; 9443 is where the manifests expect it. */
function withGateway(policy: Fields, port: number): Fields {
  const spec = fieldsOf(policy.spec);
  if (spec.egress === undefined) return policy;
  const egress = listOf(spec.egress).map((rule) => {
    const ports = listOf(fieldsOf(rule).ports).map(fieldsOf);
    const isOpen = ports.some((each) => each.port === port);
    const leads = ports.some((each) => each.port === USUAL_PORT);
    return leads && !isOpen ? { ...fieldsOf(rule), ports: [...ports, { protocol: "TCP", port }] } : rule;
  });
  return { ...policy, spec: { ...spec, egress } };
}

/** A patch over an object: lists of named things are merged by name, other lists are replaced (Kubernetes, strategic merge). */
function merged(object: unknown, patch: unknown): unknown {
  if (patch === undefined) return object;
  if (Array.isArray(patch))
    return isNamed(patch) && isNamed(listOf(object)) ? mergedByName(listOf(object), patch) : patch;
  if (typeof patch !== "object" || patch === null) return patch;
  const before = fieldsOf(object);
  const changed = Object.entries(patch).map(([name, value]) => [name, merged(before[name], value)] as const);
  return { ...before, ...Object.fromEntries(changed) };
}

function isNamed(list: readonly unknown[]): boolean {
  return list.length > 0 && list.every((item) => textOf(fieldsOf(item).name) !== "");
}

function mergedByName(list: readonly unknown[], patch: readonly unknown[]): readonly unknown[] {
  const nameOf = (item: unknown) => textOf(fieldsOf(item).name);
  const kept = list.map((item) =>
    merged(
      item,
      patch.find((each) => nameOf(each) === nameOf(item)),
    ),
  );
  return [...kept, ...patch.filter((item) => !list.some((each) => nameOf(each) === nameOf(item)))];
}
