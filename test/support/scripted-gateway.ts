import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTestStore } from "@bulwark/store/testing";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { openAuthority } from "../../apps/server/src/gateway/authority.ts";
import type { DeepPartial } from "../../apps/server/src/gateway/contract.ts";
import type { Order, OrderResult, Upstream } from "../../apps/server/src/gateway/gen/wire-types.ts";
import { SERVICE } from "../../apps/server/src/gateway/start-gateway.ts";
import { order } from "../../apps/server/src/gateway/wire.ts";
import { openSecretBox } from "../../apps/server/src/security/secret-box.ts";

const NODE = { uid: "node-1", tenantId: 1 };
const VALID_MS = 600_000;

/** A gateway that does as the test says, with one real sensor at it. */
export interface ScriptedGateway {
  /** Where the sensor keeps what it is and what it was told. */
  readonly state: string;
  /** Signs an order, sends it, and waits for what comes of it. */
  send(id: string, action: DeepPartial<Order>): Promise<OrderResult>;
  /** What the sensor tells of an order without being asked. */
  told(id: string): Promise<OrderResult>;
  /** Starts the sensor and waits until it has come. */
  start(): Promise<void>;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  close(): Promise<void>;
}

/** @param directory a folder of the test's own · @param program the sensor */
export async function openScriptedGateway(directory: string, program: string): Promise<ScriptedGateway> {
  const state = join(directory, "state");
  const orderKey = generateKeyPairSync("ed25519");
  const waiting = new Map<string, (result: OrderResult) => void>();
  let stream: ServerDuplexStream<Upstream, unknown> | undefined;
  let came = () => {};
  let sensor: ChildProcess | undefined;
  const store = await openTestStore();
  const secrets = await openSecretBox({ file: join(directory, "keys.json") });
  const authority = await openAuthority(store.store, secrets, new Date());
  const gateway = new Server();
  gateway.addService(SERVICE.gateway, {
    connect: (opened: ServerDuplexStream<Upstream, unknown>) => {
      opened.on("error", () => {});
      opened.on("data", ({ batch, result }: Upstream) => {
        if (batch) opened.write({ acknowledgement: { epoch: batch.epoch, sequence: batch.sequence } });
        if (result) waiting.get(result.orderId)?.(result);
      });
      opened.on("end", () => opened.end());
      stream = opened;
      came();
    },
  });
  const { key, cert } = await authority.certifyGateway(new Date());
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const secure = ServerCredentials.createSsl(Buffer.from(authority.certificate), [pair], true);
  const port = await new Promise<number>((resolve, reject) =>
    gateway.bindAsync("127.0.0.1:0", secure, (error, bound) => (error ? reject(error) : resolve(bound))),
  );

  mkdirSync(state, { mode: 0o700 });
  const file = join(directory, "node.key");
  execFileSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
  const request = execFileSync("openssl", ["req", "-new", "-key", file, "-subj", "/CN=x"]);
  const { pem } = await authority.certifyNode(request.toString(), NODE, new Date());
  const kept = { server: `https://127.0.0.1:${port}`, "node-id": NODE.uid, "authority.crt": authority.certificate };
  for (const [name, text] of Object.entries(kept)) writeFileSync(join(state, name), text);
  writeFileSync(join(state, "order.key"), Buffer.from(orderKey.publicKey.export({ format: "jwk" }).x!, "base64url"));
  writeFileSync(join(state, "node.pem"), `${readFileSync(file, "utf8")}\n${pem}`);

  const told = (id: string) => new Promise<OrderResult>((resolve) => waiting.set(id, resolve));
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    const running = sensor;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  };
  return {
    state,
    told,
    end,
    async send(id, action) {
      const times = { issuedUs: Date.now() * 1_000, expiresUs: (Date.now() + VALID_MS) * 1_000 };
      const bytes = order.encode({ id, nodeId: NODE.uid, ...times, ...action });
      const signature = sign(null, Buffer.concat([Buffer.from("bulwark order v1\0"), bytes]), orderKey.privateKey);
      const answered = told(id);
      stream!.write({ order: { order: bytes, signature } });
      return answered;
    },
    async start() {
      const connected = new Promise<void>((resolve) => {
        came = resolve;
      });
      sensor = spawn(program, ["run", "--state", state], { stdio: ["ignore", "ignore", "inherit"] });
      await connected;
    },
    async close() {
      await end("SIGTERM");
      gateway.forceShutdown();
      await store.close();
    },
  };
}
