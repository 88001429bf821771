import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeMount } from "@bulwark/model";
import { describe, expect, test } from "vitest";
import { createDetector } from "./detector.ts";
import { loadRules } from "./rule-set.ts";
import { container, event, process } from "./testing/events.ts";

const RULES = join(import.meta.dirname, "../../../content/rules");
const names = readdirSync(RULES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
const set = loadRules(names.toSorted().map((name) => ({ name, text: readFileSync(join(RULES, name), "utf8") })));
const fired = (given: Parameters<typeof event>) =>
  createDetector(set)
    .detect(event(...given))
    .map(({ rule }) => rule);

const bind = (source: string, destination = source): RuntimeMount => ({
  source,
  destination,
  type: "bind",
  writable: true,
});
const started = (mounts: readonly RuntimeMount[]) =>
  fired(["container", { detail: "start", container: container({ mounts }) }]);

describe("a container that is started the usual way is no alert", () => {
  test.each([
    [
      "docker",
      ["hosts", "hostname", "resolv.conf"].map((name) => bind(`/var/lib/docker/containers/0a/${name}`, `/etc/${name}`)),
    ],
    ["docker with a volume", [bind("/var/lib/docker/volumes/data/_data", "/data")]],
    [
      "a pod",
      [
        bind("/var/lib/kubelet/pods/1-2/etc-hosts", "/etc/hosts"),
        bind(
          "/var/lib/kubelet/pods/1-2/volumes/kubernetes.io~projected/token",
          "/var/run/secrets/kubernetes.io/serviceaccount",
        ),
        bind("/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/3/resolv.conf", "/etc/resolv.conf"),
        bind("/run/containerd/io.containerd.grpc.v1.cri/sandboxes/3/shm", "/dev/shm"),
      ],
    ],
    ["the time of the host", [bind("/etc/localtime"), bind("/etc/ssl/certs")]],
    ["file systems of the kernel", [{ source: "proc", destination: "/proc", type: "proc", writable: true }]],
  ])("%s", (_, mounts) => {
    expect(started(mounts)).toEqual([]);
  });
});

test.each([
  "/",
  "/etc",
  "/root/.ssh",
  "/var/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/proc",
  "/etc/kubernetes/pki",
])("%s of the host in a container is one", (source) => {
  expect(started([bind(source, "/host")])).toEqual(["Container started with a sensitive part of the host"]);
});

describe("what the runtime does while it prepares a container is no alert, and nobody passes for it", () => {
  const mount = (given: Parameters<typeof process>[0]) =>
    fired(["mount", { path: "proc", newPath: "/proc/self/fd/6", detail: "proc", process: process(given) }]);
  const host = process({ name: "runc", exe: "/usr/sbin/runc" });

  test("runc from its file or from its copy in memory", () => {
    expect(mount({ name: "runc:[2:INIT]", exe: "/usr/sbin/runc" })).toEqual([]);
    expect(
      mount({ name: "runc:[2:INIT]", exe: "memfd:runc_cloned:/proc/self/exe", exeInMemory: true, parent: host }),
    ).toEqual([]);
  });

  test.each([
    ["a program that calls itself runc", { name: "runc:[2:INIT]", exe: "/usr/bin/python3.11" }],
    ["a program that was dropped at its place", { name: "runc", exe: "/usr/sbin/runc", exeDrifted: true }],
    [
      "a copy in memory of somebody else",
      { name: "runc:[2:INIT]", exe: "memfd:runc_cloned:x", parent: process({ name: "runc", exe: "/tmp/runc" }) },
    ],
  ])("%s", (_, given) => {
    expect(mount(given)).toEqual(["File system mounted in a container"]);
  });
});

test("a shell of another name under a server is one", () => {
  const nginx = process({ name: "nginx", exe: "/usr/sbin/nginx" });
  const helper = process({
    name: "helper",
    exe: "/usr/bin/dash",
    arguments: ["/tmp/helper", "-c", "id"],
    parent: nginx,
  });
  expect(fired(["execve", { process: helper }])).toEqual(["Shell started by a server program"]);
});
