import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import { AgentError } from "./errors.ts";
import { enroll, type GatewayAddress, openGateway, renew } from "./gateway-client.ts";
import {
  type DescribedCluster,
  type Identity,
  isOver,
  newRequest,
  readIdentity,
  renewalAt,
  writeIdentity,
} from "./identity.ts";
import type { KubeApi } from "./kube-api.ts";

const JOIN_PAUSE_MS = 5_000;

export interface MembershipOptions {
  readonly gateway: GatewayAddress;
  /** With which the cluster joins, as it is now: who mounts it may have put another in its place. */
  readonly token: () => string | undefined;
  readonly cluster: DescribedCluster;
  readonly log: FastifyBaseLogger;
}

/** How a cluster becomes one that its server knows, and stays it. Only the replica that leads joins and renews. */
export interface Membership {
  /** Joins where the cluster has no identity, or a token other than the one with which it got it. Tries once. */
  joinOnce(): Promise<"joined" | "was joined" | "not joined">;
  /** The same, until it may. */
  join(signal: AbortSignal): Promise<void>;
  renewIfDue(): Promise<void>;
}

export function createMembership(api: KubeApi, { gateway, token, cluster, log }: MembershipOptions): Membership {
  let refused = "";
  const joinOnce: Membership["joinOnce"] = async () => {
    const identity = await readIdentity(api);
    // One whose time is up says nothing to anybody any more.
    const isMember = identity !== undefined && !isOver(identity);
    const shown = token()?.trim() ?? "";
    const joinedWith = createHash("sha256").update(shown).digest("hex");
    if (isMember && (shown === "" || identity.joinedWith === joinedWith || refused === joinedWith)) return "was joined";
    if (shown === "") {
      const next = "give one by --cluster-token or BULWARK_CLUSTER_TOKEN_FILE: bulwark cluster join NAME makes it";
      log.error({ next }, "this cluster did not join yet, and has no token to do so");
      return "not joined";
    }
    try {
      const { key, request } = await newRequest();
      const { certificate, authority } = await enroll(gateway, shown, { certificateRequest: request, cluster });
      await writeIdentity(api, { key, certificate, authority, joinedWith });
      log.info("the cluster joined");
      return "joined";
    } catch (error) {
      if (isMember && error instanceof AgentError && error.code === "JOIN_REFUSED") {
        refused = joinedWith;
        log.warn({ why: error.message }, "the token is of no use; the cluster goes on as the one that it was");
      } else if (error instanceof AgentError) {
        const { code, message: why, next } = error;
        log.error({ code, why, next }, "the cluster cannot join; it is tried again");
      } else log.error({ err: error }, "the cluster cannot join");
      return isMember ? "was joined" : "not joined";
    }
  };
  return {
    joinOnce,
    async join(signal) {
      while (!signal.aborted) {
        const state = await joinOnce().catch((error: unknown) => {
          log.error({ err: error }, "the cluster cannot join");
          return "not joined";
        });
        if (state !== "not joined") return;
        await pause(JOIN_PAUSE_MS, undefined, { signal }).catch(() => {});
      }
    },
    async renewIfDue() {
      const identity = await readIdentity(api);
      if (identity === undefined || renewalAt(identity) > new Date()) return;
      const client = openGateway(gateway, identity);
      try {
        const { key, request } = await newRequest();
        const { certificate, authority } = await renew(client, request);
        await writeIdentity(api, { ...identity, key, certificate, authority } satisfies Identity);
      } finally {
        client.close();
      }
    },
  };
}
