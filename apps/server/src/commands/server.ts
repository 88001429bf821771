import type { AgentRole } from "../agent/start-agent.ts";
import { parseArguments, usage } from "./arguments.ts";
import { SERVER_HELP } from "./help.ts";
import { SERVE_OPTIONS } from "./serve-options.ts";

const AGENT_ROLES: readonly AgentRole[] = ["agent", "admission"];

/** `bulwark server`. What stands in a cluster loads nothing of the rest: its memory is its cluster's. */
export async function serverCommand(args: readonly string[]): Promise<number> {
  const parsed = parseArguments("server", args, SERVE_OPTIONS);
  if (parsed.flags.has("help")) {
    process.stdout.write(SERVER_HELP);
    return 0;
  }
  const roles = agentRoles(parsed.text.roles);
  return roles === undefined
    ? (await import("./serve.ts")).serveRoles(parsed)
    : (await import("./serve-agent.ts")).serveAgent("server", roles, parsed);
}

/** The roles that stand in a cluster; undefined where others are asked for. They need no database, and the others do. */
function agentRoles(text: string | undefined): ReadonlySet<AgentRole> | undefined {
  const words = text?.split(",") ?? [];
  const roles = AGENT_ROLES.filter((role) => words.includes(role));
  if (roles.length === 0) return undefined;
  if (roles.length < words.length)
    throw usage("server", "agent and admission stand in a cluster: run them apart from the server's other roles");
  return new Set(roles);
}
