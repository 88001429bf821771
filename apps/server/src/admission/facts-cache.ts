import {
  type FactsAnswer,
  type ImageFacts,
  type NamespaceFacts,
  splitReference,
  UNKNOWN_NAMESPACE,
  unknownImage,
} from "@bulwark/kubernetes";
import { LRUCache } from "lru-cache";
import { memoryOf } from "./memory-of.ts";
import type { AdmissionSource } from "./source.ts";

/** About 1,500 images with a thousand findings and packages each. */
const MAX_BYTES = 96 * 1024 * 1024;
const MAX_IMAGES = 20_000;
const MAX_NAMESPACES = 20_000;
const MAX_NAMESPACE_BYTES = 16 * 1024 * 1024;
/** Digests never change what they name, and the server says when findings do. */
const DIGEST_MS = 600_000;
/** A tag may move at any time. */
const TAG_MS = 30_000;
const PENDING_MS = 1_000;
const UNKNOWN_MS = 10_000;
const NAMESPACE_MS = 30_000;
/** References in one question: each has at most 1,024 characters. */
const MAX_REFERENCES = 200;
/** Questions at once. More are answered as unknown, so that a flood of new names holds no memory. */
const MAX_QUESTIONS = 64;
/** After this many questions in a row without an answer nobody waits for a while. */
const FAILURES = 3;
const PAUSE_MS = 5_000;

interface Kept<Facts> {
  readonly facts: Facts;
  freshUntil: number;
}

/** What replicas know of images and namespaces, for as long as it holds. */
export interface FactsCache {
  /** What is fresh; undefined where the server has to be asked. */
  known(references: readonly string[], namespace: string): FactsAnswer | undefined;
  /** Asks for what is not fresh and waits, at most for `waitMs`. What has not come by then is old, or unknown. Never throws. */
  ask(references: readonly string[], namespace: string, waitMs: number): Promise<FactsAnswer>;
  /** Takes what is known of images for old. */
  invalidate(digests: readonly string[], all: boolean): void;
  readonly counts: { readonly images: number; readonly bytes: number; readonly asked: number; readonly failed: number };
}

