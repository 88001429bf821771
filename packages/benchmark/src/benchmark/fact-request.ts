import { templateParts } from "../template.ts";
import type { BenchmarkCheck } from "./check.ts";
import { factKindOf } from "./check.ts";
import {
  CONTAINERD_CONFIG,
  CONTAINERD_IMPORTS,
  DOCKER_CONFIG,
  KUBELET_PARTS,
  SSHD_CONFIG,
  SSHD_PARTS,
} from "./component-settings.ts";
import { benchmarkEnvironment } from "./environment.ts";
import { ALL_IN_ONE } from "./node-view.ts";

/** What a sensor is to gather. */
export interface FactRequest {
  readonly files: readonly FileRequest[];
  readonly sysctls: readonly string[];
  readonly programs: readonly string[];
  readonly probes: readonly ProbeRequest[];
  readonly packages: readonly string[];
}

interface FileRequest {
  readonly path: string;
  readonly program: string;
  readonly flag: string;
  readonly contentBytes: number;
}

export interface ProbeRequest {
  readonly id: string;
  readonly port: number;
  readonly tls: boolean;
  readonly path: string;
}

const CONTENT_BYTES = 128 * 1024;
/** A path that says nothing but whether one is let in. */
const PROBES: readonly ProbeRequest[] = [
  { id: "docker", port: 2375, tls: false, path: "/_ping" },
  { id: "docker-tls", port: 2376, tls: true, path: "/_ping" },
  { id: "kubelet", port: 10250, tls: true, path: "/healthz" },
  { id: "kubelet-read-only", port: 10255, tls: false, path: "/healthz" },
  { id: "etcd", port: 2379, tls: false, path: "/version" },
  { id: "etcd-tls", port: 2379, tls: true, path: "/version" },
  { id: "api-server", port: 6443, tls: true, path: "/api" },
  { id: "api-server-insecure", port: 8080, tls: false, path: "/api" },
  { id: "controller-manager", port: 10257, tls: true, path: "/metrics" },
  { id: "scheduler", port: 10259, tls: true, path: "/metrics" },
  { id: "kubectl-proxy", port: 8001, tls: false, path: "/api" },
  { id: "cadvisor", port: 4194, tls: false, path: "/healthz" },
  { id: "weave-scope", port: 4040, tls: false, path: "/api" },
  { id: "portainer", port: 9000, tls: false, path: "/api/status" },
  { id: "consul", port: 8500, tls: false, path: "/v1/status/leader" },
  { id: "dashboard", port: 9090, tls: false, path: "/api/v1/login/status" },
];
/** Ports that checks may ask for by name. */
export const PROBE_IDS: readonly string[] = PROBES.map(({ id }) => id);

/** What flaws of components are looked for in. */
const COMPONENT_PROGRAMS = [
  "containerd",
  "dockerd",
  "runc",
  "kubelet",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "etcd",
  "crio",
  "pilot-discovery",
];
const COMPONENT_PACKAGES = [
  "runc",
  "containerd",
  "containerd.io",
  "docker.io",
  "docker-ce",
  "moby-engine",
  "kubelet",
  "crun",
  "linux-image-*",
];

/** A call of a node's method, with its arguments where they are literal. */
interface Call {
  readonly method: string;
  readonly given: readonly (string | number | undefined)[];
}

