import { hostname } from "node:os";
import type { FastifyBaseLogger } from "fastify";
import type { AdmissionRole } from "../admission/start-admission.ts";
import type { GatewayAddress } from "./gateway-client.ts";
import { inClusterAccess, type KubeAccess, kubeconfigAccess } from "./kube-access.ts";
import { type AgentRole, type RunningAgent, startAgent } from "./start-agent.ts";

export interface AgentRoleOptions {
  readonly roles: ReadonlySet<AgentRole>;
  readonly gateway: GatewayAddress;
  readonly token: () => string | undefined;
  /** A kubeconfig, outside a pod. */
  readonly kubeconfig?: string | undefined;
  /** Where the webhook listens, for the role admission. */
  readonly listen: GatewayAddress;
  /** What API servers show who send audit events; without it none are taken. */
  readonly auditToken?: string | undefined;
  readonly version: string;
  readonly log: FastifyBaseLogger;
  readonly clock: () => Date;
}

/** A replica in a cluster. */
export interface AgentRoles {
  readonly agent: RunningAgent;
  readonly admission: AdmissionRole | undefined;
  close(): Promise<void>;
}

/** Starts the roles that run in a cluster and need no database: agent, admission, or both. */
export async function startAgentRoles(options: AgentRoleOptions): Promise<AgentRoles> {
  const { log, clock, roles, gateway, token, version, auditToken } = options;
  const access: KubeAccess =
    options.kubeconfig === undefined ? inClusterAccess() : kubeconfigAccess(options.kubeconfig);
  const replica = process.env.BULWARK_REPLICA ?? hostname();
  const agent = await startAgent({ access, gateway, token, replica, roles, version, log });
  if (!roles.has("admission")) return { agent, admission: undefined, close: agent.close };
  // Loaded where it is needed: policies and their language are half of the process.
  const { USUAL_PLACE } = await import("../admission/keep-certificate.ts");
  const { startAdmission } = await import("../admission/start-admission.ts");
  const { admissionSource } = await import("./admission-source.ts");
  const { auditEndpoint } = await import("./audit-endpoint.ts");
  try {
    if (auditToken === undefined) log.info("without BULWARK_AUDIT_TOKEN no audit events are taken");
    const audit =
      auditToken === undefined
        ? undefined
        : auditEndpoint(auditToken, { take: agent.audited, lost: agent.unaudited }, log);
    const admission = await startAdmission({
      source: admissionSource(agent, log),
      listen: options.listen,
      certificate: { kube: agent.api, place: { ...USUAL_PLACE, namespace: access.namespace } },
      ...(audit === undefined ? {} : { handlers: { "/audit": audit.handle } }),
      ...{ clock, log },
    });
    const close = async () => {
      await admission.close();
      await agent.close();
    };
    return { agent, admission, close };
  } catch (error) {
    await agent.close();
    throw error;
  }
}
