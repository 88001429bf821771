import { createServer, type RequestListener } from "node:http";
import { isIP } from "node:net";
import { createServer as createSecureServer, type TLSSocket } from "node:tls";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import type { Authority } from "./authority.ts";

/** Names beside the common one that a certificate has. */
const MAX_NAMES = 64;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Half of what certificates hold. */
const RENEW_MS = 45 * 86_400_000;
const REQUEST_MS = 300_000;

/** Where sensors connect. */
export interface Listener {
  readonly port: number;
  /** Makes the certificate hold for a name or address by which a node reaches this gateway: downloads are asked for by it. */
  certifyFor(host: string): Promise<void>;
  /** Ends the listener and downloads; streams are their server's. */
  close(): void;
}

/**
 * Listens for sensors on one port: streams go to `streams` (HTTP/2), downloads to `downloads` (HTTP/1.1). TLS with a certificate of the
 * sensors' own authority; a client's is asked for, and needed for all but enrolment and downloads.
 */
export async function listen(
  {
    authority,
    clock,
    streams,
    downloads,
  }: {
    readonly authority: Authority;
    readonly clock: () => Date;
    readonly streams: Server;
    readonly downloads: RequestListener;
  },
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const names = new Set<string>();
  const injector = streams.createConnectionInjector(ServerCredentials.createInsecure());
  const web = createServer({ requestTimeout: REQUEST_MS }, downloads);
  const secured = createSecureServer(
    {
      ...(await authority.certifyGateway(clock())),
      ...{ ca: authority.certificate, requestCert: true, rejectUnauthorized: false },
      ...{ minVersion: "TLSv1.3", ALPNProtocols: ["h2", "http/1.1"] },
    },
    (socket: TLSSocket) => {
      // Who leaves before something is asked is nobody's error.
      socket.on("error", () => {});
      if (socket.alpnProtocol === "h2") injector.injectConnection(socket);
      else web.emit("connection", socket);
    },
  );
  let certifiedAt = clock().getTime();
  let certified = Promise.resolve();
  const certify = async () => {
    const made = await authority.certifyGateway(clock(), [...names]);
    secured.setSecureContext({ ...made, ca: authority.certificate, minVersion: "TLSv1.3" });
  };
  await new Promise<void>((resolve, reject) => {
    secured.once("error", reject);
    secured.listen(port, host, resolve);
  });
  const address = secured.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    certifyFor(name) {
      const isNew = names.size < MAX_NAMES && !names.has(name) && (isIP(name) !== 0 || NAME.test(name));
      if (isNew) names.add(name);
      if (isNew || clock().getTime() - certifiedAt >= RENEW_MS) {
        certifiedAt = clock().getTime();
        certified = certified.then(certify, certify);
      }
      return certified;
    },
    close() {
      secured.close();
      web.close();
      web.closeAllConnections();
    },
  };
}
