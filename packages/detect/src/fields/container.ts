import type { RuntimeContainer, RuntimeMount } from "@bulwark/model";
import { compileGlob } from "../compile/glob.ts";
import { type Field, field, fieldWith, type Getter, remembered, textOrNone } from "./field.ts";
import { capabilityNames } from "./flags.ts";

/** As Falco and Docker print it. */
const SHORT_ID_LENGTH = 12;
const MICROSECOND_NS = 1000;

function of<Result extends string | number | boolean | readonly string[]>(
  read: (container: RuntimeContainer) => Result | undefined,
): Getter {
  return ({ container }) => (container === null ? undefined : read(container));
}

/** An image reference in its parts: `docker.io/library/nginx:1.27@sha256:…`. */
function imageParts(image: string): { readonly repository: string; readonly tag: string } {
  const [name = ""] = image.split("@", 1);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  return { repository: hasTag ? name.slice(0, colon) : name, tag: hasTag ? name.slice(colon + 1) : "" };
}

const partsOf = remembered((container: RuntimeContainer) => imageParts(container.image));

function mountText(mount: RuntimeMount): string {
  return `${mount.source}:${mount.destination}:${mount.type}:${mount.writable}:private`;
}

const mountsOf = remembered((container: RuntimeContainer) => container.mounts.map(mountText).join(" "));

/** One mount by its number, or the first whose path fits a glob. */
function mountGetter(path: (mount: RuntimeMount) => string, read: (mount: RuntimeMount) => string) {
  return (argument: string | null): Getter => {
    const glob = compileGlob(argument ?? "", false);
    const index = /^\d+$/.test(argument ?? "") ? Number(argument) : -1;
    return of((container) => {
      const mount = index >= 0 ? container.mounts[index] : container.mounts.find((entry) => glob(path(entry)));
      return mount === undefined ? "none" : read(mount);
    });
  };
}

const required = { argument: "required", argumentForm: "a number or a path", cost: 6, containerOnly: true } as const;
const inContainers = { containerOnly: true } as const;
const ours = { ours: true, containerOnly: true } as const;
const bySource = (mount: RuntimeMount) => mount.source;
const byDestination = (mount: RuntimeMount) => mount.destination;

/** Falco's `container.*`. */
export const CONTAINER_FIELDS: readonly Field[] = [
  field("container.id", "text", "the first 12 characters of the container's id; host outside of containers", (event) =>
    event.container === null ? "host" : event.container.id.slice(0, SHORT_ID_LENGTH),
  ),
  field(
    "container.full_id",
    "text",
    "the container's whole id",
    of((container) => container.id),
    inContainers,
  ),
  field("container.name", "text", "the container's name; host outside of containers", (event) =>
    event.container === null ? "host" : textOrNone(event.container.name),
  ),
  field(
    "container.image",
    "text",
    "the image as it was named",
    of(({ image }) => textOrNone(image)),
    inContainers,
  ),
  field(
    "container.image.repository",
    "text",
    "the image's name without tag and digest",
    of((container) => textOrNone(partsOf(container).repository)),
    inContainers,
  ),
  field(
    "container.image.tag",
    "text",
    "the image's tag",
    of((container) => textOrNone(partsOf(container).tag)),
    inContainers,
  ),
  field(
    "container.image.digest",
    "text",
    "digest of the image's manifest",
    of((container) => textOrNone(container.imageDigest)),
    inContainers,
  ),
  field(
    "container.image.id",
    "text",
    "the first 12 characters of the manifest's digest",
    of((container) => textOrNone(container.imageDigest.replace(/^sha256:/, "").slice(0, SHORT_ID_LENGTH))),
    inContainers,
  ),
  field(
    "container.type",
    "text",
    "containerd, cri-o, docker, podman or runc",
    of((container) => container.runtime),
    inContainers,
  ),
  field(
    "container.privileged",
    "boolean",
    "runs with all privileges",
    of((container) => container.privileged),
    inContainers,
  ),
  field("container.mounts", "text", "all mounts, each source:destination:type:writable:private", of(mountsOf), {
    ...inContainers,
    cost: 2,
  }),
  fieldWith(
    "container.mount",
    "text",
    "one mount, by number or by its source",
    mountGetter(bySource, mountText),
    required,
  ),
  fieldWith(
    "container.mount.source",
    "text",
    "source of a mount, by number or by its destination",
    mountGetter(byDestination, bySource),
    required,
  ),
  fieldWith(
    "container.mount.dest",
    "text",
    "destination of a mount, by number or by its source",
    mountGetter(bySource, byDestination),
    required,
  ),
  fieldWith(
    "container.mount.mode",
    "text",
    "type of a mount, by number or by its source",
    mountGetter(bySource, (mount) => mount.type),
    required,
  ),
  fieldWith(
    "container.mount.rdwr",
    "text",
    "true when a mount can be written to",
    mountGetter(bySource, (mount) => String(mount.writable)),
    required,
  ),
  field(
    "container.start_ts",
    "number",
    "start, nanoseconds since 1970",
    of((container) => container.startedUs * MICROSECOND_NS),
    inContainers,
  ),
  field(
    "container.duration",
    "number",
    "nanoseconds since the container's start",
    ({ container, timeUs }) =>
      container === null || container.startedUs === 0 ? undefined : (timeUs - container.startedUs) * MICROSECOND_NS,
    inContainers,
  ),
  field(
    "container.ip",
    "text",
    "the container's first address",
    of((container) => container.addresses[0]),
    inContainers,
  ),
];

