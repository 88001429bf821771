import { setTimeout as pause } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import type { AdmissionBundle, ImageAnswer, ImagesChanged, ToCluster } from "../clusters/gen/wire-types.ts";
import type { GatewayAddress, UpstreamMessage } from "./gateway-client.ts";
import { describeCluster, readIdentity } from "./identity.ts";
import type { KubeAccess } from "./kube-access.ts";
import { type KubeApi, openKubeApi } from "./kube-api.ts";
import { holdLease } from "./lease.ts";
import { openLink } from "./link.ts";
import { createMembership } from "./membership.ts";
import { type ObjectSender, sendObjects } from "./send-objects.ts";
import { createSpool } from "./spool.ts";

const HEALTH_MS = 15_000;
const CONFIRM_PAUSE_MS = 1_000;
const CARE_MS = 60 * 60_000;
/** Audit events that wait for the server: about 200 MB at the usual 4 KB would be too many for an agent. */
const AUDIT = { capacity: 10_000, batch: 200, everyMs: 200, window: 4 };
const DECISIONS = { capacity: 20_000, batch: 500, everyMs: 500, window: 2 };

export type AgentRole = "agent" | "admission";

export interface AgentOptions {
  readonly access: KubeAccess;
  readonly gateway: GatewayAddress;
  /** With which the cluster joins, as it is now; not needed any more once it did. */
  readonly token: () => string | undefined;
  /** Name of this replica, such as that of its pod. */
  readonly replica: string;
  readonly roles: ReadonlySet<AgentRole>;
  readonly version: string;
  readonly log: FastifyBaseLogger;
}

/** What the server tells that admission listens to. */
export interface AgentListener {
  bundle(bundle: AdmissionBundle): void;
  answer(answer: ImageAnswer): void;
  imagesChanged(changed: ImagesChanged): void;
  cut(): void;
}

/** An agent of a cluster. */
export interface RunningAgent {
  readonly api: KubeApi;
  readonly leads: boolean;
  readonly isConnected: boolean;
  /** @returns false while there is no stream */
  ask(question: NonNullable<UpstreamMessage["question"]>): boolean;
  /** JSON of one audit event, without secrets. */
  audited(event: Buffer): void;
  /** Audit events that could not be read. */
  unaudited(count: number): void;
  /** One decision of admission. */
  decided(decision: unknown): void;
  /** Decisions that were thrown away before they came here. */
  undecided(count: number): void;
  listen(listener: AgentListener): void;
  close(): Promise<void>;
}

