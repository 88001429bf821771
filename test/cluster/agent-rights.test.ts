import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAgent, startAgent } from "@bulwark/server/agent";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { keepCertificate, USUAL_PLACE } from "../../apps/server/src/admission/keep-certificate.ts";
import { readIdentity, writeIdentity } from "../../apps/server/src/agent/identity.ts";
import { WATCHED } from "../../apps/server/src/agent/kinds.ts";
import { openKubeApi } from "../../apps/server/src/agent/kube-api.ts";
import { type ServerUnderTest, startTestServer } from "../support/running-server.ts";
import type { KubernetesObject } from "./api-client.ts";
import { type HttpsReceiver, startHttpsReceiver } from "./https-receiver.ts";
import { CLUSTER_PROGRAM, type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const MANIFESTS = join(import.meta.dirname, "../../deploy/kubernetes/admission");
const NAMESPACE = "bulwark-agent";
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:bulwark-agent`;
const PATIENCE = { timeout: 40_000, interval: 100 };

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Invited {
  readonly cluster: { readonly id: number };
}

interface Replica {
  readonly replica: string;
  readonly health: { readonly missing: readonly string[] } | null;
}

interface AuditItem {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly apiGroup?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** The manifests as `kubectl apply -k` reads them. */
function manifests(): readonly KubernetesObject[] {
  const text = execFileSync(CLUSTER_PROGRAM, ["kubectl", "kustomize", MANIFESTS], { encoding: "utf8" });
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

/** Kinds that clusters may lack, as if their operators were installed. */
function definitions(): readonly KubernetesObject[] {
  return WATCHED.filter(({ optional }) => optional).map(({ apiVersion, kind, plural }) => {
    const [group = "", version = ""] = apiVersion.split("/");
    const names = { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const annotations = { "api-approved.kubernetes.io": "unapproved, of a test" };
    return {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}`, annotations },
      spec: { group, names, scope: "Namespaced", versions: [{ name: version, served: true, storage: true, schema }] },
    };
  });
}

/** What roles grant, one right a line: `list apps/deployments`, `get /secrets bulwark-agent-identity in bulwark-agent`. */
function granted(objects: readonly KubernetesObject[]): readonly string[] {
  const roles = objects.filter(({ kind }) => kind === "ClusterRole" || kind === "Role");
  const rights = roles.flatMap(({ kind, rules }) =>
    (rules as readonly Rule[]).flatMap(({ apiGroups, resources, verbs, resourceNames = [""] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => right(verb, group, resource, name, kind === "Role" ? NAMESPACE : "")),
          ),
        ),
      ),
    ),
  );
  return [...new Set(rights)].toSorted();
}

function right(verb: string, group: string, resource: string, name: string, namespace: string): string {
  return `${verb} ${group}/${resource}${name === "" ? "" : ` ${name}`}${namespace === "" ? "" : ` in ${namespace}`}`;
}

const why = whyNoCluster(false);

