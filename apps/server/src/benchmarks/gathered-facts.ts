import type { GatheredFacts, ReadState } from "@bulwark/benchmark/benchmark";
import type { FileFact, NodeFacts } from "../gateway/gen/wire-types.ts";

const READ_STATES: readonly ReadState[] = ["unread", "present", "absent", "unread"];
const PROBE_STATES = ["unread", "closed", "refused", "answered", "unread"] as const;

/** What a sensor sent, in words. A state that a newer sensor may know is taken for unread. */
export function gatheredFacts(facts: NodeFacts): GatheredFacts {
  return {
    files: facts.files.map(fileOf),
    sysctls: facts.sysctls.map(({ name, value, state, why }) => ({
      name,
      value,
      state: READ_STATES[state] ?? "unread",
      why,
    })),
    processes: facts.processes.map(({ program, exe, uid, arguments: words, argumentsCut, ...more }) => ({
      ...{
        program,
        exe,
        uid,
        arguments: words,
        argumentsCut,
        containerId: more.containerId,
        namespace: more.namespace,
      },
      ...{ environment: more.environment, environmentRead: more.environmentRead },
    })),
    mounts: facts.mounts.map(({ path, type, options }) => ({ path, type, options })),
    modules: facts.modules,
    kernelArguments: facts.kernelArguments,
    vulnerabilities: { ...facts.vulnerabilities },
    sockets: facts.sockets.map(({ protocol, address, port }) => ({ protocol, address, port })),
    probes: facts.probes.map(({ id, state, status, why, exposed }) => ({
      ...{ id, state: PROBE_STATES[state] ?? "unread", status, why, exposed },
    })),
    packages: facts.packages.map(({ manager, name, version, source, sourceVersion }) => ({
      ...{ manager, name, version, source, sourceVersion },
    })),
    builds: facts.builds.map(({ program, path, module, version }) => ({ program, path, module, version })),
    unread: { ...facts.unread },
  };
}

function fileOf(file: FileFact) {
  const { path, pattern, state, why, kind, mode, uid, gid, size, cutBytes, contentWhy, program, flag, actual } = file;
  return {
    ...{ path, pattern, why, kind, mode, uid, gid, size, cutBytes, contentWhy, program, flag, actual },
    state: READ_STATES[state] ?? "unread",
    // PostgreSQL keeps no zero in text.
    content: Buffer.from(file.content).toString("utf8").replaceAll("\0", "\uFFFD"),
  };
}
