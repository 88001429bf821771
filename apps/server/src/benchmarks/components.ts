import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { GatheredFacts, GatheredPackage } from "@bulwark/benchmark/benchmark";
import { subjectsOf } from "@bulwark/ecosystems";
import { textAt } from "@bulwark/kubernetes";
import type { AdvisorySubject, OperatingSystem } from "@bulwark/model";
import {
  listTenants,
  type SeenComponent,
  type Store,
  type StoredObject,
  setComponentFlaws,
  unmatchedComponents,
} from "@bulwark/store";
import { matcherOf, stateOfDatabase } from "../scans/match.ts";

const MAX_TENANTS = 10_000;
const BATCH = 500;
const MAX_FLAWS = 200;

/** Modules under which advisories know what components are built from (OSV, ecosystem Go). */
const MODULES: Readonly<Record<string, string>> = {
  runc: "github.com/opencontainers/runc",
  containerd: "github.com/containerd/containerd",
  dockerd: "github.com/docker/docker",
  kubelet: "k8s.io/kubernetes",
  "kube-apiserver": "k8s.io/kubernetes",
  "kube-controller-manager": "k8s.io/kubernetes",
  "kube-scheduler": "k8s.io/kubernetes",
  "kube-proxy": "k8s.io/kubernetes",
  kubernetes: "k8s.io/kubernetes",
  etcd: "go.etcd.io/etcd",
  crio: "github.com/cri-o/cri-o",
  istio: "istio.io/istio",
};
/** Packages by what they hold. */
const PACKAGES: Readonly<Record<string, string>> = {
  runc: "runc",
  containerd: "containerd",
  "containerd.io": "containerd",
  "docker.io": "dockerd",
  "docker-ce": "dockerd",
  "moby-engine": "dockerd",
  kubelet: "kubelet",
  crun: "crun",
};
/** Packages that their makers ship themselves: the distribution's advisories do not speak of them. */
const OF_MAKERS = new Set(["containerd.io", "docker-ce", "moby-engine", "kubelet"]);

/** What a node's facts tell of its components. */
export function componentsOfNode(
  facts: GatheredFacts,
  node: { readonly osId: string; readonly osVersion: string; readonly osName: string; readonly kernelRelease: string },
): readonly SeenComponent[] {
  const os: OperatingSystem = { id: node.osId, versionId: node.osVersion, name: node.osName };
  const found = new Map<string, SeenComponent>();
  const own = facts.processes.filter(({ containerId, namespace }) => containerId === "" || namespace === "kube-system");
  const kernel = facts.packages.find(({ name }) => name === `linux-image-${node.kernelRelease}`);
  found.set("linux", kernelOf(node.kernelRelease, kernel, facts.unread.packages, os));
  for (const each of facts.packages) {
    const name = Object.hasOwn(PACKAGES, each.name) ? PACKAGES[each.name]! : undefined;
    if (name !== undefined) found.set(name, packaged(name, each, os));
  }
  for (const { program, version } of facts.builds) {
    // What a distribution packs has its fixes under the package's version.
    if (found.get(program)?.subject === undefined || found.get(program)?.subject === null) {
      const known = built(program, version, "program");
      if (!found.has(program) || known.subject !== null) found.set(program, known);
    }
  }
  for (const { program } of own) {
    if (Object.hasOwn(MODULES, program) && !found.has(program)) found.set(program, built(program, "", "program"));
  }
  return [...found.values()];
}

/** Distributions whose kernels say by their release which package they are, by os-release's ID, and how that release ends. */
const RELEASES: Readonly<Record<string, RegExp>> = {
  rhel: /\.el\d+(?:_\d+)?$/,
  centos: /\.el\d+(?:_\d+)?$/,
  rocky: /\.el\d+(?:_\d+)?$/,
  almalinux: /\.el\d+(?:_\d+)?$/,
  ol: /\.el\d+(?:_\d+)?(?:uek)?$/,
  fedora: /\.fc\d+$/,
  openeuler: /\.oe\d+(?:sp\d+)?$/,
};
const MACHINES = "x86_64|aarch64|ppc64le|s390x|riscv64|loongarch64";

function kernelOf(
  release: string,
  kernel: GatheredPackage | undefined,
  unread: string | undefined,
  os: OperatingSystem,
): SeenComponent {
  if (kernel !== undefined) return { ...packaged("linux", kernel, os), version: kernel.version };
  const byRelease = kernelByRelease(release, os);
  if (byRelease !== undefined) return byRelease;
  const why = unread ?? `no package of the distribution holds the kernel ${release}`;
  return { name: "linux", version: release, source: "package", subject: null, why };
}

