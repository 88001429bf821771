import { readFileSync } from "node:fs";
import { pino } from "pino";
import { startAgentProbes } from "../agent/agent-probes.ts";
import type { AgentRole } from "../agent/start-agent.ts";
import type { AgentRoles } from "../agent/start-agent-role.ts";
import { type Arguments, parseListen, usage } from "./arguments.ts";
import { leaveSoon } from "./leave.ts";
import { optionalSecretOf } from "./secret-of.ts";

const WEBHOOK = "0.0.0.0:8443";

/** Runs the roles that stand in a cluster, until somebody ends them. */
export async function serveAgent(command: string, roles: ReadonlySet<AgentRole>, { text }: Arguments): Promise<number> {
  const gateway = text.gateway ?? process.env.BULWARK_GATEWAY;
  if (gateway === undefined)
    throw usage(command, "--gateway HOST:PORT says where the server's gateway is, to which the agent connects");
  const { startAgentRoles } = await import("../agent/start-agent-role.ts");
  const log = pino({ level: process.env.BULWARK_LOG ?? "info" });
  const place = text.probes ?? process.env.BULWARK_PROBES;
  let started: AgentRoles | undefined;
  const probes =
    place === undefined
      ? undefined
      : await startAgentProbes(parseListen(command, place), () => ({
          isReady: started !== undefined,
          figures: figuresOf(started),
        }));
  const running = await startAgentRoles({
    roles,
    gateway: parseListen(command, gateway),
    token: () => text["cluster-token"] ?? optionalSecretOf("BULWARK_CLUSTER_TOKEN"),
    kubeconfig: text.kubeconfig,
    listen: parseListen(command, text.listen ?? process.env.BULWARK_LISTEN ?? WEBHOOK),
    auditToken: optionalSecretOf("BULWARK_AUDIT_TOKEN"),
    version: versionOfProduct(),
    clock: () => new Date(),
    log,
  });
  started = running;
  log.info({ roles: [...roles], webhook: running.admission?.port }, "the agent runs");
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  started = undefined;
  await running.close();
  await probes?.close();
  leaveSoon(0);
  return 0;
}

function figuresOf(running: AgentRoles | undefined): Readonly<Record<string, number>> {
  const counts = running?.admission?.counts;
  return {
    bulwark_agent_connected: running?.agent.isConnected === true ? 1 : 0,
    bulwark_agent_leads: running?.agent.leads === true ? 1 : 0,
    bulwark_agent_resident_bytes: process.memoryUsage.rss(),
    ...(counts === undefined ? {} : { bulwark_admission_decisions_dropped_total: counts.decisionsDropped }),
  };
}

function versionOfProduct(): string {
  const file = new URL("../../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}
