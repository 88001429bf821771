import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export type ChannelKind = "webhook" | "email" | "slack" | "dingtalk" | "wecom" | "feishu" | "issue";

/** A place that messages are sent to. */
export interface StoredChannel {
  readonly id: number;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly address: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly enabled: boolean;
  readonly createdAt: string;
}

export interface ChannelChange {
  readonly name?: string;
  readonly address?: string;
  readonly settings?: object;
  readonly secret?: Buffer | null;
  readonly enabled?: boolean;
}

const COLUMNS = sql`id, name, kind, shown_address AS address, settings, enabled, to_json(created_at)#>>'{}' AS "createdAt"`;

export async function listChannels(db: TenantQueries): Promise<readonly StoredChannel[]> {
  const { rows } = await sql<StoredChannel>`SELECT ${COLUMNS} FROM channel ORDER BY name, id`.execute(db);
  return rows;
}

export async function getChannel(db: TenantQueries, id: number): Promise<StoredChannel | undefined> {
  const { rows } = await sql<StoredChannel>`SELECT ${COLUMNS} FROM channel WHERE id = ${id}`.execute(db);
  return rows[0];
}

/** What a channel's address and secret are sealed as. */
export async function channelSecret(db: TenantQueries, id: number): Promise<Buffer | undefined> {
  const row = await db.selectFrom("channel").select("secret").where("id", "=", id).executeTakeFirst();
  return row?.secret ?? undefined;
}

/** @returns its id; undefined when the name is taken */
export async function addChannel(
  db: TenantQueries,
  channel: { readonly name: string; readonly kind: string; readonly address: string; readonly settings: object },
): Promise<number | undefined> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO channel (tenant_id, name, kind, shown_address, settings)
    VALUES (current_tenant(), ${channel.name}, ${channel.kind}, ${channel.address}, ${JSON.stringify(channel.settings)}::jsonb)
    ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id`.execute(db);
  return rows[0]?.id;
}

export async function changeChannel(db: TenantQueries, id: number, change: ChannelChange): Promise<void> {
  const { settings, address, ...rest } = change;
  const values = {
    ...rest,
    ...(address === undefined ? {} : { shown_address: address }),
    ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
  };
  if (Object.keys(values).length > 0) await db.updateTable("channel").set(values).where("id", "=", id).execute();
}

/** Forgets a channel and its deliveries; rules send to the others that they name. */
export async function removeChannel(db: TenantQueries, id: number): Promise<void> {
  await sql`UPDATE notification_rule SET channel_ids = array_remove(channel_ids, ${id}::bigint)
    WHERE ${id} = ANY(channel_ids)`.execute(db);
  await db.deleteFrom("channel").where("id", "=", id).execute();
}
