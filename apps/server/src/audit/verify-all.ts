import { type AuditVerdict, listTenants, type Store, verifyAudit } from "@bulwark/store";

const PAGE = 100;

/** One tenant's verdict. */
export interface TenantVerdict extends AuditVerdict {
  readonly tenant: string;
}

/**
 * Computes the audit chain of every tenant again.
 *
 * @example for await (const { tenant, intact, brokenAt } of verifyAllAudits(store)) …
 */
export async function* verifyAllAudits(store: Store): AsyncGenerator<TenantVerdict> {
  let after: number | undefined;
  do {
    const tenants = await listTenants(store, { limit: PAGE, after });
    for (const { id, name } of tenants) yield { tenant: name, ...(await verifyAudit(store, id)) };
    after = tenants.at(-1)?.id;
  } while (after !== undefined);
}
