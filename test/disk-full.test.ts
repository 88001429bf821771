import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { ended, type SeenJob, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const IMAGES = 12;
const PACKAGES = 400;
/** Room for PostgreSQL's programs, which are copied where root runs it, an empty cluster, and what the test fills. */
const DISK = "420m";

interface SeenTask {
  readonly state: string;
  readonly problem: string;
}
interface SeenImage {
  readonly state: string;
  readonly packageCount: number;
}

const report = (what: string) => console.log(`measured: ${what}`);
const directory = temporaryDirectory();
const disk = join(directory.path, "disk");
const filler = join(disk, "filler");

let real: RealRegistry;
let server: ServerUnderTest;

/** Packages nobody else has, so that each image is rows of its own. */
function image(name: string) {
  const files = Array.from({ length: PACKAGES }, (_, at) => [
    `app/node_modules/${name}-${at}/package.json`,
    JSON.stringify({ name: `${name}-${at}`, version: "1.0.0", description: "x".repeat(400) }),
  ]);
  return buildImage({ layers: [{ files: Object.fromEntries(files) }] });
}

/** Leaves so many bytes on the disk. */
function fill(leftBytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes)));
}

// A disk of its own can be mounted by root only.
describe.skipIf(process.getuid?.() !== 0)("a disk that is full", () => {
  beforeAll(async () => {
    chmodSync(directory.path, 0o755);
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK},mode=755`, "bulwark-test", disk]);
    real = await startRealRegistry(join(directory.path, "registry"));
    for (let at = 0; at < IMAGES; at++) {
      const layout = join(directory.path, `layout-${at}`);
      writeLayout(image(`full${at}`), layout, "x");
      await pushLayout(layout, `${real.host}/full/app${at}:1`);
    }
    server = await startTestServer(join(disk, "data"), { retryMs: 200 });
  });
  afterAll(async () => {
    await server?.close();
    await real?.stop();
    execFileSync("umount", ["-l", disk]);
    directory.remove();
  });

  const jobOf = async (title: string) => {
    const { items } = await server.call<{ items: readonly (SeenJob & { title: string })[] }>("GET", "/jobs");
    const job = items.find((each) => each.title === title);
    if (job === undefined) throw new Error(`no job ${title}`);
    return job;
  };

  /** As superuser, to whom rows of all tenants are shown. */
  const query = async (text: string) => {
    const password = readFileSync(join(disk, "data/postgresql.password"), "utf8").trim();
    const client = new pg.Client({ host: join(disk, "data/run"), user: "bulwark", password, database: "postgres" });
    client.on("error", () => {});
    await client.connect();
    return client.query(text).finally(() => client.end());
  };

  test("keeps images waiting with a plain reason; with room again the scan ends, nothing lost or double", async () => {
    // A fresh segment of the write-ahead log has room for what follows: PostgreSQL ends where it finds none for the next.
    await query("SELECT pg_logical_emit_message(false, 'bulwark', 'x'); SELECT pg_switch_wal(); CHECKPOINT");
    fill(1_500_000);
    const begun = Date.now();
    await server.call("POST", "/registries", {
      name: "full",
      kind: "oci",
      address: real.host,
      plainHttp: true,
      allowPrivate: true,
      pollMinutes: 0,
      include: ["full/**"],
    });
    const { id } = await jobOf("full");
    const tasks = async () =>
      (await server.call<{ items: readonly SeenTask[] }>("GET", `/jobs/${id}/tasks?limit=500`)).items;
    const waits = await until("a task that says why", async () =>
      (await tasks()).find(({ problem, state }) => state === "waiting" && problem.includes("is full")),
    );
    expect(waits.problem).toMatch(/^the disk of the database or of the worker is full \(.*\); free space there, /);
    // It is tried more often than a task that fails for reasons of its own.
    const again = Date.now() + 3_000;
    await until("more tries", async () => Date.now() > again);
    expect((await tasks()).filter(({ state }) => state === "failed")).toEqual([]);
    expect(await jobOf("full")).toMatchObject({ state: "running" });
    // The server answers all the while, and says of what it cannot write why.
    expect(await refusedWrite()).toMatchObject({ status: 507, code: "DISK_FULL" });
    rmSync(filler);
    const freed = Date.now();
    expect(await ended(server, id)).toMatchObject({ state: "done", total: IMAGES + 1, done: IMAGES + 1, failed: 0 });
    report(
      `a disk that was full for ${freed - begun} ms: ${IMAGES} images were scanned ${Date.now() - freed} ms after`,
    );
    await expectAllOnce();
  });

  test("ends no server, even where the database cannot go on: it comes back with room, and what was kept is there", async () => {
    fill(200_000);
    // The next segment of the write-ahead log finds no room: PostgreSQL gives up (PANIC).
    for (let at = 0; at < 4; at++) {
      await query("SELECT pg_logical_emit_message(false, 'bulwark', 'x'); SELECT pg_switch_wal()").catch(() => {});
    }
    await until("the database to be away", async () => (await fetch(`${server.url}/readyz`)).status === 503);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    rmSync(filler);
    const freed = Date.now();
    await until("the database to be back", async () => (await fetch(`${server.url}/readyz`)).status === 200);
    report(`the database was back ${Date.now() - freed} ms after there was space`);
    await expectAllOnce();
    await server.call("POST", "/owners", { name: "afterwards" });
  });

  async function refusedWrite(): Promise<unknown> {
    return until("a write that is refused", async () => {
      const answer = await server.send("POST", "/owners", { name: `owner ${Math.random()} ${"x".repeat(40)}` });
      return answer.status !== 201 && answer.json();
    });
  }

  async function expectAllOnce(): Promise<void> {
    const { items } = await server.call<{ items: readonly SeenImage[] }>("GET", "/images?limit=200&search=full/app");
    expect(items.map(({ state, packageCount }) => `${state} ${packageCount}`)).toEqual(
      Array.from({ length: IMAGES }, () => `scanned ${PACKAGES}`),
    );
    const { rows } = await query(
      "SELECT count(*) AS rows, count(DISTINCT (chain_id, package_id, path)) AS kinds FROM chain_package",
    );
    expect(rows).toEqual([{ rows: IMAGES * PACKAGES, kinds: IMAGES * PACKAGES }]);
  }
});
