import { verifyBytes } from "./digest.ts";
import { imageError } from "./errors.ts";
import type { Descriptor } from "./manifest.ts";

/** Where manifests and blobs come from: a registry, a layout, an archive, a daemon's content store. */
export interface ContentSource {
  /** True when reading costs traffic. */
  readonly isRemote?: boolean;
  /** Bytes of a manifest or index. Not yet verified; never more than `limitBytes`. */
  manifest(descriptor: Descriptor, limitBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Stored bytes of a blob, at most the descriptor's size worth reading. Not yet verified. */
  blob(descriptor: Descriptor, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Collects a small document.
 *
 * @throws MANIFEST_INVALID beyond the limit
 */
export async function collect(
  what: string,
  stream: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limitBytes) throw imageError("MANIFEST_INVALID", `${what} is larger than ${limitBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

/** A manifest or index that is what its descriptor says. */
export async function readManifest(
  source: ContentSource,
  what: string,
  descriptor: Descriptor,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  requireSmall(what, descriptor, limitBytes);
  const bytes = await source.manifest(descriptor, limitBytes, signal);
  verifyBytes(what, descriptor.digest, bytes);
  return bytes;
}

/** A small blob that is what its descriptor says. */
export async function readSmallBlob(
  source: ContentSource,
  what: string,
  descriptor: Descriptor,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  requireSmall(what, descriptor, limitBytes);
  const bytes = await collect(what, source.blob(descriptor, signal), limitBytes);
  verifyBytes(what, descriptor.digest, bytes);
  return bytes;
}

function requireSmall(what: string, descriptor: Descriptor, limitBytes: number): void {
  if (descriptor.size <= limitBytes) return;
  throw imageError("MANIFEST_INVALID", `${what} says it has ${descriptor.size} bytes, more than ${limitBytes}`);
}
