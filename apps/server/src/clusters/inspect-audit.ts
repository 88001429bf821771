import { createHash } from "node:crypto";
import {
  type AuditAddressBook,
  type AuditAlert,
  type AuditEngine,
  auditAddressBook,
  auditDetector,
  readAuditEvent,
  storedAuditEvent,
  tacticsOf,
  techniquesOf,
  visible,
} from "@bulwark/detect";
import { mapsAt, textAt } from "@bulwark/kubernetes";
import type { AuditEvent } from "@bulwark/model";
import {
  announce,
  containersOfPod,
  findPod,
  getCluster,
  type NewAlert,
  objectsOfKinds,
  podAddresses,
  raiseAlerts,
  type Store,
  type TenantQueries,
  takeAuditBatch,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import type { RaisedAlert } from "../gateway/batch-writer.ts";
import { GatewayError } from "../gateway/errors.ts";
import { isEverywhere } from "../rules/scope.ts";
import type { TenantRules } from "../rules/tenant-rules.ts";
import type { AuditEnd, ConnectedCluster } from "./cluster-stream.ts";
import type { AuditBatch } from "./gen/wire-types.ts";

const MAX_EVENTS = 5_000;
const MAX_TITLE = 2_000;
/** Pods come and go: whose address is whose is read again after so long. */
const BOOK_MS = 15_000;

interface Deps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly rulesOf: (tenantId: number) => Promise<TenantRules>;
  readonly onAlerts: (db: TenantQueries, tenantId: number, alerts: readonly RaisedAlert[]) => Promise<void>;
}

interface Watched {
  readonly rules: TenantRules;
  readonly engine: AuditEngine;
}

/** Looks at what clusters' API servers were asked, with each tenant's rules. What rules count is counted by cluster. */
export function inspectAudit(deps: Deps): AuditEnd {
  const engines = new Map<number, Watched>();
  const books = new Map<number, { readonly book: AuditAddressBook; readonly at: number }>();
  const watchedBy = async ({ tenantId, id }: ConnectedCluster): Promise<Watched> => {
    const rules = await deps.rulesOf(tenantId);
    const known = engines.get(id);
    if (known?.rules === rules) return known;
    // Repeats are folded in the store, where they are counted, and where an alert that somebody closed opens again.
    const engine = auditDetector(rules.set, { runs: (rule) => isOn(rules, rule), foldUs: 0 });
    const watched = { rules, engine };
    engines.set(id, watched);
    return watched;
  };
  const bookOf = async (cluster: ConnectedCluster): Promise<AuditAddressBook> => {
    const now = deps.clock().getTime();
    const known = books.get(cluster.id);
    if (known !== undefined && now - known.at < BOOK_MS) return known.book;
    const book = await deps.store.tenant(cluster.tenantId, (db) => readBook(db, cluster.id));
    books.set(cluster.id, { book, at: now });
    return book;
  };
  return {
    async inspect(cluster, batch) {
      const events = eventsOf(batch);
      const [{ engine, rules }, book] = [await watchedBy(cluster), await bookOf(cluster)];
      const now = deps.clock();
      const isKnown = ({ rule, event }: AuditAlert) =>
        rules.auditAllow.accepts(rule, event, cluster.name, now.getTime() * 1_000) !== undefined;
      const seen = events.flatMap((event) => engine.feed(event, book).filter((alert) => !isKnown(alert)));
      const found = folded(seen);
      const { dropped } = batch;
      if (dropped > 0) deps.log.warn({ cluster: cluster.uid, dropped }, "audit events of a cluster were lost");
      const keep = async (db: TenantQueries) => {
        const { epoch, sequence } = batch;
        if (!(await takeAuditBatch(db, cluster.id, { epoch, sequence, now }))) return;
        const alerts: NewAlert[] = dropped > 0 ? [lossAlert(cluster, dropped, now)] : [];
        for (const { alert, lastUs } of found) {
          alerts.push({ ...(await placed(db, cluster, alert)), lastAt: new Date(lastUs / 1_000) });
        }
        const raised = await raiseAlerts(db, alerts);
        for (const { id } of raised) await announce(db, { topic: "alerts", id });
        const fresh = raised.map(({ id, index }) => ({ ...alerts[index]!, id }));
        if (fresh.length > 0) await deps.onAlerts(db, cluster.tenantId, fresh);
      };
      // The batch comes again: what its rules counted must not make repeats of what was never kept.
      await deps.store.tenant(cluster.tenantId, keep).catch((error: unknown) => {
        engines.delete(cluster.id);
        throw error;
      });
    },
  };
}

/** Whether a rule runs: as somebody decided for everywhere, or else as its file says. */
function isOn(rules: TenantRules, rule: { readonly name: string; readonly enabled: boolean }): boolean {
  const decided = rules.modes.get(rule.name)?.find(({ scope }) => isEverywhere(scope));
  return decided === undefined ? rule.enabled : decided.mode !== "off";
}

