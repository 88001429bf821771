import { type Severity, severityRank } from "@bulwark/model";
import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";

/** Something that a rule saw, about to be kept. */
export interface NewAlert {
  /** Same for repeats of the same thing. */
  readonly foldKey: string;
  readonly rule: string;
  /** The rule's output, filled in. */
  readonly title: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  /** Null for what was asked of an API server and concerns no container that a sensor watches. */
  readonly nodeId: number | null;
  /** For what was asked of an API server; what sensors see finds its workload by its container. */
  readonly clusterId?: number;
  readonly workloadId?: number | null;
  readonly container: string;
  readonly containerName: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly namespace: string;
  readonly pod: string;
  readonly process: string;
  readonly exe: string;
  readonly pid: number;
  readonly processStart: number;
  readonly at: Date;
  /** Of several that are told as one, when the last came. */
  readonly lastAt?: Date;
  readonly count: number;
  readonly blocked: boolean;
  /** Others than the node can reach a port of its container. */
  readonly exposed?: boolean;
  readonly facts: unknown;
  readonly batchId: number;
  readonly position: number;
}

/** A repeat counts for more than what it repeats: its container can be reached since. */
const IS_WORSE = sql`${severityOrder("excluded.severity")} < ${severityOrder("a.severity")}`;

/** What becomes of an alert whose repeat counts for more. */
function worsened({ facts }: NewAlert, { severity, facts: later }: NewAlert): Pick<NewAlert, "severity" | "facts"> {
  const { raisedFrom } = later as { readonly raisedFrom?: string };
  return { severity, facts: raisedFrom === undefined ? facts : { ...(facts as object), raisedFrom } };
}

function isWorse(one: NewAlert, other: NewAlert): boolean {
  return severityRank(one.severity) < severityRank(other.severity);
}

/** @returns ids of alerts that were not open before, with the index of what raised them */
export async function raiseAlerts(
  db: TenantQueries,
  alerts: readonly NewAlert[],
): Promise<readonly { readonly id: number; readonly index: number }[]> {
  const raised: { id: number; index: number }[] = [];
  for (const { alert, index } of folded(alerts)) {
    const { rows } = await sql<{ id: number; isNew: boolean }>`
      INSERT INTO alert AS a (tenant_id, fold_key, rule, title, severity, tags, node_id, container, container_name, image,
        image_digest, namespace, pod, process, exe, pid, process_start, first_at, last_at, count, blocked, exposed, facts, batch_id,
        position, cluster_id, workload_id)
      VALUES (current_tenant(), ${alert.foldKey}, ${alert.rule}, ${alert.title}, ${alert.severity}, ${alert.tags}::text[],
        ${alert.nodeId}, ${alert.container}, ${alert.containerName}, ${alert.image}, ${alert.imageDigest},
        ${alert.namespace}, ${alert.pod}, ${alert.process}, ${alert.exe}, ${alert.pid}, ${alert.processStart}, ${alert.at},
        ${alert.lastAt ?? alert.at}, ${alert.count}, ${alert.blocked}, ${alert.exposed ?? false}, ${jsonText(alert.facts)}::jsonb, ${alert.batchId},
        ${alert.position}, coalesce(${alert.clusterId ?? null}::bigint, ${podOf("cluster_id", alert.container)}),
        coalesce(${alert.workloadId ?? null}::bigint, ${podOf("workload_id", alert.container)}))
      ON CONFLICT (tenant_id, fold_key) WHERE state IN ('open', 'acknowledged')
      DO UPDATE SET count = a.count + excluded.count, last_at = greatest(a.last_at, excluded.last_at),
        blocked = a.blocked OR excluded.blocked, exposed = a.exposed OR excluded.exposed,
        severity = CASE WHEN ${IS_WORSE} THEN excluded.severity ELSE a.severity END,
        facts = CASE WHEN ${IS_WORSE} AND excluded.facts ? 'raisedFrom'
          THEN a.facts || jsonb_build_object('raisedFrom', excluded.facts->'raisedFrom') ELSE a.facts END
      RETURNING id, (xmax = 0) AS "isNew"`.execute(db);
    const [row] = rows;
    if (row?.isNew === true) raised.push({ id: row.id, index });
  }
  return raised;
}

/** What is known of the pod of a container, by the runtime's id of it. */
function podOf(column: "cluster_id" | "workload_id", container: string) {
  return sql`(SELECT ${sql.ref(`p.${column}`)} FROM pod_container c JOIN pod p ON p.id = c.pod_id
    WHERE c.runtime_id = ${container} AND c.runtime_id <> '' ORDER BY c.id DESC LIMIT 1)`;
}

/** Repeats within one write become one row, in one order everywhere. */
function folded(alerts: readonly NewAlert[]): { alert: NewAlert; index: number }[] {
  const byKey = new Map<string, { alert: NewAlert; index: number }>();
  for (const [index, alert] of alerts.entries()) {
    const first = byKey.get(alert.foldKey);
    if (first === undefined) byKey.set(alert.foldKey, { alert, index });
    else {
      const sum = {
        ...first.alert,
        count: first.alert.count + alert.count,
        blocked: first.alert.blocked || alert.blocked,
        exposed: first.alert.exposed === true || alert.exposed === true,
        ...(isWorse(alert, first.alert) ? worsened(first.alert, alert) : {}),
      };
      byKey.set(alert.foldKey, { alert: sum, index: first.index });
    }
  }
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}