/** @param clock milliseconds */
export function createFactsCache(
  source: Pick<AdmissionSource, "facts" | "isConnected">,
  clock: () => number,
): FactsCache {
  const images = new LRUCache<string, Kept<ImageFacts>>({ max: MAX_IMAGES, ...bounded(MAX_BYTES) });
  const namespaces = new LRUCache<string, Kept<NamespaceFacts>>({
    ...{ max: MAX_NAMESPACES, ...bounded(MAX_NAMESPACE_BYTES) },
  });
  const asking = new Map<string, Promise<void>>();
  let asked = 0;
  let failed = 0;
  let failures = 0;
  let pausedUntil = 0;
  let questions = 0;
  let generation = 0;

  const keep = (reference: string, facts: ImageFacts, askedIn: number) => {
    // What was asked before somebody said that it holds no more is old at once.
    const freshUntil = askedIn === generation ? clock() + lifeOf(reference, facts) : 0;
    images.set(reference, { facts, freshUntil });
  };
  const keepNamespace = (name: string, facts: NamespaceFacts) =>
    namespaces.set(name, { facts, freshUntil: clock() + (facts.known ? NAMESPACE_MS : PENDING_MS) });
  const isFresh = (reference: string) => (images.peek(reference)?.freshUntil ?? 0) > clock();
  const isNamespaceFresh = (name: string) => (namespaces.peek(name)?.freshUntil ?? 0) > clock();
  const answer = (references: readonly string[], namespace: string, problem: string): FactsAnswer => ({
    namespace: namespaces.get(namespace)?.facts ?? UNKNOWN_NAMESPACE,
    images: Object.fromEntries(
      references.map((reference) => {
        const kept = images.get(reference);
        if (kept === undefined) return [reference, unknownImage(problem)] as const;
        // Old facts judge, but no tag is pinned by them: it may name another image by now.
        return [reference, kept.freshUntil > clock() ? kept.facts : { ...kept.facts, resolved: false }] as const;
      }),
    ),
  });

  const question = async (references: readonly string[], namespace: string, waitMs: number): Promise<void> => {
    const askedIn = generation;
    questions++;
    asked++;
    try {
      const told = await answered(source, references, namespace, waitMs);
      failures = 0;
      for (const reference of references) {
        const facts = Object.hasOwn(told.images, reference) ? told.images[reference] : undefined;
        if (facts !== undefined) keep(reference, facts, askedIn);
        // What the server passes over would be asked about by every review.
        else if (!images.has(reference)) keep(reference, unknownImage("the server knows nothing of it"), askedIn);
      }
      keepNamespace(namespace, told.namespace);
    } catch {
      // Counted, and told by each image that stays unknown.
      failed++;
      failures++;
      if (failures >= FAILURES) pausedUntil = clock() + PAUSE_MS;
    } finally {
      questions--;
    }
  };

  return {
    known(references, namespace) {
      if (!isNamespaceFresh(namespace) || !references.every(isFresh)) return undefined;
      return answer(references, namespace, "");
    },
    async ask(references, namespace, waitMs) {
      if (!source.isConnected()) return answer(references, namespace, "the server cannot be reached");
      if (clock() < pausedUntil) return answer(references, namespace, "the server does not answer");
      const missing = references.filter((reference) => !isFresh(reference));
      const key = (reference: string) => `i ${reference}`;
      const others = missing.flatMap((reference) => asking.get(key(reference)) ?? []);
      const own = missing.filter((reference) => !asking.has(key(reference)));
      const needsNamespace = !isNamespaceFresh(namespace);
      const shared = asking.get(`n ${namespace}`);
      const waiting: Promise<void>[] = shared === undefined ? [...others] : [...others, shared];
      if (own.length > 0 || (needsNamespace && shared === undefined)) {
        for (const part of partsOf(own)) {
          if (questions >= MAX_QUESTIONS) return answer(references, namespace, "too many questions are open");
          const made = question(part, namespace, waitMs);
          const keys = [...part.map(key), `n ${namespace}`];
          for (const each of keys) asking.set(each, made);
          const settled = made.then(() => {
            for (const each of keys) if (asking.get(each) === made) asking.delete(each);
          });
          waiting.push(settled);
        }
      }
      await atMost(Promise.all(waiting), waitMs);
      return answer(references, namespace, "the server did not answer in time");
    },
    invalidate(digests, all) {
      generation++;
      if (all) namespaces.clear();
      const gone = new Set(digests);
      for (const kept of images.values()) {
        // Old facts are better than none while the server cannot be reached.
        if (all || gone.has(kept.facts.digest) || gone.has(kept.facts.manifest)) kept.freshUntil = 0;
      }
    },
    get counts() {
      return { images: images.size, bytes: images.calculatedSize, asked, failed };
    },
  };
}

/** Questions that one message holds; at least one, since the namespace is asked about with it. */
function partsOf(references: readonly string[]): readonly (readonly string[])[] {
  const parts = [references.slice(0, MAX_REFERENCES)];
  for (let at = MAX_REFERENCES; at < references.length; at += MAX_REFERENCES)
    parts.push(references.slice(at, at + MAX_REFERENCES));
  return parts;
}

/** An answer within its time, from a source that may hang. */
async function answered(
  source: Pick<AdmissionSource, "facts">,
  references: readonly string[],
  namespace: string,
  waitMs: number,
): Promise<FactsAnswer> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      ending.abort();
      reject(new Error(`no answer within ${waitMs} ms`));
    }, waitMs);
  });
  try {
    return await Promise.race([source.facts(references, namespace, ending.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function lifeOf(reference: string, { state, signature }: ImageFacts): number {
  if (state === "pending") return PENDING_MS;
  if (state === "unknown") return UNKNOWN_MS;
  if (signature === "unverifiable") return UNKNOWN_MS;
  // An image may be signed any moment.
  if (signature === "unsigned" || signature === "invalid") return TAG_MS;
  return splitReference(reference)?.digest === "" ? TAG_MS : DIGEST_MS;
}

function bounded(bytes: number) {
  return {
    ...{ maxSize: bytes, maxEntrySize: bytes },
    sizeCalculation: ({ facts }: Kept<unknown>, key: string) => memoryOf(facts) + memoryOf(key),
  };
}
