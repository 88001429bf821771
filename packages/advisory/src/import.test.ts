import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, expect, test } from "vitest";
import { openAdvisoryDatabase } from "./database.ts";
import { importAdvisories } from "./import.ts";
import { packDatabase, unpackDatabase } from "./pack.ts";
import { plainCatalog } from "./testing/catalog.ts";
import { affected, osv } from "./testing/records.ts";
import { zipOf } from "./testing/zip.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-import-"));
const at = (name: string) => join(folder, name);
const database = at("advisories.db");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(database, { force: true }));

const take = (...files: readonly string[]) => importAdvisories({ database, catalog: plainCatalog, files });

function flaws(): readonly string[] {
  const opened = openAdvisoryDatabase(database, plainCatalog);
  const [result] = opened.match([{ ecosystem: "npm", name: "thing", version: "1.0" }]);
  opened.close();
  return result?.matches.map(({ id }) => id).sort() ?? [];
}

test("the same records come out of every form a feed may have", async () => {
  const records = [osv("X-1"), osv("X-2")];
  const lines = records.map((record) => JSON.stringify(record)).join("\n");
  mkdirSync(at("directory"));
  for (const record of records) writeFileSync(at(`directory/${record.id}.json`), JSON.stringify(record, null, 2));
  const forms: Readonly<Record<string, string | Uint8Array>> = {
    "a.json": JSON.stringify(records),
    "pretty.json": JSON.stringify(records, null, 2),
    "a.ndjson": lines,
    "a.ndjson.gz": gzipSync(lines),
    "all.zip": zipOf(Object.fromEntries(records.map((record) => [`${record.id}.json`, JSON.stringify(record)]))),
  };
  for (const [name, content] of Object.entries(forms)) {
    writeFileSync(at(name), content);
    rmSync(database, { force: true });
    expect(await take(at(name))).toMatchObject({ added: 2, refused: 0 });
    expect(flaws()).toEqual(["X-1", "X-2"]);
  }
  rmSync(database);
  await take(at("directory"));
  expect(flaws()).toEqual(["X-1", "X-2"]);
});

test("a newer record replaces the older, an older one changes nothing, a withdrawn one goes", async () => {
  const put = async (...records: readonly object[]) => {
    writeFileSync(at("delta.json"), JSON.stringify(records));
    return take(at("delta.json"));
  };
  await put(osv("X-1"), osv("X-2"));
  const moved = [affected({ package: { ecosystem: "npm", name: "moved" } })];
  expect(await put(osv("X-1", { modified: "2026-02-01T00:00:00Z", affected: moved }))).toMatchObject({ added: 1 });
  expect(flaws()).toEqual(["X-2"]);
  expect(await put(osv("X-1", { modified: "2025-01-01T00:00:00Z" }))).toMatchObject({ added: 0, unchanged: 1 });
  expect(await put(osv("X-2", { withdrawn: "2026-02-01T00:00:00Z" }))).toMatchObject({ withdrawn: 1 });
  expect(flaws()).toEqual([]);
  const opened = openAdvisoryDatabase(database, plainCatalog);
  expect(opened.status().ecosystems).toEqual([{ ecosystem: "npm", records: 1 }]);
  opened.close();
});

test("a reader that is open goes on reading what it opened", async () => {
  writeFileSync(at("one.json"), JSON.stringify(osv("X-1")));
  writeFileSync(at("two.json"), JSON.stringify(osv("X-2")));
  await take(at("one.json"));
  const reader = openAdvisoryDatabase(database, plainCatalog);
  await take(at("two.json"));
  expect(reader.match([{ ecosystem: "npm", name: "thing", version: "1" }])[0]?.matches.map(({ id }) => id)).toEqual([
    "X-1",
  ]);
  reader.close();
  expect(flaws()).toEqual(["X-1", "X-2"]);
});

test("an import that fails leaves the database as it was, and nothing beside it", async () => {
  writeFileSync(at("one.json"), JSON.stringify(osv("X-1")));
  writeFileSync(at("junk.json"), "{ this is nothing");
  await take(at("one.json"));
  const before = readFileSync(database);
  await expect(take(at("one.json"), at("junk.json"))).rejects.toMatchObject({ code: "FEED_INVALID" });
  await expect(take(at("missing.json"))).rejects.toMatchObject({ code: "FEED_UNREACHABLE" });
  expect(readFileSync(database).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).toEqual([]);
});

test("single bad records are counted and named, the good ones are taken", async () => {
  const lines = [
    JSON.stringify(osv("X-1")),
    "{broken",
    '{"id":7}',
    '{"id":"a b"}',
    `{"id":"X-3","affected":${"[".repeat(50)}${"]".repeat(50)}}`,
    '{"__proto__":{"id":"X-9"}}',
  ];
  writeFileSync(at("mixed.ndjson"), lines.join("\n"));
  expect(await take(at("mixed.ndjson"))).toMatchObject({ added: 1, skipped: 1, refused: 4 });
  expect(flaws()).toEqual(["X-1"]);
});

test("a ZIP archive that lies about its sizes costs the entry, not the import", async () => {
  const good = JSON.stringify(osv("X-1"));
  const bomb = zipOf({ "good.json": good, "bomb.json": new Uint8Array(64 * 1024 * 1024) });
  writeFileSync(at("bomb.zip"), bomb);
  expect(await take(at("bomb.zip"))).toMatchObject({ added: 1, refused: 1 });
  for (let part = 0; part < 16; part++) {
    writeFileSync(at("torn.zip"), bomb.subarray(0, Math.floor((bomb.length * part) / 16)));
    await expect(take(at("torn.zip"))).rejects.toMatchObject({ code: expect.stringMatching(/^FEED_/) });
  }
  expect(flaws()).toEqual(["X-1"]);
});

test("only a database of nothing but the seed says that it is the seed", async () => {
  writeFileSync(at("one.json"), JSON.stringify(osv("X-1")));
  const seedOnly = () => {
    const opened = openAdvisoryDatabase(database, plainCatalog);
    opened.close();
    return opened.info.seedOnly;
  };
  await importAdvisories({ database, catalog: plainCatalog, files: [at("one.json")], seed: true });
  expect(seedOnly()).toBe(true);
  await take(at("one.json"));
  expect(seedOnly()).toBe(false);
  await importAdvisories({ database, catalog: plainCatalog, files: [at("one.json")], seed: true });
  expect(seedOnly()).toBe(false);
});

test("a packed database is the same database again, and junk is no database", async () => {
  writeFileSync(at("one.json"), JSON.stringify(osv("X-1")));
  await take(at("one.json"));
  const [packed, other] = [packDatabase(database), at("other.db")];
  unpackDatabase(packed, other);
  expect(readFileSync(other).equals(readFileSync(database))).toBe(true);
  expect(() => unpackDatabase(packed.subarray(0, packed.length / 2), other)).toThrow(/no packed advisory database/);
  expect(() => unpackDatabase(Buffer.from("junk"), at("junk.db"))).toThrow(
    expect.objectContaining({ code: "ARTIFACT_INVALID" }),
  );
  expect(existsSync(at("junk.db"))).toBe(false);
});
