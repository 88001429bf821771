import { expect, test } from "vitest";
import { fitObject, MAX_OBJECT_BYTES } from "./fit-object.ts";
import type { Json } from "./kube-object.ts";
import { podContainers } from "./pods.ts";

/** Six bytes of JSON each. */
const WIDE = "\u0001";

function fitted(kind: string, object: Json): Json {
  const document = fitObject(kind, object);
  expect(document.byteLength).toBeLessThanOrEqual(MAX_OBJECT_BYTES);
  return JSON.parse(new TextDecoder().decode(document)) as Json;
}

const pod = (containers: readonly Json[], more: Json = {}): Json => ({
  metadata: { uid: "u", name: "web", namespace: "shop", labels: { app: "web" }, annotations: {}, ...more },
  spec: { nodeName: "n1", hostNetwork: true, containers },
});

test("an object of the usual size is told whole, but for texts that nobody reads to their end", () => {
  const usual = pod([{ name: "app", image: "a:1", args: ["x"], env: [{ name: "A" }] }], { annotations: { a: "b" } });
  expect(fitted("Pod", usual)).toEqual(usual);
  const long = pod([{ name: "app", image: "a:1", args: ["x".repeat(20_000)] }]);
  expect(fitted("Pod", long)).toEqual(pod([{ name: "app", image: "a:1", args: ["x".repeat(16_384)] }]));
});

test("of a pod that is too large what is judged remains, and it says that it was cut", () => {
  const text = WIDE.repeat(16_384);
  const privileged = { name: "app", image: "a:1", securityContext: { privileged: true } };
  const ports = [{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }];
  const large = { ...privileged, args: Array.from({ length: 100 }, () => text), env: [{ name: text }], ports };
  const told = fitted("Pod", pod([large], { annotations: { note: "x" } }));
  expect(told).toMatchObject({
    cut: true,
    metadata: { labels: { app: "web" }, annotations: {} },
    spec: { nodeName: "n1", hostNetwork: true, containers: [{ ...privileged, args: [], env: [], ports: [ports[1]] }] },
  });
  expect(podContainers(told)).toMatchObject([{ name: "app", image: "a:1", privileged: true }]);
});

test("annotations go first, also those of a template", () => {
  const annotations = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`a${n}`, WIDE.repeat(4_096)]));
  const { spec } = pod([{ name: "app", image: "a:1", args: ["x"] }]);
  const told = fitted("Deployment", { metadata: {}, spec: { template: { metadata: { annotations }, spec } } });
  expect(told).toEqual({
    ...{ cut: true, metadata: { annotations: {} } },
    spec: { template: { metadata: { annotations: {} }, spec } },
  });
});

test("thousands of containers are all told, each by what it is", () => {
  const details = { terminationMessagePath: "/dev/termination-log", livenessProbe: { exec: { command: ["x"] } } };
  const many = Array.from({ length: 15_000 }, (_, n) => ({ name: `c${n}`, image: "a:1", resources: {}, ...details }));
  expect(podContainers(fitted("Pod", pod(many)))).toHaveLength(15_000);
});

test.each(["Pod", "Role", "CronJob"])("whatever a %s is made of, it fits and keeps its name", (kind) => {
  const deep = (depth: number): unknown => (depth === 0 ? "x" : Array.from({ length: 7 }, () => deep(depth - 1)));
  const labels = Object.fromEntries(Array.from({ length: 40_000 }, (_, n) => [`${"l".repeat(60)}${n}`, ""]));
  const owner = { kind: "x", uid: WIDE.repeat(1_000_000) };
  const fillings = [
    ...[{ rules: Array.from({ length: 500_000 }, () => "a") }, { rules: deep(7) }, { labels }],
    ...[{ rules: Array.from({ length: 300_000 }, () => "€") }, { rules: Array.from({ length: 250_000 }, () => "🜲") }],
    ...[{ text: WIDE.repeat(2_000_000) }, { ["k".repeat(3_000_000)]: "" }, { ownerReferences: [owner, owner] }],
  ];
  for (const filling of fillings) {
    const object = { metadata: { uid: "u", name: "web", ...filling }, spec: { containers: [filling], ...filling } };
    expect(fitted(kind, object).metadata).toMatchObject({ uid: "u", name: "web" });
  }
});
