import { addAlertEvent, announce, endResponse, type ResponseState, type TenantQueries } from "@bulwark/store";
import { auditSystem } from "../audit/audit.ts";
import { onFixAnswer } from "../benchmarks/fixes.ts";
import { onGathered } from "../benchmarks/run-benchmarks.ts";
import type { OrderResult } from "../gateway/gen/wire-types.ts";
import type { ConnectedNode } from "../gateway/node-stream.ts";
import { advanceUpgrades } from "../nodes/advance-upgrade.ts";

const STATES: readonly (ResponseState | undefined)[] = [undefined, "done", "unchanged", "failed", "refused"];
const MAX_DETAIL = 4_000;

/** Keeps what came of an order, with the alert that it was about. */
export async function onResult(
  db: TenantQueries,
  node: ConnectedNode,
  { orderId, outcome, detail, facts }: OrderResult,
  now: Date,
): Promise<void> {
  const state = STATES[outcome] ?? "failed";
  const text = detail.slice(0, MAX_DETAIL);
  const ended = await endResponse(db, node.id, { uid: orderId, state, detail: text, facts: parsed(facts), at: now });
  if (ended === undefined) {
    await onGathered(db, node, { orderId, detail: text }, now);
    return;
  }
  const { id, action, alertId } = ended;
  await auditSystem(db, now, node.tenantId, `response.${state}`, `response/${id}`, {
    action,
    node: node.id,
    detail: text,
  });
  if (alertId !== null) {
    await addAlertEvent(db, alertId, {
      actor: node.hostname,
      action: `response.${action}`,
      detail: `${state}: ${text}`,
      now,
    });
    await announce(db, { topic: "alerts", id: alertId });
  }
  await announce(db, { topic: "responses", id });
  if (action === "apply-fix" || action === "undo-fix") {
    await onFixAnswer(db, { id, state, detail: text, facts: parsed(facts) }, node.tenantId, now);
  }
  if (action === "upgrade") await advanceUpgrades(db, now, id);
  await announce(db, { topic: "containers", id: node.id });
}

/** What a sensor adds for programs; text that is no JSON object is kept as text. */
function parsed(facts: string): unknown {
  if (facts === "") return {};
  try {
    const value: unknown = JSON.parse(facts);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { value };
  } catch {
    return { text: facts };
  }
}
