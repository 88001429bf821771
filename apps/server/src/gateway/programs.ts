import type { IncomingMessage, ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { programContent, programOfOrder, type Store } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";

/** Programs that are held, each of a few megabytes, and for how long. */
const MAX_HELD = 4;
const HELD_MS = 60_000;
const PATH = /^\/sensor-programs\/(\d{1,9})\/([0-9a-f-]{36})$/;

/** Where the node that gets an order fetches its program: at the gateway that it has reached, by the order's own random id. */
export function programAddress(host: string, tenantId: number, orderUid: string): string {
  return `https://${host}/sensor-programs/${tenantId}/${orderUid}`;
}

/** The name or address in an authority such as `[::1]:9443`. */
export function hostOf(authority: string): string {
  const host = authority.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return isIPv6(host) ? host : host.toLowerCase();
}

/** Serves programs to those who were ordered to run them: who knows an order that holds is the node that it was sent to. */
export function servePrograms(deps: {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const contentOf = rememberedPrograms(deps.store);
  const find = async (tenantId: number, uid: string) => {
    const sha256 = await deps.store.tenant(tenantId, (db) => programOfOrder(db, uid, deps.clock()));
    return sha256 === undefined ? undefined : contentOf(tenantId, sha256);
  };
  return (request, response) => {
    const [, tenant, uid = ""] = (request.method === "GET" && PATH.exec(request.url ?? "")) || [];
    if (tenant === undefined) return void response.writeHead(404).end();
    find(Number(tenant), uid)
      .then((content) => {
        if (content === undefined) return response.writeHead(404).end();
        const headers = { "content-type": "application/octet-stream", "content-length": content.length };
        return response.writeHead(200, headers).end(content);
      })
      .catch((error) => {
        deps.log.warn({ err: error }, "a sensor's program could not be served");
        response.writeHead(503).end();
      });
  };
}

/** A wave of nodes fetches the same program at once: it is read and held once for all of them. */
function rememberedPrograms(store: Store): (tenantId: number, sha256: string) => Promise<Buffer | undefined> {
  const held = new Map<string, Promise<Buffer | undefined>>();
  return (tenantId, sha256) => {
    const key = `${tenantId} ${sha256}`;
    const known = held.get(key);
    if (known !== undefined) return known;
    const [oldest] = held.keys();
    if (held.size >= MAX_HELD && oldest !== undefined) held.delete(oldest);
    const read = store.tenant(tenantId, (db) => programContent(db, sha256));
    held.set(key, read);
    // Let go after a while: a gateway is not where programs are kept. What could not be read is read anew.
    const forget = () => held.delete(key);
    read.then(() => setTimeout(forget, HELD_MS).unref(), forget);
    return read;
  };
}
