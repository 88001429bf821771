import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that passed the proxy. */
interface PassedRequest {
  readonly method: string;
  readonly url: string;
  readonly range: string;
}

/** Plays a fault in place of the server behind: true when it took the request. */
export type Fault = (request: PassedRequest, response: ServerResponse) => boolean;

export interface RecordingProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Requests since the last call, oldest first. */
  take(): readonly PassedRequest[];
  /** Plays faults from now on; undefined: none. */
  play(fault: Fault | undefined): void;
  close(): Promise<void>;
}

/** Stands before a server, notes what it is asked, and plays faults. */
export async function startProxy(target: string): Promise<RecordingProxy> {
  let seen: PassedRequest[] = [];
  let playing: Fault | undefined;
  const server = createServer((incoming, response) => {
    const passed = { method: incoming.method ?? "", url: incoming.url ?? "", range: incoming.headers.range ?? "" };
    seen.push(passed);
    if (playing?.(passed, response) !== true) pass(target, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    play(fault) {
      playing = fault;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(target: string, incoming: IncomingMessage, response: ServerResponse): void {
  const [host, port] = target.split(":");
  const { method, url, headers } = incoming;
  const sent = request({ host, port: Number(port), method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  sent.on("error", () => response.destroy());
  incoming.pipe(sent);
}
