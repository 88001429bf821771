import {
  addEvidence,
  announce,
  connectNode,
  disconnectNode,
  recordHealth,
  type Store,
  type TenantQueries,
} from "@bulwark/store";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { FastifyBaseLogger } from "fastify";
import type { SecretBox } from "../security/secret-box.ts";
import type { Authority } from "./authority.ts";
import type { BatchWriter } from "./batch-writer.ts";
import { checkBatch, checkInventory } from "./check-message.ts";
import type { DeepPartial } from "./contract.ts";
import { GatewayError } from "./errors.ts";
import type {
  Capability,
  EventBatch,
  Health,
  Hello,
  NodeFacts,
  OrderResult,
  Policy,
  Upstream,
} from "./gen/wire-types.ts";
import { createIntake } from "./intake.ts";
import { isOfData } from "./is-of-data.ts";
import { takeOrders } from "./orders.ts";
import { takeInventory } from "./take-inventory.ts";

/** Batches of one sensor that are not stored yet: more are not read from its stream until some are. */
const MAX_WAITING = 32;
/** In batches: an inventory or a piece of evidence may be as long as a message can be. */
const OTHER_WEIGHT = 8;

/** Who is at the other end. */
export interface ConnectedNode {
  readonly id: number;
  readonly uid: string;
  readonly tenantId: number;
  readonly hostname: string;
}

export interface StreamDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly authority: Authority;
  readonly writer: BatchWriter;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  /** Name of this gateway, new at each start. */
  readonly gateway: string;
  /** Where the node fetches the program that an order names. */
  readonly addressOf: (orderUid: string) => Promise<string>;
  /** What nodes of a tenant are to watch and block. */
  readonly policyOf: (
    tenantId: number,
    nodeId: number,
  ) => Promise<{ readonly revision: number; readonly policy: DeepPartial<Policy> }>;
  /** Told when an order was answered, in the same transaction. */
  readonly onResult: (db: TenantQueries, node: ConnectedNode, result: OrderResult, now: Date) => Promise<void>;
  /** Told of the facts that a node gathered, in the same transaction. */
  readonly onFacts: (db: TenantQueries, node: ConnectedNode, facts: NodeFacts, now: Date) => Promise<void>;
}

export type DownstreamMessage = DeepPartial<import("./gen/wire-types.ts").Downstream>;
type Stream = ServerDuplexStream<Upstream, DownstreamMessage>;

/** One open stream. */
export interface NodeStream {
  readonly node: ConnectedNode;
  /** Sends orders that wait for the node. */
  sendOrders(): Promise<void>;
  /** Sends the policy, if the node has another. */
  sendPolicy(): Promise<void>;
  end(): void;
}

/**
 * Serves a sensor's stream. Messages are handled in the order in which they come; batches are acknowledged in this order too,
 * each when it is stored. Whatever cannot be handled ends the stream: the sensor connects again and says again what was not
 * acknowledged.
 */
