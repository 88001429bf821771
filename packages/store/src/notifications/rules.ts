import type { FindingKind, Severity } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { NoticeEvent } from "./notices.ts";

/** Which events go to which channels. An empty list means any. */
export interface NotificationRule {
  readonly id: number;
  readonly name: string;
  readonly enabled: boolean;
  readonly events: readonly NoticeEvent[];
  readonly ownerIds: readonly number[];
  readonly grades: readonly string[];
  readonly minSeverity: Severity | null;
  readonly kinds: readonly FindingKind[];
  readonly channelIds: readonly number[];
  /** E-mail goes to the owner's own address, where there is one. */
  readonly toOwner: boolean;
}

export type NewNotificationRule = Omit<NotificationRule, "id">;

const COLUMNS = sql`id, name, enabled, events, to_json(owner_ids) AS "ownerIds", grades, min_severity AS "minSeverity", kinds,
  to_json(channel_ids) AS "channelIds", to_owner AS "toOwner"`;

export async function listNotificationRules(db: TenantQueries): Promise<readonly NotificationRule[]> {
  const { rows } = await sql<NotificationRule>`SELECT ${COLUMNS} FROM notification_rule ORDER BY name, id`.execute(db);
  return rows;
}

export async function getNotificationRule(db: TenantQueries, id: number): Promise<NotificationRule | undefined> {
  const { rows } = await sql<NotificationRule>`SELECT ${COLUMNS} FROM notification_rule WHERE id = ${id}`.execute(db);
  return rows[0];
}

/** @returns its id; undefined when the name is taken */
export async function addNotificationRule(db: TenantQueries, rule: NewNotificationRule): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO notification_rule (tenant_id, name, enabled, events, owner_ids, grades, min_severity, kinds, channel_ids, to_owner)
    VALUES (current_tenant(), ${rule.name}, ${rule.enabled}, ${rule.events}, ${rule.ownerIds}, ${rule.grades},
      ${rule.minSeverity}, ${rule.kinds}, ${rule.channelIds}, ${rule.toOwner})
    ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id`.execute(db);
  return rows[0]?.id;
}

export async function changeNotificationRule(db: TenantQueries, id: number, rule: NewNotificationRule): Promise<void> {
  await sql`
    UPDATE notification_rule SET name = ${rule.name}, enabled = ${rule.enabled}, events = ${rule.events},
      owner_ids = ${rule.ownerIds}, grades = ${rule.grades}, min_severity = ${rule.minSeverity}, kinds = ${rule.kinds},
      channel_ids = ${rule.channelIds}, to_owner = ${rule.toOwner} WHERE id = ${id}`.execute(db);
}

export async function removeNotificationRule(db: TenantQueries, id: number): Promise<void> {
  await db.deleteFrom("notification_rule").where("id", "=", id).execute();
}
