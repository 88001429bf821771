import { openRepository, type Repository } from "@bulwark/image";
import { type FactsAnswer, fullReference, type ImageFacts, splitReference, unknownImage } from "@bulwark/kubernetes";
import { CodedError } from "@bulwark/model";
import {
  getRegistry,
  keepSignature,
  keptSignature,
  listenToEvents,
  type NamedImage,
  namedImages,
  type Registry,
  recordImages,
  recordRepository,
  registryOfHost,
  type Store,
  type TenantQueries,
  type WantedReference,
} from "@bulwark/store";
import { LRUCache } from "lru-cache";
import type { AdmissionEnd, ConnectedCluster } from "../clusters/cluster-stream.ts";
import type { Queue } from "../jobs/queue.ts";
import { startJob } from "../jobs/start-job.ts";
import { placeOf, registryAccess } from "../registries/access.ts";
import { imagesBehind } from "../registries/manifests.ts";
import { registryProblem } from "../registries/problem-of.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { bundleFor } from "./bundle-document.ts";
import { clusterOf, namespaceFacts } from "./cluster-facts.ts";
import { factsOfImages } from "./image-facts.ts";
import { keepBatch } from "./keep-batch.ts";
import { memoryOf } from "./memory-of.ts";
import { admissionSettings } from "./settings.ts";
import { signaturePolicyVersion, verifySignature } from "./verify-signature.ts";

/** How long an answer waits for scans: less than a replica does. */
const WAIT_MS = 4_000;
/** Images of one pod that are asked about; what is beyond is unknown. */
const MAX_REFERENCES = 1_000;
/** What a tag names is asked of its registry this often at most. */
const TAG_MS = 15_000;
const FACTS_MS = 60_000;
const MAX_KEPT = 5_000;
const MAX_BYTES = 64 * 1024 * 1024;
const REGISTRY_MS = 3_000;
const VERIFIED_MS = 3_600_000;
const UNVERIFIED_MS = 30_000;

export interface AnswerDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly queue: Queue;
  readonly clock: () => Date;
  readonly log: { warn(fields: object, message: string): void };
}

/** The server's end of admission. `close` ends its listener. */
export interface AdmissionAnswers extends AdmissionEnd {
  close(): Promise<void>;
}

/**
 * Answers replicas of the admission role: what they judge by, what is known of images, and keeps what they decided. This is the
 * whole of what the stream to clusters calls.
 *
 * An image that nobody scanned is looked up in its registry, and scanned by a job like any other; the answer comes when it is
 * done, or after 4 s with what is pending.
 */
export async function openAdmissionAnswers(deps: AnswerDeps): Promise<AdmissionAnswers> {
  const { store, clock, log } = deps;
  const facts = new LRUCache<string, ImageFacts>({
    ...{ max: MAX_KEPT, maxSize: MAX_BYTES, maxEntrySize: MAX_BYTES, ttl: FACTS_MS },
    sizeCalculation: (known, key) => memoryOf(known) + memoryOf(key),
    perf: { now: () => clock().getTime() },
  });
  const tags: Tags = new LRUCache({ max: MAX_KEPT, ttl: TAG_MS });
  // What was read before a change must not be kept after it.
  const changes = new Map<number, number>();
  let losses = 0;
  const generation = (tenantId: number) => `${losses}.${changes.get(tenantId) ?? 0}`;
  const forget = (tenantId: number) => {
    changes.set(tenantId, (changes.get(tenantId) ?? 0) + 1);
    for (const key of facts.keys()) if (key.startsWith(`${tenantId} `)) facts.delete(key);
  };
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
  };
  const listener = await listenToEvents(
    store,
    ({ topic, tenantId }) => {
      if (topic !== "images" && topic !== "golden" && topic !== "admission") return;
      forget(tenantId);
      wake();
    },
    () => {
      losses++;
      facts.clear();
      wake();
    },
  );

  const look = async (cluster: ConnectedCluster, wanted: readonly WantedReference[]) => {
    const { tenantId } = cluster;
    return store.tenant(tenantId, async (db) => groupByText(await namedImages(db, wanted)));
  };

  const known = async (
    cluster: ConnectedCluster,
    reference: WantedReference,
    named: readonly NamedImage[],
    resolved: Resolved | undefined,
  ): Promise<ImageFacts> => {
    const { tenantId } = cluster;
    const key = `${tenantId} ${reference.text} ${named.map(({ id }) => id).join(",")}`;
    const kept = facts.get(key);
    const before = generation(tenantId);
    const made = kept ?? (await store.tenant(tenantId, (db) => factsOfImages(db, named, clock())));
    if (made === undefined)
      return unknownImage(named.find(({ problem }) => problem !== "")?.problem ?? "it is not scanned");
    const checked = kept ?? (await withSignature(deps, cluster, reference, named, made, resolved?.digest));
    // Who signs an image now need not wait for long.
    const isLasting = checked.signature === "verified" || checked.signature === "unchecked";
    // What is asked for each minute must not stay for that: waivers end without a word.
    if (isLasting && kept === undefined && generation(tenantId) === before) facts.set(key, checked);
    const digest = resolved?.digest ?? checked.digest;
    return { ...checked, digest, resolved: reference.digest !== "" || resolved?.digest !== undefined };
  };

  const answer = async (
    cluster: ConnectedCluster,
    { references, namespace }: { readonly references: readonly string[]; readonly namespace: string },
    signal: AbortSignal,
  ): Promise<FactsAnswer> => {
    const wanted = [...new Set(references)].slice(0, MAX_REFERENCES).flatMap(wantedOf);
    const resolved = await resolveAll(deps, cluster, wanted, tags);
    const until = Date.now() + WAIT_MS;
    let found = await look(cluster, wanted);
    const isWaiting = () => wanted.some(({ text }) => isPending(found.get(text)));
    while (isWaiting() && Date.now() < until && !signal.aborted) {
      await woken(waiting, until - Date.now(), signal);
      found = await look(cluster, wanted);
    }
    const images: Record<string, ImageFacts> = {};
    for (const reference of wanted) {
      const named = found.get(reference.text) ?? [];
      const told = resolved.get(reference.text);
      // What a tag named before says nothing of what it names now.
      if (named.length === 0 || told?.isMoved === true)
        images[reference.text] = unknownImage(told?.problem ?? "no registry that is connected has it");
      else if (isPending(named)) images[reference.text] = unknownImage("it is being scanned", "pending");
      else images[reference.text] = await known(cluster, reference, named, told);
    }
    const seen = await store.tenant(cluster.tenantId, (db) => namespaceFacts(db, cluster.id, namespace));
    return { namespace: seen, images };
  };

  return {
    async bundle(cluster) {
      const document = await store.tenant(cluster.tenantId, async (db) =>
        bundleFor(db, await clusterOf(db, cluster, clock()), clock()),
      );
      return { revision: document.revision, document };
    },
    async answer(cluster, question, send, signal) {
      send(await answer(cluster, question, signal));
    },
    async decided(db, cluster, batch) {
      const wrong = await keepBatch(db, cluster, batch, clock());
      if (wrong > 0) log.warn({ cluster: cluster.uid, wrong }, "decisions that are none were thrown away");
    },
    close: () => listener.close(),
  };
}

