import { type Json, type KubeObject, nameOf } from "../objects/kube-object.ts";
import { isTrueAt, labelsAt, mapAt, mapsAt, numberAt, textAt, textsAt } from "../objects/read.ts";

/** A way by which others than the cluster reach the pods of a workload. */
export interface ExposedBy {
  /** `load-balancer`, `node-port`, `external-ip`, `ingress`, `gateway`, `istio-gateway`, `host-port`, `host-network` */
  readonly how: string;
  /** What leads from outside to the pods, first to last: `Ingress shop/web`, `Service shop/cart`. */
  readonly via: readonly string[];
  /** Names by which it is asked for; empty: any. */
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
}

/** Pods of one workload, as far as routes care. */
export interface Target {
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Json;
}

/** A service, and a way by which others than the cluster reach it. */
export interface ExposedService {
  readonly service: KubeObject;
  readonly by: ExposedBy;
}

/**
 * Finds the services of a cluster that are reached from outside of it: through load balancers, ports of nodes, ingresses and gateways
 * (Gateway API, Istio). Whether a firewall stands before them is not known.
 */
export function exposedServices(objects: readonly KubeObject[]): readonly ExposedService[] {
  const services = new Map<string, KubeObject>();
  for (const object of objects) if (object.kind === "Service") services.set(nameOf(object), object);
  const found: ExposedService[] = [];
  const add = (service: KubeObject | undefined, { via = [], ...by }: Way) => {
    if (service !== undefined) found.push({ service, by: { ...by, via: [...via, `Service ${nameOf(service)}`] } });
  };
  for (const service of services.values()) for (const way of directly(service.document)) add(service, way);
  for (const object of objects) for (const { service, ...way } of routesOf(object)) add(services.get(service), way);
  return found;
}

/** What a service selects pods by; a service without one selects none. */
export function selectorOf({ document }: KubeObject): Readonly<Record<string, string>> | undefined {
  const selector = labelsAt(document, "spec", "selector");
  return Object.keys(selector).length === 0 ? undefined : selector;
}

/**
 * Finds what of a cluster can be reached from outside of it: through its services, and through ports of hosts.
 *
 * @returns by the target's uid; targets that nothing leads to are not in it
 */
export function findExposure(
  objects: readonly KubeObject[],
  targets: readonly Target[],
): ReadonlyMap<string, readonly ExposedBy[]> {
  const byNamespace = Map.groupBy(targets, ({ namespace }) => namespace);
  const found = new Map<string, ExposedBy[]>();
  const add = (uid: string, by: ExposedBy) => {
    const all = found.get(uid);
    if (all === undefined) found.set(uid, [by]);
    else all.push(by);
  };
  for (const { service, by } of exposedServices(objects)) {
    const selector = selectorOf(service);
    if (selector === undefined) continue;
    for (const { uid, labels } of byNamespace.get(service.namespace) ?? []) {
      if (Object.entries(selector).every(([key, value]) => labels[key] === value)) add(uid, by);
    }
  }
  for (const target of targets) for (const by of onHost(target.spec)) add(target.uid, by);
  return found;
}

/** A way to a service, without the service itself. */
interface Way extends Omit<ExposedBy, "via"> {
  readonly via?: readonly string[];
}

function directly(service: Json): readonly Way[] {
  const spec = mapAt(service, "spec");
  const ports = mapsAt(spec, "ports");
  const of = (name: string) => ports.flatMap((port) => numberAt(port, name) ?? []);
  const addresses = mapsAt(service, "status", "loadBalancer", "ingress").map(
    (each) => textAt(each, "hostname") || textAt(each, "ip"),
  );
  const type = textAt(spec, "type");
  const external = textsAt(spec, "externalIPs");
  return [
    ...(type === "LoadBalancer" && !isInternal(service)
      ? [{ how: "load-balancer", hosts: addresses, ports: of("port") }]
      : []),
    ...(type === "NodePort" ? [{ how: "node-port", hosts: [], ports: of("nodePort") }] : []),
    ...(external.length > 0 ? [{ how: "external-ip", hosts: external, ports: of("port") }] : []),
  ];
}

