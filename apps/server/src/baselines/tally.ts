import type { SeenValue, Sighting } from "@bulwark/store";

/** Values of one kind that are kept. A policy that lists more is read by nobody. */
const MAX_VALUES = 200;
const MAX_IMAGES = 500;
/** PostgreSQL's index takes 2,704 bytes of a row ("B-Tree Indexes", implementation). */
const MAX_LENGTH = 512;
/** Workloads that are named beside a value. */
const MAX_SOURCES = 20;
const MAX_LEFT = 50;

interface Counted {
  readonly kind: string;
  readonly value: string;
  readonly sources: Set<string>;
  pods: number;
  more: boolean;
}

/** What a look sees, bounded whatever pods there are. */
export interface Tally {
  add(workload: string, values: readonly { readonly kind: string; readonly value: string }[]): void;
  /** A pod from which nothing is learned. */
  leave(workload: string): void;
  /** A workload from which nothing is learned, whether or not it has pods now. */
  doubt(workload: string): void;
  seen(): Omit<Sighting, "counted" | "problem" | "at">;
  counted(): NonNullable<Sighting["counted"]>;
}

export function createTally(): Tally {
  const values = new Map<string, Counted>();
  const kinds = new Map<string, number>();
  const tooMany = new Set<string>();
  const doubted = new Set<string>();
  const left = new Set<string>();
  let pods = 0;
  let excluded = 0;
  const placeOf = (kind: string, value: string): Counted | undefined => {
    const key = `${kind} ${value}`;
    const known = values.get(key);
    if (known !== undefined) return known;
    const count = kinds.get(kind) ?? 0;
    if (value.length > MAX_LENGTH || count >= mostOf(kind)) {
      tooMany.add(kind);
      return undefined;
    }
    kinds.set(kind, count + 1);
    const made = { kind, value, sources: new Set<string>(), pods: 0, more: false };
    values.set(key, made);
    return made;
  };
  return {
    add(workload, found) {
      pods++;
      for (const { kind, value } of found) {
        const place = placeOf(kind, value);
        if (place === undefined) continue;
        place.pods++;
        if (place.sources.has(workload)) continue;
        if (place.sources.size < MAX_SOURCES) place.sources.add(workload);
        else place.more = true;
      }
    },
    leave(workload) {
      excluded++;
      doubted.add(workload);
      if (left.size < MAX_LEFT) left.add(workload);
    },
    doubt: (workload) => void doubted.add(workload),
    seen: () => ({
      values: [...values.values()].map(
        ({ sources, ...each }): SeenValue => ({ ...each, sources: [...sources].toSorted() }),
      ),
      ...{ mostOf, sources: MAX_SOURCES, doubted: [...doubted], tooMany: [...tooMany] },
    }),
    counted: () => ({ pods, excluded, workloads: [...left].toSorted() }),
  };
}

function mostOf(kind: string): number {
  return kind === "image" ? MAX_IMAGES : MAX_VALUES;
}
