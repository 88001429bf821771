import { type RawBuilder, sql } from "kysely";
import { standsOnNode } from "../lineage/stands-on.ts";
import type { TenantQueries } from "../open-store.ts";
import { type ImageItem, imageItems } from "./image-items.ts";
import { containing, isVisible, type Sight } from "./visible.ts";

/** Columns that lists of images are sorted by. */
const SORTS = {
  risk: "i.risk",
  firstSeen: "extract(epoch FROM i.first_seen)::double precision",
  scannedAt: "coalesce(extract(epoch FROM i.scanned_at), 0)::double precision",
  critical: "i.critical",
  high: "i.high",
  sizeBytes: "i.size_bytes",
  packageCount: "i.package_count",
} as const;
export type ImageSort = keyof typeof SORTS;
export const IMAGE_SORTS = Object.keys(SORTS) as readonly ImageSort[];

export interface ImageFilter {
  readonly sight: Sight;
  /** Part of a repository's name, or the beginning of a digest. */
  readonly search?: string;
  readonly registry?: string;
  readonly repository?: string;
  readonly os?: string;
  readonly state?: string;
  /** Has flaws at least this severe. */
  readonly severity?: "critical" | "high" | "medium" | "low";
  readonly kind?: "secret" | "malware" | "misconfiguration" | "vulnerability";
  readonly exploited?: boolean;
  readonly ownerId?: number;
  readonly unowned?: boolean;
  readonly grade?: string;
  /** Only images that hold this vulnerability. */
  readonly vulnerability?: string;
  /** Digest of an image that these stand on. */
  readonly base?: string;
  /** Id of a node of the forest that these stand on. */
  readonly onNode?: number;
  readonly sort: ImageSort;
  readonly descending: boolean;
  readonly after?: readonly [number, number];
  readonly limit: number;
}

export interface ImagePage {
  readonly items: readonly ImageItem[];
  /** Sort keys of the last item when there is more. */
  readonly next?: readonly [number, number];
}

/** A page of the tenant's images. Those that are gone from everywhere are shown when asked for by `state`. */
export async function listImages(db: TenantQueries, filter: ImageFilter): Promise<ImagePage> {
  const key = sql.raw(SORTS[filter.sort]);
  const direction = sql.raw(filter.descending ? "DESC" : "ASC");
  const beyond = sql.raw(filter.descending ? "<" : ">");
  const { after, limit } = filter;
  const start = after === undefined ? sql`true` : sql`(${key}, i.id) ${beyond} (${after[0]}, ${after[1]}::bigint)`;
  const { rows } = await sql<{ id: number; key: number }>`
    SELECT i.id, ${key} AS key FROM image i
    WHERE ${sql.join(conditions(filter), sql` AND `)} AND ${start}
    ORDER BY ${key} ${direction}, i.id ${direction} LIMIT ${limit + 1}`.execute(db);
  const shown = rows.slice(0, limit);
  const items = await imageItems(
    db,
    shown.map(({ id }) => id),
  );
  const last = shown.at(-1);
  return { items, ...(rows.length > limit && last !== undefined ? { next: [Number(last.key), last.id] } : {}) };
}

function conditions(filter: ImageFilter): RawBuilder<unknown>[] {
  const {
    search,
    registry,
    repository,
    os,
    state,
    severity,
    kind,
    exploited,
    ownerId,
    unowned,
    grade,
    base,
    onNode,
    vulnerability,
  } = filter;
  const list: RawBuilder<unknown>[] = [isVisible(filter.sight)];
  list.push(state === undefined ? sql`i.state <> 'gone'` : sql`i.state = ${state}`);
  if (search?.startsWith("sha256:") === true) list.push(sql`i.digest LIKE ${`${search.replace(/[\\%_]/g, "")}%`}`);
  else if (search !== undefined) list.push(inRepositories(sql`r.name ILIKE ${containing(search)}`));
  if (registry !== undefined) list.push(inRepositories(sql`g.name = ${registry}`));
  if (repository !== undefined) list.push(inRepositories(sql`r.name = ${repository}`));
  if (os !== undefined) list.push(sql`i.os_id = ${os}`);
  if (severity !== undefined) list.push(SEVERE[severity]);
  if (kind !== undefined) list.push(KINDS[kind]);
  if (exploited === true) list.push(sql`i.exploited > 0`);
  if (grade !== undefined)
    list.push(
      sql`(i.grade = ${grade} OR (i.grade IS NULL AND ${inRepositories(sql`coalesce(r.grade, g.grade) = ${grade}`)}))`,
    );
  if (ownerId !== undefined) list.push(isVisible([ownerId]));
  if (unowned === true)
    list.push(sql`i.owner_id IS NULL AND NOT ${inRepositories(sql`coalesce(r.owner_id, g.owner_id) IS NOT NULL`)}`);
  if (base !== undefined)
    list.push(
      sql`i.digest <> ${base} AND i.id IN (SELECT ic.image_id FROM image b JOIN image_chain ic ON ic.chain_id = b.chain_id WHERE b.digest = ${base})`,
    );
  if (onNode !== undefined) list.push(standsOnNode(onNode));
  if (vulnerability !== undefined) list.push(holding(vulnerability));
  return list;
}

const SEVERE = {
  critical: sql`i.critical > 0`,
  high: sql`i.critical + i.high > 0`,
  medium: sql`i.critical + i.high + i.medium > 0`,
  low: sql`i.critical + i.high + i.medium + i.low > 0`,
};

const KINDS = {
  secret: sql`i.secrets > 0`,
  malware: sql`i.malware > 0`,
  misconfiguration: sql`i.misconfigurations > 0`,
  vulnerability: sql`i.critical + i.high + i.medium + i.low + i.other > 0`,
};

function inRepositories(condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`i.id IN (SELECT l.image_id FROM image_location l JOIN repository r ON r.id = l.repository_id
    JOIN registry g ON g.id = r.registry_id WHERE l.gone_at IS NULL AND ${condition})`;
}

/** Images that hold a subject with the vulnerability: what a chain adds, unless a chain above takes it away. */
function holding(vulnerability: string): RawBuilder<unknown> {
  return sql`i.id IN (SELECT ic.image_id FROM subject_match m JOIN chain_subject cs USING (subject_id) JOIN image_chain ic USING (chain_id)
    WHERE m.vulnerability_id = ${vulnerability} GROUP BY ic.image_id, m.subject_id, cs.from_depth HAVING sum(cs.delta) > 0)`;
}
