import type { RuntimeEvent } from "@bulwark/model";
import type { Test } from "../compile/compile-check.ts";

/** What a rule sets of a detector. */
export type Settings = Readonly<Record<string, number | string | readonly string[]>>;

/** Sees the events that meet a rule's condition, in their order; gives what it found in words when it has seen enough. */
export type Observer = (event: RuntimeEvent) => string | undefined;

/** A setting with what it is without being set. */
interface Setting {
  readonly name: string;
  readonly doc: string;
  readonly default: number | string | readonly string[];
}

/** What a rule must know of a detector to name it. */
export interface DetectorShape {
  readonly id: string;
  readonly doc: string;
  readonly settings: readonly Setting[];
  /** What is wrong with settings that are of the right kind. */
  readonly problem?: (settings: Settings) => string | undefined;
}

/** Judges many events together, where a condition can only judge one. */
export interface StatefulDetector extends DetectorShape {
  /**
   * @param settings all of them, with the defaults where nothing is set
   * @param before tests of the conditions in the setting `before`
   */
  readonly create: (settings: Settings, before: readonly Test[]) => Observer;
}

/** Containers, or processes, of which something is remembered; beyond it the one that was quiet longest is forgotten. */
const MAX_GROUPS = 10_000;
const US_PER_S = 1_000_000;

export function secondsToUs(seconds: number): number {
  return seconds * US_PER_S;
}

/** The container that an event belongs to; the host is one more. */
export function containerKey(event: RuntimeEvent): string {
  return event.container?.id ?? "host";
}

/** A bounded memory of what was seen per group. */
export function createGroups<State>(make: () => State): (key: string) => State {
  const groups = new Map<string, State>();
  return (key) => {
    const known = groups.get(key);
    // While there is room for many more nobody has to go, and nobody's turn matters.
    if (known !== undefined && groups.size < MAX_GROUPS / 2) return known;
    const state = known ?? make();
    // Back to the end: the first in the map is then the one that was quiet longest.
    groups.delete(key);
    groups.set(key, state);
    if (groups.size > MAX_GROUPS) {
      const [oldest] = groups.keys();
      if (oldest !== undefined) groups.delete(oldest);
    }
    return state;
  };
}
