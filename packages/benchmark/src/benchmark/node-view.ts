import type { Fields } from "@bulwark/model";
import {
  CONTAINERD_CONFIG,
  containerdTexts,
  containerdValue,
  dockerValue,
  etcdValue,
  type Given,
  known,
  kubeletValue,
  sshdSource,
} from "./component-settings.ts";
import type { GatheredFacts, GatheredFile, GatheredProcess } from "./facts.ts";
import { flagValues } from "./flags.ts";
import { isTree, lineValue, parseTree, settingLines, tomlValue, valueAt } from "./parse-settings.ts";
import { sshdValues } from "./sshd.ts";
import { UnreadFact } from "./unread.ts";

/** Programs that run on the host itself: a container that has one of the name is not asked. */
const HOST_PROGRAMS = new Set(["kubelet", "dockerd", "containerd", "sshd", "auditd", "crio"]);
/** Programs that are several components at once, with settings of their own. */
export const ALL_IN_ONE: readonly string[] = ["k3s", "k0s", "rke2", "kubelite", "hyperkube", "microk8s"];
const KUBERNETES = new Set(["kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"]);
const SYSTEM_NAMESPACE = "kube-system";
/** Flags that a program does not look at when it has a configuration file (kube-scheduler --help). */
const UNDER_CONFIG: Readonly<Record<string, readonly string[]>> = {
  "kube-scheduler": ["--profiling", "--contention-profiling"],
};

/**
 * The facts of a node as expressions ask for them. Every question about a fact that was not read throws `UnreadFact`, so that no
 * check passes by what nobody knows.
 */
export class NodeView {
  readonly #facts: GatheredFacts;
  readonly #files = new Map<string, GatheredFile>();
  readonly #trees = new Map<string, Fields | undefined>();

  constructor(facts: GatheredFacts) {
    this.#facts = facts;
    for (const file of facts.files) {
      if (file.pattern === "" && file.program === "") this.#files.set(file.path, file);
    }
  }

  sysctl(name: string): string {
    this.#demand("sysctls");
    const found = this.#facts.sysctls.find((each) => each.name === name);
    if (found === undefined) throw new UnreadFact(`the setting ${name} was not read`);
    if (found.state === "unread") throw new UnreadFact(`the setting ${name} could not be read: ${found.why}`);
    return found.value;
  }

