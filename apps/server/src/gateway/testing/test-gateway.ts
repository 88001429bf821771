import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addEnrolmentToken, endResponse, listNodes, type TenantQueries } from "@bulwark/store";
import { openTestStore } from "@bulwark/store/testing";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { pino } from "pino";
import { openSecretBox } from "../../security/secret-box.ts";
import { GATEWAY_NAME, openAuthority } from "../authority.ts";
import { createBatchWriter, type Inspect } from "../batch-writer.ts";
import type { DeepPartial } from "../contract.ts";
import type { Downstream, EnrollResponse, EventBatch, Upstream } from "../gen/wire-types.ts";
import { type Gateway, SERVICE, startGateway } from "../start-gateway.ts";
import { downstream, EVENT_TYPES, enrollRequest, enrollResponse, upstream } from "../wire.ts";

const TENANT = 1;
const log = pino({ level: "silent" });
const clock = () => new Date();

/** Sees an alert in every `nc` that is executed. */
export const inspect: Inspect = async (_tenant, _node, events) =>
  events.flatMap((event, position) => {
    if (event?.process?.name === "trap") throw new TypeError("a rule that fails");
    if (event?.type !== "execve" || event.process?.name !== "nc") return [];
    const { process, container } = event;
    const alert = {
      ...{ foldKey: `nc ${container?.id}`, rule: "Netcat", title: "nc was run", severity: "high" as const, tags: [] },
      ...{ container: container?.id ?? "", containerName: "", image: "", imageDigest: "", namespace: "", pod: "" },
      ...{ process: process.name, exe: process.exe, pid: process.pid, processStart: process.startUs },
      ...{ at: new Date(event.timeUs / 1_000), count: 1, blocked: false, facts: { arguments: process.arguments } },
    };
    return [{ position, alert }];
  });

