import type { Json } from "./kube-object.ts";
import { type ContainerRole, containersOf } from "./pod-template.ts";
import { isTrueAt, mapAt, mapsAt, textAt } from "./read.ts";

/** The controller among an object's owners. */
export interface Controller {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A container of a pod, with what the runtime made of it. */
export interface PodContainer {
  readonly name: string;
  readonly role: ContainerRole;
  /** As the spec names it. */
  readonly image: string;
  /** `sha256:…`, as it was pulled; empty before. */
  readonly imageDigest: string;
  /** Without the runtime's name before it; empty before it started. */
  readonly runtimeId: string;
  /** `running`, `waiting`, `terminated`; empty where nothing is known. */
  readonly state: string;
  readonly privileged: boolean;
}

const STATUS_LISTS: Readonly<Record<ContainerRole, string>> = {
  container: "containerStatuses",
  init: "initContainerStatuses",
  ephemeral: "ephemeralContainerStatuses",
};

/** Longest name of an image that a registry takes, with room; longer ones are cut: rows are found by it. */
const MAX_IMAGE = 1_024;

/** The containers of a pruned pod. */
export function podContainers(pod: Json): readonly PodContainer[] {
  const statuses = (role: ContainerRole) =>
    new Map(mapsAt(pod, "status", STATUS_LISTS[role]).map((status) => [textAt(status, "name"), status]));
  const byRole = { container: statuses("container"), init: statuses("init"), ephemeral: statuses("ephemeral") };
  return containersOf(mapAt(pod, "spec")).map(({ role, container }) => {
    const name = textAt(container, "name");
    const status = byRole[role].get(name);
    return {
      name,
      role,
      image: textAt(container, "image").slice(0, MAX_IMAGE),
      imageDigest: /sha256:[a-f0-9]{64}$/.exec(textAt(status, "imageID"))?.[0] ?? "",
      runtimeId: textAt(status, "containerID").replace(/^[a-z-]+:\/\//, ""),
      state: textAt(status, "state"),
      privileged: isTrueAt(container, "securityContext", "privileged"),
    };
  });
}

/** Who made an object, and makes another when it is gone (Kubernetes API, "Owners and Dependents"); undefined for nobody. */
export function controllerOf(object: Json): Controller | undefined {
  const owner = mapsAt(object, "metadata", "ownerReferences").find((each) => each.controller === true);
  return owner && { kind: textAt(owner, "kind"), name: textAt(owner, "name"), uid: textAt(owner, "uid") };
}

/** A pod's own addresses. */
export function podAddressesOf(pod: Json): readonly string[] {
  const all = mapsAt(pod, "status", "podIPs").map((each) => textAt(each, "ip"));
  return [...new Set([textAt(pod, "status", "podIP"), ...all])].filter((address) => address !== "");
}