  file(path: string): Fields {
    return described(this.#file(path));
  }

  files(pattern: string): readonly Fields[] {
    return this.#matches(pattern).map(described);
  }

  text(path: string): string {
    return contentOf(this.#file(path));
  }

  lines(path: string): readonly string[] {
    return path === CONTAINERD_CONFIG ? this.#containerd().flatMap(settingLines) : settingLines(this.text(path));
  }

  /** Lines of all files that a pattern matches. */
  linesOf(pattern: string): readonly string[] {
    return this.#matches(pattern).flatMap((file) => settingLines(contentOf(file)));
  }

  setting(path: string, key: string): string {
    const text = this.text(path);
    return known(isTree(path) ? valueAt(this.#tree(path, text), key) : lineValue(text, key), `${key} of ${path}`);
  }

  toml(path: string, table: string, key: string): string {
    if (path === CONTAINERD_CONFIG) return known(containerdValue(this.#containerd(), table, key), `${key} of ${path}`);
    return known(tomlValue(this.text(path), table, key), `${key} of ${path}`);
  }

  /** All values that sshd uses, by who logs in from where. */
  sshd(key: string, otherwise: string): readonly string[] {
    this.#demand("files");
    this.#demand("processes");
    return sshdValues(sshdSource(this.#facts.processes, this.#facts.files, contentOf), key, otherwise);
  }

  /** Whether a program of the host, or of the cluster's own containers, runs. */
  runs(program: string): boolean {
    return this.#process(program) !== undefined;
  }

  /** Value of a flag, the last one given; `--flag` alone is `true`. */
  flag(program: string, name: string, otherwise: string): string {
    const { arguments: given, argumentsCut } = this.#running(program);
    if (UNDER_CONFIG[program]?.includes(name) === true && flagValues(program, given, "--config").length > 0)
      throw new UnreadFact(`${program} takes ${name} from its configuration file, which was not read`);
    const value = flagValues(program, given, name).at(-1);
    if (value !== undefined) return known(value, `${name} of ${program}`);
    if (argumentsCut > 0) throw new UnreadFact(`the arguments of ${program} are too long to be read whole`);
    return otherwise;
  }

  /** The file that a program's flag names; one that is not there where the flag is not given. */
  flagFile(program: string, flag: string): Fields {
    this.#demand("files");
    const found = this.#facts.files.find((file) => file.program === program && file.flag === flag);
    if (found !== undefined) return described(found);
    const path = this.flag(program, flag, "");
    if (path !== "") throw new UnreadFact(`${path}, which ${flag} of ${program} names, was not read`);
    return ABSENT;
  }

  kubelet(key: string, flag: string, otherwise: string): string {
    return kubeletValue(this.#given("kubelet"), key, flag, otherwise);
  }

  docker(key: string, flag: string, otherwise: string): string {
    return dockerValue(this.#given("dockerd"), key, flag, otherwise);
  }

  etcd(flag: string, otherwise: string): string {
    return etcdValue(this.#given("etcd"), flag, otherwise);
  }

  mount(path: string): Fields {
    this.#demand("mounts");
    const found = this.#facts.mounts.findLast((mount) => mount.path === path);
    return found === undefined ? { exists: false, type: "", options: [] } : { exists: true, ...found };
  }

  moduleLoaded(name: string): boolean {
    this.#demand("modules");
    return this.#facts.modules.includes(name.replaceAll("-", "_"));
  }

  /** Whether modprobe refuses the module (modprobe.d(5)). */
  moduleBlocked(name: string): boolean {
    const blocks = new RegExp(`^(?:install\\s+${name}\\s+(?:/usr)?/bin/(?:true|false)|blacklist\\s+${name})\\b`);
    return this.linesOf("/etc/modprobe.d/*.conf").some((line) => blocks.test(line));
  }

  /** Value of a word of the kernel's command line; `true` for one without a value, empty where it is not there. */
  kernelOption(name: string): string {
    this.#demand("kernel-arguments");
    const words = this.#facts.kernelArguments.split(/\s+/);
    const found = words.findLast((word) => word === name || word.startsWith(`${name}=`));
    return found === undefined ? "" : found === name ? "true" : found.slice(name.length + 1);
  }

  vulnerabilities(): readonly Fields[] {
    this.#demand("vulnerabilities");
    return Object.entries(this.#facts.vulnerabilities).map(([name, text]) => ({ name, text }));
  }

  /** Addresses on which something listens at the port. */
  listens(port: bigint): readonly string[] {
    this.#demand("sockets");
    const all = this.#facts.sockets.filter((socket) => socket.protocol === "tcp" && socket.port === Number(port));
    return all.map(({ address }) => address);
  }

  probe(id: string): Fields {
    this.#demand("probes");
    const found = this.#facts.probes.find((probe) => probe.id === id);
    if (found === undefined) throw new UnreadFact(`the port of ${id} was not looked at`);
    if (found.state === "unread") throw new UnreadFact(`the port of ${id} could not be judged: ${found.why}`);
    const { state, status, exposed } = found;
    return { open: state !== "closed", answers: state === "answered", status, exposed };
  }

  /** Lines of /etc/passwd with what /etc/shadow says of each: passwords are `set`, `locked`, `empty` or `absent`. */
  users(): readonly Fields[] {
    const shadow = new Map(this.#colons("/etc/shadow").map((fields) => [fields[0] ?? "", fields]));
    return this.#colons("/etc/passwd").map(([name = "", , uid = "", gid = "", , home = "", shell = ""]) => {
      const [, hash, , , maxDays = ""] = shadow.get(name) ?? [];
      const password = hash === undefined ? "absent" : hash === "" ? "empty" : hash.startsWith("!") ? "locked" : "set";
      const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : -1);
      const login = !/(?:nologin|false|sync|shutdown|halt)$/.test(shell);
      return { name, uid: number(uid), gid: number(gid), home, shell, login, password, maxDays: number(maxDays) };
    });
  }

  groups(): readonly Fields[] {
    return this.#colons("/etc/group").map(([name = "", , gid = "", members = ""]) => ({
      name,
      gid: Number(gid),
      members: members === "" ? [] : members.split(","),
    }));
  }

  /** Whether a rule of the audit system watches the path. */
  audited(path: string): boolean {
    const watches = (line: string) =>
      line.split(/\s+/).some((word) => [path, `path=${path}`, `dir=${path}`].includes(word.replace(/\/$/, "")));
    return this.linesOf("/etc/audit/rules.d/*.rules").some(watches);
  }

  #containerd(): readonly string[] {
    return containerdTexts(this.#given("containerd"), (pattern) => this.#matches(pattern));
  }

  #running(program: string): GatheredProcess {
    const process = this.#process(program);
    if (process === undefined) throw new UnreadFact(`${program} does not run`);
    return process;
  }

  #given(program: string): Given {
    this.#demand("files");
    // YAML's form takes JSON too, whatever the name ends in.
    const treeOf = (path: string, text: string) => this.#tree(path, text, path.endsWith(".json") ? path : ".yaml");
    return { process: this.#running(program), files: this.#facts.files, contentOf, treeOf };
  }

  #colons(path: string): readonly (readonly string[])[] {
    return this.text(path)
      .split("\n")
      .filter((line) => line.includes(":"))
      .map((line) => line.split(":"));
  }

  #tree(path: string, text: string, form = path): Fields {
    if (!this.#trees.has(path)) this.#trees.set(path, parseTree(form, text));
    const tree = this.#trees.get(path);
    if (tree === undefined) throw new UnreadFact(`${path} cannot be read as what it should be`);
    return tree;
  }

  #file(path: string): GatheredFile {
    const found = this.#files.get(path);
    if (found === undefined) {
      this.#demand("files");
      throw new UnreadFact(`${path} was not read`);
    }
    return readable(found);
  }

  #matches(pattern: string): readonly GatheredFile[] {
    const all = this.#facts.files.filter((file) => file.pattern === pattern).map(readable);
    if (all.length === 0) {
      this.#demand("files");
      throw new UnreadFact(`${pattern} was not read`);
    }
    return all.filter(({ state }) => state === "present");
  }

  #process(program: string): GatheredProcess | undefined {
    this.#demand("processes");
    const all = this.#facts.processes.filter((process) => process.program === program);
    const onHost = all.find(({ containerId, uid }) => containerId === "" && (uid === 0 || program === "etcd"));
    const whole = this.#facts.processes.find((each) => ALL_IN_ONE.includes(each.program) && each.containerId === "");
    if (onHost === undefined && whole !== undefined && KUBERNETES.has(program)) {
      throw new UnreadFact(`${program} may run within ${whole.program}, whose settings are not read`);
    }
    if (onHost !== undefined || HOST_PROGRAMS.has(program)) return onHost;
    const own = all.find(({ namespace }) => namespace === SYSTEM_NAMESPACE);
    if (own !== undefined) return own;
    const unknown = all.some(({ containerId, namespace }) => containerId !== "" && namespace === "");
    if (unknown) throw new UnreadFact(`${program} runs in a container that is not known to be the cluster's own`);
    return undefined;
  }

  #demand(kind: string): void {
    const why = this.#facts.unread[kind];
    if (why !== undefined) throw new UnreadFact(`${kind} could not be read: ${why}`);
  }
}

const ABSENT: Fields = { path: "", exists: false, kind: "", mode: 0, uid: 0, gid: 0, size: 0 };

function readable(file: GatheredFile): GatheredFile {
  if (file.state === "unread") throw new UnreadFact(`${file.path || file.pattern} could not be read: ${file.why}`);
  return file;
}

function described(file: GatheredFile): Fields {
  const { path, state, kind, mode, uid, gid, size } = readable(file);
  return { path, exists: state === "present", kind, mode, uid, gid, size };
}

function contentOf(file: GatheredFile): string {
  const { path, state, contentWhy, cutBytes, content } = readable(file);
  if (state === "absent") return "";
  if (contentWhy !== "") throw new UnreadFact(`${path} could not be read: ${contentWhy}`);
  if (cutBytes > 0) throw new UnreadFact(`${path} is too long to be read whole`);
  return content;
}
