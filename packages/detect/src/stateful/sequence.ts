import type { RuntimeEvent } from "@bulwark/model";
import { visible } from "../output/visible.ts";
import { containerKey, createGroups, type StatefulDetector, secondsToUs } from "./stateful-detector.ts";

const MAX_STEPS = 8;

interface Progress {
  /** Per earlier step, when it was last met, and what met it. */
  readonly met: (readonly [timeUs: number, what: string] | undefined)[];
}

/** Finds one thing after another: credentials read, then a connection out. */
export const sequence: StatefulDetector = {
  id: "sequence",
  doc: "one condition after another within a time, in one container or process; the rule's own is the last",
  settings: [
    { name: "before", doc: "the conditions that must have been met before, in their order", default: [] },
    { name: "per", doc: "container, or process", default: "container" },
    { name: "order", doc: "strict, or any: all within the time, whichever came first", default: "strict" },
    { name: "windowSeconds", doc: "between the first and the last", default: 300 },
  ],
  problem: ({ before, per, order }) => {
    if (order !== "strict" && order !== "any") return `"order" must be strict or any`;
    if (!Array.isArray(before) || before.length === 0 || before.length > MAX_STEPS) {
      return `"before" must be a list of 1 to ${MAX_STEPS} conditions`;
    }
    return per === "container" || per === "process" ? undefined : `"per" must be container or process`;
  },
  create: (settings, before) => {
    const windowUs = secondsToUs(Number(settings.windowSeconds));
    const keyOf = settings.per === "process" ? processKey : containerKey;
    const anyOrder = settings.order === "any";
    // The last is the rule's own condition; in any order it is a step like the others.
    const steps = anyOrder ? before : before.slice(0, -1);
    const groups = createGroups<Progress>(() => ({ met: steps.map(() => undefined) }));
    return (event) => {
      const { met } = groups(keyOf(event));
      const isFresh = (at: number) => at < 0 || event.timeUs - (met[at]?.[0] ?? Number.NEGATIVE_INFINITY) <= windowUs;
      const all = () => met.every((_, at) => isFresh(at));
      const isLast = !anyOrder && all() && before.at(-1)?.(event) === true;
      const after = met.map((step) => step?.[1] ?? "");
      let advanced = false;
      for (let at = met.length - 1; at >= 0; at--) {
        if (steps[at]?.(event) !== true || !(anyOrder || isFresh(at - 1))) continue;
        met[at] = [event.timeUs, describe(event)];
        advanced = true;
      }
      if (!(isLast || (anyOrder && advanced && all()))) return undefined;
      const found = anyOrder ? met.map((step) => step?.[1] ?? "").join(", ") : `after ${after.join(", ")}`;
      met.fill(undefined);
      return found;
    };
  },
};

function processKey(event: RuntimeEvent): string {
  return event.process === null ? containerKey(event) : `${event.process.pid} ${event.process.startUs}`;
}

function describe(event: RuntimeEvent): string {
  const what =
    event.path || event.dnsName || (event.remotePort === 0 ? "" : `${event.remoteAddress}:${event.remotePort}`);
  return visible(`${event.type} ${what}${event.process === null ? "" : ` by ${event.process.name}`}`.trim());
}
