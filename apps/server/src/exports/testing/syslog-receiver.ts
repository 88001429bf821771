import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { ownCertificate } from "../../commands/certificate.ts";

/** A syslog server on this machine that reads octet counting (RFC 6587, section 3.4.1), over TCP or TLS. */
export interface SyslogReceiver {
  readonly address: string;
  readonly caPem: string;
  /** Whole messages, in the order in which they came. */
  readonly received: readonly string[];
  /** What it does with the next connections: dies after so many messages, or reads and never closes. */
  next(...faults: (number | "hang")[]): void;
  close(): Promise<void>;
}

/** @param directory where a certificate is made; left out: no TLS */
export async function startSyslogReceiver(directory?: string): Promise<SyslogReceiver> {
  const received: string[] = [];
  const faults: (number | "hang")[] = [];
  const open = new Set<Socket>();
  const take = (socket: Socket) => {
    const fault = faults.shift();
    open.add(socket);
    let taken = 0;
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let frame = nextFrame(bytes); frame !== undefined; frame = nextFrame(bytes)) {
        if (taken === fault) return void socket.resetAndDestroy();
        received.push(frame.message);
        taken++;
        bytes = bytes.subarray(frame.size);
      }
    });
    socket.on("end", () => {
      if (fault !== "hang") socket.end();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  };
  const tls = directory === undefined ? undefined : await ownCertificate(directory, new Date());
  const server =
    tls === undefined
      ? createServer({ allowHalfOpen: true }, take)
      : createTlsServer({ key: tls.key, cert: tls.cert, allowHalfOpen: true }, take);
  // Those whose handshake failed are connections too.
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: tls === undefined ? `tcp://127.0.0.1:${port}` : `tls://localhost:${port}`,
    caPem: tls?.cert ?? "",
    received,
    next: (...planned) => void faults.push(...planned),
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function nextFrame(bytes: Buffer): { readonly message: string; readonly size: number } | undefined {
  const space = bytes.indexOf(" ");
  if (space < 0) return undefined;
  const digits = bytes.subarray(0, space).toString("latin1");
  if (!/^[1-9]\d*$/.test(digits)) throw new Error(`"${digits}" is no length of a message`);
  const size = space + 1 + Number(digits);
  return bytes.length < size ? undefined : { message: bytes.subarray(space + 1, size).toString("utf8"), size };
}
