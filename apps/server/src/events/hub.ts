import { type EstateEvent, listenToEvents, type Store } from "@bulwark/store";

/** Passes on what changed, on whichever server it changed. */
export interface EventHub {
  /**
   * @param onEvent an event with an empty id says that anything of the topic may have changed
   * @returns ends the subscription
   */
  subscribe(
    tenantId: number,
    topics: ReadonlySet<EstateEvent["topic"]>,
    onEvent: (event: EstateEvent) => void,
  ): () => void;
  close(): Promise<void>;
}

interface Watcher {
  readonly tenantId: number;
  readonly topics: ReadonlySet<EstateEvent["topic"]>;
  readonly onEvent: (event: EstateEvent) => void;
}

/** Opens one listening connection for all who watch. */
export async function openEventHub(store: Store): Promise<EventHub> {
  const watchers = new Set<Watcher>();
  const listener = await listenToEvents(
    store,
    (event) => {
      for (const watcher of watchers) {
        if (event.tenantId === watcher.tenantId && watcher.topics.has(event.topic)) watcher.onEvent(event);
      }
    },
    () => {
      // What changed while the database was away is not known: everything may have.
      for (const { tenantId, topics, onEvent } of watchers) {
        for (const topic of topics) onEvent({ tenantId, topic, id: "" });
      }
    },
  );
  return {
    subscribe(tenantId, topics, onEvent) {
      const watcher: Watcher = { tenantId, topics, onEvent };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    close: () => listener.close(),
  };
}
