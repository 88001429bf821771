import type { FindingKind, Severity } from "@bulwark/model";
import type { ColumnType, Generated, GeneratedAlways } from "kysely";

type Id = GeneratedAlways<number>;
type Json = ColumnType<unknown, string, string>;

export type DeliveryState = "waiting" | "delivered" | "failed";

interface ChannelTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly name: string;
  readonly kind: string;
  /** The address without what in it is secret. */
  readonly shown_address: string;
  readonly settings: Json;
  /** Address and secret, encrypted: the addresses of chat services let whoever knows them write. */
  readonly secret: Buffer | null;
  readonly enabled: Generated<boolean>;
  readonly created_at: Generated<Date>;
}

interface NotificationRuleTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly name: string;
  readonly enabled: Generated<boolean>;
  readonly events: readonly string[];
  readonly owner_ids: Generated<readonly number[]>;
  readonly grades: Generated<readonly string[]>;
  readonly min_severity: Severity | null;
  readonly kinds: Generated<readonly FindingKind[]>;
  readonly channel_ids: readonly number[];
  /** E-mail goes to the owner's own address. */
  readonly to_owner: Generated<boolean>;
}

/** Something that happened, until rules have made deliveries of it. */
interface NoticeTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly event: string;
  readonly at: Date;
  readonly risk_ids: Generated<readonly number[]>;
  readonly facts: Json;
}

interface DeliveryTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly channel_id: number;
  readonly recipient: Generated<string>;
  readonly subject: string;
  readonly content: Json;
  readonly state: Generated<DeliveryState>;
  readonly created_at: Date;
  readonly due_at: Date;
  readonly attempts: Generated<number>;
  readonly problem: Generated<string>;
  readonly ended_at: Date | null;
}

interface DeliveryAttemptTable {
  readonly id: Id;
  readonly tenant_id: number;
  readonly delivery_id: number;
  readonly at: Date;
  readonly ok: boolean;
  readonly status: number | null;
  readonly problem: Generated<string>;
  readonly took_ms: number;
}

export interface NotificationTables {
  readonly channel: ChannelTable;
  readonly notification_rule: NotificationRuleTable;
  readonly notice: NoticeTable;
  readonly delivery: DeliveryTable;
  readonly delivery_attempt: DeliveryAttemptTable;
}
