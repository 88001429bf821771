import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { joinManifest } from "../../apps/server/src/clusters/join-manifest.ts";
import type { KubernetesObject } from "./api-client.ts";
import { CLUSTER_PROGRAM, whyNoCluster } from "./start-cluster.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const GATEWAY = "gateway.bulwark.svc:9443";
const why = whyNoCluster(false);

function read(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as KubernetesObject;
  });
}

function kustomized(folder: string): readonly KubernetesObject[] {
  return read(
    execFileSync(CLUSTER_PROGRAM, ["kubectl", "kustomize", join(DEPLOY, "kubernetes", folder)], { encoding: "utf8" }),
  );
}

/** By kind, namespace and name, without what only says how it was installed. */
function byName(objects: readonly KubernetesObject[], left: readonly string[] = []): Readonly<Record<string, object>> {
  const entries = objects.map(({ metadata, ...object }) => {
    const { "app.kubernetes.io/managed-by": _by, "helm.sh/chart": _chart, ...labels } = metadata.labels ?? {};
    return [
      `${object.kind} ${metadata.namespace ?? ""}/${metadata.name}`,
      { ...object, metadata: { ...metadata, labels } },
    ] as const;
  });
  expect(new Set(entries.map(([name]) => name)).size).toBe(entries.length);
  return Object.fromEntries(
    entries.filter(([name]) => !left.includes(name)).map(([name, object]) => [name, ordered(object) as object]),
  );
}

/** Lists of named things by their names: their order says nothing. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered);
    const isNamed = items.every((item) => typeof (item as { readonly name?: unknown } | null)?.name === "string");
    const nameOf = (item: unknown) => (item as { readonly name: string }).name;
    return isNamed ? items.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : items;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, ordered(each)]));
}

describe.skipIf(why !== "")(`manifests${why === "" ? "" : ` (${why})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-manifests-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function helm(values: object): string {
    const file = join(directory, "values.json");
    writeFileSync(file, JSON.stringify(values));
    const words = ["helm-template", join(DEPLOY, "helm/bulwark"), "bulwark", "bulwark-agent", file];
    return execFileSync(CLUSTER_PROGRAM, words, { encoding: "utf8", stdio: "pipe" });
  }

  /** The defaults of the chart where the manifests leave the choice to whoever applies them. */
  const pulled = (objects: Readonly<Record<string, object>>) =>
    JSON.parse(JSON.stringify(objects).replaceAll('"imagePullPolicy":"IfNotPresent",', ""));
  const NAMESPACE = "Namespace /bulwark-agent";

  test("the chart gives what kustomize gives, with admission and sensor", () => {
    const sensor = { enabled: true, gateway: "gateway.bulwark.svc:9443" };
    const chart = byName(read(helm({ gateway: { address: GATEWAY }, sensor })));
    const manifests = byName([...kustomized("admission"), ...kustomized("sensor")], [NAMESPACE]);
    // Generated names of kustomize and Helm's own differ in a hash alone.
    const plain = (text: object) => JSON.parse(JSON.stringify(text).replace(/gateway-[a-z0-9]{10}/g, "gateway"));
    expect(pulled(chart)).toEqual(plain(manifests));
  });

  test("the chart gives what kustomize gives, without admission", () => {
    const [agent] = kustomized("agent").filter(({ kind }) => kind === "Deployment");
    const { containers } = (agent!.spec as { template: { spec: { containers: readonly { resources: object }[] } } })
      .template.spec;
    const values = { admission: { enabled: false }, agent: { resources: containers[0]?.resources } };
    expect(pulled(byName(read(helm({ gateway: { address: GATEWAY }, ...values }))))).toEqual(
      byName(kustomized("agent"), [NAMESPACE]),
    );
  });

  test("the chart's choices are where they belong", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const text = helm({
      gateway: { address: "[2001:db8::1]:9443" },
      cluster: { token: "abc.def" },
      image: { repository: "registry.example.com/bulwark", digest },
      imagePullSecrets: [{ name: "pull" }],
      agent: { replicas: 1, readSecretNames: false },
      admission: { failurePolicy: "Fail", exemptNamespaces: ["legacy"] },
      networkPolicies: false,
    });
    const objects = byName(read(text));
    expect(objects["Secret bulwark-agent/bulwark-cluster-token"]).toMatchObject({ stringData: { token: "abc.def" } });
    expect(text).toContain(`image: registry.example.com/bulwark@${digest}`);
    expect(text.match(/failurePolicy: Fail/g)).toHaveLength(2);
    expect(text).toContain('["kube-system","kube-node-lease","bulwark","bulwark-agent","bulwark-sensor","legacy"]');
    expect(Object.keys(objects).filter((name) => name.startsWith("NetworkPolicy"))).toEqual([]);
    const { rules } = objects["ClusterRole /bulwark-agent"] as { rules: readonly { resources: readonly string[] }[] };
    expect(rules.flatMap(({ resources }) => resources)).not.toContain("secrets");
    // A single replica must not hold up the drain of its node.
    expect(objects["PodDisruptionBudget bulwark-agent/bulwark-agent"]).toMatchObject({ spec: { maxUnavailable: 1 } });
  });

  test("the agent is let out to the port of its gateway, whichever that is", () => {
    const gateway = "[2001:db8::1]:30943";
    const made = [
      helm({ gateway: { address: gateway } }),
      joinManifest({ gateway, token: "abc.def", image: "bulwark:latest", admission: false }),
    ];
    const portsOf = (text: string) => {
      const policy = byName(read(text))["NetworkPolicy bulwark-agent/bulwark-agent"];
      const { egress } = (policy as { spec: { egress: readonly { ports: readonly { port: number }[] }[] } }).spec;
      return egress.map(({ ports }) => ports.map(({ port }) => port));
    };
    const names = [53, 53];
    expect(made.map(portsOf)).toEqual([
      [names, [443, 6443, 9443, 30943]],
      [names, [443, 6443, 9443, 30943]],
    ]);
  });

  test.each([
    ["no gateway", {}],
    ["a gateway that is no address", { gateway: { address: "x:1\nevil: true" } }],
    ["a token that would leave its quotes", { gateway: { address: GATEWAY }, cluster: { token: '"\nevil: true' } }],
    ["a value that nobody knows", { gateway: { address: GATEWAY }, agnet: {} }],
    ["a failure policy that there is not", { gateway: { address: GATEWAY }, admission: { failurePolicy: "Maybe" } }],
  ])("the chart refuses %s", (_, values) => {
    expect(() => helm(values)).toThrow("values don't meet the specifications of the schema");
  });

  test.each([
    ["agent", false],
    ["admission", true],
  ])("what the server gives to join is what kustomize gives of %s", (folder, admission) => {
    const text = joinManifest({ gateway: GATEWAY, token: "abc.def", image: "bulwark:latest", admission });
    const token = "Secret bulwark-agent/bulwark-cluster-token";
    expect(byName(read(text), [token])).toEqual(byName(kustomized(folder)));
    expect(byName(read(text))[token]).toMatchObject({ stringData: { token: "abc.def" } });
    expect(read(text)[0]?.kind).toBe("Namespace");
  });
});
