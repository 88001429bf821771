import type { ImageColumns, Spread } from "@bulwark/lineage";
import { countFindings, RISKS, randomNumbers, SEVERITIES } from "./lineage-findings.ts";
import { distribute, type LineageSize, shareOut } from "./lineage-shares.ts";

const DEEPEST = 6;
/** Ages that lie well within the buckets by which ages are told. */
const AGES_DAYS = [10, 60, 120, 250, 500, 1_000];
const [KNOWN, DELETED, ANONYMOUS] = [0, 1, 2];

/** The estate in columns, and what is true of it, noted down while it was made. */
export interface LineageEstate {
  readonly chains: {
    readonly parents: Int32Array;
    /** Number of the layer, from 0. */
    readonly depths: Int16Array;
    /** The package versions that the layer brings: `subjectsOf`. */
    readonly subjects: Uint8Array;
    readonly isOs: Uint8Array;
    /** Findings and risk of all layers up to this one. */
    readonly critical: Int32Array;
    readonly high: Int32Array;
    readonly medium: Int32Array;
    readonly low: Int32Array;
    readonly risk: Int32Array;
  };
  /** Oldest first. */
  readonly images: ImageColumns & {
    readonly ageDays: Int32Array;
    /** 1 for an image whose tag names a later one by now. */
    readonly isMoved: Uint8Array;
  };
  readonly repositories: number;
  readonly truth: SpreadTruth;
}

/** What the spread must say; of the curves what the thresholds say. */
export type SpreadTruth = Omit<Spread, "byRoot" | "byBase" | "topRoots" | "topBases"> & {
  readonly byRoot: CoverageTruth;
  readonly byBase: CoverageTruth;
};
type CoverageTruth = Pick<Spread["byRoot"], "images" | "bases" | "reached">;

/** Whole numbers that only ever grow in number. */
function column() {
  let values = new Int32Array(1 << 16);
  let length = 0;
  return {
    push(value: number): number {
      if (length === values.length) {
        const wider = new Int32Array(length * 2);
        wider.set(values);
        values = wider;
      }
      values[length] = value;
      return length++;
    },
    at: (row: number): number => values[row]!,
    add(row: number, value: number): void {
      values[row]! += value;
    },
    get length(): number {
      return length;
    },
    done: (): Int32Array => values.slice(0, length),
  };
}

function columns<Name extends string>(...names: readonly Name[]) {
  return Object.fromEntries(names.map((name) => [name, column()])) as Record<Name, ReturnType<typeof column>>;
}