/**
 * Starts an agent: joins the cluster to its server, keeps its identity, tells of its objects while it leads, and passes on what
 * admission asks and tells.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { log, roles, gateway, replica, version } = options;
  const api = openKubeApi(options.access);
  const described = await describeCluster(api);
  const cluster = { ...described, agentVersion: version, replica };
  const membership = createMembership(api, { gateway, token: options.token, cluster: described, log });
  const ended = new AbortController();
  const listeners = new Set<AgentListener>();
  let sender: ObjectSender | undefined;
  /** This replica leads, and the cluster joined. */
  let keepsIdentity = false;
  let changing: Promise<void> = Promise.resolve();
  const audit = createSpool<Buffer>(
    ({ items: events, ...batch }) => link.send({ audit: { ...batch, events } }),
    AUDIT,
    (event) => event.byteLength,
  );
  const decisions = createSpool<Buffer>(
    ({ items, ...batch }) => link.send({ decisions: { ...batch, document: Buffer.from(`[${items.join(",")}]`) } }),
    DECISIONS,
    (decision) => decision.byteLength,
  );
  const take = (message: ToCluster) => {
    const { acknowledgement: stored } = message;
    if (stored?.kind === "objects" && stored.epoch === sender?.epoch) {
      if (stored.later === "") sender.acknowledged(stored);
      else overtake(stored.later);
    }
    if (stored?.kind === "audit") audit.acknowledged(stored);
    if (stored?.kind === "decisions") decisions.acknowledged(stored);
    for (const listener of listeners) {
      if (message.admission !== null) listener.bundle(message.admission);
      if (message.answer !== null) listener.answer(message.answer);
      if (message.imagesChanged !== null) listener.imagesChanged(message.imagesChanged);
    }
  };
  const health = (): UpstreamMessage => {
    const states = Object.entries(sender?.states() ?? {});
    return {
      health: {
        timeUs: Date.now() * 1_000,
        residentBytes: process.memoryUsage.rss(),
        leads: lease.leads,
        objects: Object.fromEntries(states.map(([kind, { count }]) => [kind, count])),
        missing: states.filter(([, { state }]) => state === "refused").map(([kind]) => kind),
      },
    };
  };
  const cut = () => {
    sender?.cut();
    audit.cut();
    decisions.cut();
    for (const listener of listeners) listener.cut();
  };
  const identity = async () => {
    // A cluster that was taken out and invited again gets a new token while its old certificate is still in time.
    // Who gave it knows nothing of what was told under the one before.
    if (keepsIdentity && (await membership.joinOnce()) === "joined") lead(lease.leads);
    return readIdentity(api);
  };
  const link = openLink(gateway, identity, {
    log,
    handlers: {
      hello: () => ({ hello: { cluster, roles: [...roles] } }),
      opened: () => void link.send(health()),
      message: take,
      cut,
    },
  });
  /** Begins to send, or stops to; one after the other. */
  const lead = (leads: boolean) => {
    changing = changing
      .then(async () => {
        await sender?.close();
        sender = undefined;
        keepsIdentity = false;
        if (!leads || ended.signal.aborted) return;
        await membership.join(ended.signal);
        keepsIdentity = true;
        await membership.renewIfDue().catch((err) => log.warn({ err }, "the certificate could not be renewed"));
        if (lease.leads && roles.has("agent")) sender = sendObjects(api, link, { epoch: String(lease.term), log });
      })
      .catch((error) => log.error({ err: error }, "the agent could not begin to lead"));
  };
  /** The server heard of a later epoch than ours: of one who led after us, or of a cluster that was since set back to a backup. */
  const overtake = (later: string) => {
    const overtaken = sender;
    changing = changing
      .then(async () => {
        if (sender === undefined || sender !== overtaken) return;
        await sender.close();
        sender = undefined;
        // Whoever was stopped for a while may still think that it leads.
        while (!(await lease.confirm())) {
          if (!lease.leads || ended.signal.aborted) return;
          await pause(CONFIRM_PAUSE_MS, undefined, { signal: ended.signal }).catch(() => {});
        }
        if (ended.signal.aborted) return;
        const term = BigInt(later) + 1n;
        log.info({ term }, "the cluster is told of anew");
        sender = sendObjects(api, link, { epoch: String(term > lease.term ? term : lease.term), log });
      })
      .catch((error) => log.error({ err: error }, "the agent could not lead on"));
  };
  const lease = holdLease(api, replica, { onChange: lead, log });
  const telling = setInterval(() => void link.send(health()), HEALTH_MS);
  const caring = setInterval(() => {
    if (lease.leads)
      void membership.renewIfDue().catch((err) => log.warn({ err }, "the certificate could not be renewed"));
  }, CARE_MS);
  return {
    api,
    get leads() {
      return lease.leads;
    },
    get isConnected() {
      return link.isOpen;
    },
    ask: (question) => link.send({ question }),
    audited: audit.add,
    unaudited: audit.lost,
    decided: (decision) => decisions.add(Buffer.from(JSON.stringify(decision))),
    undecided: decisions.lost,
    listen: (listener) => void listeners.add(listener),
    async close() {
      ended.abort();
      clearInterval(telling);
      clearInterval(caring);
      await lease.close();
      await changing;
      await sender?.close();
      audit.close();
      decisions.close();
      await link.close();
      api.close();
    },
  };
}