/** Repeats within a batch as one, with their number: a flood of requests is a few writes. */
function folded(alerts: readonly AuditAlert[]): readonly { readonly alert: AuditAlert; readonly lastUs: number }[] {
  const byKey = new Map<string, { readonly alert: AuditAlert; readonly lastUs: number }>();
  for (const alert of alerts) {
    const { alert: first, lastUs } = byKey.get(alert.key) ?? { alert: { ...alert, count: 0 }, lastUs: 0 };
    const sum = { ...first, count: first.count + alert.count };
    byKey.set(alert.key, { alert: sum, lastUs: Math.max(lastUs, alert.timeUs) });
  }
  return [...byKey.values()];
}

function eventsOf(batch: AuditBatch): readonly AuditEvent[] {
  if (batch.events.length > MAX_EVENTS) throw new GatewayError("PROTOCOL", `a batch has at most ${MAX_EVENTS} events`);
  return batch.events.flatMap((bytes) => {
    try {
      return readAuditEvent(JSON.parse(Buffer.from(bytes).toString("utf8"))) ?? [];
    } catch (cause) {
      throw new GatewayError("PROTOCOL", "an audit event is no JSON", "", cause);
    }
  });
}

async function readBook(db: TenantQueries, clusterId: number): Promise<AuditAddressBook> {
  const nodes = await objectsOfKinds(db, clusterId, ["Node"]);
  const addresses = nodes.map(
    ({ name, document }) =>
      [name, mapsAt(document, "status", "addresses").map((each) => textAt(each, "address"))] as const,
  );
  const proxies = (await getCluster(db, clusterId, new Date()))?.proxies ?? [];
  return auditAddressBook(await podAddresses(db, clusterId), Object.fromEntries(addresses), proxies);
}

/** What nobody looked at is told: whoever floods an API server, or sends it what is too large, may do so to be unseen. */
function lossAlert(cluster: ConnectedCluster, dropped: number, at: Date): NewAlert {
  return {
    ...{ foldKey: keyIn(cluster, "lost"), rule: LOST.rule, severity: "medium", tags: LOST.tags, count: dropped },
    title: `${LOST.rule}: ${dropped} events, or requests with events, were too large, too many or unreadable`,
    ...{ clusterId: cluster.id, workloadId: null, nodeId: null, blocked: false, batchId: 0, position: 0, at },
    ...{ container: "", containerName: "", image: "", imageDigest: "", namespace: "", pod: "" },
    ...{ process: "", exe: "", pid: 0, processStart: 0 },
    facts: {
      ...{ fields: { dropped: String(dropped) }, description: LOST.description, advice: LOST.advice },
      ...{ techniques: techniquesOf(LOST.tags), tactics: tacticsOf(LOST.tags) },
    },
  };
}

const LOST = {
  rule: "Audit events lost",
  tags: ["kubernetes", "mitre_defense_evasion", "T1562"],
  description: "The cluster's agent could not read or keep some of what its API server told; no rule looked at it.",
  advice:
    "Look in the API server's own audit log for who asked much or large things at that time; lower --audit-webhook-batch-max-size where requests are large.",
};

function keyIn(cluster: ConnectedCluster, key: string): string {
  return createHash("sha256").update(`cluster ${cluster.id}\0${key}`).digest("base64url");
}

/** An alert with the pod that it concerns: whose it is, and where a sensor can do something about it. */
async function placed(db: TenantQueries, cluster: ConnectedCluster, alert: AuditAlert): Promise<NewAlert> {
  const { event, rule, output, severity, tags, fields, description, advice, techniques, tactics, count } = alert;
  const { resource = "", namespace = "", name = "" } = event.objectRef ?? {};
  const pod = resource === "pods" ? await findPod(db, cluster.id, namespace, name) : undefined;
  const containers = pod === undefined ? [] : await containersOfPod(db, pod.id);
  const asked = new URLSearchParams(event.requestURI.split("?")[1] ?? "").get("container");
  const container = containers.find((each) => each.name === asked) ?? containers[0];
  return {
    ...{ foldKey: keyIn(cluster, alert.key), rule, severity, tags, count, blocked: false, batchId: 0, position: 0 },
    title: output.slice(0, MAX_TITLE).toWellFormed(),
    ...{ clusterId: cluster.id, workloadId: pod?.workloadId ?? null, nodeId: container?.nodeId ?? null },
    container: container?.runtimeId ?? "",
    containerName: visible(container?.name ?? ""),
    image: visible(container?.image ?? ""),
    imageDigest: container?.imageDigest ?? "",
    namespace: visible(namespace),
    pod: resource === "pods" ? visible(name) : "",
    ...{ process: "", exe: "", pid: 0, processStart: 0 },
    at: new Date(alert.timeUs / 1_000),
    facts: { audit: storedAuditEvent(event), fields, description, advice, techniques, tactics },
  };
}
