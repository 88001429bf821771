import type { ExportKind } from "@bulwark/store";
import { kafka } from "./kafka.ts";
import { syslog } from "./syslog.ts";
import type { TransportKind } from "./transport.ts";
import { webhook } from "./webhook.ts";

const TRANSPORTS: Readonly<Record<ExportKind, TransportKind>> = { syslog, webhook, kafka };

export function transportOf(kind: ExportKind): TransportKind {
  return TRANSPORTS[kind];
}
