import { setTimeout as pause } from "node:timers/promises";
import { type Json, mapAt, numberAt, textAt } from "@bulwark/kubernetes";
import type { FastifyBaseLogger } from "fastify";
import { ApiStatus, type KubeApi } from "./kube-api.ts";

const NAME = "bulwark-agent";
const DURATION_SECONDS = 15;
const RENEW_MS = 4_000;
/** Who cannot renew stops to lead before anybody else may begin. */
const GIVE_UP_MS = 10_000;
/** Two answers that are late still leave time to stop. */
const ANSWER_MS = 4_000;
const CONFLICT = 409;

/** Who of several replicas does what only one may. */
export interface Lease {
  readonly leads: boolean;
  /**
   * Revision of the cluster's store at which this replica began to lead: what was done under a lower one is older, whatever clocks
   * say, also if the Lease was deleted in between. (Kubernetes API conventions, "Concurrency Control and Consistency".)
   */
  readonly term: bigint;
  /** Asks whether this replica still leads, instead of believing so. */
  confirm(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Takes part in holding a Lease (Kubernetes API, coordination.k8s.io/v1). Clocks of replicas need not agree: one that is held by
 * another is over when it was not renewed for its duration by our own clock.
 *
 * @param onChange called when this replica begins or stops to lead
 */
export function holdLease(
  api: KubeApi,
  identity: string,
  { onChange, log }: { readonly onChange: (leads: boolean) => void; readonly log: FastifyBaseLogger },
): Lease {
  const ended = new AbortController();
  const path = `/apis/coordination.k8s.io/v1/namespaces/${api.access.namespace}/leases`;
  let leads = false;
  let term = 0n;
  let renewedAt = 0;
  let seen = { record: "", at: 0 };
  const become = (next: boolean) => {
    if (leads === next) return;
    leads = next;
    onChange(next);
  };
  const specOf = (held: Json | undefined): Json => {
    const now = `${new Date().toISOString().slice(0, -1)}000Z`;
    const before = mapAt(held, "spec");
    const isOurs = textAt(before, "holderIdentity") === identity;
    const transitions = (numberAt(before, "leaseTransitions") ?? 0) + (isOurs || held === undefined ? 0 : 1);
    return {
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_SECONDS,
      acquireTime: isOurs ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: transitions,
    };
  };
  const take = async () => {
    const held = await read(api, `${path}/${NAME}`);
    if (held !== undefined && !isFree(held)) return become(false);
    const body = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { ...mapAt(held, "metadata"), name: NAME, namespace: api.access.namespace },
      spec: specOf(held),
    };
    const asked = Date.now();
    const kept =
      held === undefined
        ? await api.json("POST", path, { body, signal: AbortSignal.timeout(ANSWER_MS) })
        : await api.json("PUT", `${path}/${NAME}`, { body, signal: AbortSignal.timeout(ANSWER_MS) });
    // Whoever was stopped meanwhile reads an old answer: others count from when it was given.
    renewedAt = asked;
    if (Date.now() - asked > GIVE_UP_MS) return become(false);
    if (!leads) term = BigInt(textAt(kept, "metadata", "resourceVersion"));
    become(true);
  };
  const isFree = (held: Json): boolean => {
    const holder = textAt(held, "spec", "holderIdentity");
    if (holder === "" || holder === identity) return true;
    const record = `${holder} ${textAt(held, "spec", "renewTime")}`;
    if (record !== seen.record) seen = { record, at: Date.now() };
    return Date.now() - seen.at > (numberAt(held, "spec", "leaseDurationSeconds") ?? DURATION_SECONDS) * 1_000;
  };
  let taking: Promise<boolean> | undefined;
  /** One after the other: of two at once one would take the other for somebody else. */
  const confirm = (): Promise<boolean> => {
    taking ??= attempt().finally(() => {
      taking = undefined;
    });
    return taking;
  };
  const attempt = async (): Promise<boolean> => {
    try {
      await take();
      return leads;
    } catch (error) {
      const isLost = error instanceof ApiStatus && error.status === CONFLICT;
      if (!isLost) log.warn({ err: error }, "the lease could not be renewed");
      if (isLost || Date.now() - renewedAt > GIVE_UP_MS) become(false);
      return false;
    }
  };
  const run = async () => {
    while (!ended.signal.aborted) {
      await confirm();
      await pause(RENEW_MS, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    get leads() {
      return leads;
    },
    get term() {
      return term;
    },
    confirm,
    async close() {
      ended.abort();
      await running;
      if (!leads) return;
      become(false);
      // Others need not wait until it runs out.
      const body = { spec: { holderIdentity: "", renewTime: null } };
      await api
        .json("PATCH", `${path}/${NAME}`, { body, patch: true })
        .catch((error) => log.warn({ err: error }, "the lease could not be given back"));
    },
  };
}

async function read(api: KubeApi, path: string): Promise<Json | undefined> {
  try {
    return await api.json("GET", path, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    if (error instanceof ApiStatus && error.status === 404) return undefined;
    throw error;
  }
}
