import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type AdvisoryDatabase, openAdvisoryDatabase } from "@bulwark/advisory";
import { catalog } from "@bulwark/ecosystems";
import { cacheDirectory, databaseFile, seedDirectory } from "./places.ts";

/**
 * Opens the advisory database: the one named, else the one that `db update` keeps, else one made on the spot from the
 * shipped seed, whose report says so.
 */
export async function openDatabase(named: string | undefined): Promise<AdvisoryDatabase> {
  if (named !== undefined) return openAdvisoryDatabase(named, catalog);
  const kept = databaseFile();
  return openAdvisoryDatabase(existsSync(kept) ? kept : await seedDatabase(), catalog);
}

/** The database of the seed, made when the seed changed since it was made last. */
async function seedDatabase(): Promise<string> {
  const state = createHash("sha256");
  for (const name of readdirSync(seedDirectory).sort()) {
    const { size, mtimeMs } = statSync(join(seedDirectory, name));
    state.update(`${name} ${size} ${mtimeMs}\n`);
  }
  const file = join(cacheDirectory(), `seed-${state.digest("hex").slice(0, 16)}.db`);
  if (!existsSync(file)) {
    for (const old of seedFiles(cacheDirectory())) rmSync(old, { force: true });
    const { importAdvisories } = await import("@bulwark/advisory/maintain");
    await importAdvisories({ database: file, catalog, files: [seedDirectory], seed: true });
  }
  return file;
}

/** Databases of earlier seeds. */
function seedFiles(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => /^seed-[0-9a-f]{16}\.db$/.test(name))
    .map((name) => join(directory, name));
}
