import { type ClientHttp2Session, connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";

/** Messages above this are refused. containerd sends content in pieces of at most 1 MiB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Status codes of gRPC that callers tell apart. */
export const GRPC_NOT_FOUND = 5;

/** A call that ended with another status than OK. */
export class GrpcError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "GrpcError";
    this.status = status;
  }
}

/** A connection to a gRPC server on a Unix socket. */
export interface GrpcConnection {
  /** Sends one message and streams the answers. `method` is `package.Service/Method`. */
  call(
    method: string,
    message: Buffer,
    metadata: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): AsyncIterable<Buffer>;
  close(): void;
}

/**
 * Speaks gRPC over HTTP/2 without TLS ("gRPC over HTTP2" of the gRPC project), which is a length before each message
 * and a status after the last: Node's own http2 does the rest.
 */
export function connectGrpc(socketPath: string, idleTimeoutMs: number): GrpcConnection {
  const session = connect("http://localhost", {
    createConnection: () => connectSocket(socketPath),
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  });
  // A failing connection fails every open call, which is where it is told.
  session.on("error", () => undefined);
  session.on("connect", () => session.setLocalWindowSize(WINDOW_BYTES));
  return {
    call: (method, message, metadata, signal) => call(session, method, message, metadata, idleTimeoutMs, signal),
    close: () => session.close(),
  };
}

async function* call(
  session: ClientHttp2Session,
  method: string,
  message: Buffer,
  metadata: Readonly<Record<string, string>>,
  idleTimeoutMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const stream = session.request(
    { ":method": "POST", ":path": `/${method}`, "content-type": "application/grpc", te: "trailers", ...metadata },
    signal === undefined ? {} : { signal },
  );
  let status = -1;
  let detail = "";
  const noteStatus = (headers: Readonly<Record<string, unknown>>): void => {
    if (headers["grpc-status"] === undefined) return;
    status = Number(headers["grpc-status"]);
    detail = readDetail(String(headers["grpc-message"] ?? ""));
  };
  stream.on("response", noteStatus);
  stream.on("trailers", noteStatus);
  stream.setTimeout(idleTimeoutMs, () => stream.close(constants.NGHTTP2_CANCEL));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
  try {
    yield* messages(stream);
  } finally {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
  if (status !== 0) throw new GrpcError(status, status < 0 ? "the server ended the call without a status" : detail);
}

/** gRPC percent-encodes messages; broken ones are shown as they are. */
function readDetail(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Cuts a stream into its length-prefixed messages. */
async function* messages(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of stream) {
    parts.push(chunk);
    held += chunk.length;
    while (held >= 5) {
      if (parts[0]!.length < 5) parts = [Buffer.concat(parts)];
      const compressed = parts[0]![0] !== 0;
      const length = parts[0]!.readUInt32BE(1);
      if (compressed || length > MAX_MESSAGE_BYTES)
        throw new RangeError("the server sends a message that is compressed or too large");
      if (held < 5 + length) break;
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      yield all.subarray(5, 5 + length);
      const rest = all.subarray(5 + length);
      parts = rest.length === 0 ? [] : [rest];
      held = rest.length;
    }
  }
  if (held > 0) throw new RangeError("the server's answer ends within a message");
}
