export { changeImage, smallEstates, type TestImage } from "../lineage/testing/small-estate.ts";

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedPostgres, startPostgres } from "../embedded/start-postgres.ts";
import { connectionOf, openStore, type Store } from "../open-store.ts";

/** A store of its own for a test file: a real PostgreSQL, empty but for the schema. */
export interface TestStore {
  readonly store: Store;
  readonly postgres: EmbeddedPostgres & {
    /** Runs a statement as the superuser. */
    query(statement: string): Promise<void>;
  };
  close(): Promise<void>;
}

export async function openTestStore(): Promise<TestStore> {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-store-"));
  const postgres = await startPostgres(directory);
  const store = await openStore(postgres.url);
  return {
    store,
    postgres: {
      ...postgres,
      async query(statement) {
        const client = new pg.Client(connectionOf(postgres.url));
        await client.connect();
        await client.query(statement).finally(() => client.end());
      },
    },
    async close() {
      await store.close();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