/** What one call needs. */
function wants({
  method,
  given,
}: Call): Partial<{ files: FileRequest[]; sysctls: string[]; programs: string[]; probes: string[] }> {
  const text = (place: number) => String(given[place] ?? "");
  const file = (path: string, contentBytes: number): FileRequest => ({ path, program: "", flag: "", contentBytes });
  const content = (...paths: readonly string[]) => paths.map((path) => file(path, CONTENT_BYTES));
  const named = (program: string, flag: string, path = ""): FileRequest => ({
    ...{ path, program, flag, contentBytes: CONTENT_BYTES },
  });
  switch (method) {
    case "sysctl":
      return { sysctls: [text(0)] };
    case "file":
    case "files":
      return { files: [file(text(0), 0)] };
    case "text":
    case "lines":
    case "linesOf":
    case "setting":
    case "toml":
      if (text(0) === CONTAINERD_CONFIG)
        return {
          programs: ["containerd"],
          files: [...content(CONTAINERD_CONFIG, CONTAINERD_IMPORTS), named("containerd", "--config")],
        };
      return { files: content(text(0)) };
    case "sshd":
      return { programs: ["sshd"], files: content(SSHD_CONFIG, SSHD_PARTS) };
    case "runs":
    case "flag":
      return { programs: [text(0)] };
    case "flagFile":
      return { programs: [text(0)], files: [{ path: "", program: text(0), flag: text(1), contentBytes: 0 }] };
    case "kubelet":
      return {
        programs: ["kubelet"],
        files: [named("kubelet", "--config"), named("kubelet", "--config-dir", KUBELET_PARTS)],
      };
    case "docker":
      return { programs: ["dockerd"], files: [...content(DOCKER_CONFIG), named("dockerd", "--config-file")] };
    case "etcd":
      return { programs: ["etcd"], files: [named("etcd", "--config-file")] };
    case "moduleBlocked":
      return { files: content("/etc/modprobe.d/*.conf") };
    case "probe":
      return { probes: [text(0)] };
    case "users":
      return { files: content("/etc/passwd", "/etc/shadow") };
    case "groups":
      return { files: content("/etc/group") };
    case "audited":
      return { files: content("/etc/audit/rules.d/*.rules") };
    default:
      return {};
  }
}

/**
 * What a sensor has to gather so that these checks can be judged: read off the calls in their expressions.
 *
 * @example compileFactRequest(checks).sysctls; // ["kernel.randomize_va_space", …]
 */
export function compileFactRequest(checks: readonly BenchmarkCheck[]): FactRequest {
  const files = new Map<string, FileRequest>();
  const sysctls = new Set<string>();
  const programs = new Set([...COMPONENT_PROGRAMS, ...ALL_IN_ONE]);
  const probes = new Set<string>();
  for (const check of checks) {
    if (check.program !== "") programs.add(check.program);
    for (const call of nodeCalls(check)) {
      const wanted = wants(call);
      for (const name of wanted.sysctls ?? []) sysctls.add(name);
      for (const name of wanted.programs ?? []) programs.add(name);
      for (const id of wanted.probes ?? []) probes.add(id);
      for (const file of wanted.files ?? []) {
        const key = `${file.program} ${file.flag} ${file.path}`;
        const known = files.get(key)?.contentBytes ?? 0;
        files.set(key, { ...file, contentBytes: Math.max(known, file.contentBytes) });
      }
    }
  }
  return {
    files: [...files.values()].sort((a, b) =>
      `${a.path}${a.program}${a.flag}`.localeCompare(`${b.path}${b.program}${b.flag}`),
    ),
    sysctls: [...sysctls].sort(),
    programs: [...programs].sort(),
    probes: PROBES.filter(({ id }) => probes.has(id)),
    packages: COMPONENT_PACKAGES,
  };
}

/** Calls of `node` in all expressions of a check. */
export function nodeCalls(check: BenchmarkCheck): readonly Call[] {
  if (factKindOf(check.subject) !== "node") return [];
  const expressions = [check.applies, check.fails, ...templateParts(check.message).map(({ expression }) => expression)];
  const environment = benchmarkEnvironment(check.subject);
  return expressions.filter((text) => text !== "").flatMap((text) => callsIn(environment.parse(text).ast));
}

interface AstNode {
  readonly op: string;
  readonly args: unknown;
}

function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

function callsIn(ast: unknown): readonly Call[] {
  if (Array.isArray(ast)) return ast.flatMap(callsIn);
  if (!isNode(ast)) return [];
  const inner = callsIn(ast.args);
  if (ast.op !== "rcall" || !Array.isArray(ast.args)) return inner;
  const [method, receiver, given] = ast.args as readonly unknown[];
  if (!isNode(receiver) || receiver.op !== "id" || receiver.args !== "node") return inner;
  return [{ method: String(method), given: (Array.isArray(given) ? given : []).map(literal) }, ...inner];
}

function literal(node: unknown): string | number | undefined {
  if (!isNode(node) || node.op !== "value") return undefined;
  return typeof node.args === "bigint" ? Number(node.args) : typeof node.args === "string" ? node.args : undefined;
}
