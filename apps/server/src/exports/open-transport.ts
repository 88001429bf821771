import { type ExportTarget, exportSecret, type TenantQueries } from "@bulwark/store";
import { createOutbound } from "../security/outbound.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { transportOf } from "./transports/index.ts";
import type { Transport, TransportSettings } from "./transports/transport.ts";

/** What a target's secret is sealed for. */
export function exportPurpose(target: number): string {
  return `export/${target}`;
}

/** The secret of a target; empty where it has none. */
export async function openExportSecret(
  db: TenantQueries,
  secrets: SecretBox,
  tenantId: number,
  target: number,
): Promise<string> {
  const sealed = await exportSecret(db, target);
  return sealed === undefined ? "" : secrets.open(tenantId, exportPurpose(target), sealed);
}

/**
 * Opens the way to a receiver, through the guard of outbound requests.
 *
 * @throws ServerError `ADDRESS_REFUSED`, `UPSTREAM_FAILED`
 */
export async function openTransport(
  { kind, address, settings: set }: Pick<ExportTarget, "kind" | "address"> & { readonly settings: TransportSettings },
  secret: string,
  { clock, withinMs }: { readonly clock: () => Date; readonly withinMs: number },
): Promise<Transport> {
  const { allowPrivate = false, caPem } = set;
  const outbound = createOutbound({ allowPrivate, ...(caPem === undefined ? {} : { ca: caPem }) });
  try {
    const { hosts, open } = transportOf(kind);
    for (const host of hosts(address)) await outbound.check(host);
    const transport = await open({ address, secret, settings: set, outbound, clock, withinMs });
    return {
      send: transport.send,
      close: () => transport.close().finally(() => outbound.close()),
    };
  } catch (error) {
    outbound.close();
    throw error;
  }
}
