import { isImageError } from "../errors.ts";
import { limitsWith } from "../limits.ts";
import type { OpenOptions } from "../open-options.ts";
import { listContainerd } from "./containerd.ts";
import { listEngine } from "./engine.ts";

/** An image that a daemon of this machine keeps. */
export interface LocalImage {
  readonly source: "containerd" | "docker" | "podman";
  /** Of containerd; empty for the others. */
  readonly namespace: string;
  /** As the daemon names it: `docker.io/library/app:1`. */
  readonly name: string;
  /** What the name stands for: of a manifest or an index in containerd, of the configuration in the others. */
  readonly digest: string;
}

/** What a machine's daemons keep. */
export interface LocalImages {
  readonly images: readonly LocalImage[];
  /** Daemons that answered. */
  readonly daemons: readonly LocalImage["source"][];
  /** Why one that is there could not be asked. */
  readonly problems: readonly string[];
}

/**
 * Lists the images of containerd, Docker and Podman, as far as they run on this machine.
 *
 * @throws CANCELLED
 * @example const { images } = await listLocalImages(); await openImage(`${images[0].source}:${images[0].name}`);
 */
export async function listLocalImages(options: OpenOptions = {}): Promise<LocalImages> {
  const limits = limitsWith(options.limits);
  const lists = {
    containerd: () => listContainerd(options, limits),
    docker: () => listEngine("docker", options, limits),
    podman: () => listEngine("podman", options, limits),
  } as const;
  const images: LocalImage[] = [];
  const daemons: LocalImage["source"][] = [];
  const problems: string[] = [];
  for (const source of ["containerd", "docker", "podman"] as const) {
    try {
      images.push(...(await lists[source]()));
      daemons.push(source);
    } catch (error) {
      if (!isImageError(error) || error.code === "CANCELLED") throw error;
      // A daemon without a socket is not there, which is no problem; one that does not answer is.
      if (!/has no socket/.test(error.message)) problems.push(error.message);
    }
  }
  return { images, daemons, problems };
}
