import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { addNode, connectionOf } from "@bulwark/store";
import { openTestStore } from "@bulwark/store/testing";
import pg from "pg";
import { pino } from "pino";
import { openAuthority } from "../apps/server/src/gateway/authority.ts";
import { startGatewayRole } from "../apps/server/src/gateway/start-gateway-role.ts";
import { openQueue } from "../apps/server/src/jobs/queue.ts";
import { openSecretBox } from "../apps/server/src/security/secret-box.ts";
import { type BenchResult, limited, smoke } from "./result.ts";

const BATCHES = smoke ? 5 : 600;
const EVENTS = 1_000;
const GOAL = 50_000;

/** One gateway with all shipped rules, PostgreSQL beside it, and a sensor that sends as fast as it is taken. */
export async function gatewayBench(work: string): Promise<readonly BenchResult[]> {
  const directory = join(work, "gateway");
  mkdirSync(directory);
  const opened = await openTestStore();
  const secrets = await openSecretBox({ file: join(directory, "keys.json") });
  const clock = () => new Date();
  const queue = await openQueue(opened.postgres.url, (error) => console.error(error));
  const deps = { store: opened.store, secrets, queue, clock, log: pino({ level: "warn" }) };
  const gateway = await startGatewayRole(deps, { host: "127.0.0.1", port: 0 });
  await enrol();
  const worker = spawn(
    process.execPath,
    [join(import.meta.dirname, "gateway-worker.ts"), String(gateway.port), directory, String(BATCHES)],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const began = performance.now();
  const cpu = process.cpuUsage();
  worker.stdin.write("go\n");
  await lines.next();
  const { user, system } = process.cpuUsage(cpu);
  const wallSeconds = (performance.now() - began) / 1_000;
  const count = await countEvents(opened.postgres.url);
  if (count !== BATCHES * EVENTS) throw new Error(`${BATCHES * EVENTS} events were sent and ${count} stored`);
  await gateway.close();
  await queue.close(1_000);
  await opened.close();
  const perCore = (BATCHES * EVENTS) / ((user + system) / 1e6);
  const perSecond = (BATCHES * EVENTS) / wallSeconds;
  return [
    limited("gateway: CPU for an event, stored and judged by all rules", 1e6 / perCore, "µs", 1e6 / GOAL),
    limited("the same on the clock, PostgreSQL and sensor on the same cores", 1e6 / perSecond, "µs", 1e6 / GOAL),
  ];

  async function enrol(): Promise<void> {
    const key = join(directory, "node.key");
    execFileSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key]);
    const request = execFileSync("openssl", ["req", "-new", "-key", key, "-subj", "/CN=bench"]).toString();
    const authority = await openAuthority(opened.store, secrets, clock());
    const uid = createHash("sha256").update(readFileSync(key)).digest("hex").slice(0, 32);
    const { pem, serial } = await authority.certifyNode(request, { uid, tenantId: 1 }, clock());
    const node = { uid, hostname: "bench", facts: {}, sensorVersion: "", certificateSerial: serial, now: clock() };
    await opened.store.tenant(1, (db) => addNode(db, node));
    writeFileSync(join(directory, "node.pem"), pem);
    writeFileSync(join(directory, "ca.pem"), authority.certificate);
  }
}

async function countEvents(url: string): Promise<number> {
  const client = new pg.Client(connectionOf(url));
  await client.connect();
  const { rows } = await client.query(
    "SELECT count(*)::int AS count, (SELECT string_agg(DISTINCT rule, ', ') FROM alert) AS alerts FROM runtime_event",
  );
  await client.end();
  // A rule that takes the made-up events for an attack would be measured instead of them.
  if (rows[0].alerts !== null) throw new Error(`rules fired on a quiet node: ${rows[0].alerts}`);
  return rows[0].count;
}
