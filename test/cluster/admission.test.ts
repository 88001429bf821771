import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AdmissionBundle,
  compileBundle,
  EMPTY_BUNDLE,
  exportPolicy,
  judge,
  readAdmissionPolicy,
  readReview,
  UNKNOWN_NAMESPACE,
  unknownImage,
} from "@bulwark/kubernetes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { USUAL_PLACE } from "../../apps/server/src/admission/keep-certificate.ts";
import type { KubeApi } from "../../apps/server/src/admission/kube-api.ts";
import { type AdmissionRole, startAdmission } from "../../apps/server/src/admission/start-admission.ts";
import { createTestSource } from "../../apps/server/src/admission/testing/test-source.ts";
import type { KubernetesObject } from "./api-client.ts";
import { type Cluster, startCluster, whyNoCluster } from "./start-cluster.ts";

const CONTENT = join(import.meta.dirname, "../../content/policies/admission");
const why = whyNoCluster(false);
const names = readdirSync(CONTENT);
const policies = names.map((name) => {
  const text = readFileSync(join(CONTENT, name, "policy.yaml"), "utf8");
  return { name, text, policy: readAdmissionPolicy(text, name) };
});
const exported = policies.flatMap(({ name, text, policy }) => {
  try {
    return [{ name, text, ...exportPolicy(policy, "enforce", []) }];
  } catch {
    return [];
  }
});

type Case = Readonly<Record<string, unknown>> & { readonly kind: string };

/** Every pod that some shipped policy is tried with. */
const corpus: readonly Case[] = names.flatMap((name) =>
  ["good.yaml", "bad.yaml"].flatMap((file) =>
    parseAllDocuments(readFileSync(join(CONTENT, name, file), "utf8")).flatMap((document) => {
      const { expect: _, ...object } = document.toJSON() ?? {};
      return object.kind === "Pod" ? [object as Case] : [];
    }),
  ),
);

