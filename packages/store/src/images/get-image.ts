import type { Problem } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { type ImageItem, imageItems } from "./image-items.ts";
import { isVisible, type Sight } from "./visible.ts";

export interface ImageLayer {
  readonly depth: number;
  readonly diffId: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly createdBy: string;
  readonly origin: "base" | "own";
  readonly packages: number;
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly other: number;
  readonly secrets: number;
  readonly malware: number;
  readonly misconfigurations: number;
}

/** Everything that the page of an image shows, but for its findings and packages. */
export interface ImageDetail extends ImageItem {
  readonly id: number;
  readonly baseLayers: number;
  readonly layers: readonly ImageLayer[];
  readonly labels: Readonly<Record<string, string>>;
  readonly imageLabels: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** An image by its manifest digest; undefined when the tenant has none that may be seen. */
export async function getImage(db: TenantQueries, digest: string, sight?: Sight): Promise<ImageDetail | undefined> {
  const row = await db
    .selectFrom("image as i")
    .select(["i.id", "i.base_layers", "i.labels", "i.image_labels", "i.problems", "i.instructions"])
    .where("i.digest", "=", digest)
    .where(isVisible(sight))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const [item] = await imageItems(db, [row.id]);
  if (item === undefined) return undefined;
  const layers = await layersOf(db, row.id, row.base_layers, row.instructions);
  const { labels, image_labels: imageLabels, problems } = row;
  return { ...item, baseLayers: row.base_layers, layers, labels, imageLabels, problems };
}

async function layersOf(
  db: TenantQueries,
  image: number,
  baseLayers: number,
  instructions: readonly string[],
): Promise<readonly ImageLayer[]> {
  const { rows } = await sql<Omit<ImageLayer, "createdBy" | "origin">>`
    WITH subjects AS (
      SELECT cs.subject_id, cs.from_depth FROM image_chain ic JOIN chain_subject cs USING (chain_id)
      WHERE ic.image_id = ${image} GROUP BY 1, 2 HAVING sum(cs.delta) > 0),
    flaws AS (
      SELECT from_depth AS depth, count(*) FILTER (WHERE severity = 'critical') AS critical,
        count(*) FILTER (WHERE severity = 'high') AS high, count(*) FILTER (WHERE severity = 'medium') AS medium,
        count(*) FILTER (WHERE severity = 'low') AS low,
        count(*) FILTER (WHERE severity IN ('negligible', 'unknown')) AS other
      FROM subjects JOIN subject_match m USING (subject_id) GROUP BY 1),
    packages AS (
      SELECT from_depth AS depth, count(*) AS packages FROM (
        SELECT cp.package_id, cp.from_depth, cp.path FROM image_chain ic JOIN chain_package cp USING (chain_id)
        WHERE ic.image_id = ${image} GROUP BY 1, 2, 3 HAVING sum(cp.delta) > 0) held GROUP BY 1),
    facts AS (
      SELECT fact_id, from_depth FROM (
        SELECT cc.fact_id, cc.from_depth, sum(cc.delta) AS held FROM image_chain ic JOIN chain_content cc USING (chain_id)
        WHERE ic.image_id = ${image} GROUP BY 1, 2) summed WHERE held > 0
      UNION ALL SELECT fact_id, depth FROM image_content WHERE image_id = ${image}),
    content AS (
      SELECT from_depth AS depth, count(*) FILTER (WHERE kind = 'secret') AS secrets,
        count(*) FILTER (WHERE kind IN ('malware', 'webshell')) AS malware,
        count(*) FILTER (WHERE kind = 'misconfiguration') AS misconfigurations
      FROM facts JOIN content_fact f ON f.id = facts.fact_id GROUP BY 1)
    SELECT ic.depth, l.diff_id AS "diffId", l.digest, l.size_bytes AS "sizeBytes", coalesce(packages.packages, 0) AS packages,
      coalesce(critical, 0) AS critical, coalesce(high, 0) AS high, coalesce(medium, 0) AS medium, coalesce(low, 0) AS low,
      coalesce(other, 0) AS other, coalesce(secrets, 0) AS secrets, coalesce(malware, 0) AS malware,
      coalesce(misconfigurations, 0) AS misconfigurations
    FROM image_chain ic JOIN chain c ON c.id = ic.chain_id JOIN layer l ON l.id = c.layer_id
      LEFT JOIN flaws ON flaws.depth = ic.depth LEFT JOIN packages ON packages.depth = ic.depth
      LEFT JOIN content ON content.depth = ic.depth
    WHERE ic.image_id = ${image} ORDER BY ic.depth`.execute(db);
  return rows.map((layer) => ({
    ...layer,
    createdBy: instructions[layer.depth] ?? "",
    origin: layer.depth < baseLayers ? "base" : "own",
  }));
}
