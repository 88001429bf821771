import { type AuditEvent, bareCapability, type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { type Field, field, textOrNone, type Value } from "../fields/field.ts";
import { containersOf, elementsOf, podSpecOf } from "./pod-spec.ts";

const of = field<AuditEvent>;

/** What a container says itself, else what its pod says. */
type Scope = "container" | "effective";

function podContext(event: AuditEvent): Fields {
  return fieldsOf(podSpecOf(event).securityContext);
}

function texts(values: readonly unknown[]): readonly string[] | undefined {
  const found = values
    .filter((value) => value !== undefined && value !== null)
    .map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)));
  return found.length === 0 ? undefined : found;
}

function ofContexts(key: string, scope: Scope, otherwise?: unknown): (event: AuditEvent) => Value | undefined {
  return (event) => {
    const pod = scope === "effective" ? podContext(event)[key] : undefined;
    return texts(containersOf(event).map((container) => fieldsOf(container.securityContext)[key] ?? pod ?? otherwise));
  };
}

function ofPod(key: string): (event: AuditEvent) => Value | undefined {
  return (event) => {
    const spec = podSpecOf(event);
    return Object.keys(spec).length === 0 ? undefined : spec[key] === true;
  };
}

/** `docker.io/library/nginx` of `docker.io/library/nginx:1.27@sha256:…`. */
function repositoryOf(image: string): string {
  const plain = image.split("@", 1)[0] ?? "";
  const colon = plain.lastIndexOf(":");
  return colon > plain.lastIndexOf("/") ? plain.slice(0, colon) : plain;
}

function images(event: AuditEvent): readonly string[] {
  return containersOf(event)
    .map(({ image }) => textOf(image))
    .filter((image) => image !== "");
}

function volumes(event: AuditEvent): readonly Fields[] {
  return elementsOf(podSpecOf(event).volumes).map(fieldsOf);
}

/** `/etc/../` is `/`: a path is compared as what it leads to. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Of the pods that a request makes or changes, also by the templates of controllers. Lists have a value per container. */
export const POD_FIELDS: readonly Field<AuditEvent>[] = [
  of("ka.req.pod.containers.image", "list", "images as they are written", (event) => texts(images(event))),
  of("ka.req.pod.containers.image.repository", "list", "images without tag and digest", (event) =>
    texts(images(event).map(repositoryOf)),
  ),
  of("ka.req.container.image", "text", "image of the first container", (event) => textOrNone(images(event)[0])),
  of("ka.req.container.image.repository", "text", "the same without tag and digest", (event) =>
    textOrNone(repositoryOf(images(event)[0] ?? "")),
  ),
  of(
    "ka.req.pod.containers.privileged",
    "list",
    "whether containers are privileged",
    ofContexts("privileged", "container", false),
  ),
  of(
    "ka.req.pod.containers.allow_privilege_escalation",
    "list",
    "whether programs may gain rights",
    ofContexts("allowPrivilegeEscalation", "container", true),
  ),
  of(
    "ka.req.pod.containers.read_only_fs",
    "list",
    "whether the root file system is read-only",
    ofContexts("readOnlyRootFilesystem", "container", false),
  ),
  of(
    "ka.req.pod.containers.run_as_user",
    "list",
    "user ids that containers ask for",
    ofContexts("runAsUser", "container"),
  ),
  of(
    "ka.req.pod.containers.eff_run_as_user",
    "list",
    "user ids of containers, else of their pod",
    ofContexts("runAsUser", "effective"),
  ),
  of(
    "ka.req.pod.containers.run_as_group",
    "list",
    "group ids that containers ask for",
    ofContexts("runAsGroup", "container"),
  ),
  of(
    "ka.req.pod.containers.eff_run_as_group",
    "list",
    "group ids of containers, else of their pod",
    ofContexts("runAsGroup", "effective"),
  ),
  of("ka.req.pod.containers.proc_mount", "list", "how /proc is masked", ofContexts("procMount", "container")),
  of("ka.req.pod.containers.add_capabilities", "list", "capabilities that containers add", (event) =>
    texts(
      containersOf(event).flatMap(({ securityContext }) =>
        listOf(fieldsOf(fieldsOf(securityContext).capabilities).add).map(capability),
      ),
    ),
  ),
  of("ka.req.pod.containers.host_port", "list", "ports of the node that containers take", (event) =>
    texts(containersOf(event).flatMap(({ ports }) => elementsOf(ports).map((port) => fieldsOf(port).hostPort))),
  ),
  of("ka.req.pod.run_as_user", "text", "user id of the pod", (event) => texts([podContext(event).runAsUser])?.[0]),
  of("ka.req.pod.run_as_group", "text", "group id of the pod", (event) => texts([podContext(event).runAsGroup])?.[0]),
  of("ka.req.pod.fs_group", "text", "group of the pod's volumes", (event) => texts([podContext(event).fsGroup])?.[0]),
  of("ka.req.pod.supplemental_groups", "list", "further groups of the pod", (event) =>
    texts(listOf(podContext(event).supplementalGroups)),
  ),
  of("ka.req.pod.host_network", "boolean", "the pod shares the node's network", ofPod("hostNetwork")),
  of("ka.req.pod.host_pid", "boolean", "the pod sees the node's processes", ofPod("hostPID")),
  of("ka.req.pod.host_ipc", "boolean", "the pod shares the node's memory segments", ofPod("hostIPC")),
  of("ka.req.pod.volumes.hostpath", "list", "paths of the node that the pod mounts, without `..`", (event) =>
    texts(
      volumes(event)
        .map(({ hostPath }) => textOf(fieldsOf(hostPath).path))
        .filter((path) => path !== "")
        .map(normalPath),
    ),
  ),
  of("ka.req.pod.volumes.volume_type", "list", "kinds of volumes", (event) =>
    texts(volumes(event).flatMap((volume) => Object.keys(volume).filter((key) => key !== "name"))),
  ),
  of("ka.req.pod.volumes.flexvolume_driver", "list", "drivers of flex volumes", (event) =>
    texts(volumes(event).map(({ flexVolume }) => fieldsOf(flexVolume).driver)),
  ),
  of(
    "ka.req.pod.service_account",
    "text",
    "service account of the pod",
    (event) => textOrNone(textOf(podSpecOf(event).serviceAccountName)),
    { ours: true },
  ),
];

/** Runtimes take them in any case, some with the kernel's prefix. */
function capability(name: unknown): unknown {
  return typeof name === "string" ? bareCapability(name) : name;
}
