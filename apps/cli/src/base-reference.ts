import { formatReference, parseReference } from "@bulwark/image";

/**
 * The reference in full, so that it can be taken for no file or daemon of this machine; undefined when it is none, or names
 * another registry. The annotation comes from the image: it must not make us talk to whatever host it names.
 */
export function inSameRegistry(reference: string, source: string): string | undefined {
  try {
    const parsed = parseReference(reference);
    return parsed.registry === parseReference(source).registry ? formatReference(parsed) : undefined;
  } catch {
    return undefined; // one of them is no reference
  }
}
