import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readAuditEvent, storedAuditEvent } from "@bulwark/detect";
import { mapAt, mapsAt } from "@bulwark/kubernetes";
import type { FastifyBaseLogger } from "fastify";
import { sha256 } from "../security/random-secret.ts";

/** The API server sends batches of 400 events (audit-webhook-batch-max-size), each with objects of 1.5 MiB at most. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface AuditCounts {
  readonly taken: number;
  /** Events, and requests with an unknown number of them, that could not be read. */
  readonly refused: number;
}

/** Where events go. */
export interface AuditTaker {
  take(event: Buffer): void;
  /** Counts what could not be read, so that it is told: whoever can make a request too large must not make it unseen. */
  lost(count: number): void;
}

/**
 * Takes what an API server says that it was asked (audit webhook backend, `EventList` of audit.k8s.io/v1). Only who shows the token is
 * heard: whoever could write here could make alerts.
 */
export function auditEndpoint(
  token: string,
  taker: AuditTaker,
  log: FastifyBaseLogger,
): {
  readonly counts: AuditCounts;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
} {
  const counts = { taken: 0, refused: 0 };
  const wanted = Buffer.from(sha256(`Bearer ${token}`));
  const answer = async (request: IncomingMessage): Promise<number> => {
    const shown = Buffer.from(sha256(request.headers.authorization ?? ""));
    if (!timingSafeEqual(shown, wanted)) return 401;
    if (request.method !== "POST") return 405;
    const text = await bodyOf(request);
    if (text === undefined) return 413;
    const list = mapAt({ list: JSON.parse(text) }, "list");
    for (const item of mapsAt(list, "items")) {
      const event = readAuditEvent(item);
      if (event === undefined) {
        counts.refused++;
        taker.lost(1);
        continue;
      }
      taker.take(Buffer.from(JSON.stringify(storedAuditEvent(event))));
      counts.taken++;
    }
    return 200;
  };
  return {
    counts,
    handle: (request, response) => {
      const end = (status: number) => {
        if (status !== 200) counts.refused++;
        // The API server sends neither of these again.
        if (status === 400 || status === 413) taker.lost(1);
        response.writeHead(status, { connection: status === 200 ? "keep-alive" : "close" }).end();
      };
      answer(request).then(end, (err) => {
        log.warn({ err }, "audit events could not be read");
        end(400);
      });
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
