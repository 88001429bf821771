/** Largest file that is read whole; an analyzer may not ask for more. */
export const LARGE_FILE_BYTES = 128 * 1024 * 1024;
/** Files up to here never wait for another layer's. */
export const SMALL_FILE_BYTES = 8 * 1024 * 1024;

/** A piece of memory for one file's content, to be given back. */
export interface Scratch {
  /** At least as long as asked; its content is undefined. */
  readonly buffer: Buffer;
  release(): void;
}

/**
 * Memory for file contents. All layers that are read at once share one large buffer, so that the peak stays the same
 * however many large files come together; each layer has a small one of its own.
 */
export interface ScratchPool {
  /** Undefined when the large buffer is in use: the caller reads the file again later. */
  tryTake(sizeBytes: number): Scratch | undefined;
  /** Waits for the large buffer. */
  takeLarge(): Promise<Scratch>;
  /** Gives back what a reading that failed midway still held. */
  abandon(): void;
}

export interface SharedScratch {
  /** A pool for one layer. */
  forLayer(): ScratchPool;
}

/** Makes the pool that the layers of a scan share. Memory is touched, and so counted, only as far as files fill it. */
export function sharedScratch(): SharedScratch {
  let large: Buffer | undefined;
  let busy = false;
  const waiting: ((scratch: Scratch) => void)[] = [];

  const lend = (): Scratch => {
    busy = true;
    large ??= Buffer.allocUnsafeSlow(LARGE_FILE_BYTES);
    return { buffer: large, release };
  };
  const release = () => {
    busy = false;
    const next = waiting.shift();
    if (next !== undefined) next(lend());
  };
  return {
    forLayer() {
      let small: Buffer | undefined;
      let holds = false;
      const own = ({ buffer }: Scratch): Scratch => {
        holds = true;
        return { buffer, release: abandon };
      };
      const abandon = () => {
        if (holds) release();
        holds = false;
      };
      return {
        tryTake(sizeBytes) {
          if (sizeBytes > SMALL_FILE_BYTES) return busy ? undefined : own(lend());
          small ??= Buffer.allocUnsafeSlow(SMALL_FILE_BYTES);
          return { buffer: small, release: () => {} };
        },
        takeLarge: async () => own(busy ? await new Promise<Scratch>((resolve) => waiting.push(resolve)) : lend()),
        abandon,
      };
    },
  };
}