export function serveStream(stream: Stream, node: ConnectedNode, deps: StreamDeps, onEnd: () => void): NodeStream {
  let tail: Promise<void> = Promise.resolve();
  const intake = createIntake(stream, MAX_WAITING);
  let isOpen = true;
  let revision = -1;
  const fail = (error: unknown) => {
    if (!isOpen) return;
    isOpen = false;
    const isRefused = error instanceof GatewayError;
    if (!isRefused) deps.log.error({ err: error, node: node.uid }, "a sensor's message could not be handled");
    stream.emit("error", { code: isRefused ? 3 : 14, details: isRefused ? error.message : "try again later" });
  };
  const send = (message: DownstreamMessage) => {
    if (isOpen) stream.write(message);
  };
  const sendOrders = async () => {
    const { authority, secrets, addressOf, clock } = deps;
    const orders = await deps.store.tenant(node.tenantId, (db) =>
      takeOrders(db, node, { authority, secrets, addressOf, now: clock() }),
    );
    for (const order of orders) send({ order });
  };
  const sendPolicy = async () => {
    const { revision: newest, policy } = await deps.policyOf(node.tenantId, node.id);
    if (newest === revision) return;
    revision = newest;
    send({ policy: { ...policy, revision: newest } });
  };
  const takeBatch = (batch: EventBatch) => {
    checkBatch(batch);
    const done = intake.hold(1);
    void deps.writer.write(node.tenantId, node.id, batch).then(() => {
      done();
      send({ acknowledgement: { epoch: batch.epoch, sequence: batch.sequence } });
    }, fail);
  };
  const takeOther = (message: Upstream) => {
    if (message.inventory !== null) checkInventory(message.inventory);
    const done = intake.hold(OTHER_WEIGHT);
    const handled = tail
      .then(() => (isOpen ? handle(message) : undefined))
      .catch((error) => skipOrFail(message, error));
    tail = handled.finally(done);
  };
  // What the store does not take now it would not take the next time either: the rest of what the sensor says still counts.
  const skipOrFail = (message: Upstream, error: unknown) => {
    if (message.hello !== null || error instanceof GatewayError || !isOfData(error)) return fail(error);
    deps.log.error({ err: error, node: node.uid }, "what a sensor told cannot be stored, and is left out");
  };
  const handle = async (message: Upstream) => {
    const { tenantId, id } = node;
    const now = deps.clock();
    if (message.hello !== null) {
      revision = message.hello.policyRevision;
      await deps.store.tenant(tenantId, (db) => takeHello(db, node, message.hello!, deps.gateway, now));
      await sendPolicy();
      await sendOrders();
    } else if (message.health !== null) {
      const { policy } = await deps.policyOf(tenantId, id);
      await deps.store.tenant(tenantId, (db) => takeHealth(db, id, message.health!, policy, now));
    } else if (message.inventory !== null) {
      await deps.store.tenant(tenantId, (db) => takeInventory(db, id, message.inventory!, now));
    } else if (message.result !== null) {
      await deps.store.tenant(tenantId, (db) => deps.onResult(db, node, message.result!, now));
    } else if (message.facts !== null) {
      await deps.store.tenant(tenantId, (db) => deps.onFacts(db, node, message.facts!, now));
    } else if (message.evidence !== null) {
      const { orderId, name, offset, content, last, cutBytes } = message.evidence;
      const chunk = { uid: orderId, name, offset, content: Buffer.from(content), isLast: last, cutBytes };
      await deps.store.tenant(tenantId, (db) => addEvidence(db, id, chunk));
    }
  };
  stream.on("data", (message: Upstream) => {
    try {
      if (message.batch !== null) takeBatch(message.batch);
      else takeOther(message);
    } catch (error) {
      fail(error);
    }
  });
  const finish = () => {
    isOpen = false;
    onEnd();
    void deps.store
      .tenant(node.tenantId, async (db) => {
        await disconnectNode(db, node.id, deps.gateway, deps.clock());
        await announce(db, { topic: "nodes", id: node.id });
      })
      .catch((error) => deps.log.warn({ err: error, node: node.uid }, "a node's leaving could not be kept"));
  };
  stream.once("close", finish);
  stream.on("end", () => stream.end());
  stream.on("error", () => {});
  return { node, sendOrders, sendPolicy, end: () => stream.end() };
}

async function takeHello(
  db: TenantQueries,
  node: ConnectedNode,
  hello: Hello,
  gateway: string,
  now: Date,
): Promise<void> {
  await connectNode(db, node.id, {
    gateway,
    hostname: hello.node?.hostname ?? node.hostname,
    facts: { ...hello.node },
    capabilities: hello.capabilities.map(capability),
    sensorVersion: hello.node?.sensorVersion ?? "",
    policyRevision: hello.policyRevision,
    now,
  });
  await announce(db, { topic: "nodes", id: node.id });
}

const CAPABILITY_STATES = ["unknown", "full", "reduced", "missing"];

function capability({ id, state, means, detail }: Capability) {
  return { id, state: CAPABILITY_STATES[state] ?? "unknown", means, detail };
}

async function takeHealth(
  db: TenantQueries,
  id: number,
  health: Health,
  policy: DeepPartial<Policy>,
  now: Date,
): Promise<void> {
  const ruleOf = new Map(policy.blocks?.map((block) => [block.id, block.rule]));
  const facts = {
    residentBytes: health.residentBytes,
    cpuShare: health.cpuShare,
    degradation: health.degradation,
    degradationReason: health.degradationReason,
    spoolBytes: health.spoolBytes,
    spoolLimitBytes: health.spoolLimitBytes,
    seen: { ...health.seen },
    lost: { ...health.lost },
    filtered: { ...health.filtered },
    gaps: health.gaps.map(({ blockId, why }) => ({ blockId, rule: ruleOf.get(blockId) ?? "", why })),
    tampering: health.tampering,
  };
  await recordHealth(db, id, { policyRevision: health.policyRevision, facts, now });
  await announce(db, { topic: "nodes", id });
}
