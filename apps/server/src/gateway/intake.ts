/** What can be told to wait; a stream of Node's. */
interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** Bounds what was read from a stream and is not done with yet. */
export interface Intake {
  /** Takes something in; what is returned is called once, when it is done with. */
  hold(weight: number): () => void;
}

/**
 * Reads no more from a stream while what was read weighs `limit` or more.
 *
 * @example const done = intake.hold(1); void store(message).finally(done);
 */
export function createIntake(stream: Pausable, limit: number): Intake {
  let held = 0;
  return {
    hold(weight) {
      held += weight;
      if (held >= limit) stream.pause();
      return () => {
        const wasFull = held >= limit;
        held -= weight;
        if (wasFull && held < limit) stream.resume();
      };
    },
  };
}
