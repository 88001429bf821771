import { createHash, randomUUID } from "node:crypto";
import { addNode, announce, certifyNode, findCertifiedNode, listenToEvents, takeEnrolmentToken } from "@bulwark/store";
import { Server, type ServerDuplexStream, type ServerUnaryCall, type ServiceDefinition } from "@grpc/grpc-js";
import { auditSystem } from "../audit/audit.ts";
import { addClusterService, type ClusterServiceDeps } from "../clusters/cluster-service.ts";
import { type DeepPartial, method } from "./contract.ts";
import { GatewayError } from "./errors.ts";
import type { EnrollRequest, EnrollResponse, RenewRequest, Upstream } from "./gen/wire-types.ts";
import { listen } from "./listen.ts";
import {
  type ConnectedNode,
  type DownstreamMessage,
  type NodeStream,
  type StreamDeps,
  serveStream,
} from "./node-stream.ts";
import { hostOf, programAddress, servePrograms } from "./programs.ts";
import { serviceError, unary } from "./status.ts";
import { downstream, enrollRequest, enrollResponse, renewRequest, upstream } from "./wire.ts";

const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
const KEEPALIVE_MS = 30_000;
const CLOSE_WITHIN_MS = 5_000;

export type GatewayDeps = Omit<StreamDeps, "gateway" | "addressOf"> & {
  /** Calls when the policy of a tenant is another one. */
  readonly watchPolicies: (onChange: (tenantId: number) => void) => void;
  /** What clusters' agents ask and tell. */
  readonly clusters: Pick<ClusterServiceDeps, "admission" | "audit" | "onChange">;
};

/** The gateway role: where sensors connect. */
export interface Gateway {
  readonly port: number;
  /** Sensors that are connected here; agents of clusters are not counted. */
  readonly connected: number;
  close(): Promise<void>;
}

/** Starts to listen for sensors. Any number of gateways serve one database: a sensor may come back to another one. */
export async function startGateway(
  deps: GatewayDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Gateway> {
  const gateway = randomUUID();
  const streams = new Map<number, NodeStream>();
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
  });
  server.addService(SERVICE.enrollment, { enroll: unary((call) => enroll(deps, call.request)) });
  server.addService(SERVICE.gateway, {
    renew: unary(async (call) => renew(deps, await authenticate(deps, call), call.request)),
    connect: (stream: ServerDuplexStream<Upstream, DownstreamMessage>) => {
      // Nothing of the stream is lost while the node is looked up: it is not read before somebody listens.
      void authenticate(deps, stream).then(
        (node) => {
          streams.get(node.id)?.end();
          const host = stream.getHost();
          const addressOf = async (uid: string) => {
            await listening.certifyFor(hostOf(host));
            return programAddress(host, node.tenantId, uid);
          };
          addressOf("").catch((error) => deps.log.warn({ err: error, host }, "the gateway has no certificate for it"));
          const open = serveStream(stream, node, { ...deps, gateway, addressOf }, () => {
            if (streams.get(node.id) === open) streams.delete(node.id);
          });
          streams.set(node.id, open);
        },
        (error) => stream.emit("error", serviceError(error)),
      );
    },
  });
  const clusters = await addClusterService(server, { ...deps, ...deps.clusters, gateway });
  const downloads = servePrograms(deps);
  const listening = await listen({ ...deps, streams: server, downloads }, { host, port });
  const each = (work: (stream: NodeStream) => Promise<void>, of: (stream: NodeStream) => boolean) => {
    for (const stream of streams.values()) {
      if (of(stream)) work(stream).catch((error) => deps.log.warn({ err: error }, "a sensor could not be told"));
    }
  };
  deps.watchPolicies((tenantId) =>
    each(
      (s) => s.sendPolicy(),
      ({ node }) => node.tenantId === tenantId,
    ),
  );
  const listener = await listenToEvents(
    deps.store,
    ({ tenantId, topic, id }) => {
      // A node that was removed is told so when it comes back: its certificate counts no more.
      if (topic === "revocations") streams.get(Number(id))?.end();
      if (topic === "orders")
        each(
          (s) => s.sendOrders(),
          ({ node }) => node.tenantId === tenantId && String(node.id) === String(id),
        );
    },
    () =>
      each(
        (s) => s.sendOrders(),
        () => true,
      ),
  );
  return {
    port: listening.port,
    get connected() {
      return streams.size;
    },
    async close() {
      await listener.close();
      await clusters.close();
      listening.close();
      for (const stream of streams.values()) stream.end();
      const late = setTimeout(() => server.forceShutdown(), CLOSE_WITHIN_MS);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(late);
      await deps.writer.close();
    },
  };
}

async function enroll(deps: GatewayDeps, request: EnrollRequest): Promise<DeepPartial<EnrollResponse>> {
  const now = deps.clock();
  const hash = createHash("sha256").update(request.token).digest("hex");
  const tenantId = request.token === "" ? undefined : await takeEnrolmentToken(deps.store, hash, now);
  if (tenantId === undefined) {
    throw new GatewayError(
      "TOKEN_REFUSED",
      "the enrolment token is unknown, used up or expired",
      "make a new one in the console",
    );
  }
  const uid = randomUUID();
  const { pem, serial } = await deps.authority.certifyNode(request.certificateRequest, { uid, tenantId }, now);
  const hostname = request.node?.hostname ?? "";
  await deps.store.tenant(tenantId, async (db) => {
    const facts = { ...request.node };
    const sensorVersion = request.node?.sensorVersion ?? "";
    const id = await addNode(db, { uid, hostname, facts, sensorVersion, certificateSerial: serial, now });
    await auditSystem(db, now, tenantId, "node.enrol", `node/${id}`, { hostname });
    await announce(db, { topic: "nodes", id });
  });
  const { certificate: authority, orderKey } = deps.authority;
  return { certificate: pem, authority, nodeId: uid, orderKey };
}

async function renew(
  deps: GatewayDeps,
  node: ConnectedNode,
  request: RenewRequest,
): Promise<DeepPartial<EnrollResponse>> {
  const { pem, serial } = await deps.authority.certifyNode(request.certificateRequest, node, deps.clock());
  await deps.store.tenant(node.tenantId, (db) => certifyNode(db, node.id, serial));
  const { certificate: authority, orderKey } = deps.authority;
  return { certificate: pem, authority, nodeId: node.uid, orderKey };
}

/** @throws GatewayError `NODE_UNKNOWN` without a certificate that still counts */
async function authenticate(
  { authority, store, clock }: GatewayDeps,
  call: Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext">,
): Promise<ConnectedNode> {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  const named = raw === undefined ? undefined : authority.readNode(raw, clock());
  const node = named && (await store.tenant(named.tenantId, (db) => findCertifiedNode(db, named.uid, named.serial)));
  if (named !== undefined && node !== undefined) return { ...node, tenantId: named.tenantId };
  throw new GatewayError("NODE_UNKNOWN", "the node's certificate does not count (any more)", "enrol the node again");
}

/** The services of the contract, for servers and clients. */
export const SERVICE = {
  enrollment: { enroll: method("bulwark.sensor.v1.Enrollment/Enroll", enrollRequest, enrollResponse, false) },
  gateway: {
    renew: method("bulwark.sensor.v1.Gateway/Renew", renewRequest, enrollResponse, false),
    connect: method("bulwark.sensor.v1.Gateway/Connect", upstream, downstream, true),
  },
} as const satisfies Readonly<Record<string, ServiceDefinition>>;
