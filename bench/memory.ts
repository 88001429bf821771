import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const POLL_MS = 200;

/** The most memory that a process and all that it started have held at once, in MiB, until `stop`. */
export function watchMemory(pid: number): { readonly stop: () => Promise<number> } {
  const stopped = new AbortController();
  const watching = (async () => {
    let peakKib = 0;
    while (!stopped.signal.aborted) {
      peakKib = Math.max(peakKib, heldKib(pid));
      await setTimeout(POLL_MS, undefined, { signal: stopped.signal }).catch(() => {});
    }
    return peakKib / 1_024;
  })();
  return {
    stop: () => {
      stopped.abort();
      return watching;
    },
  };
}

/** Memory that processes share is divided among them (proc(5), /proc/PID/smaps_rollup, "Pss"). */
function heldKib(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const own = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    return childrenOf(pid).reduce((sum, child) => sum + heldKib(child), own);
  } catch {
    return 0; // it ended between two looks
  }
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}