type Tags = LRUCache<string, Resolved>;

/** What a registry said of a tag, or of a digest. */
interface Resolved {
  readonly digest: string | undefined;
  readonly problem: string;
  /** The tag names something else than what is known of it, which could not be looked at. */
  readonly isMoved?: boolean;
}

function wantedOf(text: string): readonly WantedReference[] {
  const split = splitReference(text);
  return split === undefined ? [] : [{ text, ...split }];
}

function groupByText(rows: readonly NamedImage[]): ReadonlyMap<string, readonly NamedImage[]> {
  const grouped = new Map<string, NamedImage[]>();
  for (const row of rows) grouped.set(row.text, [...(grouped.get(row.text) ?? []), row]);
  return grouped;
}

/** An index is known when all its images are scanned, or cannot be. */
function isPending(named: readonly NamedImage[] = []): boolean {
  return named.some(({ state }) => state === "known");
}

/** Asks registries what tags name now, and of digests that nobody knows; what is new is recorded, and its scan queued. */
async function resolveAll(
  deps: AnswerDeps,
  cluster: ConnectedCluster,
  wanted: readonly WantedReference[],
  tags: Tags,
): Promise<ReadonlyMap<string, Resolved>> {
  const { store } = deps;
  const found = groupByText(await store.tenant(cluster.tenantId, (db) => namedImages(db, wanted)));
  const answers = wanted.map(async (reference): Promise<readonly [string, Resolved]> => {
    const named = found.get(reference.text) ?? [];
    // What a digest names never changes.
    if (reference.digest !== "" && named.length > 0) return [reference.text, { digest: reference.digest, problem: "" }];
    const key = `${cluster.tenantId} ${fullReference(reference)}`;
    const kept = tags.get(key);
    if (kept !== undefined) return [reference.text, kept];
    const resolved = await resolve(deps, cluster.tenantId, reference, named).catch((error: unknown) =>
      unresolved(deps, reference, error),
    );
    tags.set(key, resolved);
    return [reference.text, resolved];
  });
  return new Map(await Promise.all(answers));
}

async function resolve(
  deps: AnswerDeps,
  tenantId: number,
  wanted: WantedReference,
  named: readonly NamedImage[],
): Promise<Resolved> {
  const registry = await deps.store.tenant(tenantId, (db) => registryFor(db, wanted.registry));
  if (registry === undefined) {
    const problem = `no registry at ${wanted.registry} is connected`;
    return { digest: undefined, problem };
  }
  const repository = await openAt(deps, tenantId, registry, wanted.repository);
  let isMoved = false;
  try {
    const name = wanted.digest === "" ? wanted.tag : wanted.digest;
    const now = wanted.digest === "" ? await repository.digestOf(name) : undefined;
    if (now !== undefined && named[0]?.digest === now) return { digest: now, problem: "" };
    isMoved = now !== undefined;
    const manifest = await repository.manifest(name);
    if (manifest === undefined)
      return { digest: undefined, problem: `${registry.name} has no ${wanted.repository}:${name}` };
    const seen = { name, digest: manifest.digest, images: imagesBehind(manifest) };
    await record(deps, tenantId, registry, wanted, seen);
    return { digest: manifest.digest, problem: "" };
  } catch (error) {
    return { ...unresolved(deps, wanted, error), isMoved };
  } finally {
    repository.close();
  }
}