/**
 * A kernel of a distribution with rpm: its release is the version and release of its package, and its machine (`5.14.0-427.13.1.el9_4.x86_64`).
 * Kernels of others (`elrepo`), of another kind (`+rt`, `+debug`) or of one's own end differently.
 */
function kernelByRelease(release: string, os: OperatingSystem): SeenComponent | undefined {
  const pattern = Object.hasOwn(RELEASES, os.id) ? RELEASES[os.id] : undefined;
  const version = new RegExp(`^(\\d+(?:\\.\\d+)+-[\\w.]+)\\.(?:${MACHINES})$`).exec(release)?.[1];
  if (pattern === undefined || version === undefined || !pattern.test(version)) return undefined;
  const name = version.endsWith("uek") ? "kernel-uek" : "kernel";
  const named = subjectsOf(
    { type: "rpm", namespace: os.id, name, version, source: { name, version }, evidence: "installed" },
    os,
  );
  const base = { name: "linux", version, source: "package" };
  if ("undetermined" in named) return { ...base, subject: null, why: named.undetermined };
  return { ...base, subject: named[0] ?? null, why: named.length === 0 ? "no advisories are known for it" : "" };
}

function packaged(name: string, each: GatheredPackage, os: OperatingSystem): SeenComponent {
  const base = { name, version: each.version, source: "package" };
  if (OF_MAKERS.has(each.name))
    return { ...built(name, upstreamVersion(each.version), "package"), version: each.version };
  const source = each.source === "" ? each.name : each.source;
  // A signed kernel is built from the same source under another name.
  const sourceName = /^linux-signed/.test(source) ? "linux" : source;
  const sourceVersion = (each.sourceVersion || each.version).replace(/^linux-signed.*$/, each.version);
  const version = sourceName === "linux" ? each.version : sourceVersion;
  const named = subjectsOf(
    {
      ...{ type: each.manager === "apk" ? "apk" : "deb", namespace: os.id, name: each.name, version: each.version },
      source: { name: sourceName, version },
    } as Parameters<typeof subjectsOf>[0],
    os,
  );
  if ("undetermined" in named) return { ...base, subject: null, why: named.undetermined };
  return { ...base, subject: named[0] ?? null, why: named.length === 0 ? "no advisories are known for it" : "" };
}

/** `5:24.0.7-1~debian.12~bookworm` is Docker's 24.0.7. */
function upstreamVersion(version: string): string {
  return version.replace(/^\d+:/, "").split(/[-~+]/, 1)[0]!;
}

function built(name: string, version: string, source: string): SeenComponent {
  const module = Object.hasOwn(MODULES, name) ? MODULES[name]! : undefined;
  const bare = version.replace(/^v/, "");
  if (module === undefined) return { name, version, source, subject: null, why: "no advisories are known for it" };
  if (!/^\d+\.\d+/.test(bare)) {
    return {
      name,
      version: "",
      source,
      subject: null,
      why: "its version is not known: it does not say, and no package holds it",
    };
  }
  const subject: AdvisorySubject = { ecosystem: "Go", name: module, version: bare };
  return { name, version: bare, source, subject, why: "" };
}

/** What a cluster's objects tell of its components: Kubernetes by its own word, Istio by the image of its control plane. */
export function componentsOfCluster(version: string, objects: readonly StoredObject[]): readonly SeenComponent[] {
  const seen = [built("kubernetes", version, "cluster")];
  const pilot = objects
    .flatMap(({ document }) => {
      const containers = (document.spec as { template?: { spec?: { containers?: unknown } } } | undefined)?.template
        ?.spec?.containers;
      return Array.isArray(containers) ? containers.map((container) => textAt(container, "image")) : [];
    })
    .find((image) => /(?:^|\/)pilot(?::|@)/.test(image));
  if (pilot !== undefined) seen.push(built("istio", /:(\d[\w.]*)/.exec(pilot)?.[1] ?? "", "cluster"));
  return seen;
}

/** Looks up components that were not, in the newest state of the advisory database. */
export async function matchComponents({
  store,
  tools,
}: {
  readonly store: Store;
  readonly tools: { database(): Promise<AdvisoryDatabase> };
}): Promise<void> {
  const database = await tools.database();
  const state = stateOfDatabase(database);
  const match = matcherOf(database);
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(tenantId, async (db) => {
      const waiting = await unmatchedComponents(db, state, BATCH);
      const found = match(waiting.map(({ subject }) => subject as unknown as AdvisorySubject));
      for (const [at, component] of waiting.entries()) {
        const flaws = (found[at] ?? [])
          .slice(0, MAX_FLAWS)
          .map(({ id, severity, title, fixedVersion }) => ({ id, severity, title, fixedVersion }));
        await setComponentFlaws(db, component.id, { flaws, why: component.why, state });
      }
    });
  }
}
