export { enroll } from "./gateway-client.ts";
export { newRequest } from "./identity.ts";
export { inClusterAccess, kubeconfigAccess } from "./kube-access.ts";
export { type AgentOptions, type AgentRole, type RunningAgent, startAgent } from "./start-agent.ts";
export { type AgentRoleOptions, type AgentRoles, startAgentRoles } from "./start-agent-role.ts";