describe.skipIf(why !== "")(`the agent's rights in a real cluster${why === "" ? "" : ` (${why})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-rights-"));
  const log = pino({ level: "silent" });
  const asked: AuditItem[] = [];
  let objects: readonly KubernetesObject[];
  let receiver: HttpsReceiver;
  let server: ServerUnderTest;
  let cluster: Cluster;
  let invited: Invited;

  beforeAll(async () => {
    receiver = await startHttpsReceiver((_, document) => {
      asked.push(...(document.items as readonly AuditItem[]).filter(({ user }) => user.username === ACCOUNT));
      return {};
    });
    const rules = [{ level: "Metadata", users: [ACCOUNT] }, { level: "None" }];
    const policy = { apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules };
    [server, cluster] = await Promise.all([
      startTestServer(join(directory, "data"), {
        roles: new Set(["api", "gateway", "worker"]),
        gateway: { host: "127.0.0.1", port: 0 },
      }),
      startCluster({ kubelet: false, audit: { policy, url: receiver.url, ca: receiver.ca } }),
    ]);
    objects = manifests();
    await cluster.apply(...definitions());
    // As people do it: what the server gives, through the real kubectl.
    invited = await server.call<Invited>("POST", "/clusters", { name: "harbour" });
    const chosen = { gateway: "gateway.example.com:9443", image: "registry.example.com/bulwark:1" };
    const { manifest } = await server.call<{ manifest: string }>(
      "POST",
      `/clusters/${invited.cluster.id}/manifest`,
      chosen,
    );
    const applied = await cluster.kubectl(["apply", "--filename", "-"], manifest);
    expect(applied).toMatchObject({ code: 0, stderr: "" });
  });
  afterAll(async () => {
    await cluster?.close();
    await server?.close();
    await receiver?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function accountToken(): Promise<string> {
    const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/bulwark-agent/token`;
    const { body } = await cluster.request("POST", path, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {},
    });
    return (body.status as { readonly token: string }).token;
  }

  async function tokenOfManifest(): Promise<string> {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/bulwark-cluster-token`;
    const { data } = (await cluster.request("GET", path)).body as { readonly data: { readonly token: string } };
    return atob(data.token);
  }

  async function withAgent<Result>(
    name: string,
    use: (agent: RunningAgent, clusterId: number) => Promise<Result>,
  ): Promise<Result> {
    const [host = "", port = ""] = server.running.gateway.split(":");
    const [bearer, token] = [await accountToken(), await tokenOfManifest()];
    const agent = await startAgent({
      access: {
        server: cluster.server,
        ca: cluster.ca,
        cert: undefined,
        key: undefined,
        token: () => bearer,
        namespace: NAMESPACE,
      },
      gateway: { host, port: Number(port) },
      ...{ token: () => token, replica: name, roles: new Set(["agent" as const]), version: "test", log },
    });
    try {
      return await use(agent, invited.cluster.id);
    } finally {
      await agent.close();
    }
  }

  test("are each used, and no other is asked for", async () => {
    await withAgent("all", async (agent, id) => {
      const synced = async () =>
        (await server.call<{ synced: readonly string[] }>("GET", `/clusters/${id}`)).synced.length;
      await expect.poll(synced, PATIENCE).toBe(WATCHED.length);
      // What is done when the certificate is renewed, months later.
      const identity = await readIdentity(agent.api);
      await writeIdentity(agent.api, identity!);
      await renewalOfLease();
    });
    await useAdmissionRights();
    const used = () => [...new Set(asked.flatMap(rightsOf))].toSorted();
    await expect.poll(() => granted(objects).filter((one) => !used().includes(one)), PATIENCE).toEqual([]);
    expect(used().filter((one) => !granted(objects).includes(one))).toEqual([]);
    expect(asked.filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
  });

  /** The lease is made, then renewed. */
  async function renewalOfLease(): Promise<void> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/bulwark-agent`;
    const renewed = async () => {
      const { spec } = (await cluster.request("GET", path)).body as {
        spec: { acquireTime: string; renewTime: string };
      };
      return spec.acquireTime !== spec.renewTime;
    };
    await expect.poll(renewed, PATIENCE).toBe(true);
  }

  /** A certificate is made and told of, and made anew later. */
  async function useAdmissionRights(): Promise<void> {
    const bearer = await accountToken();
    const access = { server: cluster.server, ca: cluster.ca, cert: undefined, key: undefined, namespace: NAMESPACE };
    const kube = openKubeApi({ ...access, token: () => bearer });
    let now = new Date();
    const errors: unknown[] = [];
    const kept = await keepCertificate(
      kube,
      { namespace: NAMESPACE, ...USUAL_PLACE },
      () => now,
      () => {},
      (error) => errors.push(error),
    );
    now = new Date(now.getTime() + 300 * 86_400_000);
    await kept.check();
    kept.close();
    expect(errors).toEqual([]);
  }

  function rightsOf({ verb, objectRef }: AuditItem): readonly string[] {
    if (objectRef === undefined) return [];
    const { resource, apiGroup = "", namespace = "", name = "" } = objectRef;
    // What is made has no name yet where rights are looked up.
    const shown = verb === "create" ? "" : name;
    return [right(verb, apiGroup, resource, shown, resource === "namespaces" ? "" : namespace)];
  }

  test.each([0, 1])(
    "is missed where it is taken away, and the console says which kinds are not seen (%i)",
    async (turn) => {
      const role = objects.find(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === "bulwark-agent")!;
      // Every kind loses one of its two rights, in the second turn the other one.
      let count = turn;
      const fewer = (role.rules as readonly Rule[]).flatMap((rule) =>
        rule.verbs.includes("watch")
          ? rule.resources.map((resource) => ({
              ...rule,
              resources: [resource],
              verbs: [count++ % 2 === 0 ? "list" : "watch"],
            }))
          : [rule],
      );
      await cluster.request("PUT", "/apis/rbac.authorization.k8s.io/v1/clusterroles/bulwark-agent", {
        ...role,
        rules: fewer,
      });
      try {
        const name = `fewer-${turn}`;
        await withAgent(name, async (_, id) => {
          const missing = async () => {
            const { replicas } = await server.call<{ replicas: readonly Replica[] }>("GET", `/clusters/${id}`);
            return replicas.find(({ replica }) => replica === name)?.health?.missing.toSorted() ?? [];
          };
          const kinds = [...new Set(WATCHED.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`))].toSorted();
          await expect.poll(missing, PATIENCE).toEqual(kinds);
        });
      } finally {
        await cluster.apply(role);
      }
    },
  );

  test("hold no pod that is not restricted", async () => {
    const deployment = objects.find(({ kind }) => kind === "Deployment")!;
    const { template } = deployment.spec as { readonly template: { readonly metadata: object; readonly spec: object } };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...template.metadata, name: "tried" },
      spec: template.spec,
    };
    const path = `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`;
    const { status, body } = await cluster.request("POST", path, pod);
    expect(status, JSON.stringify(body)).toBe(201);
    const privileged = { ...pod, spec: { containers: [{ name: "a", image: "a" }] } };
    expect((await cluster.request("POST", path, privileged)).body.message).toContain("violates PodSecurity");
  });
});