describe.skipIf(why !== "")(`admission in a real cluster${why === "" ? "" : ` (${why})`}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ kubelet: false });
  });
  afterAll(() => cluster?.close());

  const namespace = async (name: string, labels: Readonly<Record<string, string>> = {}) => {
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await cluster.until(`/api/v1/namespaces/${name}/serviceaccounts/default`, () => true);
    await cluster.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "shop", namespace: name } });
  };
  /** @returns whether it is let in; undefined for what is no pod at all */
  const tryOut = async (name: string, object: Case, at: number) => {
    const metadata = { ...(object.metadata as object), name: `case-${at}`, namespace: name };
    const sent = { apiVersion: "v1", ...object, metadata };
    const { status, body } = await cluster.request("POST", `/api/v1/namespaces/${name}/pods?dryRun=All`, sent);
    if (status === 201) return { isAllowed: true, message: "" };
    if (status === 403) return { isAllowed: false, message: String(body.message) };
    // The API server's own checks come first: a pod that could never be made tells nothing.
    expect([status, body.reason, JSON.stringify(body.message)]).toEqual([422, "Invalid", expect.any(String)]);
    return undefined;
  };
  const ours = (text: string, object: Case) => {
    const request = {
      uid: "u",
      kind: { group: "", version: "v1", kind: "Pod" },
      operation: "CREATE",
      namespace: "n",
      object,
    };
    const review = readReview(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request }));
    const bundle: AdmissionBundle = { ...EMPTY_BUNDLE, policies: [{ text, file: "p", mode: "enforce" }] };
    const facts = { namespace: { ...UNKNOWN_NAMESPACE, known: true }, images: {} };
    return judge(review, compileBundle(bundle), facts, { now: 0, elapsed: () => 0 }).allowed;
  };

  test("exported policies refuse the same pods as the webhook", async () => {
    for (const { name, policy, binding } of exported) {
      await namespace(`vap-${name}`);
      const { spec, ...rest } = binding as { spec: object };
      const matchExpressions = [{ key: "kubernetes.io/metadata.name", operator: "In", values: [`vap-${name}`] }];
      const bound = { ...rest, spec: { ...spec, matchResources: { namespaceSelector: { matchExpressions } } } };
      await cluster.apply(policy as KubernetesObject, bound as unknown as KubernetesObject);
    }
    await namespace("plain");
    const possible: Case[] = [];
    for (const [at, object] of corpus.entries())
      if ((await tryOut("plain", object, at))?.isAllowed === true) possible.push(object);
    const differing: string[] = [];
    let compared = 0;
    for (const { name, text } of exported) {
      const bad = possible.find((object) => !ours(text, object));
      // It takes the API server a moment to know a policy.
      if (bad !== undefined)
        await expect
          .poll(async () => (await tryOut(`vap-${name}`, bad, 0))?.isAllowed, { timeout: 20_000, message: name })
          .toBe(false);
      for (const [at, object] of possible.entries()) {
        const theirs = await tryOut(`vap-${name}`, object, at);
        compared++;
        if (theirs?.isAllowed !== ours(text, object))
          differing.push(`${name}: ${JSON.stringify(object)}: ${theirs?.isAllowed} ${theirs?.message}`);
      }
    }
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(1_000);
  });

  test("the Pod Security Standards refuse the same pods as the API server's own", async () => {
    const differing: string[] = [];
    for (const level of ["baseline", "restricted"]) {
      await namespace(`pss-${level}`, { "pod-security.kubernetes.io/enforce": level });
      const { text } = policies.find(({ name }) => name === `pod-security-${level}`) ?? { text: "" };
      for (const [at, object] of corpus.entries()) {
        const theirs = await tryOut(`pss-${level}`, object, at);
        if (theirs !== undefined && theirs.isAllowed !== ours(text, object))
          differing.push(`${level}: ${JSON.stringify(object)}: ${theirs.isAllowed} ${theirs.message}`);
      }
    }
    expect(differing).toEqual([]);
  });

  describe("with the webhook", () => {
    const source = createTestSource({
      policies: policies.map(({ name, text }) => ({
        text,
        file: name,
        mode: name === "no-privileged" ? "enforce" : "audit",
      })),
      mutation: { pinDigests: true, defaultSeccomp: true, withholdTokens: true },
    });
    const image = "registry.example/shop/app:1";
    const digest = `sha256:${"a".repeat(64)}`;
    let role: AdmissionRole;
    const kube: KubeApi = {
      call: (method, path, body, type = "application/json") =>
        cluster.request(method, path, body, { "content-type": type }),
    };
    const configuration = (kind: "Validating" | "Mutating", path: string, failurePolicy = "Fail") => ({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: "bulwark-admission" },
      webhooks: [
        {
          ...{
            name: "pods.bulwark.dev",
            sideEffects: "None",
            admissionReviewVersions: ["v1"],
            timeoutSeconds: 5,
            failurePolicy,
          },
          clientConfig: { url: `https://localhost:${role.port}/${path}` },
          rules: [
            {
              ...{ apiGroups: ["", "apps"], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"] },
              resources: ["pods", "pods/ephemeralcontainers", "deployments"],
            },
          ],
          namespaceSelector: { matchLabels: { guarded: "yes" } },
        },
      ],
    });
    const pod = (name: string, securityContext: object = {}) => ({
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop" } },
      spec: { containers: [{ name: "app", image, securityContext }] },
    });
    const create = (object: KubernetesObject) => cluster.request("POST", "/api/v1/namespaces/shop/pods", object);

    beforeAll(async () => {
      source.images.set(image, { ...unknownImage(""), state: "known", digest, resolved: true });
      const place = { ...USUAL_PLACE, namespace: "bulwark", names: ["localhost"] };
      await namespace("bulwark");
      await namespace("shop", { guarded: "yes" });
      role = await startAdmission({
        ...{ source, listen: { host: "127.0.0.1", port: 0 }, certificate: { kube, place }, clock: () => new Date() },
        ...{ log: { error: () => {}, warn: () => {} }, drainMs: 0 },
      });
      await cluster.apply(configuration("Validating", "validate"), configuration("Mutating", "mutate"));
      await role.certificate?.check();
    });
    afterAll(() => role?.close());

    test("a privileged pod is denied by the API server with our words", async () => {
      await expect
        .poll(async () => (await create(pod("bad", { privileged: true }))).body.message, { timeout: 20_000 })
        .toContain(
          'admission webhook "pods.bulwark.dev" denied the request: denied by Bulwark: policy no-privileged (privileged)',
        );
    });

    test("a good pod is let in with its digest pinned, a seccomp profile, and no token", async () => {
      const { status, body } = await create(pod("good"));
      expect([status, body.message]).toEqual([201, undefined]);
      expect(body.spec).toMatchObject({
        ...{ automountServiceAccountToken: false, securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
        containers: [{ image: `${image}@${digest}` }],
      });
      expect(JSON.stringify(body.spec)).not.toContain("kube-api-access");
    });

    test("a privileged debug container, and a deployment's template, are denied", async () => {
      const debug = {
        spec: { ephemeralContainers: [{ name: "debug", image, securityContext: { privileged: true } }] },
      };
      const patched = await cluster.request("PATCH", "/api/v1/namespaces/shop/pods/good/ephemeralcontainers", debug, {
        "content-type": "application/strategic-merge-patch+json",
      });
      expect([patched.status, patched.body.message]).toEqual([
        403,
        expect.stringContaining("container debug is privileged"),
      ]);
      const { spec } = pod("x", { privileged: true });
      const template = { metadata: { labels: { app: "x" } }, spec };
      const deployment = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "x", namespace: "shop" },
        spec: { selector: { matchLabels: { app: "x" } }, template },
      };
      const made = await cluster.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment);
      expect([made.status, made.body.message]).toEqual([403, expect.stringContaining("container app is privileged")]);
    });

    test("namespaces that are exempt are left alone", async () => {
      await namespace("free");
      const { status } = await cluster.request("POST", "/api/v1/namespaces/free/pods", {
        ...pod("free", { privileged: true }),
        metadata: { name: "free", namespace: "free" },
      });
      expect(status).toBe(201);
    });

    test("without a replica failurePolicy says what happens: Fail lets nothing in, Ignore everything", async () => {
      await role.close();
      await expect.poll(async () => (await create(pod("late"))).status, { timeout: 20_000 }).toBe(500);
      const lenient = [
        configuration("Validating", "validate", "Ignore"),
        configuration("Mutating", "mutate", "Ignore"),
      ];
      await cluster.apply(...lenient);
      await expect.poll(async () => (await create(pod("late"))).status, { timeout: 20_000 }).toBe(201);
    });
  });
});
