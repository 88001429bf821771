import type { Test } from "../compile/compile-check.ts";
import { bulkRewrite } from "./bulk-rewrite.ts";
import { sequence } from "./sequence.ts";
import type { DetectorShape, Observer, Settings, StatefulDetector } from "./stateful-detector.ts";
import { threshold } from "./threshold.ts";

/** Every detector over many events that a rule can name. */
export const STATEFUL_DETECTORS: readonly StatefulDetector[] = [threshold, sequence, bulkRewrite];

/** What is wrong with a rule's `detector` and `settings`. */
export function settingsProblem(
  id: string,
  settings: Settings,
  detectors: readonly DetectorShape[] = STATEFUL_DETECTORS,
): string | undefined {
  if (id === "") return Object.keys(settings).length === 0 ? undefined : `"settings" needs "detector"`;
  const detector = detectors.find((candidate) => candidate.id === id);
  if (detector === undefined) {
    return `there is no detector "${id}"; known are ${detectors.map((known) => known.id).join(", ")}`;
  }
  for (const [name, value] of Object.entries(settings)) {
    const setting = detector.settings.find((known) => known.name === name);
    if (setting === undefined) return `the detector "${id}" has no setting "${name}"`;
    if (typeof value !== typeof setting.default) return `"${name}" must be a ${kindOf(setting.default)}`;
    if (typeof value === "number" && !(value > 0)) return `"${name}" must be more than 0`;
  }
  return detector.problem?.(withDefaults(detector, settings));
}

/** Makes what a rule's events are shown to; undefined for a rule that judges single events. */
export function createObserver(id: string, settings: Settings, before: readonly Test[]): Observer | undefined {
  const detector = STATEFUL_DETECTORS.find((candidate) => candidate.id === id);
  return detector?.create(withDefaults(detector, settings), before);
}

/** All settings of a detector, with the defaults where a rule sets nothing. */
export function withDefaults(detector: DetectorShape, settings: Settings): Settings {
  return { ...Object.fromEntries(detector.settings.map((setting) => [setting.name, setting.default])), ...settings };
}

function kindOf(value: number | string | readonly string[]): string {
  return typeof value === "object" ? "list" : typeof value === "number" ? "number" : "text";
}
