import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import type { MutationSettings } from "./bundle.ts";
import type { FactsAnswer } from "./facts.ts";
import type { Pod } from "./pod.ts";
import { splitReference } from "./reference.ts";
import type { AdmissionRequest } from "./review.ts";

/** One operation of a JSON Patch (RFC 6902); paths are JSON Pointers (RFC 6901). */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

const TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * What is changed about a pod on its way in. Only pods are changed, never the templates of controllers: those are compared with
 * what somebody keeps in a repository, and every pod they make comes by here.
 *
 * A digest that is there is never changed, and a tag gets one only where the registry was asked just now.
 */
export function mutate(
  request: AdmissionRequest,
  pod: Pod | undefined,
  facts: FactsAnswer,
  settings: MutationSettings,
): readonly PatchOperation[] {
  if (pod === undefined || request.kind.kind !== "Pod") return [];
  const pinned = settings.pinDigests ? pinDigests(pod, facts) : [];
  // Everything else of a pod cannot be changed once it is there.
  if (request.operation !== "CREATE") return pinned;
  return [
    ...pinned,
    ...(settings.defaultSeccomp ? defaultSeccomp(pod) : []),
    ...(settings.withholdTokens ? withholdToken(pod) : []),
  ];
}

/**
 * Of a pod that runs only an image that changes with the update is pinned: another text for the same image restarts its container,
 * and where images may not change (ephemeral containers, volumes) the API server refuses the whole update.
 */
function pinDigests({ containers }: Pod, { images }: FactsAnswer): readonly PatchOperation[] {
  return containers.flatMap(({ image, imagePath, isImageChanged }): readonly PatchOperation[] => {
    const reference = splitReference(image);
    const known = Object.hasOwn(images, image) ? images[image] : undefined;
    if (!isImageChanged || reference === undefined || reference.digest !== "" || known === undefined) return [];
    if (!known.resolved || known.digest === "") return [];
    return [{ op: "replace", path: imagePath, value: `${image}@${known.digest}` }];
  });
}

function defaultSeccomp({ spec }: Pod): readonly PatchOperation[] {
  if (textOf(fieldsOf(spec.os).name) === "windows") return [];
  const value = { type: "RuntimeDefault" };
  if (spec.securityContext === undefined)
    return [{ op: "add", path: "/spec/securityContext", value: { seccompProfile: value } }];
  if (fieldsOf(spec.securityContext).seccompProfile !== undefined) return [];
  return [{ op: "add", path: "/spec/securityContext/seccompProfile", value }];
}

/**
 * The API server has put the token's volume in before webhooks are asked (admission plugin ServiceAccount): it has to go with its
 * mounts. Where the pod asks for a token by name, or mounts one of its own, it is left.
 */
function withholdToken({ spec }: Pod): readonly PatchOperation[] {
  if (spec.automountServiceAccountToken !== undefined) return [];
  const volumes = listOf(spec.volumes).map(fieldsOf);
  const at = volumes.findIndex(isTokenVolume);
  const none: PatchOperation = { op: "add", path: "/spec/automountServiceAccountToken", value: false };
  if (at < 0) return [none];
  const name = textOf(volumes[at]?.name);
  const unmounted = ["containers", "initContainers"].flatMap((list) =>
    listOf(spec[list]).flatMap((container, place) => withoutMount(container, `/spec/${list}/${place}`, name)),
  );
  return [none, ...unmounted, { op: "remove", path: `/spec/volumes/${at}` }];
}

function isTokenVolume({ name, projected }: Fields): boolean {
  const sources = listOf(fieldsOf(projected).sources).map(fieldsOf);
  return textOf(name).startsWith("kube-api-access-") && sources.some((each) => each.serviceAccountToken !== undefined);
}

/** The last first, so that each removal leaves the places of the others as they were. */
function withoutMount(container: unknown, pointer: string, name: string): readonly PatchOperation[] {
  return listOf(fieldsOf(container).volumeMounts)
    .map(fieldsOf)
    .flatMap((mount, at): readonly PatchOperation[] =>
      mount.name === name && mount.mountPath === TOKEN_MOUNT
        ? [{ op: "remove", path: `${pointer}/volumeMounts/${at}` }]
        : [],
    )
    .toReversed();
}
