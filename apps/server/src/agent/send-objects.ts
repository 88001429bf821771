import type { FastifyBaseLogger } from "fastify";
import type { Acknowledgement } from "../clusters/gen/wire-types.ts";
import { WATCHED } from "./kinds.ts";
import type { KubeApi } from "./kube-api.ts";
import type { Link } from "./link.ts";
import { createOutbox, type OutboxBatch } from "./outbox.ts";
import { type KindState, type KindWatch, watchKind } from "./watch-kind.ts";

/** Batches that are not acknowledged yet. */
const WINDOW = 4;
/** Objects that wait before listing pauses. */
const CAPACITY = 2_000;
const PUMP_MS = 100;

/** Tells the server of everything in the cluster, for as long as this replica leads. */
export interface ObjectSender {
  readonly epoch: string;
  /** By kind, `apps/v1/Deployment`. */
  states(): Readonly<Record<string, KindState>>;
  /** What was sent up to this number is stored. */
  acknowledged(position: Pick<Acknowledgement, "sequence">): void;
  /** What was sent in the stream that was cut is sent again. */
  cut(): void;
  close(): Promise<void>;
}

/** @param epoch later than that of whoever led before */
export function sendObjects(
  api: KubeApi,
  link: Link,
  { epoch, log }: { readonly epoch: string; readonly log: FastifyBaseLogger },
): ObjectSender {
  const ended = new AbortController();
  const outbox = createOutbox(CAPACITY);
  const flying = new Map<number, OutboxBatch>();
  let sequence = 0;
  const pump = () => {
    while (link.isOpen && flying.size < WINDOW && !outbox.isEmpty) {
      const batch = outbox.take();
      if (batch === undefined) return;
      if (!link.send({ objects: { epoch, sequence: sequence + 1, ...batch } })) {
        outbox.putBack(batch);
        return;
      }
      flying.set(++sequence, batch);
    }
  };
  // Changes come in bursts; what happens within one period goes in one batch.
  const timer = setInterval(pump, PUMP_MS);
  const watches: KindWatch[] = [];
  const begin = async () => {
    for (const kind of WATCHED) {
      if (ended.signal.aborted) return;
      const watch = watchKind(api, kind, { outbox, signal: ended.signal, log });
      watches.push(watch);
      // One after the other: what others belong to is told first, and the API server is not asked for everything at once.
      await watch.listed;
    }
  };
  const beginning = begin();
  return {
    epoch,
    states: () =>
      Object.fromEntries(watches.map(({ kind, state }) => [`${kind.apiVersion}/${kind.kind}`, state()] as const)),
    acknowledged({ sequence: upTo }) {
      for (const each of flying.keys()) if (each <= upTo) flying.delete(each);
      pump();
    },
    cut() {
      for (const [each, batch] of [...flying].toReversed()) {
        flying.delete(each);
        outbox.putBack(batch);
      }
    },
    async close() {
      ended.abort();
      clearInterval(timer);
      await beginning;
      await Promise.all(watches.map((watch) => watch.ended));
    },
  };
}
