import { sql } from "kysely";
import { heldPackages, heldSubjects } from "../images/held.ts";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";

/** Rows of each list that are told; the counts are whole. */
const MAX_ROWS = 2_000;

interface PackageChange {
  readonly type: string;
  readonly name: string;
  /** Versions before and now; empty where there is none. */
  readonly from: string;
  readonly to: string;
}

interface FindingChange {
  readonly id: string;
  readonly severity: string;
  readonly package: string;
  readonly fixedVersion: string;
}

/** What differs between two images. */
export interface ImageDiff {
  readonly added: readonly PackageChange[];
  readonly removed: readonly PackageChange[];
  /** Another version, higher or lower. */
  readonly changed: readonly PackageChange[];
  readonly findingsGone: readonly FindingChange[];
  readonly findingsNew: readonly FindingChange[];
  readonly sizeBytes: { readonly from: number; readonly to: number };
  /** Whether lists were cut. */
  readonly cut: boolean;
}

/** Compares packages and flaws of two images. */
export async function diffImages(db: TenantQueries, from: number, to: number): Promise<ImageDiff> {
  const packages = await changedPackages(db, from, to);
  const findings = await changedFindings(db, from, to);
  const sizes = await db.selectFrom("image").select(["id", "size_bytes"]).where("id", "in", [from, to]).execute();
  const sizeOf = (id: number) => Number(sizes.find((row) => row.id === id)?.size_bytes ?? 0);
  const gone = findings.filter(({ isNew }) => !isNew);
  const fresh = findings.filter(({ isNew }) => isNew);
  const lists = {
    added: packages.filter((row) => row.from === ""),
    removed: packages.filter((row) => row.to === ""),
    changed: packages.filter((row) => row.from !== "" && row.to !== ""),
    findingsGone: gone.map(({ isNew: _isNew, ...row }) => row),
    findingsNew: fresh.map(({ isNew: _isNew, ...row }) => row),
  };
  const cut = Object.values(lists).some((list) => list.length > MAX_ROWS);
  return {
    added: lists.added.slice(0, MAX_ROWS),
    removed: lists.removed.slice(0, MAX_ROWS),
    changed: lists.changed.slice(0, MAX_ROWS),
    findingsGone: lists.findingsGone.slice(0, MAX_ROWS),
    findingsNew: lists.findingsNew.slice(0, MAX_ROWS),
    sizeBytes: { from: sizeOf(from), to: sizeOf(to) },
    cut,
  };
}

async function changedPackages(db: TenantQueries, from: number, to: number): Promise<readonly PackageChange[]> {
  const versions = (image: number) => sql`
    SELECT p.type, p.name, string_agg(DISTINCT p.version, ', ' ORDER BY p.version) AS version
    FROM ${heldPackages(image)} h JOIN package_version p ON p.id = h.package_id GROUP BY 1, 2`;
  const { rows } = await sql<PackageChange>`
    SELECT coalesce(a.type, b.type) AS type, coalesce(a.name, b.name) AS name, coalesce(a.version, '') AS "from",
      coalesce(b.version, '') AS "to"
    FROM (${versions(from)}) a FULL JOIN (${versions(to)}) b ON a.type = b.type AND a.name = b.name
    WHERE a.version IS DISTINCT FROM b.version ORDER BY 1, 2`.execute(db);
  return rows;
}

async function changedFindings(
  db: TenantQueries,
  from: number,
  to: number,
): Promise<readonly (FindingChange & { readonly isNew: boolean })[]> {
  const flaws = (image: number) => sql`
    SELECT m.vulnerability_id AS id, s.name AS package, min(m.fixed_version) AS fixed_version,
      (array_agg(m.severity ORDER BY ${severityOrder("m.severity")}))[1] AS severity
    FROM ${heldSubjects(image)} h JOIN subject_match m USING (subject_id) JOIN subject s ON s.id = h.subject_id GROUP BY 1, 2`;
  const { rows } = await sql<FindingChange & { isNew: boolean }>`
    SELECT coalesce(a.id, b.id) AS id, coalesce(a.severity, b.severity) AS severity, coalesce(a.package, b.package) AS package,
      coalesce(a.fixed_version, b.fixed_version) AS "fixedVersion", a.id IS NULL AS "isNew"
    FROM (${flaws(from)}) a FULL JOIN (${flaws(to)}) b ON a.id = b.id AND a.package = b.package
    WHERE a.id IS NULL OR b.id IS NULL ORDER BY ${severityOrder("coalesce(a.severity, b.severity)")}, 1, 3`.execute(db);
  return rows;
}
