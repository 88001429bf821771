import type { AffectedDetail, RecordDetail } from "./store/detail.ts";

/** A record that holds the version of a subject. */
export interface Hit {
  readonly record: RecordDetail;
  readonly affected: AffectedDetail;
  /** Empty when there is none. */
  readonly fixed: string;
  readonly range: string;
}

/** One flaw, by all the records that speak of it. */
export interface Flaw {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly hits: readonly Hit[];
}

const CVE = /^CVE-\d{4}-\d+$/;

/**
 * Merges records into flaws: records that share a name speak of the same flaw. A record of a distribution that fixes
 * several flaws at once, and has no CVE of its own, counts for each of them.
 */
export function mergeFlaws(hits: readonly Hit[]): readonly Flaw[] {
  const [only] = hits;
  if (only === undefined) return [];
  if (hits.length === 1) return namesOf(only.record).map((names) => toFlaw(new Set(names), hits));
  const groups = new Map<string, { names: Set<string>; hits: Set<Hit> }>();
  for (const hit of hits) {
    for (const names of namesOf(hit.record)) {
      const joined = { names: new Set(names), hits: new Set([hit]) };
      for (const name of names) {
        const other = groups.get(name);
        if (other === undefined || other === joined) continue;
        for (const each of other.names) joined.names.add(each);
        for (const each of other.hits) joined.hits.add(each);
      }
      for (const name of joined.names) groups.set(name, joined);
    }
  }
  return [...new Set(groups.values())].map(({ names, hits: merged }) => toFlaw(names, [...merged]));
}

function namesOf({ id, a = [], u = [] }: RecordDetail): readonly (readonly string[])[] {
  const own = [id, ...a];
  const upstream = u.filter((name) => CVE.test(name));
  if (own.some((name) => CVE.test(name)) || upstream.length === 0) return [own];
  return upstream.map((name) => [name]);
}

function toFlaw(names: ReadonlySet<string>, hits: readonly Hit[]): Flaw {
  const records = hits.map(({ record }) => record.id);
  const all = [...new Set([...names, ...records])].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const [id = "", ...aliases] = all;
  return { id, aliases, hits };
}

/** Which of a flaw's names people look for. */
function rank(name: string): number {
  if (name.startsWith("MAL-")) return 0;
  if (CVE.test(name)) return 1;
  return name.startsWith("GHSA-") ? 2 : 3;
}
