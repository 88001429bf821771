import { Agent, request } from "node:https";
import { connect } from "node:tls";

/** An API server, as far as a webhook sees one: it trusts the bundle it was given and keeps connections. */
export interface Reviewer {
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  close(): void;
}

interface Response {
  readonly allowed: boolean;
  readonly uid: string;
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly status?: { readonly message: string };
}

interface Answer {
  readonly status: number;
  readonly body: { readonly response?: Response; readonly error?: string };
}

/** @param ca PEM, asked anew for each connection */
export function createReviewer(port: number, ca: () => string, servername: string, maxSockets = 64): Reviewer {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const send = (method: string, path: string, body: string, headers: Readonly<Record<string, string>>) =>
    new Promise<Answer>((resolve, reject) => {
      const length = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const options = { host: "127.0.0.1", port, method, path, agent, ca: ca(), servername };
      const asked = request({ ...options, headers: { ...length, ...headers } }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString("utf8")) });
        });
        answer.on("error", reject);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  return {
    post: (path, body, headers = { "content-type": "application/json" }) => send("POST", path, body, headers),
    get: (path) => send("GET", path, "", {}),
    close: () => agent.destroy(),
  };
}

/** The serial number of the certificate that new connections get. */
export function servedSerial(port: number, ca: string, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca, servername }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.end();
    });
    socket.on("error", reject);
  });
}