/** Makes the same estate for the same size, always. */
export function makeEstate(size: LineageSize): LineageEstate {
  const random = randomNumbers(1);
  const chains = columns("parent", "depth", "subjects", "isOs", "critical", "high", "medium", "low", "risk");
  const images = columns("top", "repository", "alive", "declared", "age", "moved");
  const bases = columns("parent", "chain", "image", "kind", "level", "root", "direct", "age");
  const depths: number[] = [];
  let repositories = 0;
  let leaves = { isolated: 0, bottom: 0 };
  makeRoots();
  return { chains: chainColumns(), images: imageColumns(), repositories, truth: truthOf() };

  function makeRoots(): void {
    const kinds = Array.from({ length: size.roots }, (_, root) => kindOf(root));
    const isolated = Math.floor(size.images / 100);
    const layerless = Math.ceil(size.images / 50_000);
    const bottom = kinds.filter((kind) => kind === KNOWN).length;
    const carried = shareOut(size.images - isolated - layerless - bottom, size);
    for (let n = 0; n < layerless; n++) addImage(-1, repositories++, { alive: 1 });
    leaves = { isolated, bottom };
    for (let n = 0; n < isolated; n++) addImage(addEdge(-1, 1 + (n % 3), 5, true), repositories++, { alive: 1 });
    depths[0] = isolated + bottom;
    const repository = (root: number) => repositories + Math.floor(root / 4);
    const first = kinds.map((kind, root) => {
      // An anonymous base needs two repositories above it.
      const possible = kind === ANONYMOUS && carried[root]! < 2 ? DELETED : kind;
      return addBase(-1, possible, repository(root), 1 + (root % 3), [40, 40, 12, 2, 0][root % 5]!);
    });
    repositories = repository(size.roots) + 1;
    for (const [root, base] of first.entries()) populate(base, carried[root]!);
  }

  function kindOf(root: number): number {
    if (root < 20) return KNOWN;
    return root % 33 === 7 ? DELETED : root % 33 === 19 ? ANONYMOUS : KNOWN;
  }

  /** Puts so many living images on a base, directly and on bases of their own. */
  function populate(base: number, count: number): void {
    const level = bases.level.at(base);
    const isAnonymous = bases.kind.at(base) === ANONYMOUS;
    if (count < 8 || level >= DEEPEST) {
      placeApplications(base, count, isAnonymous);
      return;
    }
    const direct = Math.max(2, Math.floor(count * (count > 2_000 ? 0.15 : 0.35)));
    placeApplications(base, direct, isAnonymous);
    const left = count - direct;
    const subs = Math.max(1, Math.min(200, Math.round(left ** 0.4)));
    const weights = Float64Array.from({ length: subs }, (_, sub) => 1 / (sub + 1));
    for (const [sub, share] of distribute(left, weights, 0).entries()) {
      if (share < 3) {
        placeApplications(base, share, false);
        continue;
      }
      const kind = sub % 17 === 5 ? DELETED : sub % 17 === 11 ? ANONYMOUS : KNOWN;
      const upper = addBase(base, kind, repositories++, 1 + Math.floor(random() * 3), 15);
      if (kind === KNOWN) countStanding(base, level + 1);
      populate(upper, kind === KNOWN ? share - 1 : share);
    }
  }

  /** Repositories with a few versions each, whose builds mostly share layers. */
  function placeApplications(base: number, count: number, needsTwo: boolean): void {
    const chain = bases.chain.at(base);
    let left = count;
    let isFirst = needsTwo;
    while (left > 0) {
      const versions = Math.max(1, Math.min(isFirst ? left - 1 : left, 1 + Math.floor(random() ** 2 * 9)));
      isFirst = false;
      left -= versions;
      const repository = repositories++;
      const isShared = versions > 1 && random() < 0.7;
      const start = isShared ? addEdge(chain, 1 + Math.floor(random() * 2), 6, false) : chain;
      for (let version = 0; version < versions; version++) {
        countStanding(base, bases.level.at(base) + 1);
        const isSquashed = versions === 1 && bases.image.at(base) >= 0 && random() < 0.02;
        const top = addEdge(isSquashed ? -1 : start, 3 + Math.floor(random() * 4), 3, false);
        addImage(top, repository, {
          alive: 1,
          declared: isSquashed ? bases.image.at(base) : wordAbout(base),
          moved: Number(version < versions - 1 && version % 2 === 0),
        });
        if (versions === 1 && !needsTwo && random() < 0.01 && left > 0) {
          countStanding(base, bases.level.at(base) + 1);
          left -= 1;
          addImage(top, repositories++, { alive: 1 });
        }
      }
      if (random() < 0.05) addImage(addEdge(start, 1, 3, false), repository, { alive: 0 });
    }
  }

  /** What builders say of a base that the layers tell: mostly nothing, mostly the truth. */
  function wordAbout(base: number): number {
    const dice = random();
    if (dice < 0.1) return bases.image.at(base);
    if (dice < 0.11) return -2;
    return dice < 0.113 ? Math.floor(random() * images.top.length) : -1;
  }

  function countStanding(base: number, level: number): void {
    bases.direct.add(base, 1);
    depths[level] = (depths[level] ?? 0) + 1;
  }

  function addBase(parent: number, kind: number, repository: number, layers: number, subjects: number): number {
    const chain = addEdge(parent < 0 ? -1 : bases.chain.at(parent), layers, subjects, true);
    const image = kind === ANONYMOUS ? -1 : addImage(chain, repository, { alive: Number(kind === KNOWN) });
    const base = bases.parent.push(parent);
    bases.chain.push(chain);
    bases.image.push(image);
    bases.kind.push(kind);
    bases.level.push(parent < 0 ? 0 : bases.level.at(parent) + 1);
    bases.root.push(parent < 0 ? base : bases.root.at(parent));
    bases.direct.push(0);
    bases.age.push(image < 0 ? -1 : images.age.at(image));
    return base;
  }

  interface ImageFacts {
    readonly alive: number;
    readonly declared?: number;
    readonly moved?: number;
  }

  function addImage(top: number, repository: number, { alive, declared = -1, moved = 0 }: ImageFacts): number {
    const image = images.top.push(top);
    images.repository.push(repository);
    images.alive.push(alive);
    images.declared.push(declared);
    images.moved.push(moved);
    images.age.push(AGES_DAYS[Math.floor(random() * AGES_DAYS.length)]!);
    return image;
  }

  /** So many chains upon one; the first of them brings package versions. */
  function addEdge(below: number, count: number, subjects: number, isOs: boolean): number {
    let top = below;
    for (let n = 0; n < count; n++) {
      const brought = n === 0 ? subjects : 0;
      const row = chains.parent.push(top);
      chains.depth.push(top < 0 ? 0 : chains.depth.at(top) + 1);
      chains.subjects.push(brought);
      chains.isOs.push(Number(isOs));
      const counts = countFindings(row, brought, isOs);
      for (const [index, severity] of SEVERITIES.entries()) {
        chains[severity].push((top < 0 ? 0 : chains[severity].at(top)) + counts[index]!);
      }
      const risk = counts.reduce((sum, number, index) => sum + number * RISKS[index]!, 0);
      chains.risk.push((top < 0 ? 0 : chains.risk.at(top)) + risk);
      top = row;
    }
    return top;
  }

  function chainColumns(): LineageEstate["chains"] {
    const { parent, depth, subjects, isOs, critical, high, medium, low, risk } = chains;
    const counts = { critical: critical.done(), high: high.done(), medium: medium.done(), low: low.done() };
    const small = { subjects: Uint8Array.from(subjects.done()), isOs: Uint8Array.from(isOs.done()) };
    return { parents: parent.done(), depths: Int16Array.from(depth.done()), ...small, ...counts, risk: risk.done() };
  }

  function imageColumns(): LineageEstate["images"] {
    return {
      tops: images.top.done(),
      repositories: images.repository.done(),
      alive: Uint8Array.from(images.alive.done()),
      declared: images.declared.done(),
      ageDays: images.age.done(),
      isMoved: Uint8Array.from(images.moved.done()),
    };
  }

  function truthOf(): SpreadTruth {
    const count = bases.parent.length;
    const rows = Array.from({ length: count }, (_, base) => base);
    const direct = bases.direct.done();
    const byRoot = new Int32Array(count);
    for (const base of rows) byRoot[bases.root.at(base)]! += direct[base]!;
    const share = (of: readonly number[]) => ({
      bases: of.length,
      images: of.reduce((sum, base) => sum + direct[base]!, 0),
    });
    const flawed = (...severities: readonly (typeof SEVERITIES)[number][]) =>
      share(rows.filter((base) => severities.some((severity) => chains[severity].at(bases.chain.at(base)) > 0)));
    const { images: standing } = share(rows);
    const degrees: number[] = [];
    for (const base of rows) {
      const degree = Math.floor(Math.log2(direct[base]!));
      if (degree >= 0) degrees[degree] = (degrees[degree] ?? 0) + 1;
    }
    return {
      images: size.images,
      standing,
      ...leaves,
      layerless: size.images - standing - leaves.bottom - leaves.isolated,
      roots: size.roots,
      bases: count,
      byRoot: coverage(byRoot),
      byBase: coverage(direct),
      flawed: {
        ...{ critical: flawed("critical"), high: flawed("high"), medium: flawed("medium"), low: flawed("low") },
        any: flawed(...SEVERITIES),
      },
      ages: [...AGES_DAYS, -1].map((age, bucket) => ({
        days: ([30, 90, 180, 365, 730, "older", "unknown"] as const)[bucket]!,
        ...share(rows.filter((base) => bases.age.at(base) === age)),
      })),
      depths,
      degrees: Array.from(degrees, (number) => number ?? 0),
      indirect: rows.filter((base) => direct[base] === 0).length,
    };
  }
}

/** By adding up the sorted numbers one after the other. */
function coverage(carried: Int32Array): CoverageTruth {
  const sorted = [...carried].filter((images) => images > 0).sort((one, other) => other - one);
  const images = sorted.reduce((sum, number) => sum + number, 0);
  const reached = [50, 80, 90, 95, 99].map((percent) => {
    let [sum, bases] = [0, 0];
    while (sum * 100 < images * percent) sum += sorted[bases++]!;
    return { percent, bases };
  });
  return { images, bases: sorted.length, reached };
}
