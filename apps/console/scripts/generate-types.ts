import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { type AppDeps, createApp } from "../../server/src/app.ts";

/** Writes the types of the API's contract from the server's own routes: no server, no database, no network. */
const TARGET = join(import.meta.dirname, "../src/api/gen/paths.ts");

/** Routes are only declared here, never called: whoever touches a store is told. */
const nothing = new Proxy({}, { get: (_, name) => fail(String(name)) });

function fail(name: string): never {
  throw new Error(`declaring routes must not use ${name}`);
}

const deps: AppDeps = {
  store: nothing as AppDeps["store"],
  secrets: nothing as AppDeps["secrets"],
  queue: nothing as AppDeps["queue"],
  events: nothing as AppDeps["events"],
  clock: () => new Date(),
  authenticate: async () => undefined,
};
const app = await createApp(deps);
await app.ready();
const source = astToString(await openapiTS(app.swagger() as unknown as OpenAPI3));
await mkdir(dirname(TARGET), { recursive: true });
await writeFile(TARGET, source);
await app.close();
