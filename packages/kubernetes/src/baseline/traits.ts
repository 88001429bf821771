import { fieldsOf } from "@bulwark/model";
import type { Pod } from "../admission/pod.ts";
import { splitReference } from "../admission/reference.ts";
import type { Json } from "../objects/kube-object.ts";
import { isTrueAt, mapAt, mapsAt, numberAt, textAt, textsAt } from "../objects/read.ts";

/** What a baseline learns of pods. */
export const TRAIT_KINDS = [
  ...(["image", "user", "privileged", "capability", "host-namespace", "host-path"] as const),
  ...(["service-account", "token"] as const),
] as const;
export type TraitKind = (typeof TRAIT_KINDS)[number];

/** One thing that a pod is or has. */
export interface Trait {
  readonly kind: TraitKind;
  /** `docker.io/library/nginx`, `root`, `NET_ADMIN`, `/var/log`; `yes` where there is nothing else to say. */
  readonly value: string;
}

/** As whom a container runs: as its own text says, or as its image does. */
type User = "root" | "other" | "image";

const HOST_NAMESPACES = { hostNetwork: "network", hostPID: "process", hostIPC: "ipc" } as const;

/**
 * What a pod is and has, each once: of all its containers, in the words that a proposed policy compares with.
 *
 * @example traitsOf(podOf(readReview(review))).filter(({ kind }) => kind === "host-path")
 */
export function traitsOf(pod: Pod): readonly Trait[] {
  const spec = pod.spec as Json;
  const containers = ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => mapsAt(spec, list));
  const found: Trait[] = [
    ...pod.containers.flatMap(({ image }) => traits("image", repositoryOf(image))),
    ...containers.map((container) => trait("user", userOf(spec, container))),
    ...containers
      .filter((each) => isTrueAt(each, "securityContext", "privileged"))
      .map(() => trait("privileged", "yes")),
    ...containers.flatMap((each) => textsAt(each, "securityContext", "capabilities", "add").map(ofCapability)),
    ...Object.entries(HOST_NAMESPACES).flatMap(([member, name]) =>
      isTrueAt(spec, member) ? [trait("host-namespace", name)] : [],
    ),
    ...mapsAt(spec, "volumes")
      .filter((volume) => volume.hostPath !== undefined)
      .map((volume) => trait("host-path", textAt(volume, "hostPath", "path"))),
    trait("service-account", textAt(spec, "serviceAccountName") || "default"),
    ...(fieldsOf(spec).automountServiceAccountToken === false ? [] : [trait("token", "yes")]),
  ];
  return [...new Map(found.map((each) => [`${each.kind} ${each.value}`, each])).values()];
}

function trait(kind: TraitKind, value: string): Trait {
  return { kind, value };
}

function traits(kind: TraitKind, value: string | undefined): readonly Trait[] {
  return value === undefined ? [] : [{ kind, value }];
}

function ofCapability(name: string): Trait {
  return trait("capability", name);
}

/** Undefined for what no runtime would pull. */
function repositoryOf(image: string): string | undefined {
  const reference = splitReference(image);
  return reference === undefined ? undefined : `${reference.registry}/${reference.repository}`;
}

function userOf(spec: Json, container: Json): User {
  const own = mapAt(container, "securityContext");
  const ofPod = mapAt(spec, "securityContext");
  const user = numberAt(own, "runAsUser") ?? numberAt(ofPod, "runAsUser");
  if (user !== undefined) return user === 0 ? "root" : "other";
  const isBound = own.runAsNonRoot ?? ofPod.runAsNonRoot;
  return isBound === true ? "other" : "image";
}
