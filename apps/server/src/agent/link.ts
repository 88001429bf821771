import { setTimeout as pause } from "node:timers/promises";
import { type ServiceError, status } from "@grpc/grpc-js";
import type { FastifyBaseLogger } from "fastify";
import type { ToCluster } from "../clusters/gen/wire-types.ts";
import { AgentError } from "./errors.ts";
import {
  type AgentStream,
  type GatewayAddress,
  openGateway,
  openStream,
  refusal,
  type UpstreamMessage,
} from "./gateway-client.ts";
import type { Identity } from "./identity.ts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A stream that lasted so long was good: the next one is opened soon. */
const GOOD_MS = 60_000;

/** The open stream to the gateway, opened again whenever it is cut. */
export interface Link {
  readonly isOpen: boolean;
  /** @returns false while there is no stream, or it takes no more for now */
  send(message: UpstreamMessage): boolean;
  close(): Promise<void>;
}

export interface LinkHandlers {
  /** The first message of each stream. */
  hello(): UpstreamMessage;
  /** A stream was opened: what was not acknowledged in the one before is to be said again. */
  opened(): void;
  cut(): void;
  message(message: ToCluster): void;
}

/** @param identityOf read before each stream: another replica may have renewed the certificate */
export function openLink(
  address: GatewayAddress,
  identityOf: () => Promise<Identity | undefined>,
  { handlers, log }: { readonly handlers: LinkHandlers; readonly log: FastifyBaseLogger },
): Link {
  const ended = new AbortController();
  let stream: AgentStream | undefined;
  let isFlowing = false;
  const serve = async (identity: Identity): Promise<void> => {
    const client = openGateway(address, identity);
    try {
      await new Promise<void>((resolve, reject) => {
        const open = openStream(client);
        const end = () => open.end();
        ended.signal.addEventListener("abort", end, { once: true });
        open.on("data", (message: ToCluster) => handlers.message(message));
        open.on("drain", () => {
          isFlowing = true;
        });
        // The server's first words show that it takes us; until then nothing but hello is said.
        open.on("metadata", () => {
          stream = open;
          isFlowing = true;
          handlers.opened();
        });
        open.on("error", (error: Error & Partial<ServiceError>) =>
          reject(refusal({ code: error.code ?? status.UNKNOWN, details: error.details ?? error.message })),
        );
        open.on("end", resolve);
        open.on("close", () => {
          ended.signal.removeEventListener("abort", end);
          resolve();
        });
        open.write(handlers.hello());
      });
    } finally {
      if (stream !== undefined) handlers.cut();
      stream = undefined;
      client.close();
    }
  };
  const run = async () => {
    let wait = FIRST_PAUSE_MS;
    while (!ended.signal.aborted) {
      const began = Date.now();
      try {
        const identity = await identityOf();
        if (identity !== undefined) await serve(identity);
      } catch (error) {
        const why = error instanceof AgentError ? error.message : error;
        log.warn({ why }, "the stream to the gateway was cut");
      }
      if (ended.signal.aborted) return;
      wait = Date.now() - began > GOOD_MS ? FIRST_PAUSE_MS : Math.min(wait * 2, LONGEST_PAUSE_MS);
      // Spread, so that a server that starts again does not see all clusters at once.
      await pause(wait * (0.5 + Math.random() / 2), undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    get isOpen() {
      return stream !== undefined;
    },
    send(message) {
      if (stream === undefined || !isFlowing) return false;
      isFlowing = stream.write(message);
      return true;
    },
    async close() {
      ended.abort();
      await running;
    },
  };
}
