import type { RuntimeEvent } from "@bulwark/model";
import { compileOperand } from "../compile/compile-check.ts";
import type { Getter } from "../fields/field.ts";
import { isFault, parseOperand } from "../language/parse-condition.ts";
import {
  containerKey,
  createGroups,
  type DetectorShape,
  type Settings,
  type StatefulDetector,
  secondsToUs,
} from "./stateful-detector.ts";

/** Values that are remembered per group; a threshold lies below it. */
const MAX_VALUES = 10_000;

/** Gives what a field or a transformer of fields says of an event, or what is wrong with it. */
type ReadOperand<Event> = (text: string) => Getter<Event> | string;

/** How a source of events tells when, and in which group, without a field being named. */
interface Reading<Event> {
  readonly timeUs: (event: Event) => number;
  readonly group: (event: Event) => string;
}

/** What a threshold over events of one source is told of. @param where what its events are grouped by anyway */
export function thresholdShape<Event>(distinct: string, where: string, read: ReadOperand<Event>): DetectorShape {
  const inside = where === "" ? "" : `, in one ${where}`;
  return {
    id: "threshold",
    doc: `many different values of a field within a time${inside}`,
    settings: [
      { name: "distinct", doc: "the field whose values are counted; transformers may be used", default: distinct },
      {
        name: "per",
        doc: `a field by which events are grouped${where === "" ? "" : `, beside the ${where}`}; empty is none`,
        default: "",
      },
      { name: "atLeast", doc: "how many different values are too many", default: 20 },
      { name: "windowSeconds", doc: "within which time", default: 30 },
    ],
    problem: (settings) => {
      const limit = Number(settings.atLeast);
      if (!(limit >= 2 && limit <= MAX_VALUES)) return `"atLeast" must be 2 to ${MAX_VALUES}`;
      for (const name of ["distinct", "per"]) {
        const text = String(settings[name]);
        const getter = text === "" && name === "per" ? undefined : read(text);
        if (typeof getter === "string") return `"${name}": ${getter}`;
      }
      return undefined;
    },
  };
}

/** Counts different values per group. */
export function observeDistinct<Event>(
  settings: Settings,
  read: ReadOperand<Event>,
  { timeUs, group }: Reading<Event>,
): (event: Event) => string | undefined {
  const operandOf = (text: string): Getter<Event> => {
    const getter = read(text);
    if (typeof getter === "string") throw new Error(`settings were not checked: ${getter}`);
    return getter;
  };
  const atLeast = Number(settings.atLeast);
  const windowUs = secondsToUs(Number(settings.windowSeconds));
  const distinct = String(settings.distinct);
  const readValue = operandOf(distinct);
  const groupOf = settings.per === "" ? () => "" : operandOf(String(settings.per));
  const groups = createGroups(() => new Map<string, number>());
  return (event) => {
    const value = readValue(event);
    if (value === undefined) return undefined;
    const seen = groups(`${group(event)}\u0000${String(groupOf(event))}`);
    remember(seen, String(value), timeUs(event), windowUs);
    if (seen.size < atLeast) return undefined;
    // From here on it counts anew, so that an attack that goes on is told again.
    seen.clear();
    return `${atLeast} different values of ${distinct} within ${Number(settings.windowSeconds)} s`;
  };
}

/** Finds many different values of a field in a short time: ports of a scan, files of a wipe. */
export const threshold: StatefulDetector = {
  ...thresholdShape("evt.abspath", "container", readOperand),
  create: (settings) => observeDistinct(settings, readOperand, { timeUs: ({ timeUs }) => timeUs, group: containerKey }),
};

function remember(seen: Map<string, number>, value: string, nowUs: number, windowUs: number): void {
  seen.delete(value);
  seen.set(value, nowUs);
  for (const [oldest, timeUs] of seen) {
    if (nowUs - timeUs <= windowUs && seen.size <= MAX_VALUES) break;
    seen.delete(oldest);
  }
}

function readOperand(text: string): Getter<RuntimeEvent> | string {
  const found = parseOperand(text, 0, () => ({ file: "", line: 1, column: 1 }));
  if (isFault(found)) return found.message;
  if (found.end !== text.length) return `"${text}" is no field`;
  const operand = compileOperand(found.operand);
  return "fault" in operand ? operand.message : operand.get;
}
