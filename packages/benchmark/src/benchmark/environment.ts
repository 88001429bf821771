import { bareCapability, fieldsOf } from "@bulwark/model";
import { Environment } from "@marcbachmann/cel-js";
import { type BenchmarkSubject, type FactKind, factKindOf } from "./check.ts";
import { CLUSTER_LISTS, type ClusterFacts } from "./facts.ts";
import { grants } from "./kubernetes-rights.ts";
import { NodeView } from "./node-view.ts";
import { UnreadFact } from "./unread.ts";

const LIMITS = { maxAstNodes: 5_000, maxDepth: 60 } as const;
const MAX_DIGITS = 15;

/** Lists that `each` may name, by where facts come from. */
export const BENCHMARK_LISTS: Readonly<Record<FactKind, readonly string[]>> = {
  node: [],
  container: ["containers"],
  cluster: CLUSTER_LISTS,
};

/** Methods of `node` and what they do, by signature. The literal arguments of their calls tell what a sensor is asked for. */
const NODE_METHODS: Readonly<Record<string, string>> = {
  "sysctl(string): string": "value of a kernel setting; empty where this kernel has none of the name",
  "file(string): map": "exists, kind, mode, uid, gid and size of a file",
  "files(string): list": "the same of all files that a pattern matches",
  "text(string): string": "content of a configuration file; empty where there is none",
  "lines(string): list": "its lines without comments",
  "linesOf(string): list": "lines of all files that a pattern matches",
  "setting(string, string): string": "a value of a configuration file; dotted keys in JSON and YAML",
  "toml(string, string, string): string": "a value in a table of a TOML file",
  "sshd(string, string): list": "all values that sshd uses: outside of Match blocks, and in each of them",
  "runs(string): bool": "whether the program runs, on the host or as the cluster's own",
  "flag(string, string, string): string": "value of a flag of a program that runs",
  "flagFile(string, string): map": "the file that the flag names",
  "kubelet(string, string, string): string": "what the kubelet uses: flag, else key of its configuration and drop-ins",
  "docker(string, string, string): string": "what dockerd uses: flag, else key of its configuration; lists with commas",
  "etcd(string, string): string": "what etcd uses, by the flag's name: configuration file, flag or variable",
  "mount(string): map": "exists, type and options of a mount point",
  "moduleLoaded(string): bool": "whether a kernel module is loaded",
  "moduleBlocked(string): bool": "whether modprobe refuses it",
  "kernelOption(string): string": "a word of the kernel's command line",
  "vulnerabilities(): list": "name and text of what the kernel says of flaws of the processor",
  "listens(int): list": "addresses on which the TCP port listens",
  "probe(string): map": "open, answers, status and exposed of a port that was asked",
  "users(): list": "accounts: name, uid, gid, home, shell, login, password, maxDays",
  "groups(): list": "groups: name, gid, members",
  "audited(string): bool": "whether an audit rule watches the path",
};

const environments = new Map<FactKind, Environment>();

