import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a receiver got. */
interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a receiver answers one request; `hang`: never. */
export type Answer =
  | "hang"
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

/** A receiver of HTTP requests on this machine: what is scripted is answered first, then what is usual. */
export interface HttpReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  answerNext(...answers: readonly Answer[]): void;
  close(): Promise<void>;
}

export async function startHttpReceiver(usual: Exclude<Answer, "hang">): Promise<HttpReceiver> {
  const received: Received[] = [];
  const script: Answer[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    received.push({ path: request.url ?? "", headers: request.headers, body });
    reply(response, script.shift() ?? usual);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answerNext: (...answers) => void script.push(...answers),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer === "hang") return;
  response.writeHead(answer.status, answer.headers).end(answer.body ?? "");
}
