import {
  EMPTY_CONTAINER,
  EMPTY_EVENT,
  EMPTY_PROCESS,
  type RuntimeContainer,
  type RuntimeEvent,
  type RuntimeEventType,
  type RuntimeProcess,
} from "@bulwark/model";

/** A process that does nothing special. */
export function process(given: Partial<RuntimeProcess> = {}): RuntimeProcess {
  return {
    ...EMPTY_PROCESS,
    ...{ pid: 100, namespacePid: 7, startUs: 5_000_000, name: "app", exe: "/usr/bin/app", arguments: ["/usr/bin/app"] },
    ...{ cwd: "/", userName: "root", sessionId: 100, groupLeaderPid: 100, exeInode: 1 },
    ...{ stdin: "null", stdout: "pipe", stderr: "pipe" },
    ...given,
  };
}

/** A container without any privilege. */
export function container(given: Partial<RuntimeContainer> = {}): RuntimeContainer {
  return {
    ...EMPTY_CONTAINER,
    id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ...{ runtime: "containerd", runtimeNamespace: "default", name: "web", image: "docker.io/library/nginx:1.27" },
    ...{ imageDigest: `sha256:${"a".repeat(64)}`, seccomp: true, startedUs: 1_000_000, addresses: ["10.4.0.2"] },
    ...given,
  };
}

/** An event of that type in a container. */
export function event(type: RuntimeEventType, given: Partial<RuntimeEvent> = {}): RuntimeEvent {
  const usual = { timeUs: 1_700_000_000_000_000, process: process(), container: container(), threadId: 100, fd: 3 };
  return { ...EMPTY_EVENT, ...usual, type, ...given };
}
