import { subjectsOf } from "@bulwark/ecosystems";
import { type OpenedImage, sha256 } from "@bulwark/image";
import type {
  AdvisorySubject,
  ChainFacts,
  Change,
  ContentRecord,
  Finding,
  ImageFacts,
  LayerReport,
  OperatingSystem,
  PackageRecord,
  Problem,
} from "@bulwark/model";
import { judgeComponents } from "./components/judge-components.ts";
import { contentFindings } from "./content-findings.ts";
import { describeImage, withoutSecrets } from "./describe-image.ts";
import { type FoundPackage, namePackages } from "./found-package.ts";
import { inspectImage } from "./inspect-image.ts";
import type { LayerReports } from "./layer-cache.ts";
import { layOn, type MergedImage, type MergeState, mergedImage } from "./merge-layers.ts";
import { readLayers } from "./read-layers.ts";
import type { ScanOptions } from "./scan-image.ts";
import { scannerSet } from "./scanner-set.ts";
import { findTampered, TAMPERING } from "./tampering.ts";

/** Chains whose state is kept between images; most images of an estate stand on few. */
const KEPT_STATES = 64;

/** What the layers of a chain amount to. */
interface ChainState {
  readonly merged: MergeState;
  readonly image: MergedImage;
  readonly packages: readonly FoundPackage[];
  readonly records: ReadonlyMap<string, Placed<PackageRecord>>;
  readonly subjects: ReadonlyMap<string, Placed<AdvisorySubject>>;
  readonly content: ReadonlyMap<string, Placed<ContentRecord>>;
}

interface Placed<Item> {
  readonly depth: number;
  readonly item: Item;
}

/** States of chains that were met lately, so that images on one base do not lay its layers again. */
export interface ChainStates {
  get(key: string): ChainState | undefined;
  put(key: string, state: ChainState): void;
}

/** Keeps the states used last. */
export function keepChainStates(limit: number = KEPT_STATES): ChainStates {
  const kept = new Map<string, ChainState>();
  return {
    get(key) {
      const state = kept.get(key);
      if (state !== undefined) {
        kept.delete(key);
        kept.set(key, state);
      }
      return state;
    },
    put(key, state) {
      kept.set(key, state);
      const oldest = kept.keys().next().value;
      if (kept.size > limit && oldest !== undefined) kept.delete(oldest);
    },
  };
}

export interface FactOptions extends Omit<ScanOptions, "database"> {
  /** Which of these chains are known, as these analyzers tell them. */
  readonly knownChains: (digests: readonly string[], analyzers: string) => Promise<ReadonlySet<string>>;
  readonly states?: ChainStates;
}

/**
 * Reads what an image's layers and configuration tell, apart from what advisories say about it. Each layer is told by what
 * it changes, so that what images share is told once: see `ImageFacts`.
 *
 * @throws what reading the layers throws; anything wrong inside a file becomes a problem
 */
export async function collectFacts(opened: OpenedImage, options: FactOptions): Promise<ImageFacts> {
  const analyzers = digestOf(scannerSet(options.content).key);
  const layers = await readLayers(opened, { ...options, cache: reportsAtHand(opened, analyzers, options) });
  const chainDigests = chainDigestsOf(opened, layers);
  const known = await options.knownChains(chainDigests, analyzers);
  const { state, chains } = layAll(layers, chainDigests, known, analyzers, options);
  const { image: merged, packages } = state;
  const problems: Problem[] = merged.problems.map((each) => ({ ...each, path: each.path && `/${each.path}` }));
  const described = await describeImage(opened, layers, merged.os, options, problems);
  const inspected = inspectImage(opened, merged, packages, described, options.inspection ?? {}, options.configs);
  const image = withoutSecrets(described, inspected);
  const named = options.components === undefined ? [] : judgeComponents(packages, options.components, image);
  return {
    image,
    analyzers,
    chainDigests,
    chains,
    content: [...inspected.findings, ...named].map((finding) => ({
      depth: finding.layer,
      item: contentRecord(finding),
    })),
    packageCount: packages.length,
    problems: [...problems, ...inspected.problems],
  };
}

/** Reports of layers whose chain is at hand need not be fetched again. */
function reportsAtHand(opened: OpenedImage, analyzers: string, { states, cache }: FactOptions): LayerReports {
  const held = new Map<string, LayerReport>();
  let chain = "";
  for (const { diffId } of opened.layers) {
    chain = chain === "" ? diffId : digestOf(`${chain} ${diffId}`);
    const state = states?.get(`${analyzers} ${chain}`);
    for (const report of state?.merged.layers ?? []) held.set(report.diffId, report);
  }
  return {
    get: (diffId, key) => held.get(diffId) ?? cache?.get(diffId, key),
    put: (key, report) => cache?.put(key, report),
  };
}

/** OCI image specification, "Layer ChainID". A layer that could not be read whole makes a chain of this image alone. */
function chainDigestsOf(opened: OpenedImage, layers: readonly LayerReport[]): readonly string[] {
  let chain = "";
  return opened.layers.map((layer, index) => {
    const isWhole = layer.diffId !== "" && layers[index]?.diffId === layer.diffId;
    const name = isWhole ? layer.diffId : digestOf(`${opened.digest} ${index} ${JSON.stringify(layers[index]?.files)}`);
    chain = chain === "" ? name : digestOf(`${chain} ${name}`);
    return chain;
  });
}