/** What goes wrong with one image is its own problem: the pods of others wait for the same answer. */
function unresolved({ log }: AnswerDeps, { text }: WantedReference, error: unknown): Resolved {
  if (error instanceof CodedError) return { digest: undefined, problem: registryProblem(error) };
  log.warn({ err: error, image: text }, "an image could not be looked up");
  return { digest: undefined, problem: "it could not be looked up; the server's log says why" };
}

async function registryFor(db: TenantQueries, host: string): Promise<Registry | undefined> {
  const id = await registryOfHost(db, host);
  return id === undefined ? undefined : getRegistry(db, id);
}

async function openAt(deps: AnswerDeps, tenantId: number, registry: Registry, name: string): Promise<Repository> {
  const access = await registryAccess(deps.store, deps.secrets, tenantId, registry);
  const signal = AbortSignal.timeout(REGISTRY_MS);
  return openRepository(`${placeOf(registry)}/${name}`, "pull", { ...access, signal });
}

interface SeenName {
  readonly name: string;
  readonly digest: string;
  readonly images: readonly { readonly digest: string; readonly platform: string }[];
}

/** Writes down what a tag or digest names, and queues the scans of what is new, by one job. */
async function record(
  deps: AnswerDeps,
  tenantId: number,
  registry: Registry,
  { repository: name, digest }: WantedReference,
  seen: SeenName,
): Promise<void> {
  const { store, clock } = deps;
  const job = await store.tenant(tenantId, async (db) => {
    const { digest: named, images: behind } = seen;
    const images = { registry: registry.id, repository: name, digest: named, images: behind, now: clock() };
    const unscanned =
      digest === ""
        ? (await recordRepository(db, { registry: registry.id, name, changed: [seen] }, clock())).unscanned
            .filter((each) => seen.images.some((image) => image.digest === each.digest))
            .map((each) => each.digest)
        : (await recordImages(db, images)).unscanned;
    if (unscanned.length === 0) return undefined;
    return startJob(db, tenantId, {
      ...{ kind: "scan", title: `Images that pods ask for: ${name}`, cause: "request", createdBy: "admission" },
      tasks: unscanned.map((each) => ({
        kind: "scan-image",
        name: `${registry.name}/${name}@${each.slice(0, 19)}`,
        payload: { digest: each, registry: registry.id, repository: name },
      })),
    });
  });
  await job?.enqueue(deps);
}

/** The facts with what verifying the signatures came to, where a signature policy is set. */
async function withSignature(
  deps: AnswerDeps,
  { tenantId }: ConnectedCluster,
  reference: WantedReference,
  named: readonly NamedImage[],
  facts: ImageFacts,
  resolved: string | undefined,
): Promise<ImageFacts> {
  const [first] = named;
  const { store, clock, log } = deps;
  const { signature } = await store.tenant(tenantId, admissionSettings);
  if (signature.policy === "" || first === undefined) return facts;
  const name = `${reference.registry}/${reference.repository}`;
  // Who may sign for one repository may not for another, and an index says more than one of its images.
  const index = reference.digest || resolved || first.digest;
  const manifests = [...new Set(named.map(({ manifest }) => manifest))];
  const version = signaturePolicyVersion({ signature, name, index, manifests });
  const ago = (ms: number) => new Date(clock().getTime() - ms);
  const since = { verified: ago(VERIFIED_MS), other: ago(UNVERIFIED_MS) };
  const kept = await store.tenant(tenantId, (db) => keptSignature(db, first.id, version, since));
  if (kept !== undefined) return { ...facts, signature: stateOf(kept.state) };
  try {
    const registry = await store.tenant(tenantId, (db) => registryFor(db, reference.registry));
    if (registry === undefined) return { ...facts, signature: "unverifiable" };
    const repository = await openAt(deps, tenantId, registry, reference.repository);
    try {
      const checked = await verifySignature(repository, name, { index, manifests }, signature);
      const row = { imageId: first.id, policy: version, ...checked, now: clock() };
      await store.tenant(tenantId, (db) => keepSignature(db, row));
      return { ...facts, signature: checked.state };
    } finally {
      repository.close();
    }
  } catch (err) {
    // Whoever may push can make a look take too long: what was not seen is no signature.
    log.warn({ err, image: reference.text }, "the signatures of an image could not be verified");
    return { ...facts, signature: "unverifiable" };
  }
}

function stateOf(text: string): ImageFacts["signature"] {
  return (["verified", "invalid", "unsigned"] as const).find((state) => state === text) ?? "unchecked";
}

/** Until something was scanned, or the time is over. */
function woken(waiting: Set<() => void>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      waiting.delete(end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(1, ms));
    waiting.add(end);
    signal.addEventListener("abort", end, { once: true });
  });
}
