import type { AdvisoryMatch, AdvisorySubject, ChainFacts, ImageFacts } from "@bulwark/model";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { COUNTS_LOCK } from "./apply-matches.ts";
import { contentKey, packageKey, subjectKey } from "./keys.ts";
import { storeMatches } from "./matches.ts";
import { recountImages } from "./recount.ts";
import { asSubject } from "./subject-rows.ts";

/** Says what is known about subjects that the estate did not hold before; by position. */
type MatchSubjects = (subjects: readonly AdvisorySubject[]) => readonly (readonly AdvisoryMatch[])[];

export interface IngestOptions {
  readonly match: MatchSubjects;
  /** Names the state of the advisory database that `match` asks. */
  readonly matchedWith: string;
  readonly now: Date;
}

/**
 * Takes in what a scan of an image told. What the estate knows already is not written again, however many images tell it;
 * taking the same facts in twice changes nothing.
 *
 * @returns id of the image
 */
export async function ingestImage(db: TenantQueries, facts: ImageFacts, options: IngestOptions): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock_shared(${COUNTS_LOCK}, current_tenant())`.execute(db);
  const layers = await putLayers(db, facts);
  const fresh = await putChains(db, facts, layers);
  const changed = facts.chains.filter(({ digest }) => fresh.has(digest));
  const subjects = await putSubjects(db, changed, options);
  const packages = await putPackages(db, changed, subjects);
  const content = await putContent(db, changed, facts);
  await putChanges(db, changed, fresh, { subjects, packages, content });
  const image = await putImage(db, facts, options.now);
  await putImageContent(db, image, facts, content);
  await recountImages(db, [image]);
  return image;
}

type Ids = ReadonlyMap<string, number>;

function tableOf(rows: readonly unknown[]) {
  return sql`${JSON.stringify(rows)}::jsonb`;
}

async function putLayers(db: TenantQueries, { image }: ImageFacts): Promise<Ids> {
  const rows = image.layers.map(({ diffId, digest, size }) => ({ diff_id: diffId, digest, size_bytes: size }));
  const distinct = [...new Map(rows.map((row) => [row.diff_id, row])).values()].sort(by("diff_id"));
  const diffIds = distinct.map((row) => row.diff_id);
  const ids = await layerIds(db, diffIds, "of which everything is known");
  const missing = distinct.filter((row) => !ids.has(row.diff_id));
  if (missing.length === 0) return ids;
  // A layer that a worker has read but no image told of yet has no digest.
  await sql`
    INSERT INTO layer (tenant_id, diff_id, digest, size_bytes)
    SELECT current_tenant(), diff_id, digest, size_bytes
    FROM jsonb_to_recordset(${tableOf(missing)}) AS r(diff_id text, digest text, size_bytes bigint)
    ON CONFLICT (tenant_id, diff_id) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes
      WHERE layer.digest = ''`.execute(db);
  return layerIds(db, diffIds, "all");
}

/** A root file system's only layer never has a digest: asking for those of which everything is known leaves it out. */
async function layerIds(
  db: TenantQueries,
  diffIds: readonly string[],
  which: "all" | "of which everything is known",
): Promise<Ids> {
  const { rows } = await sql<{ id: number; key: string }>`
    SELECT id, diff_id AS key FROM layer WHERE diff_id = ANY(${diffIds}) AND (${which === "all"} OR digest <> '')`.execute(
    db,
  );
  return idsOf(rows);
}

interface ChainRow {
  readonly id: number;
  readonly state: "known" | "made" | "retold";
}

/** The chains that nobody has told yet, or that other analyzers told: their facts are to be written. */
async function putChains(db: TenantQueries, facts: ImageFacts, layers: Ids): Promise<Ids> {
  const fresh = new Map<string, number>();
  const retold: number[] = [];
  const known = await sql<{ id: number; key: string }>`
    SELECT id, digest AS key FROM chain
    WHERE digest = ANY(${facts.chainDigests}) AND analyzers = ${facts.analyzers}`.execute(db);
  const ids = idsOf(known.rows);
  let parent: number | null = null;
  for (const [depth, digest] of facts.chainDigests.entries()) {
    const layer = layers.get(facts.image.layers[depth]?.diffId ?? "");
    const id: number | undefined = ids.get(digest);
    const row: ChainRow =
      id === undefined ? await putChain(db, { digest, parent, layer, depth }, facts.analyzers) : { id, state: "known" };
    if (row.state !== "known") fresh.set(digest, row.id);
    if (row.state === "retold") retold.push(row.id);
    parent = row.id;
  }
  await forgetChains(db, retold);
  return fresh;
}

async function putChain(
  db: TenantQueries,
  chain: {
    readonly digest: string;
    readonly parent: number | null;
    readonly layer: number | undefined;
    readonly depth: number;
  },
  analyzers: string,
): Promise<ChainRow> {
  const { digest, parent, layer, depth } = chain;
  // A row that was updated has a transaction in xmax, one that was inserted has none.
  const { rows } = await sql<ChainRow>`
    INSERT INTO chain (tenant_id, digest, parent_id, layer_id, depth, analyzers)
    VALUES (current_tenant(), ${digest}, ${parent}::bigint, ${layer}::bigint, ${depth}, ${analyzers})
    ON CONFLICT (tenant_id, digest) DO UPDATE SET analyzers = excluded.analyzers
      WHERE chain.analyzers <> excluded.analyzers
    RETURNING id, CASE WHEN xmax = 0 THEN 'made' ELSE 'retold' END AS state`.execute(db);
  if (rows[0] !== undefined) return rows[0];
  // Another worker wrote the chain while this one looked for it.
  const { id } = await db.selectFrom("chain").select("id").where("digest", "=", digest).executeTakeFirstOrThrow();
  return { id, state: "known" };
}

/** What earlier analyzers told of chains is told anew. */
async function forgetChains(db: TenantQueries, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  for (const table of ["chain_package", "chain_subject", "chain_content"] as const) {
    await db.deleteFrom(table).where("chain_id", "in", ids).execute();
  }
}

async function putSubjects(
  db: TenantQueries,
  chains: readonly ChainFacts[],
  { match, matchedWith, now }: IngestOptions,
): Promise<Ids> {
  const all = chains.flatMap(({ subjects, packages }) => [
    ...subjects.map(({ item }) => item),
    ...packages.flatMap(({ item }) => item.subjects),
  ]);
  const distinct = new Map(all.map((subject) => [subjectKey(subject), subject]));
  if (distinct.size === 0) return new Map();
  const rows = [...distinct].map(([key, each]) => ({ key, ...each, module: each.module ?? "" })).sort(by("key"));
  const known = await subjectIds(db, rows);
  const missing = rows.filter(({ key }) => !known.has(key));
  if (missing.length === 0) return known;
  const { rows: made } = await sql<AdvisorySubject & { id: number }>`
    INSERT INTO subject (tenant_id, ecosystem, name, version, module, matched_with)
    SELECT current_tenant(), ecosystem, name, version, module, ${matchedWith}
    FROM jsonb_to_recordset(${tableOf(missing)}) AS r(ecosystem text, name text, version text, module text)
    ON CONFLICT DO NOTHING RETURNING id, ecosystem, name, version, module`.execute(db);
  const results = match(made.map(asSubject));
  await storeMatches(
    db,
    made.map(({ id }, index) => ({ subjectId: id, matches: results[index] ?? [] })),
    now,
  );
  // What another worker wrote meanwhile is found now.
  return subjectIds(db, rows);
}

async function subjectIds(db: TenantQueries, rows: readonly AdvisorySubject[]): Promise<Ids> {
  const { rows: found } = await sql<AdvisorySubject & { id: number }>`
    SELECT s.id, s.ecosystem, s.name, s.version, s.module FROM subject s
    JOIN jsonb_to_recordset(${tableOf(rows)}) AS r(ecosystem text, name text, version text, module text)
      USING (ecosystem, name, version, module)`.execute(db);
  return new Map(found.map((row) => [subjectKey(row), row.id]));
}

async function putPackages(db: TenantQueries, chains: readonly ChainFacts[], subjects: Ids): Promise<Ids> {
  const distinct = new Map(chains.flatMap(({ packages }) => packages.map(({ item }) => [packageKey(item), item])));
  if (distinct.size === 0) return new Map();
  const rows = [...distinct].map(([key, { purl, name, fact, undetermined, subjects: names }]) => {
    // Where it lies and how it was found differ from place to place; the rest is the package's own.
    const { inner: _inner, evidence: _evidence, ...shared } = fact;
    const subjectIds = names.map((subject) => subjects.get(subjectKey(subject))).filter((id) => id !== undefined);
    return {
      key,
      purl,
      type: fact.type,
      name,
      version: fact.version,
      fact: shared,
      undetermined,
      subject_ids: subjectIds,
    };
  });
  rows.sort(by("key"));
  const known = await idsByKey(db, "package_version", rows);
  const missing = rows.filter(({ key }) => !known.has(key));
  if (missing.length === 0) return known;
  await sql`
    INSERT INTO package_version (tenant_id, key, purl, type, name, version, fact, undetermined, subject_ids)
    SELECT current_tenant(), key, purl, type, name, version, fact, undetermined, subject_ids
    FROM jsonb_to_recordset(${tableOf(missing)}) AS r(key text, purl text, type text, name text, version text, fact jsonb,
      undetermined text, subject_ids bigint[])
    ON CONFLICT DO NOTHING`.execute(db);
  return idsByKey(db, "package_version", rows);
}

async function putContent(db: TenantQueries, chains: readonly ChainFacts[], facts: ImageFacts): Promise<Ids> {
  const all = [...chains.flatMap(({ content }) => content), ...facts.content].map(({ item }) => item);
  const distinct = new Map(all.map((item) => [contentKey(item), item]));
  if (distinct.size === 0) return new Map();
  const rows = [...distinct]
    .map(([key, item]) => ({ ...item, key, rule_id: item.id, found_by: item.foundBy }))
    .sort(by("key"));
  const known = await idsByKey(db, "content_fact", rows);
  const missing = rows.filter(({ key }) => !known.has(key));
  if (missing.length === 0) return known;
  await sql`
    INSERT INTO content_fact (tenant_id, key, kind, rule_id, severity, title, path, line, advice, detail, fingerprint,
      found_by, version, "references")
    SELECT current_tenant(), key, kind, rule_id, severity, title, path, line, advice, detail, fingerprint,
      found_by, version, ARRAY(SELECT jsonb_array_elements_text("references"))
    FROM jsonb_to_recordset(${tableOf(missing)}) AS r(key text, kind text, rule_id text, severity text, title text, path text,
      line integer, advice text, detail text, fingerprint text, found_by text, version text, "references" jsonb)
    ON CONFLICT DO NOTHING`.execute(db);
  return idsByKey(db, "content_fact", rows);
}

async function putChanges(
  db: TenantQueries,
  chains: readonly ChainFacts[],
  fresh: Ids,
  ids: { readonly subjects: Ids; readonly packages: Ids; readonly content: Ids },
): Promise<void> {
  const place = ({ digest }: ChainFacts, change: { fromDepth: number; delta: number }) => ({
    chain_id: fresh.get(digest),
    from_depth: change.fromDepth,
    delta: change.delta,
  });
  const packages = chains.flatMap((chain) =>
    chain.packages.map((change) => {
      const { path, fact } = change.item;
      return {
        ...place(chain, change),
        package_id: ids.packages.get(packageKey(change.item)),
        path,
        evidence: fact.evidence,
      };
    }),
  );
  const subjects = chains.flatMap((chain) =>
    chain.subjects.map((change) => ({
      ...place(chain, change),
      subject_id: ids.subjects.get(subjectKey(change.item)),
    })),
  );
  const content = chains.flatMap((chain) =>
    chain.content.map((change) => {
      const { removedAt } = change.item;
      return {
        ...place(chain, change),
        fact_id: ids.content.get(contentKey(change.item)),
        removed_at: removedAt ?? null,
      };
    }),
  );
  await sql`
    INSERT INTO chain_package (tenant_id, chain_id, from_depth, package_id, path, evidence, delta)
    SELECT current_tenant(), chain_id, from_depth, package_id, path, evidence, delta
    FROM jsonb_to_recordset(${tableOf(packages)}) AS r(chain_id bigint, from_depth smallint, package_id bigint, path text,
      evidence text, delta smallint)`.execute(db);
  await sql`
    INSERT INTO chain_subject (tenant_id, chain_id, from_depth, subject_id, delta)
    SELECT current_tenant(), chain_id, from_depth, subject_id, delta
    FROM jsonb_to_recordset(${tableOf(subjects)}) AS r(chain_id bigint, from_depth smallint, subject_id bigint,
      delta smallint)`.execute(db);
  await sql`
    INSERT INTO chain_content (tenant_id, chain_id, from_depth, fact_id, removed_at, delta)
    SELECT current_tenant(), chain_id, from_depth, fact_id, removed_at, delta
    FROM jsonb_to_recordset(${tableOf(content)}) AS r(chain_id bigint, from_depth smallint, fact_id bigint,
      removed_at smallint, delta smallint)`.execute(db);
}

async function putImage(db: TenantQueries, facts: ImageFacts, now: Date): Promise<number> {
  const { image, chainDigests, problems, packageCount } = facts;
  const values = {
    platform: image.platform,
    state: "scanned" as const,
    problem: "",
    os_id: image.os?.id ?? "",
    os_version: image.os?.versionId ?? "",
    os_name: image.os?.name ?? "",
    built_at: image.created === "" ? null : new Date(image.created),
    size_bytes: image.size,
    layer_count: image.layers.length,
    base_layers: image.layers.filter(({ origin }) => origin === "base").length,
    base: JSON.stringify(image.base),
    instructions: JSON.stringify(image.layers.map(({ createdBy }) => createdBy)),
    image_labels: JSON.stringify(image.labels ?? {}),
    complete: problems.length === 0,
    problems: JSON.stringify(problems),
    scanned_at: now,
    package_count: packageCount,
  };
  const { id } = await db
    .insertInto("image")
    .values({ tenant_id: sql<number>`current_tenant()`, digest: image.digest, ...values })
    .onConflict((conflict) => conflict.columns(["tenant_id", "digest"]).doUpdateSet({ ...values, gone_at: null }))
    .returning("id")
    .executeTakeFirstOrThrow();
  await db.deleteFrom("image_chain").where("image_id", "=", id).execute();
  await sql`
    INSERT INTO image_chain (tenant_id, image_id, depth, chain_id)
    SELECT current_tenant(), ${id}, depth, id FROM chain WHERE digest = ANY(${chainDigests})`.execute(db);
  await sql`
    UPDATE image SET chain_id = (SELECT id FROM chain WHERE digest = ${chainDigests.at(-1) ?? ""}) WHERE id = ${id}`.execute(
    db,
  );
  return id;
}

async function putImageContent(db: TenantQueries, image: number, { content }: ImageFacts, ids: Ids): Promise<void> {
  await db.deleteFrom("image_content").where("image_id", "=", image).execute();
  const rows = content.map(({ depth, item }) => ({ fact_id: ids.get(contentKey(item)), depth }));
  await sql`
    INSERT INTO image_content (tenant_id, image_id, fact_id, depth)
    SELECT current_tenant(), ${image}, fact_id, depth
    FROM jsonb_to_recordset(${tableOf(rows)}) AS r(fact_id bigint, depth smallint)
    ON CONFLICT DO NOTHING`.execute(db);
}

/** Most of what an image tells is known: it is looked up before anything is written. */
async function idsByKey(
  db: TenantQueries,
  table: "package_version" | "content_fact",
  rows: readonly { readonly key: string }[],
): Promise<Ids> {
  const { rows: found } = await sql<{ id: number; key: string }>`
    SELECT id, key FROM ${sql.table(table)} WHERE key = ANY(${rows.map(({ key }) => key)})`.execute(db);
  return idsOf(found);
}

function idsOf(rows: readonly { readonly id: number; readonly key: string }[]): Ids {
  return new Map(rows.map(({ id, key }) => [key, id]));
}

/** Rows are written in one order everywhere, so that two workers wait for each other instead of dying in each other's locks. */
function by<Key extends string>(key: Key): (a: Record<Key, string>, b: Record<Key, string>) => number {
  return (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0);
}
