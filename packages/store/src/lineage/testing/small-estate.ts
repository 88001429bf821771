import fc from "fast-check";
import { sql } from "kysely";
import type { TenantQueries } from "../../open-store.ts";

/** An image of a test: its layers by name, and the number of the image that it declares as its base. */
export interface TestImage {
  readonly layers: readonly string[];
  readonly repository: string;
  readonly declares?: number | undefined;
  readonly isGone: boolean;
}

/** Estates whose images share many layers, and most of which declare a base: declarations lead in circles and late bases contradict them. */
export const smallEstates: fc.Arbitrary<readonly TestImage[]> = fc.array(
  fc.record({
    layers: fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 }),
    repository: fc.constantFrom("one", "two", "three"),
    declares: fc.option(fc.nat(9), { nil: undefined, freq: 3 }),
    isGone: fc.boolean(),
  }),
  { minLength: 1, maxLength: 10 },
);

/** Writes an image as a scan and a synchronisation do; chains are named by their layers' names. */
export async function changeImage(db: TenantQueries, number: number, image: TestImage): Promise<void> {
  const { layers, repository, declares, isGone } = image;
  let below: number | null = null;
  const chains: number[] = [];
  for (const [depth, name] of layers.entries()) {
    const layer = await put(
      db,
      sql`INSERT INTO layer (tenant_id, diff_id, digest, size_bytes) VALUES (current_tenant(), ${name}, ${name}, 1)
      ON CONFLICT (tenant_id, diff_id) DO UPDATE SET size_bytes = 1 RETURNING id`,
    );
    const digest = layers.slice(0, depth + 1).join("");
    const chain = await put(
      db,
      sql`INSERT INTO chain (tenant_id, digest, parent_id, layer_id, depth, analyzers)
      VALUES (current_tenant(), ${digest}, ${below}::bigint, ${layer}, ${depth}, '')
      ON CONFLICT (tenant_id, digest) DO UPDATE SET analyzers = '' RETURNING id`,
    );
    chains.push(chain);
    below = chain;
  }
  const base =
    declares === undefined ? null : JSON.stringify({ how: "annotation", digest: `sha256:${declares}`, reference: "" });
  const id = await put(
    db,
    sql`INSERT INTO image (tenant_id, digest, platform, state, chain_id, base, first_seen)
    VALUES (current_tenant(), ${`sha256:${number}`}, 'linux/amd64', ${isGone ? "gone" : "scanned"}, ${below}, ${base}::jsonb, '2026-01-01')
    ON CONFLICT (tenant_id, digest) DO UPDATE SET state = excluded.state RETURNING id`,
  );
  await sql`INSERT INTO image_chain (tenant_id, image_id, depth, chain_id)
    SELECT current_tenant(), ${id}, at - 1, chain FROM unnest(${chains}::bigint[]) WITH ORDINALITY AS c(chain, at)
    ON CONFLICT DO NOTHING`.execute(db);
  const registry = await put(
    db,
    sql`INSERT INTO registry (tenant_id, name, kind, address) VALUES (current_tenant(), 'r', 'oci', 'r')
    ON CONFLICT (tenant_id, name) DO UPDATE SET kind = 'oci' RETURNING id`,
  );
  const place = await put(
    db,
    sql`INSERT INTO repository (tenant_id, registry_id, name) VALUES (current_tenant(), ${registry}, ${repository})
    ON CONFLICT (registry_id, name) DO UPDATE SET gone_at = NULL RETURNING id`,
  );
  await sql`INSERT INTO image_location (tenant_id, image_id, repository_id) VALUES (current_tenant(), ${id}, ${place})
    ON CONFLICT DO NOTHING`.execute(db);
}

async function put(db: TenantQueries, statement: ReturnType<typeof sql>): Promise<number> {
  const { rows } = await statement.execute(db);
  return (rows as readonly { readonly id: number }[])[0]?.id ?? 0;
}
