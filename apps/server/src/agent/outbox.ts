import type { ClusterObject } from "../clusters/gen/wire-types.ts";

/** Of one batch; documents are counted, the rest is small. */
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_OBJECTS = 500;

/** What of a cluster the server was not told yet. */
export interface Outbox {
  /** Whether listing should wait until some of it was sent. */
  readonly isFull: boolean;
  readonly isEmpty: boolean;
  changed(object: ClusterObject): void;
  removed(uid: string): void;
  /** Everything of a kind was put in before this. */
  synced(kind: string): void;
  /** Takes out what fits one message; undefined when there is nothing. */
  take(): OutboxBatch | undefined;
  /** Puts back what was not acknowledged; what changed since stays as it is now. */
  putBack(batch: OutboxBatch): void;
}

export interface OutboxBatch {
  readonly changed: readonly ClusterObject[];
  readonly removed: readonly string[];
  readonly synced: readonly string[];
}

type Entry = ClusterObject | "removed";

/**
 * Keeps of each object only what is newest: however long the server is away, no more waits than the cluster has objects. That a
 * kind is complete is told with or after the last of its objects that was put in before.
 *
 * @param capacity objects that wait before listing is asked to pause
 */
export function createOutbox(capacity: number): Outbox {
  const entries = new Map<string, Entry>();
  /** Kinds that are complete, each with the uids that have to go first. */
  const complete = new Map<string, Set<string>>();
  const settled = (uids: Iterable<string>) => {
    for (const uid of uids) for (const before of complete.values()) before.delete(uid);
  };
  return {
    get isFull() {
      return entries.size >= capacity;
    },
    get isEmpty() {
      return entries.size === 0 && complete.size === 0;
    },
    changed(object) {
      entries.set(object.uid, object);
    },
    removed(uid) {
      entries.set(uid, "removed");
    },
    synced(kind) {
      complete.set(kind, new Set(entries.keys()));
    },
    take() {
      const changed: ClusterObject[] = [];
      const removed: string[] = [];
      let bytes = 0;
      for (const [uid, entry] of entries) {
        if (changed.length + removed.length >= MAX_BATCH_OBJECTS) break;
        if (entry === "removed") removed.push(uid);
        else {
          if (changed.length > 0 && bytes + entry.document.byteLength > MAX_BATCH_BYTES) break;
          bytes += entry.document.byteLength;
          changed.push(entry);
        }
        entries.delete(uid);
      }
      settled([...changed.map(({ uid }) => uid), ...removed]);
      const synced = [...complete].filter(([, before]) => before.size === 0).map(([kind]) => kind);
      for (const kind of synced) complete.delete(kind);
      return changed.length + removed.length + synced.length === 0 ? undefined : { changed, removed, synced };
    },
    putBack({ changed, removed, synced }) {
      const back = new Set<string>();
      for (const object of changed) {
        back.add(object.uid);
        if (!entries.has(object.uid)) entries.set(object.uid, object);
      }
      for (const uid of removed) {
        back.add(uid);
        if (!entries.has(uid)) entries.set(uid, "removed");
      }
      for (const before of complete.values()) for (const uid of back) before.add(uid);
      for (const kind of synced) complete.set(kind, new Set([...(complete.get(kind) ?? []), ...back]));
    },
  };
}
