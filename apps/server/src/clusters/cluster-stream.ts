import {
  announce,
  connectReplica,
  disconnectReplica,
  dropObjects,
  enterEpoch,
  keepObjects,
  keepPods,
  recordReplicaHealth,
  type Store,
  settleKinds,
  type TenantQueries,
} from "@bulwark/store";
import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import type { FastifyBaseLogger } from "fastify";
import type { DeepPartial } from "../gateway/contract.ts";
import { GatewayError } from "../gateway/errors.ts";
import { createIntake } from "../gateway/intake.ts";
import type { AuditBatch, FromCluster, Hello, ObjectBatch, ToCluster } from "./gen/wire-types.ts";
import { podsOf } from "./pods-of.ts";
import { readObjects } from "./read-objects.ts";

/** Messages of one agent that are not handled yet: more are not read from its stream until some are. */
const MAX_WAITING = 16;
/** Questions of one agent that are looked into at once; an admission replica asks fewer. */
const MAX_QUESTIONS = 64;
const MAX_REPLICA_NAME = 253;
/** Those of an unsigned number of 64 bits. */
const EPOCH_DIGITS = 20;
const EPOCH = /^[0-9]{1,20}$/;

/** Who is at the other end. */
export interface ConnectedCluster {
  readonly id: number;
  readonly uid: string;
  readonly tenantId: number;
  readonly name: string;
  readonly kubernetesUid: string;
}

/** What admission replicas ask and are told. */
export interface AdmissionEnd {
  /** What a cluster's replicas judge by. */
  bundle(cluster: ConnectedCluster): Promise<{ readonly revision: number; readonly document: unknown }>;
  /** Answers once or more often; ends when nothing else comes. */
  answer(
    cluster: ConnectedCluster,
    question: { readonly references: readonly string[]; readonly namespace: string },
    send: (document: unknown) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Keeps what was decided, in the transaction in which the batch is acknowledged. */
  decided(
    db: TenantQueries,
    cluster: ConnectedCluster,
    batch: { readonly epoch: string; readonly sequence: number; readonly document: unknown; readonly dropped: number },
  ): Promise<void>;
}

/** Where requests to API servers are looked at. */
export interface AuditEnd {
  inspect(cluster: ConnectedCluster, batch: AuditBatch): Promise<void>;
}

export interface ClusterDeps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  /** Name of this gateway, new at each start. */
  readonly gateway: string;
  readonly admission: AdmissionEnd;
  readonly audit: AuditEnd;
  /** Told when objects of a cluster changed. */
  readonly onChange: (tenantId: number, clusterId: number) => void;
}

type Stream = ServerDuplexStream<FromCluster, DeepPartial<ToCluster>>;

/** One open stream. */
export interface ClusterStream {
  readonly cluster: ConnectedCluster;
  /** Sends what admission judges by, if the replica has another. */
  sendBundle(): Promise<void>;
  /** @param digests images of which something else is known now; all of them if left out */
  sendImagesChanged(digests?: readonly string[]): void;
  end(): void;
}

/**
 * Serves a replica's stream. Objects, audit events and decisions are handled in the order in which they come, and acknowledged when
 * they are stored; questions are answered beside them. Whatever cannot be handled ends the stream: the agent connects again
 * and says again what was not acknowledged.
 */
