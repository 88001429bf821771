/** What is told of one topic at most so often. */
const WINDOW_MS = 250;

/** Passes events on to one who watches: each at once while they are few, and many of a topic as one. */
export interface Gatherer<Topic extends string> {
  tell(topic: Topic, id: string): void;
  /** Sends what waits, and nothing more. */
  close(): void;
}

/**
 * @param send passes an event on; an empty id says that anything of the topic may have changed
 * @param isFull whether the watcher does not keep up: then events wait, and take no more room however many come
 */
export function gatherEvents<Topic extends string>(
  send: (topic: Topic, id: string) => void,
  isFull: () => boolean,
): Gatherer<Topic> {
  const waiting = new Map<Topic, string>();
  const timers = new Map<Topic, NodeJS.Timeout>();
  const flush = (topic: Topic) => {
    timers.delete(topic);
    const id = waiting.get(topic);
    if (id === undefined) return;
    if (!isFull()) {
      waiting.delete(topic);
      send(topic, id);
    }
    pause(topic);
  };
  const pause = (topic: Topic) => void timers.set(topic, setTimeout(flush, WINDOW_MS, topic).unref());
  return {
    tell(topic, id) {
      if (!timers.has(topic) && !isFull()) {
        send(topic, id);
        pause(topic);
        return;
      }
      waiting.set(topic, waiting.has(topic) && waiting.get(topic) !== id ? "" : id);
      if (!timers.has(topic)) pause(topic);
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      for (const [topic, id] of waiting) send(topic, id);
      waiting.clear();
    },
  };
}
