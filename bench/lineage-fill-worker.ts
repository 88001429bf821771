import { writeFileSync } from "node:fs";
import { openStore } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import pg from "pg";
import { connectionOf } from "../packages/store/src/open-store.ts";
import { makeEstate } from "./lineage-data.ts";
import { storeEstate } from "./lineage-rows.ts";
import { sizeNamed } from "./lineage-shares.ts";

// Writes an estate into a database and what is true of it into a file. A process of its own: its memory is not the server's.
const [directory = "", size = "", truthFile = ""] = process.argv.slice(2);
const postgres = await startPostgres(directory);
const store = await openStore(postgres.url);
const client = new pg.Client(connectionOf(postgres.url));
try {
  await client.connect();
  const estate = makeEstate(sizeNamed(size));
  await storeEstate(client, estate, new Date());
  writeFileSync(truthFile, JSON.stringify(estate.truth));
} finally {
  await client.end();
  await store.close();
  await postgres.stop();
}
