import { type EstateEvent, listenToEvents, type Store } from "@bulwark/store";

/** Passes on what changed, on whichever server it changed. */
export interface EventHub {
  /** @returns ends the subscription */
  subscribe(tenantId: number, topics: ReadonlySet<string>, onEvent: (event: EstateEvent) => void): () => void;
  close(): Promise<void>;
}

/** Opens one listening connection for all who watch. */
export async function openEventHub(store: Store): Promise<EventHub> {
  const watchers = new Set<(event: EstateEvent) => void>();
  const listener = await listenToEvents(store, (event) => {
    for (const watch of watchers) watch(event);
  });
  return {
    subscribe(tenantId, topics, onEvent) {
      const watch = (event: EstateEvent) => {
        if (event.tenantId === tenantId && topics.has(event.topic)) onEvent(event);
      };
      watchers.add(watch);
      return () => void watchers.delete(watch);
    },
    close: () => listener.close(),
  };
}
