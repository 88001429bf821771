import type { Severity } from "@bulwark/model";
import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** Something that a rule saw, about to be kept. */
export interface NewAlert {
  /** Same for repeats of the same thing. */
  readonly foldKey: string;
  readonly rule: string;
  /** The rule's output, filled in. */
  readonly title: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  readonly nodeId: number;
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
  readonly count: number;
  readonly blocked: boolean;
  readonly facts: unknown;
  readonly batchId: number;
  readonly position: number;
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
        image_digest, namespace, pod, process, exe, pid, process_start, first_at, last_at, count, blocked, facts, batch_id,
        position)
      VALUES (current_tenant(), ${alert.foldKey}, ${alert.rule}, ${alert.title}, ${alert.severity}, ${alert.tags}::text[],
        ${alert.nodeId}, ${alert.container}, ${alert.containerName}, ${alert.image}, ${alert.imageDigest},
        ${alert.namespace}, ${alert.pod}, ${alert.process}, ${alert.exe}, ${alert.pid}, ${alert.processStart}, ${alert.at},
        ${alert.at}, ${alert.count}, ${alert.blocked}, ${jsonText(alert.facts)}::jsonb, ${alert.batchId},
        ${alert.position})
      ON CONFLICT (tenant_id, fold_key) WHERE state IN ('open', 'acknowledged')
      DO UPDATE SET count = a.count + excluded.count, last_at = greatest(a.last_at, excluded.last_at),
        blocked = a.blocked OR excluded.blocked
      RETURNING id, (xmax = 0) AS "isNew"`.execute(db);
    const [row] = rows;
    if (row?.isNew === true) raised.push({ id: row.id, index });
  }
  return raised;
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
      };
      byKey.set(alert.foldKey, { alert: sum, index: first.index });
    }
  }
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}
