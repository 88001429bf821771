import type { PackageFact } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";
import { heldPackages } from "./held.ts";
import { containing } from "./visible.ts";

export interface ImagePackage {
  readonly id: number;
  readonly purl: string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly layer: number;
  readonly evidence: PackageFact["evidence"];
  readonly licenses: readonly string[];
  /** Why it could not be matched with advisories; empty when it could. */
  readonly undetermined: string;
  /** The worst severity that advisories tell of it; undefined for none. */
  readonly worst?: string;
}

export interface PackageFilter {
  readonly search?: string;
  readonly type?: string;
  readonly layer?: number;
  /** Name, id and path of the last package of the page before. */
  readonly after?: readonly [string, number, string];
  readonly limit: number;
}

/** The packages of an image by name. */
export async function imagePackages(
  db: TenantQueries,
  image: number,
  { search, type, layer, after, limit }: PackageFilter,
): Promise<readonly ImagePackage[]> {
  const like = search === undefined ? null : containing(search);
  const { rows } = await sql<ImagePackage>`
    SELECT p.id, p.purl, p.type, p.name, p.version, h.path, h.from_depth AS layer, h.evidence,
      coalesce((SELECT array_agg(l) FROM jsonb_array_elements_text(p.fact->'licenses') l), '{}') AS licenses, p.undetermined,
      (SELECT m.severity FROM subject_match m WHERE m.subject_id = ANY(p.subject_ids)
        ORDER BY ${severityOrder("m.severity")} LIMIT 1) AS worst
    FROM ${heldPackages(image)} h JOIN package_version p ON p.id = h.package_id
    WHERE (${like}::text IS NULL OR p.name ILIKE ${like} OR h.path ILIKE ${like})
      AND (${type ?? null}::text IS NULL OR p.type = ${type ?? null})
      AND (${layer ?? null}::integer IS NULL OR h.from_depth = ${layer ?? null})
      AND (${after === undefined} OR (p.name, p.id, h.path) > (${after?.[0] ?? ""}, ${after?.[1] ?? 0}, ${after?.[2] ?? ""}))
    ORDER BY p.name, p.id, h.path LIMIT ${limit}`.execute(db);
  return rows;
}

/** All packages of an image with what analyzers told of them: for SBOMs. */
export async function imagePackageFacts(
  db: TenantQueries,
  image: number,
): Promise<
  readonly {
    readonly purl: string;
    readonly name: string;
    readonly path: string;
    readonly layer: number;
    readonly fact: PackageFact;
  }[]
> {
  const { rows } = await sql<{
    purl: string;
    name: string;
    path: string;
    layer: number;
    fact: PackageFact;
    evidence: PackageFact["evidence"];
  }>`
    SELECT p.purl, p.name, h.path, h.from_depth AS layer, p.fact, h.evidence
    FROM ${heldPackages(image)} h JOIN package_version p ON p.id = h.package_id ORDER BY h.from_depth, p.purl, h.path`.execute(
    db,
  );
  return rows.map(({ evidence, fact, ...rest }) => ({ ...rest, fact: { ...fact, evidence } }));
}