function layAll(
  layers: readonly LayerReport[],
  digests: readonly string[],
  known: ReadonlySet<string>,
  analyzers: string,
  options: FactOptions,
): { readonly state: ChainState; readonly chains: readonly ChainFacts[] } {
  const states = options.states ?? keepChainStates();
  const chains: ChainFacts[] = [];
  let merged: MergeState | undefined;
  let state: ChainState = EMPTY;
  layers.forEach((layer, depth) => {
    const digest = digests[depth] ?? "";
    const kept = states.get(`${analyzers} ${digest}`);
    const isTop = depth === layers.length - 1;
    const isNew = !known.has(digest);
    const below = state;
    merged = kept?.merged ?? layOn(merged, layer);
    // What is below a new chain must be told to tell what the chain changes.
    const nextIsNew = !isTop && !known.has(digests[depth + 1] ?? "");
    if (kept === undefined && !isNew && !isTop && !nextIsNew) return;
    state = kept ?? stateOf(merged, options);
    if (kept === undefined) states.put(`${analyzers} ${digest}`, state);
    if (isNew) chains.push(changesOf(digest, depth, below, state));
  });
  return { state, chains };
}

const EMPTY: ChainState = {
  merged: { layers: [], live: new Map(), hidden: [], hiddenBytes: new Map() },
  image: { os: null, packages: [], content: [], files: [], hiddenBytes: new Map(), problems: [] },
  packages: [],
  records: new Map(),
  subjects: new Map(),
  content: new Map(),
};

function stateOf(merged: MergeState, options: FactOptions): ChainState {
  const image = mergedImage(merged);
  const packages = namePackages(image.packages, image.os);
  const records = new Map<string, Placed<PackageRecord>>();
  const subjects = new Map<string, Placed<AdvisorySubject>>();
  for (const found of packages) {
    const record = packageRecord(found, image.os);
    records.set(`${found.layer}\0${found.purl}\0${found.path}`, { depth: found.layer, item: record });
    for (const subject of record.subjects) {
      const key = [found.layer, subject.ecosystem, subject.name, subject.version, subject.module ?? ""].join("\0");
      subjects.set(key, { depth: found.layer, item: subject });
    }
  }
  return { merged, image, packages, records, subjects, content: contentOf(merged, image, options) };
}

function packageRecord({ purl, name, path, fact }: FoundPackage, os: OperatingSystem | null): PackageRecord {
  const result = subjectsOf(fact, os ?? undefined);
  const [subjects, undetermined] = "undetermined" in result ? [[], result.undetermined] : [result, ""];
  return { purl, name, path, fact, subjects, undetermined };
}

function contentOf(
  merged: MergeState,
  { content }: MergedImage,
  { content: reading, scanners: wanted }: FactOptions,
): ReadonlyMap<string, Placed<ContentRecord>> {
  const { scanners = [], remote = [] } = reading ?? {};
  const looksForMalware = wanted?.includes("malware") ?? true;
  const tampered = looksForMalware && scanners.length + remote.length > 0 ? findTampered(merged.layers) : [];
  const known = [...scanners, ...remote, { id: TAMPERING, version: "1" }];
  const placed = new Map<string, Placed<ContentRecord>>();
  for (const finding of contentFindings([...content, ...tampered], { layers: [] }, known)) {
    const item = contentRecord(finding);
    const removed = item.removedAt ?? "";
    const key = [finding.layer, item.id, item.path, item.line ?? "", item.fingerprint, item.detail, removed].join("\0");
    placed.set(key, { depth: finding.layer, item });
  }
  return placed;
}

/** A finding without its layer, which the place of the record tells. */
function contentRecord(finding: Finding): ContentRecord {
  const { kind, id, severity, title, path = "", line, advice, evidence } = finding;
  return {
    kind,
    id,
    severity,
    title,
    path,
    ...(line === undefined ? {} : { line }),
    advice,
    detail: evidence?.detail ?? "",
    fingerprint: evidence?.fingerprint ?? "",
    foundBy: evidence?.foundBy ?? "",
    version: evidence?.version ?? "",
    references: evidence?.references ?? [],
    ...(evidence?.removedIn === undefined ? {} : { removedAt: evidence.removedIn }),
  };
}

function changesOf(digest: string, depth: number, below: ChainState, state: ChainState): ChainFacts {
  return {
    digest,
    depth,
    packages: changes(below.records, state.records),
    subjects: changes(below.subjects, state.subjects),
    content: changes(below.content, state.content),
  };
}

function changes<Item>(
  before: ReadonlyMap<string, Placed<Item>>,
  after: ReadonlyMap<string, Placed<Item>>,
): readonly Change<Item>[] {
  const changed: Change<Item>[] = [];
  for (const [key, { depth, item }] of before) if (!after.has(key)) changed.push({ delta: -1, fromDepth: depth, item });
  for (const [key, { depth, item }] of after) if (!before.has(key)) changed.push({ delta: 1, fromDepth: depth, item });
  return changed;
}

function digestOf(text: string): string {
  return sha256(Buffer.from(text));
}
