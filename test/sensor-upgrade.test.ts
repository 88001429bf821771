import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server as WebServer } from "node:http";
import { join } from "node:path";
import { temporaryDirectory } from "@bulwark/image/testing";
import { openTestStore, type TestStore } from "@bulwark/store/testing";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Authority, openAuthority } from "../apps/server/src/gateway/authority.ts";
import type { OrderResult, RenewRequest, Upstream } from "../apps/server/src/gateway/gen/wire-types.ts";
import { SERVICE } from "../apps/server/src/gateway/start-gateway.ts";
import { order } from "../apps/server/src/gateway/wire.ts";
import { openSecretBox } from "../apps/server/src/security/secret-box.ts";
import { SENSOR, whyNoSensor } from "./support/sensor-process.ts";

const why = whyNoSensor();
const DAY_MS = 86_400_000;
const NODE = { uid: "node-1", tenantId: 1 };
const DONE = 1;
const UNCHANGED = 2;
const FAILED = 3;
const REFUSED = 4;

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();

describe.skipIf(why !== "")("a sensor that is ordered to upgrade itself", () => {
  const directory = temporaryDirectory();
  const program = join(directory.path, "bin/bulwark-sensor");
  const state = join(directory.path, "state");
  const orderKey = generateKeyPairSync("ed25519");
  const old = why === "" ? readFileSync(SENSOR) : Buffer.alloc(0);
  /** The same program in every way that counts: what follows the last section of an ELF file is not looked at. */
  const fresh = Buffer.concat([old, Buffer.from("another version")]);
  const broken = Buffer.from("#!/bin/false\n");
  const files = new Map([
    ["/fresh", fresh],
    ["/broken", broken],
  ]);
  const results = new Map<string, OrderResult[]>();
  const waiting = new Map<string, () => void>();
  let renewals = 0;
  let store: TestStore;
  let gateway: Server;
  let web: WebServer;
  let sensor: ChildProcess;
  let stream: ServerDuplexStream<Upstream, unknown> | undefined;
  let opened = () => {};

  const signed = (prefix: string, bytes: Buffer) =>
    sign(null, Buffer.concat([Buffer.from(prefix), bytes]), orderKey.privateKey);
  const nodePem = () => readFileSync(join(state, "node.pem"), "utf8");

  /** Sends an order to put this program in place, and waits for what comes of it. */
  async function upgrade(id: string, path: string, options: { digest?: Buffer; signature?: Buffer } = {}) {
    const { digest = sha256(files.get(path)!), signature = signed("bulwark sensor v1\0", digest) } = options;
    const address = `http://127.0.0.1:${(web.address() as { port: number }).port}${path}`;
    const times = { issuedUs: Date.now() * 1_000, expiresUs: (Date.now() + 600_000) * 1_000 };
    const bytes = order.encode({
      ...{ id, nodeId: NODE.uid, ...times },
      upgrade: { version: "9", address, sha256: digest, signature },
    });
    const answered = new Promise<void>((resolve) => waiting.set(id, resolve));
    stream!.write({ order: { order: bytes, signature: signed("bulwark order v1\0", bytes) } });
    await answered;
    return results.get(id)!.at(-1)!;
  }

  function start() {
    sensor = spawn(program, ["run", "--state", state], { stdio: ["ignore", "ignore", "inherit"] });
  }

  async function end(signal: "SIGTERM" | "SIGKILL") {
    const ended = new Promise((resolve) => sensor.once("exit", resolve));
    sensor.kill(signal);
    await ended;
  }

  async function enrol(authority: Authority, port: number) {
    mkdirSync(state, { mode: 0o700 });
    const file = join(directory.path, "node.key");
    execFileSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
    const request = execFileSync("openssl", ["req", "-new", "-key", file, "-subj", "/CN=x"]);
    // Made so long ago that less than a third of its thirty days is left.
    const { pem } = await authority.certifyNode(request.toString(), NODE, new Date(Date.now() - 25 * DAY_MS));
    const raw = Buffer.from(orderKey.publicKey.export({ format: "jwk" }).x!, "base64url");
    const kept = { server: `https://127.0.0.1:${port}`, "node-id": NODE.uid, "authority.crt": authority.certificate };
    for (const [name, text] of Object.entries(kept)) writeFileSync(join(state, name), text);
    writeFileSync(join(state, "order.key"), raw);
    writeFileSync(join(state, "node.pem"), `${readFileSync(file, "utf8")}\n${pem}`);
  }

  beforeAll(async () => {
    store = await openTestStore();
    const secrets = await openSecretBox({ file: join(directory.path, "keys.json") });
    const authority = await openAuthority(store.store, secrets, new Date());
    gateway = new Server();
    gateway.addService(SERVICE.gateway, {
      renew: async ({ request }: { request: RenewRequest }, callback: (error: null, answer: unknown) => void) => {
        renewals++;
        const { pem } = await authority.certifyNode(request.certificateRequest, NODE, new Date());
        const key = Buffer.from(orderKey.publicKey.export({ format: "jwk" }).x!, "base64url");
        callback(null, {
          certificate: pem,
          authority: authority.certificate,
          nodeId: NODE.uid,
          orderKey: key,
        });
      },
      connect: (came: ServerDuplexStream<Upstream, unknown>) => {
        came.on("error", () => {});
        came.on("data", ({ batch, result }: Upstream) => {
          if (batch) came.write({ acknowledgement: { epoch: batch.epoch, sequence: batch.sequence } });
          if (!result) return;
          results.set(result.orderId, [...(results.get(result.orderId) ?? []), result]);
          waiting.get(result.orderId)?.();
        });
        came.on("end", () => came.end());
        stream = came;
        opened();
      },
    });
    const { key, cert } = await authority.certifyGateway(new Date());
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
    const secure = ServerCredentials.createSsl(Buffer.from(authority.certificate), [pair], true);
    const port = await new Promise<number>((resolve, reject) =>
      gateway.bindAsync("127.0.0.1:0", secure, (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    web = createServer(({ url = "" }, response) => {
      const file = files.get(url);
      response.writeHead(file === undefined ? 404 : 200).end(file);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    await enrol(authority, port);
    mkdirSync(join(directory.path, "bin"));
    copyFileSync(SENSOR, program);
    const connected = new Promise<void>((resolve) => {
      opened = resolve;
    });
    start();
    await connected;
  }, 60_000);

  afterAll(async () => {
    if (sensor?.exitCode === null) await end("SIGTERM");
    gateway?.forceShutdown();
    web?.close();
    await store?.close();
    directory.remove();
  });

  test("renews a certificate of which less than a third is left, and comes with the new one", () => {
    expect(renewals).toBe(1);
    const text = execFileSync("openssl", ["x509", "-noout", "-enddate"], { input: nodePem() }).toString();
    expect(Date.parse(text.slice("notAfter=".length)) - Date.now()).toBeGreaterThan(28 * DAY_MS);
  });

  test("refuses a program that was not signed, or was signed as something else", async () => {
    const signature = signed("bulwark order v1\0", sha256(fresh));
    expect(await upgrade("unsigned", "/fresh", { signature: Buffer.alloc(64) })).toMatchObject({ outcome: REFUSED });
    expect(await upgrade("other", "/fresh", { signature })).toMatchObject({
      outcome: REFUSED,
      detail: "the signature of the program is wrong",
    });
  });

  test("takes nothing but what was ordered", async () => {
    const digest = sha256(Buffer.from("another program"));
    const result = await upgrade("exchanged", "/fresh", { digest });
    expect(result).toMatchObject({ outcome: FAILED, detail: expect.stringContaining("nothing was changed") });
    expect(await upgrade("gone", "/gone", { digest })).toMatchObject({
      outcome: FAILED,
      detail: expect.stringContaining("404"),
    });
    expect(readFileSync(program).equals(old)).toBe(true);
  });

  test("puts itself back when the new program does not reach the gateway", async () => {
    const result = await upgrade("broken", "/broken");
    expect(result).toMatchObject({ outcome: FAILED, detail: expect.stringContaining("taken back: it ended before") });
    expect(readFileSync(program).equals(old)).toBe(true);
    expect(sensor.exitCode).toBeNull();
  }, 60_000);

  test("becomes the new program once that has reached the gateway, as the same process", async () => {
    const result = await upgrade("good", "/fresh");
    expect(result).toMatchObject({ outcome: DONE, detail: "sensor 9 runs" });
    expect(readFileSync(`/proc/${sensor.pid}/exe`).equals(fresh)).toBe(true);
    expect(readFileSync(`${program}.previous`).equals(old)).toBe(true);
    // The answer is remembered: the same order is answered again, and carried out no second time.
    expect(await upgrade("good", "/fresh")).toEqual(result);
    expect(await upgrade("again", "/fresh")).toMatchObject({ outcome: UNCHANGED });
  }, 60_000);

  test("puts itself back at the next start when the trial was cut short", async () => {
    await end("SIGKILL");
    const trial = { order: "cut", version: "9", sha256: sha256(fresh).toString("hex"), phase: "trial", reason: "" };
    writeFileSync(join(state, "upgrade"), JSON.stringify(trial));
    const answered = new Promise<void>((resolve) => waiting.set("cut", resolve));
    start();
    await answered;
    expect(results.get("cut")).toMatchObject([{ outcome: FAILED, detail: expect.stringContaining("interrupted") }]);
    expect(readFileSync(program).equals(old)).toBe(true);
  }, 60_000);
});
