import type { Store, TenantQueries } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { openAdmissionAnswers } from "../admission/answer.ts";
import { onFacts } from "../benchmarks/run-benchmarks.ts";
import { createAnalyst } from "../clusters/analyst.ts";
import { inspectAudit } from "../clusters/inspect-audit.ts";
import type { Queue } from "../jobs/queue.ts";
import { onAlerts } from "../responses/automatic.ts";
import { onResult } from "../responses/on-result.ts";
import { openRuleBook } from "../rules/rule-book.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { openAuthority } from "./authority.ts";
import { createBatchWriter, type RaisedAlert } from "./batch-writer.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

/** Puts the parts of the gateway role together: authority, rules, writer, listener. */
export async function startGatewayRole(
  deps: {
    readonly store: Store;
    readonly secrets: SecretBox;
    readonly queue: Queue;
    readonly clock: () => Date;
    readonly log: FastifyBaseLogger;
  },
  address: { readonly host: string; readonly port: number },
): Promise<Gateway> {
  const { store, secrets, queue, clock, log } = deps;
  const authority = await openAuthority(store, secrets, clock());
  const rules = await openRuleBook(store, clock);
  const analyst = createAnalyst({ store, clock, log });
  const tellAlerts = (db: TenantQueries, tenantId: number, alerts: readonly RaisedAlert[]) =>
    onAlerts(db, alerts, { tenantId, secrets, now: clock(), log });
  const audit = inspectAudit({ store, clock, log, rulesOf: rules.rulesOf, onAlerts: tellAlerts });
  const admission = await openAdmissionAnswers({ store, secrets, queue, clock, log });
  const writer = createBatchWriter({
    ...{ store, clock, log, inspect: rules.inspect, markerOf: rules.markerOf },
    onAlerts: tellAlerts,
  });
  const gateway = await startGateway(
    {
      ...deps,
      authority,
      writer,
      policyOf: rules.policyOf,
      watchPolicies: rules.watch,
      onResult,
      clusters: { admission, audit, onChange: analyst.changed },
      onFacts,
    },
    address,
  );
  return {
    port: gateway.port,
    get connected() {
      return gateway.connected;
    },
    async close() {
      await gateway.close();
      await admission.close();
      await analyst.close();
      await rules.close();
    },
  };
}
