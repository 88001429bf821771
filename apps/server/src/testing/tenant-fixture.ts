import { listGolden, proposeGolden } from "@bulwark/store";
import { operationsOf, sampleOf } from "./contract.ts";
import { seedRuntime } from "./seed-runtime.ts";
import type { TestAccount, TestApp } from "./test-app.ts";

/** Where the id of a thing stands in what a list or a change answers with. */
const ID_MEMBERS = ["digest", "id"];

/**
 * Gives a tenant one of each thing that the contract can make, and tells their ids by noun. What is only found by scanning, and
 * not made by a request, is put into the tables.
 *
 * @example (await seedTenant(app, account)).get("owners") === "7"
 */
export async function seedTenant(server: TestApp, account: TestAccount): Promise<ReadonlyMap<string, string>> {
  const found = await seedEstate(server, account.tenantId);
  found.set("accounts", String(account.id));
  found.set("golden", await seedGolden(server, account.tenantId, Number(found.get("repositories"))));
  for (const [noun, id] of (await seedRuntime(server.store, account.tenantId)).ids) found.set(noun, id);
  const operations = await operationsOf(server.app);
  const collections = operations.filter(({ params, path }) => params.length === 0 && path.startsWith("/api/v1/"));
  for (const { method, path, body } of collections) {
    const noun = path.split("/").at(-1)!;
    if (method !== "POST" || body === undefined || path === "/api/v1/session") continue;
    const payload = sampleOf(body, `-${account.tenantId}`) as object;
    const made = await server.app.inject({ method, url: path, headers: account.bearer, payload });
    remember(found, noun, made.statusCode < 300 ? made.body : "");
  }
  for (const { method, path, streams } of collections) {
    const noun = path.split("/").at(-1)!;
    if (method !== "GET" || streams || found.has(noun)) continue;
    const listed = await server.app.inject({ url: path, headers: account.bearer });
    const isJson = String(listed.headers["content-type"]).startsWith("application/json");
    const [first] = itemsOf(listed.statusCode === 200 && isJson ? listed.body : "");
    remember(found, noun, JSON.stringify(first ?? ""));
  }
  return found;
}

async function seedEstate({ store }: TestApp, tenantId: number): Promise<Map<string, string>> {
  return store.tenant(tenantId, async (db) => {
    const digest = `sha256:${String(tenantId).padStart(64, "a")}`;
    const place = { name: "hub", kind: "oci", address: "registry.example.org", tenant_id: tenantId } as const;
    const kept = await db
      .selectFrom("image")
      .innerJoin("image_location", "image_location.image_id", "image.id")
      .innerJoin("repository", "repository.id", "image_location.repository_id")
      .select(["repository.id as repository", "repository.registry_id as registry"])
      .where("digest", "=", digest)
      .executeTakeFirst();
    if (kept !== undefined) return estateOf(kept.registry, kept.repository, digest);
    const registry = await db.insertInto("registry").values(place).returning("id").executeTakeFirstOrThrow();
    const repository = await db
      .insertInto("repository")
      .values({ tenant_id: tenantId, registry_id: registry.id, name: "library/app" })
      .returning("id")
      .executeTakeFirstOrThrow();
    const image = await db
      .insertInto("image")
      .values({ tenant_id: tenantId, digest })
      .returning("id")
      .executeTakeFirstOrThrow();
    await db
      .insertInto("image_location")
      .values({ tenant_id: tenantId, image_id: image.id, repository_id: repository.id })
      .execute();
    return estateOf(registry.id, repository.id, digest);
  });
}

async function seedGolden({ store, clock }: TestApp, tenantId: number, repositoryId: number): Promise<string> {
  const somebody = { accountId: Number.MAX_SAFE_INTEGER, name: "somebody else", now: clock.now };
  const proposal = { repositoryId, digest: "", purpose: "a base", ownerId: null, ...somebody };
  const [golden] = await store.tenant(tenantId, async (db) => {
    await proposeGolden(db, proposal);
    return listGolden(db, { limit: 1 });
  });
  return String(golden?.id);
}

function estateOf(registry: number, repository: number, digest: string): Map<string, string> {
  return new Map([
    ["registries", String(registry)],
    ["repositories", String(repository)],
    ["images", digest],
  ]);
}

function itemsOf(body: string): readonly unknown[] {
  const parsed: unknown = body === "" ? undefined : JSON.parse(body);
  const items = typeof parsed === "object" && parsed !== null && "items" in parsed ? parsed.items : [];
  return Array.isArray(items) ? items : [];
}

function remember(found: Map<string, string>, noun: string, body: string): void {
  const thing: unknown = body === "" ? undefined : JSON.parse(body);
  if (typeof thing !== "object" || thing === null || found.has(noun)) return;
  const member = ID_MEMBERS.find((name) => name in thing);
  if (member !== undefined) found.set(noun, String((thing as Readonly<Record<string, unknown>>)[member]));
}
