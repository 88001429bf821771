import type { ContentFacts, ContentFile, RemoteScanner } from "@bulwark/model";

/** Content that waits for other processes, all layers of a scan apart. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** What a file costs besides its bytes: a layer may hold millions of files of one byte. */
const FILE_BYTES = 16 * 1024;

/** Files on their way through scanners that take their time. */
export interface RemoteQueue {
  /** False when too much is on its way: the file has to come again. */
  tryAdd(scanners: readonly RemoteScanner[], file: ContentFile): boolean;
  /** Undefined while there is room; else waits for it. */
  settle(): Promise<void> | undefined;
  /** Waits for all. */
  drain(): Promise<void>;
}

/** Makes a queue; `found` is told of each answer. */
export function remoteQueue(found: (path: string, scanner: string, facts: ContentFacts) => void): RemoteQueue {
  const running = new Set<Promise<void>>();
  let waitingBytes = 0;

  const add = (scanner: RemoteScanner, file: ContentFile): void => {
    const bytes = Uint8Array.from(file.bytes.subarray(0, scanner.maxBytes)); // the buffer is filled again before the answer
    const cost = bytes.length + FILE_BYTES;
    waitingBytes += cost;
    const head = bytes.subarray(0, file.head.length);
    const job = scanner
      .scan({ ...file, head, bytes })
      .then((facts) => found(file.path, scanner.id, facts))
      .finally(() => {
        waitingBytes -= cost;
        running.delete(job);
      });
    running.add(job);
  };
  const waitForRoom = async (): Promise<void> => {
    while (waitingBytes > MAX_WAITING_BYTES / 2 && running.size > 0) await Promise.race(running);
  };
  return {
    tryAdd(scanners, file) {
      const wanted = scanners.reduce(
        (sum, { maxBytes }) => sum + Math.min(file.bytes.length, maxBytes) + FILE_BYTES,
        0,
      );
      // One file alone is always taken, however large.
      if (running.size > 0 && waitingBytes + wanted > MAX_WAITING_BYTES) return false;
      for (const scanner of scanners) add(scanner, file);
      return true;
    },
    settle: () => (waitingBytes > MAX_WAITING_BYTES / 2 ? waitForRoom() : undefined),
    async drain() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