export function serveCluster(
  stream: Stream,
  cluster: ConnectedCluster,
  deps: ClusterDeps,
  onEnd: () => void,
): ClusterStream {
  const ended = new AbortController();
  let tail: Promise<void> = Promise.resolve();
  const intake = createIntake(stream, MAX_WAITING);
  let questions = 0;
  let revision = -1;
  let hello: Hello | undefined;
  const isOpen = () => !ended.signal.aborted;
  const send = (message: DeepPartial<ToCluster>) => {
    if (isOpen()) stream.write(message);
  };
  const fail = (error: unknown) => {
    if (!isOpen()) return;
    ended.abort();
    const isRefused = error instanceof GatewayError;
    if (isRefused) deps.log.warn({ cluster: cluster.uid, why: error.message }, "an agent's message was refused");
    else deps.log.error({ err: error, cluster: cluster.uid }, "an agent's message could not be handled");
    stream.emit("error", { code: isRefused ? 3 : 14, details: isRefused ? error.message : "try again later" });
  };
  const sendBundle = async () => {
    if (hello?.roles.includes("admission") !== true) return;
    const newest = await deps.admission.bundle(cluster);
    // Two changes may be read at once: the older of them must not come last.
    if (newest.revision <= revision) return;
    revision = newest.revision;
    send({ admission: { revision, document: documentOf(newest.document) } });
  };
  const answer = async ({ id, references, namespace }: NonNullable<FromCluster["question"]>) => {
    const reply = (document: unknown, last: boolean) => send({ answer: { id, document: documentOf(document), last } });
    if (questions >= MAX_QUESTIONS) return reply({}, true);
    questions++;
    try {
      await deps.admission.answer(
        cluster,
        { references, namespace },
        (document) => reply(document, false),
        ended.signal,
      );
    } catch (error) {
      if (isOpen())
        deps.log.error({ err: error, cluster: cluster.uid }, "a question about images could not be answered");
    } finally {
      questions--;
    }
    reply({}, true);
  };
  const handle = async (message: FromCluster) => {
    if (message.hello !== null) {
      hello = await greet(deps, cluster, message.hello);
      // Tells the agent that it was taken, before there is anything else to say.
      stream.sendMetadata(new Metadata());
      await sendBundle();
      // What changed while there was no stream is not known.
      if (hello.roles.includes("admission")) send({ imagesChanged: { all: true } });
    } else if (hello === undefined) throw new GatewayError("PROTOCOL", "the first message of a stream is hello");
    else if (message.objects !== null) {
      const later = await takeObjects(deps, cluster, message.objects);
      send({ acknowledgement: { ...position(message.objects), kind: "objects", later: later ?? "" } });
    } else if (message.audit !== null) {
      await deps.audit.inspect(cluster, message.audit);
      send({ acknowledgement: { ...position(message.audit), kind: "audit" } });
    } else if (message.decisions !== null) {
      const batch = { ...message.decisions, document: parsed(message.decisions.document) };
      await deps.store.tenant(cluster.tenantId, (db) => deps.admission.decided(db, cluster, batch));
      send({ acknowledgement: { ...position(batch), kind: "decisions" } });
    } else if (message.health !== null) {
      const { timeUs: _, ...health } = message.health;
      const replica = hello.cluster?.replica ?? "";
      await deps.store.tenant(cluster.tenantId, (db) =>
        recordReplicaHealth(db, cluster.id, { replica, health, now: deps.clock() }),
      );
    }
  };
  stream.on("data", (message: FromCluster) => {
    if (message.question !== null) {
      void answer(message.question);
      return;
    }
    const done = intake.hold(1);
    tail = tail
      .then(() => (isOpen() ? handle(message) : undefined))
      .catch(fail)
      .finally(done);
  });
  stream.once("close", () => {
    ended.abort();
    onEnd();
    const replica = hello?.cluster?.replica;
    if (replica === undefined) return;
    void deps.store
      .tenant(cluster.tenantId, async (db) => {
        await disconnectReplica(db, cluster.id, { gateway: deps.gateway, replica });
        await announce(db, { topic: "clusters", id: cluster.id });
      })
      .catch((error) => deps.log.warn({ err: error, cluster: cluster.uid }, "an agent's leaving could not be kept"));
  });
  stream.on("end", () => stream.end());
  stream.on("error", () => {});
  return {
    cluster,
    sendBundle,
    sendImagesChanged: (digests) => send({ imagesChanged: digests === undefined ? { all: true } : { digests } }),
    end: () => stream.end(),
  };
}

/** @throws GatewayError `CLUSTER_MISMATCH` for a cluster that shows the certificate of another */
async function greet(deps: ClusterDeps, cluster: ConnectedCluster, hello: Hello): Promise<Hello> {
  const { kubernetesUid = "", version = "", agentVersion = "", replica = "" } = hello.cluster ?? {};
  if (kubernetesUid !== cluster.kubernetesUid) {
    throw new GatewayError(
      "CLUSTER_MISMATCH",
      `the certificate is of ${cluster.name}, which is another cluster`,
      "let this cluster join with a token of its own",
    );
  }
  if (replica.length > MAX_REPLICA_NAME) throw new GatewayError("PROTOCOL", "the replica's name is too long");
  const { store, gateway, clock } = deps;
  await store.tenant(cluster.tenantId, async (db) => {
    await connectReplica(db, cluster.id, {
      ...{ gateway, replica, roles: hello.roles, version, agentVersion, now: clock() },
    });
    await announce(db, { topic: "clusters", id: cluster.id });
  });
  return hello;
}

/** @returns a later epoch that is known, if there is one: an agent that leads no more may still be sending */
async function takeObjects(
  { store, clock, onChange }: ClusterDeps,
  cluster: ConnectedCluster,
  batch: ObjectBatch,
): Promise<string | undefined> {
  if (!EPOCH.test(batch.epoch) || batch.sequence < 1)
    throw new GatewayError("PROTOCOL", "a batch has an epoch and a number");
  // They are compared as texts.
  const epoch = batch.epoch.padStart(EPOCH_DIGITS, "0");
  const objects = readObjects(batch);
  const now = clock();
  const later = await store.tenant(cluster.tenantId, async (db) => {
    const known = await enterEpoch(db, cluster.id, epoch, now);
    if (known !== undefined) return known;
    await keepObjects(db, cluster.id, { epoch, objects, now });
    await keepPods(db, cluster.id, await podsOf(db, cluster.id, objects), now);
    await dropObjects(db, cluster.id, batch.removed);
    await settleKinds(db, cluster.id, { epoch, kinds: batch.synced });
    await announce(db, { topic: "clusters", id: cluster.id });
    return undefined;
  });
  if (later === undefined) onChange(cluster.tenantId, cluster.id);
  return later;
}

function position({ epoch, sequence }: { readonly epoch: string; readonly sequence: number }) {
  return { epoch, sequence };
}

function documentOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function parsed(document: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(document).toString("utf8"));
  } catch (cause) {
    throw new GatewayError("PROTOCOL", "the document is no JSON", "", cause);
  }
}
