import { join } from "node:path";
import { createFixtureServer, LOGIN } from "./fixture-server.ts";

/** `npm run fixture --workspace apps/console`: the console over made-up data, without server and database. */
const HOST = "127.0.0.1";
const PORT = Number(process.env.PORT ?? 8080);
const IMAGES = 100_000;

const app = await createFixtureServer({ images: IMAGES, dist: join(import.meta.dirname, "../../dist") });
await app.listen({ host: HOST, port: PORT });
process.stdout.write(`http://${HOST}:${PORT} login ${LOGIN.login}, password ${LOGIN.password}, code ${LOGIN.code}\n`);