/** Annotations of load balancers that only the own network reaches, and their values; none: any (their clouds' documentation). */
const INTERNAL: Readonly<Record<string, readonly string[]>> = {
  "service.beta.kubernetes.io/aws-load-balancer-internal": ["true", "0.0.0.0/0"],
  "service.beta.kubernetes.io/aws-load-balancer-scheme": ["internal"],
  "service.beta.kubernetes.io/azure-load-balancer-internal": ["true"],
  "networking.gke.io/load-balancer-type": ["Internal"],
  "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid": [],
};

function isInternal(service: Json): boolean {
  const annotations = labelsAt(service, "metadata", "annotations");
  return Object.entries(INTERNAL).some(([key, values]) => {
    const value = annotations[key];
    return value !== undefined && (values.length === 0 || values.includes(value));
  });
}

interface Route extends Way {
  /** `shop/cart` */
  readonly service: string;
}

function routesOf({ apiVersion, kind, namespace, name, document }: KubeObject): readonly Route[] {
  const place = (service: string, own = namespace) => `${own || namespace}/${service}`;
  if (kind === "Ingress") {
    const rules = mapsAt(document, "spec", "rules");
    const fallback = textAt(document, "spec", "defaultBackend", "service", "name");
    const via = [`Ingress ${namespace}/${name}`];
    const ofRules = rules.flatMap((rule) =>
      mapsAt(rule, "http", "paths").map((path) => ({
        service: place(textAt(path, "backend", "service", "name")),
        hosts: [textAt(rule, "host")].filter((host) => host !== ""),
      })),
    );
    const all = [...ofRules, ...(fallback === "" ? [] : [{ service: place(fallback), hosts: [] }])];
    return all.map((each) => ({ ...each, how: "ingress", via, ports: [80, 443] }));
  }
  // HTTPRoute, GRPCRoute, TLSRoute, TCPRoute: all of them lead to backendRefs.
  if (kind.endsWith("Route") && apiVersion.startsWith("gateway.networking.k8s.io/")) {
    const gateways = mapsAt(document, "spec", "parentRefs").map(
      (parent) => `Gateway ${place(textAt(parent, "name"), textAt(parent, "namespace"))}`,
    );
    const hosts = textsAt(document, "spec", "hostnames");
    return mapsAt(document, "spec", "rules").flatMap((rule) =>
      mapsAt(rule, "backendRefs").map((backend) => ({
        ...{ how: "gateway", hosts, ports: [] },
        via: [...gateways, `${kind} ${namespace}/${name}`],
        service: place(textAt(backend, "name"), textAt(backend, "namespace")),
      })),
    );
  }
  if (kind === "VirtualService" && apiVersion.startsWith("networking.istio.io/")) {
    const gateways = textsAt(document, "spec", "gateways").filter((gateway) => gateway !== "mesh");
    if (gateways.length === 0) return [];
    const via = [...gateways.map((gateway) => `Gateway ${gateway}`), `VirtualService ${namespace}/${name}`];
    const hosts = textsAt(document, "spec", "hosts");
    return ["http", "tls", "tcp"].flatMap((protocol) =>
      mapsAt(document, "spec", protocol).flatMap((route) =>
        mapsAt(route, "route").map((destination) => ({
          ...{ how: "istio-gateway", hosts, ports: [], via },
          service: serviceOfHost(textAt(destination, "destination", "host"), namespace),
        })),
      ),
    );
  }
  return [];
}

/** Istio names services by their host: `cart`, `cart.shop`, `cart.shop.svc.cluster.local`. */
function serviceOfHost(host: string, namespace: string): string {
  const [name = "", own] = host.split(".");
  return `${own ?? namespace}/${name}`;
}

function onHost(spec: Json): readonly ExposedBy[] {
  const containers = mapsAt(spec, "containers");
  const ports = containers.flatMap((container) => mapsAt(container, "ports"));
  if (isTrueAt(spec, "hostNetwork")) {
    const declared = ports.flatMap((port) => numberAt(port, "containerPort") ?? []);
    return declared.length === 0 ? [] : [{ how: "host-network", via: [], hosts: [], ports: declared }];
  }
  const onNode = ports.flatMap((port) => numberAt(port, "hostPort") ?? []).filter((port) => port > 0);
  return onNode.length === 0 ? [] : [{ how: "host-port", via: [], hosts: [], ports: onNode }];
}