/** The names and functions that expressions of a subject may use. */
export function benchmarkEnvironment(subject: BenchmarkSubject): Environment {
  const kind = factKindOf(subject);
  const known = environments.get(kind);
  if (known !== undefined) return known;
  const environment = new Environment({ limits: LIMITS })
    .registerVariable("it", "dyn", { description: "the entry of the list that `each` names" })
    .registerVariable("params", "map", { description: "parameters of the check, as this place sets them" })
    .registerFunction("number(dyn): int", (value: unknown) => toNumber(String(value)), {
      description: "the text as a whole number, -1 where it is none",
    })
    .registerFunction("seconds(string): int", (text: string) => toSeconds(text), {
      description: "a time such as 90, 2m or 1h30m in seconds, -1 where it is none",
    })
    .registerFunction("isOn(string): bool", (text: string) => /^(?:on|yes|true|1|enabled)$/i.test(text.trim()))
    .registerFunction("isOff(string): bool", (text: string) => /^(?:off|no|false|0|disabled|none)$/i.test(text.trim()))
    .registerFunction("oct(dyn): string", (mode: unknown) => Number(mode).toString(8).padStart(4, "0"))
    .registerFunction(
      "beyond(dyn, string): bool",
      (mode: unknown, most: string) => (Number(mode) & ~Number.parseInt(most, 8)) !== 0,
      {
        description: "beyond(file.mode, '0644'): whether there are permissions that these do not have",
      },
    )
    .registerFunction(
      "includes(string, string): bool",
      (list: string, word: string) =>
        list
          .split(",")
          .map((each) => each.trim())
          .includes(word),
      {
        description: "includes('a,b', 'a'): whether the word is in a list written with commas",
      },
    )
    .registerFunction("text(dyn, string, string): string", (from: unknown, path: string, otherwise: string) => {
      const value = at(from, path);
      return value === undefined || value === null || typeof value === "object" ? otherwise : String(value);
    })
    .registerFunction("isTrue(dyn, string): bool", (from: unknown, path: string) => at(from, path) === true)
    .registerFunction("isFalse(dyn, string): bool", (from: unknown, path: string) => at(from, path) === false)
    .registerFunction("holds(dyn, string): bool", (from: unknown, path: string) => at(from, path) !== undefined)
    .registerFunction("entries(dyn, string): list", (from: unknown, path: string) => {
      const value = at(from, path);
      return Array.isArray(value) ? value : [];
    })
    .registerFunction("keys(dyn, string): list", (from: unknown, path: string) => Object.keys(fieldsOf(at(from, path))))
    .registerFunction(
      "grants(dyn, string, list, list): bool",
      (rule: unknown, group: string, resources: readonly unknown[], verbs: readonly unknown[]) =>
        grants(rule, group, resources.map(String), verbs.map(String)),
      { description: "grants(rule, 'apps', ['deployments'], ['create']): whether a rule of a role lets it happen" },
    )
    .registerFunction("capability(dyn): string", (name: unknown) => bareCapability(String(name)), {
      description: "a capability's name as kernels have it, without CAP_: SYS_ADMIN",
    })
    .registerFunction("security(dyn, dyn, string): string", (pod: unknown, container: unknown, key: string) => {
      const value = at(container, `securityContext.${key}`) ?? at(pod, `spec.securityContext.${key}`);
      return value === undefined ? "" : String(value);
    });
  if (kind === "node") registerNode(environment);
  for (const name of BENCHMARK_LISTS[kind]) environment.registerVariable(name, "list");
  environments.set(kind, environment);
  return environment;
}

function registerNode(environment: Environment): void {
  environment.registerType("Node", { ctor: NodeView, fields: {} }).registerVariable("node", "Node");
  for (const [signature, description] of Object.entries(NODE_METHODS)) {
    const name = signature.slice(0, signature.indexOf("(")) as keyof NodeView;
    environment.registerFunction(
      `Node.${signature}`,
      (node: NodeView, ...given: readonly never[]) =>
        (node[name] as (...given: readonly never[]) => unknown).call(node, ...given),
      { description },
    );
  }
}

/** Follows a dotted path; a backslash keeps a dot within a name. */
function at(from: unknown, path: string): unknown {
  let value = from;
  for (const part of path.split(/(?<!\\)\./)) {
    const name = part.replaceAll("\\.", ".");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

function toNumber(text: string): bigint {
  const digits = text.trim();
  return /^\d+$/.test(digits) && digits.length <= MAX_DIGITS ? BigInt(digits) : -1n;
}

const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** sshd_config(5), TIME FORMATS. */
function toSeconds(text: string): bigint {
  const parts = [
    ...text
      .trim()
      .toLowerCase()
      .matchAll(/(\d{1,9})([smhdw]?)/gy),
  ];
  const isWhole = parts.map(([part]) => part).join("") === text.trim().toLowerCase() && parts.length > 0;
  return isWhole ? BigInt(parts.reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit!]!, 0)) : -1n;
}

/** The lists of a cluster as variables; asking for one that was not read throws. */
export function clusterContext(facts: ClusterFacts): Readonly<Record<string, unknown>> {
  const context = {};
  for (const name of CLUSTER_LISTS) {
    Object.defineProperty(context, name, {
      enumerable: true,
      get() {
        const list = facts[name];
        if (list === undefined) throw new UnreadFact(`${name} of the cluster were not read`);
        return list;
      },
    });
  }
  return context;
}
