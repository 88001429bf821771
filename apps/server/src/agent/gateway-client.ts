import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { EnrollRequest, EnrollResponse, FromCluster, ToCluster } from "../clusters/gen/wire-types.ts";
import { CLUSTER_SERVICE } from "../clusters/wire.ts";
import { GATEWAY_NAME } from "../gateway/authority.ts";
import type { DeepPartial } from "../gateway/contract.ts";
import { AgentError } from "./errors.ts";
import type { Identity } from "./identity.ts";

const ANSWER_MS = 15_000;
const KEEPALIVE_MS = 30_000;
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** Steps from the gateway's certificate to its authority's. */
const MAX_CHAIN = 5;

export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
}

export type UpstreamMessage = DeepPartial<FromCluster>;
export type AgentStream = ClientDuplexStream<UpstreamMessage, ToCluster>;

/** A connection to the gateway with the cluster's identity. */
export function openGateway(
  { host, port }: GatewayAddress,
  identity: Pick<Identity, "authority"> & Partial<Identity>,
): Client {
  const { authority, key, certificate } = identity;
  const own = key === undefined || certificate === undefined ? [] : [Buffer.from(key), Buffer.from(certificate)];
  return new Client(
    `${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    credentials.createSsl(Buffer.from(authority), ...own),
    {
      "grpc.ssl_target_name_override": GATEWAY_NAME,
      "grpc.default_authority": GATEWAY_NAME,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      // What is sent is JSON, which becomes a tenth.
      "grpc.default_compression_algorithm": 2,
    },
  );
}

/** Opens the stream in which everything happens. */
export function openStream(client: Client): AgentStream {
  const { path, requestSerialize, responseDeserialize } = CLUSTER_SERVICE.gateway.connect;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
}

/**
 * Lets the cluster join.
 *
 * @param token a secret, a dot and the SHA-256 of the authority's certificate, hexadecimal
 * @throws AgentError `JOIN_REFUSED`, `GATEWAY_UNREACHABLE`
 */
export async function enroll(
  address: GatewayAddress,
  token: string,
  request: Omit<EnrollRequest, "token" | "cluster"> & { readonly cluster: DeepPartial<EnrollRequest["cluster"]> },
): Promise<EnrollResponse> {
  const [secret = "", digest = ""] = token.trim().split(".");
  if (secret === "" || !/^[0-9a-f]{64}$/.test(digest))
    throw new AgentError("JOIN_REFUSED", "the cluster's token is not whole", "copy it as the console shows it");
  const authority = await findAuthority(address, digest);
  const client = openGateway(address, { authority });
  try {
    return await ask(client, CLUSTER_SERVICE.enrollment.enroll, { ...request, token: secret });
  } finally {
    client.close();
  }
}

/** A new certificate for the cluster that the connection is of. */
export function renew(client: Client, certificateRequest: string): Promise<EnrollResponse> {
  return ask(client, CLUSTER_SERVICE.gateway.renew, { certificateRequest });
}

function ask<Request, Response>(
  client: Client,
  method: {
    readonly path: string;
    readonly requestSerialize: (value: Request) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => Response;
  },
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + ANSWER_MS;
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      { deadline },
      (error, response) => (error === null && response !== undefined ? resolve(response) : reject(refusal(error))),
    );
  });
}

/** What a failed call means for whoever runs the agent. */
export function refusal(error: Pick<ServiceError, "code" | "details"> | null): AgentError {
  const refused = [status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.INVALID_ARGUMENT];
  return error !== null && refused.includes(error.code)
    ? new AgentError("JOIN_REFUSED", `the server refuses this cluster: ${error.details}`)
    : new AgentError(
        "GATEWAY_UNREACHABLE",
        `the gateway does not answer: ${error?.details ?? "no answer"}`,
        "check its address, and that the cluster's network lets the agent out to it",
      );
}

/** The certificate with this digest in the chain that the gateway shows: nothing else is trusted before. */
function findAuthority({ host, port }: GatewayAddress, digest: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"], minVersion: "TLSv1.3", timeout: ANSWER_MS },
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const fail = (why: string, cause?: unknown) => {
      socket.destroy();
      reject(new AgentError("GATEWAY_UNREACHABLE", why, "check the gateway's address", cause));
    };
    socket.once("timeout", () => fail(`the gateway at ${host}:${port} does not answer`));
    socket.once("error", (cause) => fail(`the gateway at ${host}:${port} cannot be reached: ${cause.message}`, cause));
    socket.once("secureConnect", () => {
      let shown: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      for (let step = 0; shown !== undefined && step < MAX_CHAIN; step++) {
        if (shown.fingerprint256?.replaceAll(":", "").toLowerCase() === digest) {
          socket.destroy();
          resolve(new X509Certificate(shown.raw).toString());
          return;
        }
        shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate;
      }
      fail(`the gateway at ${host}:${port} is not the one that the token is for`);
    });
  });
}
