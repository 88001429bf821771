import { expect, test } from "vitest";
import type { KubeObject } from "../objects/kube-object.ts";
import { exposedSelectors } from "./exposed-selectors.ts";

function object(kind: string, namespace: string, name: string, spec: object, apiVersion = "v1"): KubeObject {
  return { uid: `${kind} ${namespace}/${name}`, apiVersion, kind, namespace, name, document: { spec } };
}
const service = (name: string, spec: object, namespace = "shop") =>
  object("Service", namespace, name, { selector: { app: name }, ...spec });
const ISTIO = "networking.istio.io/v1";
const toMesh = { http: [{ route: [{ destination: { host: "mesh.shop.svc" } }] }] };

test("what exposes a service is what exposes its workloads: routes of other namespaces too, and the mesh's own not", () => {
  const objects = [
    ...[service("inner", { type: "ClusterIP" }), service("node", { type: "NodePort" }), service("mesh", {})],
    ...[
      service("api", {}),
      service("any", { type: "NodePort", selector: {} }),
      service("far", { type: "NodePort" }, "other"),
    ],
    object(
      "GRPCRoute",
      "edge",
      "r",
      { rules: [{ backendRefs: [{ name: "api", namespace: "shop" }] }] },
      "gateway.networking.k8s.io/v1",
    ),
    object("VirtualService", "shop", "inside", toMesh, ISTIO),
  ];
  expect(exposedSelectors(objects, "shop").map(({ app }) => app)).toEqual(["node", "api"]);
  const opened = object("VirtualService", "edge", "outside", { gateways: ["edge"], ...toMesh }, ISTIO);
  expect(exposedSelectors([...objects, opened], "shop").map(({ app }) => app)).toEqual(["node", "api", "mesh"]);
});
