import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

export type RuleMode = "off" | "alert" | "block";

/** Where something holds; as packages/detect has it. */
export type StoredScope = Readonly<Record<string, unknown>>;

/** A file of rules that somebody added to those that are shipped. */
export interface StoredRuleFile {
  readonly id: number;
  readonly name: string;
  readonly content: string;
  readonly enabled: boolean;
  readonly changedBy: string;
  readonly changedAt: string;
}

const FILE = sql`id, name, content, enabled, changed_by AS "changedBy", to_json(changed_at)#>>'{}' AS "changedAt"`;

/** Files in the order in which they are loaded. */
export async function listRuleFiles(db: TenantQueries): Promise<readonly StoredRuleFile[]> {
  const { rows } = await sql<StoredRuleFile>`SELECT ${FILE} FROM rule_file ORDER BY name, id`.execute(db);
  return rows;
}

/** Adds a file, or puts other content in the place of one of the same name. */
export async function putRuleFile(
  db: TenantQueries,
  file: {
    readonly name: string;
    readonly content: string;
    readonly enabled: boolean;
    readonly by: string;
    readonly now: Date;
  },
): Promise<StoredRuleFile> {
  const { rows } = await sql<StoredRuleFile>`
    INSERT INTO rule_file (tenant_id, name, content, enabled, changed_by, changed_at)
    VALUES (current_tenant(), ${file.name}, ${file.content}, ${file.enabled}, ${file.by}, ${file.now})
    ON CONFLICT (tenant_id, name) DO UPDATE SET content = excluded.content, enabled = excluded.enabled,
      changed_by = excluded.changed_by, changed_at = excluded.changed_at
    RETURNING ${FILE}`.execute(db);
  return rows[0]!;
}

export async function removeRuleFile(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`DELETE FROM rule_file WHERE id = ${id} RETURNING name`.execute(db);
  return rows[0]?.name;
}

/** What a rule does somewhere. Without one a rule alerts, or is off where its file says so. */
export interface StoredRuleMode {
  readonly id: number;
  readonly rule: string;
  readonly scope: StoredScope;
  readonly mode: RuleMode;
  readonly changedBy: string;
  readonly changedAt: string;
}

const MODE = sql`id, rule, scope, mode, changed_by AS "changedBy", to_json(changed_at)#>>'{}' AS "changedAt"`;

export async function listRuleModes(db: TenantQueries): Promise<readonly StoredRuleMode[]> {
  const { rows } = await sql<StoredRuleMode>`SELECT ${MODE} FROM rule_mode ORDER BY rule, id`.execute(db);
  return rows;
}

export async function setRuleMode(
  db: TenantQueries,
  change: {
    readonly rule: string;
    readonly scope: StoredScope;
    readonly mode: RuleMode;
    readonly by: string;
    readonly now: Date;
  },
): Promise<StoredRuleMode> {
  const { rows } = await sql<StoredRuleMode>`
    INSERT INTO rule_mode (tenant_id, rule, scope, mode, changed_by, changed_at)
    VALUES (current_tenant(), ${change.rule}, ${jsonText(change.scope)}::jsonb, ${change.mode}, ${change.by}, ${change.now})
    ON CONFLICT (tenant_id, rule, scope) DO UPDATE SET mode = excluded.mode, changed_by = excluded.changed_by,
      changed_at = excluded.changed_at
    RETURNING ${MODE}`.execute(db);
  return rows[0]!;
}

/** @returns the rule whose mode was taken away */
export async function removeRuleMode(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ rule: string }>`DELETE FROM rule_mode WHERE id = ${id} RETURNING rule`.execute(db);
  return rows[0]?.rule;
}

/** What is known and accepted: alerts that meet it are not raised. */
export interface StoredAllowEntry {
  readonly id: number;
  readonly rule: string;
  readonly condition: string;
  readonly scope: StoredScope;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

const ALLOW = sql`id, rule, condition, scope, reason, created_by AS "createdBy", to_json(created_at)#>>'{}' AS "createdAt",
  to_json(expires_at)#>>'{}' AS "expiresAt"`;

export async function listAllowEntries(db: TenantQueries): Promise<readonly StoredAllowEntry[]> {
  const { rows } = await sql<StoredAllowEntry>`SELECT ${ALLOW} FROM allow_entry ORDER BY id DESC`.execute(db);
  return rows;
}

export async function addAllowEntry(
  db: TenantQueries,
  entry: {
    readonly rule: string;
    readonly condition: string;
    readonly scope: StoredScope;
    readonly reason: string;
    readonly by: string;
    readonly now: Date;
    readonly expiresAt: Date | null;
  },
): Promise<StoredAllowEntry> {
  const { rows } = await sql<StoredAllowEntry>`
    INSERT INTO allow_entry (tenant_id, rule, condition, scope, reason, created_by, created_at, expires_at)
    VALUES (current_tenant(), ${entry.rule}, ${entry.condition}, ${jsonText(entry.scope)}::jsonb, ${entry.reason}, ${entry.by},
      ${entry.now}, ${entry.expiresAt}) RETURNING ${ALLOW}`.execute(db);
  return rows[0]!;
}

export async function removeAllowEntry(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ rule: string }>`DELETE FROM allow_entry WHERE id = ${id} RETURNING rule`.execute(db);
  return rows[0]?.rule;
}

/** An address, network, domain or file that is known to be hostile. */
export interface StoredIndicator {
  readonly id: number;
  readonly kind: "address" | "network" | "domain" | "sha256";
  readonly value: string;
  readonly source: string;
  readonly expiresAt: string | null;
  readonly createdAt: string;
}

export type NewIndicator = Pick<StoredIndicator, "kind" | "value" | "source"> & { readonly expiresAt: Date | null };

const INDICATOR = sql`id, kind, value, source, to_json(expires_at)#>>'{}' AS "expiresAt",
  to_json(created_at)#>>'{}' AS "createdAt"`;

/** Indicators that still count. */
export async function listIndicators(
  db: TenantQueries,
  page: { readonly after?: number | undefined; readonly limit: number; readonly now: Date },
): Promise<readonly StoredIndicator[]> {
  const { rows } = await sql<StoredIndicator>`
    SELECT ${INDICATOR} FROM indicator WHERE id > ${page.after ?? 0} AND (expires_at IS NULL OR expires_at > ${page.now})
    ORDER BY id LIMIT ${page.limit}`.execute(db);
  return rows;
}

/** @returns how many are new or last longer than before */
export async function addIndicators(
  db: TenantQueries,
  indicators: readonly NewIndicator[],
  now: Date,
): Promise<number> {
  const { rows } = await sql`
    INSERT INTO indicator AS i (tenant_id, kind, value, source, expires_at, created_at)
    SELECT DISTINCT ON (f->>'kind', f->>'value', f->>'source') current_tenant(), f->>'kind', f->>'value', f->>'source',
      (f->>'expiresAt')::timestamptz, ${now} FROM jsonb_array_elements(${jsonText(indicators)}::jsonb) AS f
    ON CONFLICT (tenant_id, kind, value, source) DO UPDATE SET expires_at = excluded.expires_at
      WHERE i.expires_at IS DISTINCT FROM excluded.expires_at
    RETURNING id`.execute(db);
  return rows.length;
}

/** Removes one, or all of a source. @returns how many */
export async function removeIndicators(
  db: TenantQueries,
  which: { readonly id: number } | { readonly source: string },
): Promise<number> {
  const where = "id" in which ? sql`id = ${which.id}` : sql`source = ${which.source}`;
  const { rows } = await sql`DELETE FROM indicator WHERE ${where} RETURNING id`.execute(db);
  return rows.length;
}
