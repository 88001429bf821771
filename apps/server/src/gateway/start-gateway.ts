import { createHash, randomUUID } from "node:crypto";
import { addNode, announce, certifyNode, findCertifiedNode, listenToEvents, takeEnrolmentToken } from "@bulwark/store";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { auditSystem } from "../audit/audit.ts";
import { GatewayError, type GatewayErrorCode } from "./errors.ts";
import type { EnrollRequest, EnrollResponse, RenewRequest, Upstream } from "./gen/wire-types.ts";
import {
  type ConnectedNode,
  type DownstreamMessage,
  type NodeStream,
  type StreamDeps,
  serveStream,
} from "./node-stream.ts";
import {
  type Codec,
  type DeepPartial,
  downstream,
  enrollRequest,
  enrollResponse,
  renewRequest,
  upstream,
} from "./wire.ts";

const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
const KEEPALIVE_MS = 30_000;
const CLOSE_WITHIN_MS = 5_000;

const STATUS: Readonly<Record<GatewayErrorCode, status>> = {
  BAD_REQUEST: status.INVALID_ARGUMENT,
  TOKEN_REFUSED: status.UNAUTHENTICATED,
  NODE_UNKNOWN: status.UNAUTHENTICATED,
  PROTOCOL: status.INVALID_ARGUMENT,
};

export type GatewayDeps = Omit<StreamDeps, "gateway"> & {
  /** Calls when the policy of a tenant is another one. */
  readonly watchPolicies: (onChange: (tenantId: number) => void) => void;
};

/** The gateway role: where sensors connect. */
export interface Gateway {
  readonly port: number;
  /** Sensors that are connected here. */
  readonly connected: number;
  close(): Promise<void>;
}

/** TLS with a certificate of the sensors' own authority; a client's is asked for, and needed for all but enrolment. */
class GatewayCredentials extends ServerCredentials {
  constructor(key: string, cert: string, ca: string) {
    super({ requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.3" }, { key, cert, ca });
  }
  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
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
  const { key, cert } = await deps.authority.certifyGateway(deps.clock());
  server.addService(SERVICE.enrollment, { enroll: unary((call) => enroll(deps, call.request)) });
  server.addService(SERVICE.gateway, {
    renew: unary(async (call) => renew(deps, await authenticate(deps, call), call.request)),
    connect: (stream: ServerDuplexStream<Upstream, DownstreamMessage>) => {
      // Nothing of the stream is lost while the node is looked up: it is not read before somebody listens.
      void authenticate(deps, stream).then(
        (node) => {
          streams.get(node.id)?.end();
          const open = serveStream(stream, node, { ...deps, gateway }, () => {
            if (streams.get(node.id) === open) streams.delete(node.id);
          });
          streams.set(node.id, open);
        },
        (error) => stream.emit("error", serviceError(error)),
      );
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    server.bindAsync(address, new GatewayCredentials(key, cert, deps.authority.certificate), (error, got) =>
      error === null ? resolve(got) : reject(error),
    );
  });
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
    port: bound,
    get connected() {
      return streams.size;
    },
    async close() {
      await listener.close();
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

function unary<Request, Response>(work: (call: ServerUnaryCall<Request, Response>) => Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
    work(call).then(
      (response) => callback(null, response),
      (error) => callback(serviceError(error)),
    );
  };
}

function serviceError(error: unknown): { readonly code: status; readonly details: string } {
  if (!(error instanceof GatewayError)) return { code: status.UNAVAILABLE, details: "try again later" };
  return { code: STATUS[error.code], details: error.next === "" ? error.message : `${error.message}: ${error.next}` };
}

function method<Request, Response>(path: string, request: Codec<Request>, response: Codec<Response>, streams: boolean) {
  return {
    path: `/bulwark.sensor.v1.${path}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  };
}

/** The services of the contract, for servers and clients. */
export const SERVICE = {
  enrollment: { enroll: method("Enrollment/Enroll", enrollRequest, enrollResponse, false) },
  gateway: {
    renew: method("Gateway/Renew", renewRequest, enrollResponse, false),
    connect: method("Gateway/Connect", upstream, downstream, true),
  },
} as const satisfies Readonly<Record<string, ServiceDefinition>>;
