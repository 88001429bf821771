import type { FileHandle } from "node:fs/promises";
import { namelessFile } from "../archive/spool.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Stored bytes of layers that come over a network and are to be read a second time. */
export interface KeptLayers {
  /** Passes a stream on and keeps its bytes. Without room for them the layer is fetched again later. */
  keep(index: number, stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** The bytes of a layer of `sizeBytes`; undefined when they are not all here. */
  again(index: number, sizeBytes: number): AsyncIterable<Uint8Array> | undefined;
  forget(index: number): Promise<void>;
  close(): Promise<void>;
}

interface Kept {
  readonly handle: FileHandle;
  size: number;
}

/** Keeps layers in temporary files without a name: nobody else can open them, and nothing stays behind. */
export function keptLayers(): KeptLayers {
  const kept = new Map<number, Kept>();
  const forget = async (index: number) => {
    const layer = kept.get(index);
    kept.delete(index);
    await layer?.handle.close();
  };
  return {
    async *keep(index, stream) {
      await forget(index);
      const layer: Kept = { handle: await namelessFile(), size: 0 };
      kept.set(index, layer);
      for await (const chunk of stream) {
        if (kept.get(index) === layer && !(await append(layer, chunk))) await forget(index);
        yield chunk;
      }
    },
    again(index, sizeBytes) {
      const layer = kept.get(index);
      return layer !== undefined && layer.size >= sizeBytes ? read(layer) : undefined;
    },
    forget,
    async close() {
      for (const index of [...kept.keys()]) await forget(index);
    },
  };
}

/** False when the disk is full: then the bytes are not worth an error. */
async function append(layer: Kept, chunk: Uint8Array): Promise<boolean> {
  try {
    await layer.handle.write(chunk, 0, chunk.length, layer.size);
    layer.size += chunk.length;
    return true;
  } catch {
    return false;
  }
}

async function* read({ handle, size }: Kept): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return; // the reader of the layer tells that it is torn
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