/** What a node proves itself with. */
export interface Identity {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** A real gateway before a real PostgreSQL, and sensors that speak to it. */
export type TestGateway = Awaited<ReturnType<typeof openTestGateway>>;

export async function openTestGateway() {
  const directory = mkdtempSync(join(tmpdir(), "bulwark-gateway-"));
  const opened = await openTestStore();
  const secrets = await openSecretBox({ file: join(directory, "keys.json") });
  const authority = await openAuthority(opened.store, secrets, clock());
  let gateway = await start();

  return {
    ...{ directory, authority, keyAndRequest, client, token, enroll, enrolled, connect },
    tenant: <Result>(work: (db: TenantQueries) => Promise<Result>) => opened.store.tenant(TENANT, work),
    get port() {
      return gateway.port;
    },
    stop: () => gateway.close(),
    async start() {
      gateway = await start();
    },
    async close() {
      await gateway.close();
      await opened.close();
      rmSync(directory, { recursive: true });
    },
  };

  function start(): Promise<Gateway> {
    const writer = createBatchWriter({ store: opened.store, clock, log, inspect, onAlerts: async () => {} });
    return startGateway(
      {
        ...{ store: opened.store, secrets, authority, writer, clock, log },
        clusters: {
          admission: {
            bundle: async () => ({ revision: 0, document: {} }),
            answer: async () => {},
            decided: async () => {},
          },
          audit: { inspect: async () => {} },
          onChange: () => {},
        },
        watchPolicies: () => {},
        onFacts: async () => {},
        policyOf: async () => ({
          revision: 42,
          policy: { digestFilesUpToBytes: 7, blocks: [{ id: "b1", rule: "No shells" }] },
        }),
        async onResult(db, node, { orderId, outcome, detail }) {
          const state = outcome === 1 ? "done" : "failed";
          await endResponse(db, node.id, { uid: orderId, state, detail, facts: {}, at: clock() });
        },
      },
      { host: "127.0.0.1", port: 0 },
    );
  }

  function keyAndRequest(): { key: Buffer; request: string } {
    const file = join(directory, "node.key");
    execFileSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file]);
    const request = execFileSync("openssl", ["req", "-new", "-key", file, "-subj", "/CN=whatever"]).toString();
    return { key: execFileSync("cat", [file]), request };
  }

  function client(identity?: Identity): Client {
    const secure = credentials.createSsl(Buffer.from(authority.certificate), identity?.key, identity?.cert);
    return new Client(`127.0.0.1:${gateway.port}`, secure, {
      "grpc.ssl_target_name_override": GATEWAY_NAME,
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  async function token(uses = 1, expiresAt = new Date(Date.now() + 60_000)): Promise<string> {
    const text = `t-${Math.random()}`;
    const hash = createHash("sha256").update(text).digest("hex");
    await opened.store.tenant(TENANT, (db) =>
      addEnrolmentToken(db, TENANT, { name: "test", hash, uses, expiresAt, createdBy: "me", now: new Date() }),
    );
    return text;
  }

  function enroll(text: string, request: string): Promise<EnrollResponse> {
    const made = client();
    return new Promise<EnrollResponse>((resolve, reject) => {
      made.makeUnaryRequest(
        SERVICE.enrollment.enroll.path,
        enrollRequest.encode,
        enrollResponse.decode,
        { token: text, certificateRequest: request, node: { hostname: "node-a" } },
        (error, response) => (error === null ? resolve(response!) : reject(error)),
      );
    }).finally(() => made.close());
  }

  async function enrolled(): Promise<Identity & { readonly uid: string; readonly id: number }> {
    const { key, request } = keyAndRequest();
    const { certificate, nodeId } = await enroll(await token(), request);
    const nodes = await opened.store.tenant(TENANT, (db) => listNodes(db, { limit: 100 }));
    return { key, cert: Buffer.from(certificate), uid: nodeId, id: nodes.find(({ uid }) => uid === nodeId)!.id };
  }

  /** A sensor's end of a stream: what it sends, and what it is told. */
  function connect(identity: Identity) {
    const made = client(identity);
    const stream: ClientDuplexStream<DeepPartial<Upstream>, Downstream> = made.makeBidiStreamRequest(
      SERVICE.gateway.connect.path,
      upstream.encode,
      downstream.decode,
    );
    const told: Downstream[] = [];
    const waiting: (() => void)[] = [];
    stream.on("data", (message: Downstream) => {
      told.push(message);
      for (const wake of waiting.splice(0)) wake();
    });
    const ended = new Promise<{ code: number }>((resolve) => {
      stream.on("error", (error) => resolve(error as unknown as { code: number }));
      stream.on("end", () => resolve({ code: 0 }));
    });
    return {
      send: (message: DeepPartial<Upstream>) => void stream.write(message),
      async until<Found>(find: (message: Downstream) => Found | null | undefined): Promise<Found> {
        for (;;) {
          for (const message of told) {
            const found = find(message);
            if (found !== null && found !== undefined) return found;
          }
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      },
      ended,
      close() {
        stream.cancel();
        made.close();
      },
    };
  }
}

/** A batch of a shell and its `nc` in a container. */
export function batch(sequence: number, extra: DeepPartial<EventBatch> = {}): DeepPartial<EventBatch> {
  return {
    epoch: "e1",
    sequence,
    containers: [{ id: "c0ffee", name: "web", image: "shop:1" }],
    processes: [
      { pid: 10, startUs: 100, name: "bash", exe: "/bin/bash", arguments: ["bash"], container: 1 },
      {
        pid: 11,
        startUs: 200,
        parent: 1,
        name: "nc",
        exe: "/bin/nc",
        arguments: ["nc", "-e", "--password=hunter2"],
        container: 1,
      },
    ],
    events: [
      { type: EVENT_TYPES.EXECVE, timeUs: Date.now() * 1_000, process: 2 },
      {
        type: EVENT_TYPES.CONNECT,
        timeUs: Date.now() * 1_000,
        process: 2,
        remoteAddress: "10.1.2.3",
        remotePort: 4444,
        family: 4,
      },
    ],
    ...extra,
  };
}

export const acknowledged =
  (sequence: number, epoch = "e1") =>
  (message: Downstream) =>
    message.acknowledgement?.epoch === epoch && message.acknowledgement.sequence === sequence ? true : undefined;
