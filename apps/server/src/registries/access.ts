import { isIP } from "node:net";
import type { OpenOptions } from "@bulwark/image";
import { type Registry, type RegistrySettings, registrySecret, type Store } from "@bulwark/store";
import { classOfAddress } from "../security/address-class.ts";
import { createOutbound } from "../security/outbound.ts";
import type { SecretBox } from "../security/secret-box.ts";

/** Credentials of whoever runs the server are not the tenants'. */
const NO_CONFIG = "";
/** Silence of a registry that counts as its end. */
const DEFAULT_TIMEOUT_SECONDS = 20;
/** Tries of one request; a task that fails is tried again later. */
const RETRY_ATTEMPTS = 3;

/** What a registry's password is sealed for. */
export function secretPurpose(registry: number): string {
  return `registry/${registry}`;
}

/** How a registry is spoken to: its credentials, its certificate, and where it may lead us. */
export async function registryAccess(
  store: Store,
  secrets: SecretBox,
  tenantId: number,
  registry: Registry,
): Promise<OpenOptions> {
  const sealed = await store.tenant(tenantId, (db) => registrySecret(db, registry.id));
  const password = sealed === undefined ? undefined : await secrets.open(tenantId, secretPurpose(registry.id), sealed);
  return accessOf(registry.settings, password);
}

/** How a registry with these settings is spoken to. Docker's configuration of this machine is nobody's here. */
export function accessOf(settings: RegistrySettings, password: string | undefined): OpenOptions {
  const { username, caPem, plainHttp = false, allowPrivate = false } = settings;
  const { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = settings;
  const limits = { idleTimeoutMs: timeoutSeconds * 1_000, retryAttempts: RETRY_ATTEMPTS };
  const credentials = username === undefined || password === undefined ? {} : { credentials: { username, password } };
  const ca = caPem === undefined ? {} : { ca: caPem };
  return { plainHttp, ...ca, ...credentials, guard: guardOf(allowPrivate), dockerConfig: NO_CONFIG, limits };
}

function guardOf(allowPrivate: boolean): NonNullable<OpenOptions["guard"]> {
  const { lookup } = createOutbound({ allowPrivate });
  return {
    lookup,
    allows(address) {
      const found = isIP(address) === 0 ? "forbidden" : classOfAddress(address);
      return found === "public" || (found === "private" && allowPrivate);
    },
  };
}

/** `host[:port]` with `http://` before it where TLS is not wanted, as image references begin. */
export function placeOf({ address, settings }: Pick<Registry, "address" | "settings">): string {
  const host = address.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  return settings.plainHttp === true ? `http://${host}` : host;
}
