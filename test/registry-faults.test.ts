import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import {
  type BuiltImage,
  buildImage,
  type ChildServer,
  startChild,
  temporaryDirectory,
  writeLayout,
} from "@bulwark/image/testing";
import { type EmbeddedPostgres, startPostgres } from "@bulwark/store/embedded";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { type Fault, type RecordingProxy, startProxy } from "./support/recording-proxy.ts";
import { ended, type SeenJob, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";

const directory = temporaryDirectory();
const WORKER = join(import.meta.dirname, "support/worker-process.ts");

interface Listed<Item> {
  readonly items: readonly Item[];
}
interface SeenTask {
  readonly name: string;
  readonly state: string;
  readonly attempts: number;
  readonly problem: string;
  readonly worker: string;
  readonly step: string;
}

let real: RealRegistry;
let proxy: RecordingProxy;
let postgres: EmbeddedPostgres;
let server: ServerUnderTest;

/** An image whose layers are its own; the first is of this many bytes that do not compress. */
function image(name: string, layers = 1, bytes = 0): BuiltImage {
  const noise = randomBytes(bytes);
  return buildImage({
    layers: Array.from({ length: layers }, (_, place) => ({
      files: {
        [`app/node_modules/${name}-${place}/package.json`]: JSON.stringify({
          name: `${name}-${place}`,
          version: "1.0.0",
        }),
        ...(place === 0 && bytes > 0 ? { "srv/noise.bin": noise } : {}),
      },
    })),
  });
}

async function push(built: BuiltImage, name: string): Promise<void> {
  const layout = join(directory.path, "layout", name.replaceAll(/[/:]/g, "_"));
  writeLayout(built, layout, "x");
  await pushLayout(layout, `${real.host}/${name}`);
}

const connect = (name: string, include: string, more: object = {}) =>
  server.call<{ id: number }>("POST", "/registries", {
    name,
    kind: "oci",
    address: proxy.host,
    plainHttp: true,
    allowPrivate: true,
    pollMinutes: 0,
    timeoutSeconds: 1,
    include: [include],
    ...more,
  });
const registryOf = (id: number) =>
  server.call<{ state: string; problem: string; images: number }>("GET", `/registries/${id}`);
const jobOf = async (title: string) => {
  const { items } = await server.call<Listed<SeenJob & { title: string }>>("GET", "/jobs");
  const job = items.find((each) => each.title === title);
  if (job === undefined) throw new Error(`no job ${title}`);
  return job;
};
const endOf = async (title: string) => ended(server, (await jobOf(title)).id);
const tasksOf = async (title: string) =>
  (await server.call<Listed<SeenTask>>("GET", `/jobs/${(await jobOf(title)).id}/tasks?limit=500`)).items;
const report = (what: string) => console.log(`measured: ${what}`);

/** Answers requests whose address holds `part` with nothing until it is let go. */
function hold(part: string): { readonly fault: Fault; readonly held: ServerResponse[] } {
  const held: ServerResponse[] = [];
  const fault: Fault = ({ url }, response) => {
    if (!url.includes(part)) return false;
    held.push(response);
    return true;
  };
  return { fault, held };
}

beforeAll(async () => {
  chmodSync(directory.path, 0o755);
  real = await startRealRegistry(join(directory.path, "registry"));
  proxy = await startProxy(real.host);
  postgres = await startPostgres(join(directory.path, "database"));
  server = await startTestServer(join(directory.path, "data"), { databaseUrl: postgres.url, retryMs: 200 });
});
afterEach(() => proxy.play(undefined));
afterAll(async () => {
  await server?.close();
  await postgres?.stop();
  await proxy?.close();
  await real?.stop();
  directory.remove();
});

describe("a registry that misbehaves", () => {
  test("by hanging is given up after its time, tried again with pauses, and read once it answers", async () => {
    await push(image("hanging"), "hanging/app:1");
    proxy.play(() => true);
    const begun = Date.now();
    const { id } = await connect("hanging", "hanging/**");
    const tried = await until("a second try", async () => {
      const [task] = await tasksOf("hanging");
      return task !== undefined && task.attempts >= 2 && task;
    });
    report(`a registry that hangs is given up and tried again after ${Date.now() - begun} ms (3 requests of 1 s each)`);
    expect(tried.state).not.toBe("failed");
    expect((await registryOf(id)).problem).toMatch(/cannot be reached: no answer for 1000 ms|^$/);
    proxy.play(undefined);
    expect(await endOf("hanging")).toMatchObject({ state: "done", done: 2 });
  });

  test("by answering 429 is asked again when it says so", async () => {
    await push(image("busy"), "busy/app:1");
    let refusals = 0;
    proxy.play((_, response) => {
      if (++refusals > 2) return false;
      response.writeHead(429, { "retry-after": "1" }).end();
      return true;
    });
    const begun = Date.now();
    await connect("busy", "busy/**");
    expect(await endOf("busy")).toMatchObject({ state: "done", done: 2 });
    expect(Date.now() - begun).toBeGreaterThanOrEqual(2_000);
  });

  test("by answering 500 for one image ends in that image's dead letter, and the rest is scanned", async () => {
    const broken = image("broken");
    await push(broken, "mixed/broken:1");
    await push(image("sound"), "mixed/sound:1");
    proxy.play(({ url }, response) => {
      if (!url.includes(`/blobs/${broken.layerDigests[0]}`)) return false;
      response.writeHead(500).end();
      return true;
    });
    const begun = Date.now();
    await connect("mixed", "mixed/**");
    expect(await endOf("mixed")).toMatchObject({ state: "failed", done: 2, failed: 1 });
    report(`5 tries of a broken image, pauses of 0.2 to 1.6 s between them: ${Date.now() - begun} ms`);
    const { items } = await server.call<Listed<SeenTask>>("GET", "/tasks/failed");
    expect(items[0]).toMatchObject({ attempts: 5, problem: expect.stringContaining("status 500") });
    expect(items[0]?.name).toContain("mixed/broken");
    proxy.play(undefined);
    const { id } = await jobOf("mixed");
    await server.call("POST", `/jobs/${id}/retry`);
    expect(await ended(server, id)).toMatchObject({ state: "done", done: 3, failed: 0 });
  });

  test("by lying about manifests is believed nowhere: what it lies about is named, the rest is scanned", async () => {
    const honest = image("honest");
    await push(honest, "lies/honest:1");
    await push(image("swapped"), "lies/swapped:1");
    await push(image("both"), "lies/both:1");
    proxy.play(({ method, url }, response) => {
      if (method === "GET" && url.endsWith("/lies/swapped/manifests/1")) {
        const type = "application/vnd.oci.image.manifest.v1+json";
        response.writeHead(200, { "content-type": type, "docker-content-digest": `sha256:${"0".repeat(64)}` });
        response.end(honest.manifestBytes);
        return true;
      }
      if (method === "GET" && url.endsWith("/lies/both/manifests/1")) {
        const manifest = JSON.parse(Buffer.from(honest.manifestBytes).toString()) as object;
        response.writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json" });
        response.end(JSON.stringify({ ...manifest, manifests: [] }));
        return true;
      }
      return false;
    });
    const { id } = await connect("lies", "lies/**");
    expect(await endOf("lies")).toMatchObject({ state: "done", done: 2 });
    const { problem, images } = await registryOf(id);
    expect(images).toBe(1);
    expect(problem).toMatch(/lies\/both:1: .*does not look like that/);
    expect(problem).toMatch(/lies\/swapped:1: .*should have digest/);
  });

  test("by cutting a layer at byte N is asked for the rest alone", async () => {
    const large = image("large", 1, 3_000_000);
    await push(large, "large/app:1");
    const blob = Buffer.from(large.blobs.get(large.layerDigests[0]!)!);
    let sent = 0;
    let cuts = 0;
    proxy.play(({ url }, response) => {
      if (!url.includes(`/blobs/${large.layerDigests[0]}`) || cuts >= 1) return false;
      cuts++;
      sent = 1_234_567;
      response.writeHead(200, { "content-length": blob.length });
      response.write(blob.subarray(0, sent), () => response.destroy());
      return true;
    });
    proxy.take();
    await connect("large", "large/**");
    expect(await endOf("large")).toMatchObject({ state: "done", done: 2 });
    const asked = proxy.take().filter(({ url }) => url.includes(large.layerDigests[0]!));
    expect(asked).toHaveLength(2);
    const from = Number(/^bytes=(\d+)-$/.exec(asked[1]?.range ?? "")?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(sent);
    report(`a layer of ${blob.length} bytes cut at ${sent}: the rest was asked for with Range, in the same try`);
  });
});

describe("jobs", () => {
  const blobs = async (name: string, count: number) => {
    for (let i = 0; i < count; i++) await push(image(`${name}${i}`), `${name}/app${i}:1`);
  };

  test("run no faster than the registry allows, across repositories", async () => {
    await blobs("paced", 4);
    const begun = Date.now();
    await connect("paced", "paced/**", { imagesPerMinute: 60 });
    expect(await endOf("paced")).toMatchObject({ state: "done", done: 5 });
    const took = Date.now() - begun;
    report(`4 images at 60 a minute: ${took} ms`);
    expect(took).toBeGreaterThanOrEqual(3_000);
  });

  test("are paused, resumed and cancelled, and tell of it in events", async () => {
    await blobs("held", 5);
    const events: string[] = [];
    const watching = new AbortController();
    const stream = await server.send("GET", "/events?topics=jobs", undefined, watching.signal);
    const reading = (async () => {
      for await (const chunk of stream.body ?? []) {
        events.push(Buffer.from(chunk).toString());
      }
    })().catch(() => {});
    const { fault, held } = hold("/blobs/");
    proxy.play(fault);
    await connect("held", "held/**", { timeoutSeconds: 60 });
    await until("two images that are read", async () => held.length >= 2);
    const { id } = await jobOf("held");
    await server.call("POST", `/jobs/${id}/pause`);
    proxy.play(undefined);
    for (const response of held.splice(0)) response.destroy();
    await until("parked tasks, and the end of what ran", async () => {
      const states = (await tasksOf("held")).map(({ state }) => state);
      return states.filter((state) => state === "parked").length === 3 && !states.includes("running");
    });
    expect(await server.call("GET", `/jobs/${id}`)).toMatchObject({ state: "paused", done: 3, total: 6 });
    proxy.play(fault);
    await server.call("POST", `/jobs/${id}/resume`);
    await until("images that are read again", async () => held.length >= 2);
    const begun = Date.now();
    await server.call("POST", `/jobs/${id}/cancel`);
    await until("the end of what ran", async () =>
      (await tasksOf("held")).every(({ state }) => !["running", "waiting"].includes(state)),
    );
    report(`tasks that run stop ${Date.now() - begun} ms after their job was cancelled`);
    expect(await server.call("GET", `/jobs/${id}`)).toMatchObject({ state: "cancelled", done: 3 });
    expect((await server.send("POST", `/jobs/${id}/resume`)).status).toBe(409);
    expect(events.join("")).toContain(`event: jobs\ndata: {"topic":"jobs","id":"${id}"}`);
    watching.abort();
    await reading;
    for (const response of held) response.destroy();
  });
});

describe("two workers on one database", () => {
  let child: ChildServer | undefined;
  const startWorkerProcess = async () => {
    child = await startChild(process.execPath, [WORKER, join(directory.path, "data"), postgres.url], /worker is ready/);
    return child;
  };
  afterEach(async () => {
    await child?.stop();
    child = undefined;
  });

  test("a worker that is killed within an image of five layers: another takes over, and reads what was not done", async () => {
    const layered = image("layered", 5);
    await push(layered, "layered/app:1");
    const { fault, held } = hold(`/blobs/${layered.layerDigests[3]}`);
    proxy.play(fault);
    proxy.take();
    // The server's own workers are kept busy, so that the process which is killed gets the image.
    await connect("layered", "layered/**", { timeoutSeconds: 60 });
    await until("a layer that is held", async () => held.length > 0);
    const [first] = await tasksOf("layered");
    await startWorkerProcess();
    const holder = first?.worker ?? "";
    expect(holder).toMatch(/\/\d+$/);
    // It is this process that holds the image now; hand it to the child by stopping the server.
    const closing = server.close();
    await closing;
    await until("the child to hold it", async () => held.length > 1);
    const killed = child!;
    process.kill(killed.pid, "SIGKILL");
    const begun = Date.now();
    server = await startTestServer(join(directory.path, "data"), { databaseUrl: postgres.url, retryMs: 200 });
    proxy.play(undefined);
    const job = await endOf("layered");
    report(`a worker killed with SIGKILL: its image was scanned by another ${Date.now() - begun} ms later`);
    expect(job).toMatchObject({ state: "done", total: 2, done: 2, failed: 0 });
    const asked = proxy.take().map(({ url }) => url);
    const count = (digest: string) => asked.filter((url) => url.endsWith(`/blobs/${digest}`)).length;
    const counts = layered.layerDigests.map(count);
    report(`requests for its five layers, the fourth of which was held twice: ${counts.join(", ")}`);
    expect(counts).toEqual([1, 1, 1, 3, expect.any(Number)]);
    for (const response of held) response.destroy();
    const found = await server.call<{ state: string; packageCount: number }>(
      "GET",
      `/images/${layered.manifest.digest}`,
    );
    expect(found).toMatchObject({ state: "scanned", packageCount: 5 });
  });

  test("PostgreSQL restarts in the middle of a scan of a registry: nothing is lost, nothing double", async () => {
    const COUNT = 24;
    for (let i = 0; i < COUNT; i++) await push(image(`restart${i}`, 2), `restart/app${i}:1`);
    await startWorkerProcess();
    await connect("restart", "restart/**");
    await until("a few images", async () => (await jobOf("restart")).done >= 4);
    const { id } = await jobOf("restart");
    const begun = Date.now();
    await postgres.stop();
    postgres = await startPostgres(join(directory.path, "database"));
    const restarted = Date.now() - begun;
    const job = await until("an answer", async () => await server.call<SeenJob>("GET", `/jobs/${id}`));
    expect(job.state).toBe("running");
    const end = await ended(server, id);
    report(
      `PostgreSQL away for ${restarted} ms in a scan of ${COUNT} images; all were scanned ${Date.now() - begun} ms after it stopped`,
    );
    expect(end).toMatchObject({ state: "done", total: COUNT + 1, done: COUNT + 1, failed: 0 });
    const workers = new Set((await tasksOf("restart")).map(({ worker }) => worker));
    report(`workers that took part: ${workers.size}`);
    const { items } = await server.call<Listed<{ state: string }>>("GET", "/images?limit=200&search=restart/app");
    expect(items.map(({ state }) => state)).toEqual(Array.from({ length: COUNT }, () => "scanned"));
  });
});
