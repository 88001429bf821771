import { listTenants, replaceSealed, type SealedSecret, type Store, sealedSecrets } from "@bulwark/store";
import { exportPurpose } from "../exports/open-transport.ts";
import { resealAuthority } from "../gateway/authority.ts";
import { responsePurpose } from "../gateway/orders.ts";
import { resealSigningKey } from "../golden/sign-export.ts";
import { channelPurpose } from "../notifications/send.ts";
import { secretPurpose } from "../registries/access.ts";
import { totpPurpose } from "../session/login.ts";
import { resealProviders } from "../session/oidc/provider.ts";
import { SecurityError } from "./errors.ts";
import { proveKeys } from "./prove-keys.ts";
import type { SecretBox } from "./secret-box.ts";

/** More than one installation serves. */
const MAX_TENANTS = 10_000;
const PURPOSES: Readonly<Record<SealedSecret["of"], (id: number) => string>> = {
  registry: secretPurpose,
  channel: channelPurpose,
  account: totpPurpose,
  response: responsePurpose,
  export_target: exportPurpose,
};

/** What sealing again came to. */
export interface Resealed {
  readonly renewed: number;
  /** Secrets that do not open, and why; they stay as they are. */
  readonly broken: readonly string[];
}

/**
 * Seals every stored secret that an older master key sealed with the newest one, a tenant at a time. Then older keys open
 * nothing any more that is in use.
 *
 * @example await rotateMasterKey(source); await secrets.refresh(); await resealSecrets(store, secrets);
 */
export async function resealSecrets(store: Store, secrets: SecretBox): Promise<Resealed> {
  const broken: string[] = [];
  let renewed = 0;
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(tenantId, async (db) => {
      for (const each of await sealedSecrets(db)) {
        if (secrets.isCurrent(each.sealed)) continue;
        const purpose = PURPOSES[each.of](each.id);
        try {
          await replaceSealed(
            db,
            each,
            secrets.seal(tenantId, purpose, await secrets.open(tenantId, purpose, each.sealed)),
          );
          renewed++;
        } catch (error) {
          if (!(error instanceof SecurityError)) throw error;
          broken.push(`tenant ${tenantId}: ${error.message}`);
        }
      }
      renewed += await resealProviders(db, secrets, tenantId);
      renewed += await resealSigningKey(db, secrets, tenantId);
    });
  }
  renewed += await resealAuthority(store, secrets);
  await proveKeys(store, secrets);
  return { renewed, broken };
}
