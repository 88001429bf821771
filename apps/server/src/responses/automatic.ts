import { compileCondition } from "@bulwark/policy";
import { countAutomatic, giveNotice, listAutomaticResponses, type TenantQueries } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { auditSystem } from "../audit/audit.ts";
import type { RaisedAlert } from "../gateway/batch-writer.ts";
import type { Action } from "../gateway/orders.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { askResponse } from "./ask-response.ts";

const HOUR_MS = 3_600_000;

/** Actions that can happen by themselves: none needs to be told what a person would have to choose. */
export const AUTOMATIC_ACTIONS = ["collect-evidence", "kill-process", "pause", "isolate", "stop", "destroy"] as const;

interface Deps {
  readonly tenantId: number;
  readonly secrets: SecretBox;
  readonly now: Date;
  readonly log: FastifyBaseLogger;
}

/** What conditions may ask of an alert. */
function alertFacts(alert: RaisedAlert): Readonly<Record<string, unknown>> {
  const { rule, severity, tags, container, containerName, image, imageDigest, namespace, pod, process, exe } = alert;
  const { techniques = [] } = alert.facts as { readonly techniques?: readonly { readonly id: string }[] };
  return {
    ...{ rule, severity, tags, container, containerName, image, imageDigest, namespace, pod, process, exe },
    techniques: techniques.map(({ id }) => id),
    blocked: alert.blocked,
    exposed: alert.exposed ?? false,
    title: alert.title,
  };
}

/** Tells of new alerts, and does what is to happen by itself. Called in the transaction that keeps the alerts. */
export async function onAlerts(db: TenantQueries, alerts: readonly RaisedAlert[], deps: Deps): Promise<void> {
  for (const { id, rule, title, severity, containerName, image } of alerts) {
    await giveNotice(
      db,
      "alert.raised",
      { facts: { alert: id, rule, title, severity, containerName, image } },
      deps.now,
    );
  }
  const automatic = (await listAutomaticResponses(db)).filter(({ mode }) => mode !== "off");
  for (const { id, name, condition, mode, perHour, actions } of automatic) {
    for (const alert of alerts) {
      if (!meets(condition, alert, { name, log: deps.log })) continue;
      const asked = mode === "dry-run" ? 0 : await countAutomatic(db, id, new Date(deps.now.getTime() - HOUR_MS));
      if (asked + actions.length > perHour && mode !== "dry-run") {
        await auditSystem(db, deps.now, deps.tenantId, "response.limited", `alert/${alert.id}`, { name, perHour });
        continue;
      }
      for (const action of actions) await act(db, alert, { id, name, mode, action: action as Action }, deps);
    }
  }
}

async function act(
  db: TenantQueries,
  alert: RaisedAlert,
  { id, name, mode, action }: { id: number; name: string; mode: string; action: Action },
  { tenantId, secrets, now }: Deps,
): Promise<void> {
  // What runs on the host itself is left to people, but for a process that can be named exactly.
  if (alert.nodeId === null) return;
  if (alert.container === "" && action !== "kill-process") return;
  // Of an alert without a process, or about the first one, nothing is killed.
  if (action === "kill-process" && alert.pid < 2) return;
  const parameters = action === "kill-process" ? { pid: alert.pid, startUs: alert.processStart } : {};
  const response = await askResponse(
    db,
    {
      ...{ tenantId, nodeId: alert.nodeId, container: alert.container, action, parameters, alertId: alert.id },
      ...{ automaticId: id, askedBy: `automatic: ${name}`, reason: alert.rule, evidence: true },
      state: mode === "act" ? "queued" : mode === "approve" ? "waiting" : "dry-run",
    },
    { secrets, now },
  );
  await auditSystem(db, now, tenantId, `response.${action}`, `response/${response}`, { automatic: name, mode });
}

/** A condition that cannot be evaluated acts on nothing, and says so. */
function meets(
  condition: string,
  alert: RaisedAlert,
  { name, log }: { name: string; log: FastifyBaseLogger },
): boolean {
  try {
    return compileCondition("alert", condition)(alertFacts(alert));
  } catch (error) {
    log.warn({ err: error, automatic: name }, "the condition of an automatic response cannot be evaluated");
    return false;
  }
}
