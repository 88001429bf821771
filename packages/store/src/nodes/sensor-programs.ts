import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** A program that nodes can be told to run from now on. */
export interface SensorProgram {
  readonly id: number;
  readonly version: string;
  /** `linux/amd64` or `linux/arm64`. */
  readonly platform: string;
  /** In hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly addedBy: string;
  readonly addedAt: string;
}

const PROGRAM = sql`id, version, platform, sha256, length(content)::int AS "sizeBytes", added_by AS "addedBy",
  to_json(added_at)#>>'{}' AS "addedAt"`;

/** The newest first. */
export async function listSensorPrograms(db: TenantQueries): Promise<readonly SensorProgram[]> {
  const { rows } = await sql<SensorProgram>`SELECT ${PROGRAM} FROM sensor_program ORDER BY id DESC`.execute(db);
  return rows;
}

/** Adds a program; one that is there already gets the version that is given now. */
export async function addSensorProgram(
  db: TenantQueries,
  program: Pick<SensorProgram, "version" | "platform" | "sha256" | "addedBy"> & {
    readonly content: Buffer;
    /** By the order key over the digest, as the contract with the sensors says. */
    readonly signature: Buffer;
    readonly now: Date;
  },
): Promise<SensorProgram> {
  const { version, platform, sha256, signature, content, addedBy, now } = program;
  const { rows } = await sql<SensorProgram>`
    INSERT INTO sensor_program (tenant_id, version, platform, sha256, signature, content, added_by, added_at)
    VALUES (current_tenant(), ${version}, ${platform}, ${sha256}, ${signature}, ${content}, ${addedBy}, ${now})
    ON CONFLICT (tenant_id, sha256) DO UPDATE SET version = excluded.version RETURNING ${PROGRAM}`.execute(db);
  return rows[0]!;
}

/** @returns what it was; undefined when there is none */
export async function removeSensorProgram(
  db: TenantQueries,
  id: number,
): Promise<Pick<SensorProgram, "version" | "platform"> | undefined> {
  const { rows } = await sql<Pick<SensorProgram, "version" | "platform">>`
    DELETE FROM sensor_program WHERE id = ${id} RETURNING version, platform`.execute(db);
  return rows[0];
}

/** The signature of a program that is still offered. */
export async function signatureOfProgram(db: TenantQueries, sha256: string): Promise<Buffer | undefined> {
  const { rows } = await sql<{ signature: Buffer }>`
    SELECT signature FROM sensor_program WHERE sha256 = ${sha256}`.execute(db);
  return rows[0]?.signature;
}

/** The program that an order names, for as long as the order holds and has not been answered. @returns its SHA-256 */
export async function programOfOrder(db: TenantQueries, orderUid: string, now: Date): Promise<string | undefined> {
  const { rows } = await sql<{ sha256: string }>`
    SELECT p.sha256 FROM response r JOIN sensor_program p ON p.sha256 = r.parameters->>'sha256'
    WHERE r.uid = ${orderUid} AND r.action = 'upgrade' AND r.state = 'sent' AND r.expires_at > ${now}`.execute(db);
  return rows[0]?.sha256;
}

export async function programContent(db: TenantQueries, sha256: string): Promise<Buffer | undefined> {
  const { rows } = await sql<{ content: Buffer }>`
    SELECT content FROM sensor_program WHERE sha256 = ${sha256}`.execute(db);
  return rows[0]?.content;
}
