import { expect, test } from "vitest";
import type { Json, KubeObject } from "../objects/kube-object.ts";
import { findExposure, type Target } from "./exposure.ts";

function object(kind: string, name: string, document: Json, apiVersion = "v1"): KubeObject {
  return { uid: `${kind}/${name}`, apiVersion, kind, namespace: "shop", name, document };
}
const cart: Target = { uid: "cart", namespace: "shop", labels: { app: "cart", tier: "web" }, spec: {} };
const other: Target = { uid: "other", namespace: "other", labels: { app: "cart" }, spec: {} };

function service(spec: Json, over: Json = {}) {
  return object("Service", "cart", {
    spec: { selector: { app: "cart" }, ports: [{ port: 80, nodePort: 30080 }], ...spec },
    ...over,
  });
}
const how = (objects: readonly KubeObject[]) =>
  (findExposure(objects, [cart, other]).get("cart") ?? []).map((by) => by.how);

test.each([
  ["a load balancer", [service({ type: "LoadBalancer" })], ["load-balancer"]],
  ["a port of all nodes", [service({ type: "NodePort" })], ["node-port"]],
  ["an address from outside", [service({ externalIPs: ["192.0.2.1"] })], ["external-ip"]],
  ["nothing but the cluster's own address", [service({ type: "ClusterIP" })], []],
  [
    "a load balancer of the inner network",
    [
      service(
        { type: "LoadBalancer" },
        { metadata: { annotations: { "networking.gke.io/load-balancer-type": "Internal" } } },
      ),
    ],
    [],
  ],
  [
    "an ingress",
    [
      service({}),
      object("Ingress", "web", {
        spec: { rules: [{ host: "a.example", http: { paths: [{ backend: { service: { name: "cart" } } }] } }] },
      }),
    ],
    ["ingress"],
  ],
  [
    "a route of a gateway",
    [
      service({}),
      object(
        "HTTPRoute",
        "web",
        {
          spec: { parentRefs: [{ name: "edge" }], rules: [{ backendRefs: [{ name: "cart" }] }] },
        },
        "gateway.networking.k8s.io/v1",
      ),
    ],
    ["gateway"],
  ],
  [
    "a virtual service of Istio",
    [
      service({}),
      object(
        "VirtualService",
        "web",
        {
          spec: {
            gateways: ["edge"],
            http: [{ route: [{ destination: { host: "cart.shop.svc.cluster.local" } }] }],
          },
        },
        "networking.istio.io/v1",
      ),
    ],
    ["istio-gateway"],
  ],
  [
    "a virtual service inside the mesh",
    [
      service({}),
      object(
        "VirtualService",
        "web",
        { spec: { http: [{ route: [{ destination: { host: "cart" } }] }] } },
        "networking.istio.io/v1",
      ),
    ],
    [],
  ],
])("%s", (_, objects, expected) => {
  expect(how(objects)).toEqual(expected);
});

test("says what leads there, first to last", () => {
  const found = findExposure(
    [
      service({}),
      object("Ingress", "web", {
        spec: { rules: [{ host: "a.example", http: { paths: [{ backend: { service: { name: "cart" } } }] } }] },
      }),
    ],
    [cart],
  );
  expect(found.get("cart")).toEqual([
    { how: "ingress", via: ["Ingress shop/web", "Service shop/cart"], hosts: ["a.example"], ports: [80, 443] },
  ]);
});

test("a service of another namespace, another label or without a selector leads to nobody", () => {
  expect(how([service({ type: "NodePort", selector: { app: "cart", tier: "db" } })])).toEqual([]);
  expect(how([service({ type: "NodePort", selector: {} })])).toEqual([]);
  expect(findExposure([service({ type: "NodePort" })], [other]).size).toBe(0);
});

test("ports of the host, and of pods in the host's network", () => {
  const port = (over: Json) => ({ containers: [{ ports: [over] }] });
  const of = (spec: Json) =>
    findExposure([], [{ ...cart, spec }])
      .get("cart")
      ?.map((by) => [by.how, by.ports]);
  expect(of(port({ containerPort: 80, hostPort: 8080 }))).toEqual([["host-port", [8080]]]);
  expect(of({ ...port({ containerPort: 80 }), hostNetwork: true })).toEqual([["host-network", [80]]]);
  expect(of(port({ containerPort: 80 }))).toBeUndefined();
});
