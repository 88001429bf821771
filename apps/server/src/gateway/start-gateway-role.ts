import type { Store } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { onAlerts } from "../responses/automatic.ts";
import { onResult } from "../responses/on-result.ts";
import { openRuleBook } from "../rules/rule-book.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { openAuthority } from "./authority.ts";
import { createBatchWriter } from "./batch-writer.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

/** Puts the parts of the gateway role together: authority, rules, writer, listener. */
export async function startGatewayRole(
  deps: {
    readonly store: Store;
    readonly secrets: SecretBox;
    readonly clock: () => Date;
    readonly log: FastifyBaseLogger;
  },
  address: { readonly host: string; readonly port: number },
): Promise<Gateway> {
  const { store, secrets, clock, log } = deps;
  const authority = await openAuthority(store, secrets, clock());
  const rules = await openRuleBook(store, clock);
  const writer = createBatchWriter({
    ...{ store, clock, log, inspect: rules.inspect },
    onAlerts: (db, tenantId, alerts) => onAlerts(db, alerts, { tenantId, secrets, now: clock(), log }),
  });
  const gateway = await startGateway(
    { ...deps, authority, writer, policyOf: rules.policyOf, watchPolicies: rules.watch, onResult },
    address,
  );
  return {
    port: gateway.port,
    get connected() {
      return gateway.connected;
    },
    async close() {
      await gateway.close();
      await rules.close();
    },
  };
}
