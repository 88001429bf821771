import { startServer } from "@bulwark/server";
import pino from "pino";

// A worker of its own, to be killed by a test: node worker-process.ts DATA_DIRECTORY DATABASE_URL
const [dataDirectory = "", databaseUrl = ""] = process.argv.slice(2);
await startServer({
  dataDirectory,
  databaseUrl,
  roles: new Set(["worker"]),
  host: "127.0.0.1",
  port: 0,
  concurrency: 1,
  log: pino({ level: "silent" }),
});
console.log("worker is ready");
