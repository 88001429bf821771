import { type GatheredFacts, NO_FACTS } from "@bulwark/benchmark/benchmark";
import { expect, test } from "vitest";
import { componentsOfNode } from "./components.ts";

const NO_DATABASE = { packages: "the node has no package database that this sensor reads (dpkg, apk)" };

function kernel(osId: string, osVersion: string, kernelRelease: string, facts: Partial<GatheredFacts> = {}) {
  const node = { osId, osVersion, osName: osId, kernelRelease };
  return componentsOfNode({ ...NO_FACTS, unread: NO_DATABASE, ...facts }, node).find(({ name }) => name === "linux");
}

test("a kernel of a distribution with rpm is the package that its release names", () => {
  expect(kernel("rocky", "9.4", "5.14.0-427.13.1.el9_4.x86_64")).toMatchObject({
    version: "5.14.0-427.13.1.el9_4",
    subject: { ecosystem: "Rocky Linux:9", name: "kernel", version: "5.14.0-427.13.1.el9_4" },
    why: "",
  });
  expect(kernel("rhel", "8.10", "4.18.0-553.el8_10.aarch64")?.subject).toMatchObject({ ecosystem: "Red Hat:8" });
  expect(kernel("ol", "9.3", "5.15.0-205.149.5.1.el9uek.x86_64")?.subject).toMatchObject({ name: "kernel-uek" });
  expect(kernel("fedora", "40", "6.8.9-300.fc40.x86_64")?.subject).toMatchObject({ version: "6.8.9-300.fc40" });
});

test("a kernel that the distribution did not build is undetermined, and why is told", () => {
  for (const [id, release] of [
    ["rocky", "6.9.1-1.el9.elrepo.x86_64"],
    ["rhel", "5.14.0-427.el9.x86_64+rt"],
    ["fedora", "6.8.9"],
    ["sles", "5.14.21-150500.55.39-default"],
    ["constructor", "5.14.0-427.13.1.el9_4.x86_64"],
  ] as const) {
    expect(kernel(id, "9", release), release).toMatchObject({
      version: release,
      subject: null,
      why: NO_DATABASE.packages,
    });
  }
});

test("what a workload's container calls itself is no component of the node", () => {
  const process = (program: string, containerId: string, namespace: string) => ({
    ...{ program, exe: `/${program}`, uid: 0, arguments: [program], argumentsCut: 0, containerId, namespace },
    ...{ environment: [], environmentRead: false },
  });
  const processes = [
    process("etcd", "c1", "shop"),
    process("kube-apiserver", "c2", "kube-system"),
    process("kubelet", "", ""),
  ];
  const node = { osId: "debian", osVersion: "12", osName: "Debian", kernelRelease: "6.1" };
  const names = componentsOfNode({ ...NO_FACTS, processes }, node).map(({ name }) => name);
  expect(names.sort()).toEqual(["kube-apiserver", "kubelet", "linux"]);
});
