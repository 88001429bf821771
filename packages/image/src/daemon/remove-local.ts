import { isImageError } from "../errors.ts";
import { limitsWith } from "../limits.ts";
import type { OpenOptions } from "../open-options.ts";
import { removeContainerd } from "./containerd.ts";
import { removeEngine } from "./engine.ts";
import type { LocalImage } from "./local-images.ts";

/**
 * Removes a name of an image from the daemon that keeps it; the daemon frees what nothing else names. What a container of
 * the daemon uses, running or not, is refused.
 *
 * @returns false when the daemon does not have it any more
 * @throws DAEMON_UNREACHABLE, DAEMON_REFUSED when something uses it, CANCELLED
 */
export async function removeLocalImage(image: LocalImage, options: OpenOptions = {}): Promise<boolean> {
  const limits = limitsWith(options.limits);
  try {
    if (image.source === "containerd") await removeContainerd(image, options, limits);
    else await removeEngine(image.source, image.name, options, limits);
    return true;
  } catch (error) {
    if (isImageError(error) && error.code === "IMAGE_NOT_FOUND") return false;
    throw error;
  }
}