/** What Falco's fields cannot say of a container. */
export const OUR_CONTAINER_FIELDS: readonly Field[] = [
  field(
    "container.ips",
    "list",
    "all addresses of the container",
    of((container) => container.addresses),
    ours,
  ),
  field(
    "container.host_network",
    "boolean",
    "shares the host's network",
    of((container) => container.hostNetwork),
    ours,
  ),
  field(
    "container.host_pid",
    "boolean",
    "sees the host's processes",
    of((container) => container.hostPid),
    ours,
  ),
  field(
    "container.host_ipc",
    "boolean",
    "shares the host's memory segments",
    of((container) => container.hostIpc),
    ours,
  ),
  field(
    "container.readonly",
    "boolean",
    "its root file system cannot be written to",
    of((container) => container.readOnlyRoot),
    ours,
  ),
  field(
    "container.seccomp",
    "boolean",
    "a seccomp profile filters its system calls",
    of((container) => container.seccomp),
    ours,
  ),
  field(
    "container.user",
    "text",
    "user that it was started as",
    of((container) => textOrNone(container.user)),
    ours,
  ),
  field(
    "container.capabilities",
    "text",
    "capabilities that it was given, joined by blanks",
    of((container) => capabilityNames(container.capabilities)),
    { ...ours, cost: 10 },
  ),
  field(
    "container.runtime_namespace",
    "text",
    "containerd's namespace, such as k8s.io",
    of((container) => textOrNone(container.runtimeNamespace)),
    ours,
  ),
  fieldWith(
    "container.label",
    "text",
    "a label's value",
    (argument) =>
      of((container) =>
        Object.hasOwn(container.labels, argument ?? "") ? container.labels[argument ?? ""] : undefined,
      ),
    { ...ours, argument: "required", argumentForm: "a label's name" },
  ),
];

/** Falco's `k8s.*`, from what the container runtime was told. */
export const KUBERNETES_FIELDS: readonly Field[] = [
  field(
    "k8s.ns.name",
    "text",
    "namespace",
    of((container) => textOrNone(container.namespace)),
    inContainers,
  ),
  field(
    "k8s.pod.name",
    "text",
    "pod",
    of((container) => textOrNone(container.pod)),
    inContainers,
  ),
  field(
    "k8s.pod.uid",
    "text",
    "the pod's uid",
    of((container) => textOrNone(container.podUid)),
    inContainers,
  ),
  field(
    "k8s.pod.id",
    "text",
    "the pod's uid",
    of((container) => textOrNone(container.podUid)),
    inContainers,
  ),
  field(
    "k8s.pod.ip",
    "text",
    "the pod's first address",
    of((container) => (container.pod === "" ? undefined : container.addresses[0])),
    inContainers,
  ),
  fieldWith(
    "k8s.pod.label",
    "text",
    "a label's value",
    (argument) =>
      of((container) =>
        Object.hasOwn(container.labels, argument ?? "") ? container.labels[argument ?? ""] : undefined,
      ),
    { ...inContainers, argument: "required", argumentForm: "a label's name" },
  ),
  field(
    "k8s.pod.labels",
    "text",
    "all labels, name:value joined by commas",
    of((container) =>
      textOrNone(
        Object.entries(container.labels)
          .map(([label, value]) => `${label}:${value}`)
          .join(","),
      ),
    ),
    { ...inContainers, cost: 8 },
  ),
  field(
    "k8s.container.name",
    "text",
    "the container's name in the pod",
    of((container) => textOrNone(container.kubernetesContainer)),
    ours,
  ),
];
