import { createContext, Script } from "node:vm";

/** Runs steps in order, each within a bound of time. */
export interface TimeBound {
  /**
   * Runs all steps; one that takes too long is cut off and its index given to `late`, then the next one runs. What a step
   * throws itself is thrown.
   */
  run(steps: readonly (() => void)[], late: (index: number) => void): void;
}

/**
 * V8 checks for termination while a regular expression backtracks, so that `node:vm` can cut one off; a call costs about
 * 0.4 ms for its watchdog, hence many steps share one.
 *
 * @param timeoutMs for all steps of one call that are in time together, and for the one that is not
 */
export function createTimeBound(timeoutMs: number): TimeBound {
  const sandbox: { job: () => void } = { job: () => undefined };
  const context = createContext(sandbox);
  const script = new Script("job()");
  return {
    run(steps, late) {
      let at = 0;
      while (at < steps.length) {
        sandbox.job = () => {
          for (; at < steps.length; at++) (steps[at] as () => void)();
        };
        try {
          script.runInContext(context, { timeout: timeoutMs });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
          late(at++);
        }
      }
      sandbox.job = () => undefined;
    },
  };
}
