import type { NewTask } from "@bulwark/store";

/** Tasks that scan images of registries. */
export function scanTasks(
  images: readonly { readonly digest: string; readonly name: string; readonly registry: number }[],
): readonly NewTask[] {
  return images.map(({ digest, name, registry }) => ({
    kind: "scan-image",
    name: `${name}@${digest.slice(0, 19)}`,
    payload: { digest, registry },
  }));
}
