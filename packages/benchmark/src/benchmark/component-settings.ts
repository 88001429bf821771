import { type Fields, fieldsOf } from "@bulwark/model";
import type { GatheredFile, GatheredProcess } from "./facts.ts";
import { flagValues } from "./flags.ts";
import { settingLines, tomlValue, valueAt } from "./parse-settings.ts";
import { type SshdSource, TAKEN_OUT } from "./sshd.ts";
import { UnreadFact } from "./unread.ts";

export const DOCKER_CONFIG = "/etc/docker/daemon.json";
export const CONTAINERD_CONFIG = "/etc/containerd/config.toml";
/** What containerd 2 imports by itself. */
export const CONTAINERD_IMPORTS = "/etc/containerd/conf.d/*.toml";
export const SSHD_CONFIG = "/etc/ssh/sshd_config";
export const SSHD_PARTS = "/etc/ssh/sshd_config.d/*.conf";
/** The files of a kubelet's `--config-dir` that count (Kubernetes documentation, "Kubelet configuration directory merging"). */
export const KUBELET_PARTS = "*.conf";

/** Keys of daemon.json whose flags may be given many times, and whose values all count. */
const DOCKER_LISTS = new Set([
  ...["hosts", "insecure-registries", "registry-mirrors", "default-ulimits", "authorization-plugins"],
  ...["labels", "dns", "storage-opts", "log-opts"],
]);
/** What the kubelet does without a configuration file where it does otherwise with one (Kubernetes, cmd/kubelet, applyLegacyDefaults). */
const KUBELET_LEGACY: Readonly<Record<string, string>> = {
  "authentication.anonymous.enabled": "true",
  "authentication.webhook.enabled": "false",
  "authorization.mode": "AlwaysAllow",
  readOnlyPort: "10255",
};
/** Flags of etcd that have another name in its file (etcd documentation, "Configuration options"). */
const ETCD_TLS = /^--(peer-)?(cert-file|key-file|client-cert-auth|trusted-ca-file|auto-tls|client-crl-file)$/;

/** How a component's settings come to be read. */
export interface Given {
  readonly process: GatheredProcess;
  /** All that was gathered of files. */
  readonly files: readonly GatheredFile[];
  /** @throws UnreadFact where it could not be read whole */
  readonly contentOf: (file: GatheredFile) => string;
  /** The settings of a YAML or JSON file, parsed once. @throws UnreadFact for what is neither */
  readonly treeOf: (path: string, text: string) => Fields;
}

/** The value of a flag, the last one; empty where it is not given. @throws UnreadFact where the arguments were cut */
function flag(given: Given, name: string): string {
  const { program, arguments: words, argumentsCut } = given.process;
  const value = flagValues(program, words, name).at(-1) ?? "";
  if (value === "" && argumentsCut > 0)
    throw new UnreadFact(`the arguments of ${program} are too long to be read whole`);
  return known(value, `${name} of ${program}`);
}

/** @throws UnreadFact for what a sensor took for a secret */
export function known(value: string, what: string): string {
  if (value.includes(TAKEN_OUT)) throw new UnreadFact(`${what} was taken for a secret and not read`);
  return value;
}

/** Files that a flag names: one, or those of a folder. @throws UnreadFact where a sensor did not look, or they are gone */
function namedFiles({ process, files }: Given, name: string, path: string): readonly GatheredFile[] {
  const found = files.filter((file) => file.program === process.program && file.flag === name);
  if (process.containerId !== "") throw new UnreadFact(`${path} of ${process.program} lies in a container`);
  if (found.length === 0) throw new UnreadFact(`${path}, which ${name} of ${process.program} names, was not read`);
  return found;
}

function namedText(given: Given, name: string, path: string): string {
  const [file] = namedFiles(given, name, path);
  const text = given.contentOf(file!);
  if (file!.state === "absent")
    throw new UnreadFact(`${path}, which ${name} of ${given.process.program} names, is not there`);
  return text;
}

/**
 * What the kubelet uses: a flag, else its configuration file with the drop-ins of `--config-dir` put over it in the order of their names
 * (as JSON merge patches, RFC 7396), else what it does by itself.
 */
export function kubeletValue(given: Given, key: string, flagName: string, otherwise: string): string {
  const byFlag = flagName === "" ? "" : flag(given, flagName);
  if (byFlag !== "") return byFlag;
  const [config, folder] = [flag(given, "--config"), flag(given, "--config-dir")];
  let all: Fields = config === "" ? {} : given.treeOf(config, namedText(given, "--config", config));
  if (folder !== "") {
    const parts = namedFiles(given, "--config-dir", folder);
    if (parts.some(({ pattern }) => pattern !== KUBELET_PARTS))
      throw new UnreadFact(`the files of ${folder} were not read`);
    for (const part of parts.filter(({ state }) => state !== "absent"))
      all = fieldsOf(merged(all, given.treeOf(part.path, given.contentOf(part))));
  }
  const byItself = config === "" ? (KUBELET_LEGACY[key] ?? otherwise) : otherwise;
  return known(valueAt(all, key), `${key} of the kubelet`) || byItself;
}

/** RFC 7396, "MergePatch". */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result = new Map(Object.entries(fieldsOf(target)));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, merged(result.get(name), value));
  }
  return Object.fromEntries(result);
}

/** What dockerd uses: its flags and its configuration file may not both set something. All values of a list, with commas between them. */
export function dockerValue(given: Given, key: string, flagName: string, otherwise: string): string {
  const all = flagName === "" ? [] : flagValues("dockerd", given.process.arguments, flagName);
  // Lists may go on in what was cut.
  if ((all.length === 0 || DOCKER_LISTS.has(key)) && given.process.argumentsCut > 0)
    throw new UnreadFact("the arguments of dockerd are too long to be read whole");
  const byFlag = DOCKER_LISTS.has(key) ? all.join(",") : (all.at(-1) ?? "");
  if (byFlag !== "") return known(byFlag, `${flagName} of dockerd`);
  const config = flag(given, "--config-file");
  const text = config === "" ? ownText(given, DOCKER_CONFIG) : namedText(given, "--config-file", config);
  return known(valueAt(given.treeOf(config || DOCKER_CONFIG, text), key), `${key} of dockerd`) || otherwise;
}

/** A file of a program's own at its usual place. */
function ownText({ files, contentOf }: Given, path: string): string {
  const found = files.find((file) => file.path === path && file.pattern === "" && file.program === "");
  if (found === undefined) throw new UnreadFact(`${path} was not read`);
  return contentOf(found);
}

/**
 * What etcd uses: its configuration file alone, where there is one; else flags, else variables (etcd documentation, "Configuration
 * options").
 */
export function etcdValue(given: Given, flagName: string, otherwise: string): string {
  const { environment, environmentRead } = given.process;
  // Facts of older sensors know nothing of variables.
  if (environmentRead !== true) throw new UnreadFact("the variables of etcd, which are settings too, were not read");
  const variable = (name: string) => {
    const start = `ETCD_${name.replace(/^-+/, "").replaceAll("-", "_").toUpperCase()}=`;
    return environment.find((each) => each.startsWith(start))?.slice(start.length) ?? "";
  };
  const config = flag(given, "--config-file") || variable("--config-file");
  if (config === "") return flag(given, flagName) || known(variable(flagName), `${flagName} of etcd`) || otherwise;
  const [, peer, name] = ETCD_TLS.exec(flagName) ?? [];
  const group = peer === undefined ? "client-transport-security" : "peer-transport-security";
  const key = name === undefined ? flagName.replace(/^-+/, "") : `${group}.${name}`;
  const all = given.treeOf(config, namedText(given, "--config-file", config));
  return known(valueAt(all, key), `${key} of etcd`) || otherwise;
}

/** Texts of containerd's configuration, those that count most first. */
export function containerdTexts(
  given: Given,
  matches: (pattern: string) => readonly GatheredFile[],
): readonly string[] {
  const config = flag(given, "--config");
  const isUsual = config === "" || config === CONTAINERD_CONFIG;
  const main = isUsual ? ownText(given, CONTAINERD_CONFIG) : namedText(given, "--config", config);
  const imports = /(?:^|\n)\s*imports\s*=\s*\[([^\]]*)\]/.exec(main)?.[1] ?? "";
  const named = [...imports.matchAll(/["']([^"']*)["']/g)].map(([, path]) => path!);
  const other = named.find((path) => path !== CONTAINERD_IMPORTS);
  if (other !== undefined) throw new UnreadFact(`${other}, which containerd imports, was not read`);
  if (named.length === 0) return [main];
  return [...matches(CONTAINERD_IMPORTS).map(given.contentOf).toReversed(), main];
}

/** A value of containerd's configuration. */
export function containerdValue(texts: readonly string[], table: string, key: string): string {
  return texts.map((text) => tomlValue(text, table, key)).find((value) => value !== "") ?? "";
}

/**
 * What sshd reads, and what it was told beside it.
 *
 * @throws UnreadFact where it reads another file than its usual one
 */
export function sshdSource(
  processes: readonly GatheredProcess[],
  files: readonly GatheredFile[],
  contentOf: (file: GatheredFile) => string,
): SshdSource {
  const main = files.find((file) => file.path === SSHD_CONFIG && file.pattern === "" && file.program === "");
  if (main === undefined) throw new UnreadFact(`${SSHD_CONFIG} was not read`);
  const text = contentOf(main);
  // sshd does not start without a file: it has another, such as one below /usr/etc.
  if (main.state === "absent")
    throw new UnreadFact(`${SSHD_CONFIG} is not there, and which file sshd reads is not known`);
  const given = optionsOfSshd(processes);
  return {
    // Options of the command line stand before the file (sshd(8), -o).
    main: [...given, text].join("\n"),
    included: (pattern) => {
      const found = files.filter(
        (file) => file.pattern === pattern && (file.program === "" || file.program === "sshd"),
      );
      if (found.length === 0) throw new UnreadFact(`${pattern}, which sshd includes, was not read`);
      return found
        .map((file) => ({ file, text: contentOf(file) }))
        .filter(({ file }) => file.state === "present")
        .map(({ text }) => text);
    },
  };
}

/** Settings of the command line; of sessions, which are named after their users, nothing. */
function optionsOfSshd(processes: readonly GatheredProcess[]): readonly string[] {
  const own = processes.filter(
    ({ program, containerId, uid }) => program === "sshd" && containerId === "" && uid === 0,
  );
  return own.flatMap(({ arguments: all, argumentsCut }) => {
    const title = all.join(" ").trim();
    if (title.startsWith("sshd:") && !title.includes("[listener]")) return [];
    if (argumentsCut > 0) throw new UnreadFact("the arguments of sshd are too long to be read whole");
    const words = title.split(/\s+/);
    return words.flatMap((word, at) => {
      const [, option, rest = ""] = /^-[46DdeGiqTt]*([fo])(.*)$/.exec(word) ?? [];
      const value = rest === "" ? (words[at + 1] ?? "") : rest;
      if (option === "f" && value !== SSHD_CONFIG) throw new UnreadFact(`sshd reads ${value}, which was not read`);
      return option === "o" ? settingLines(value.replace("=", " ")) : [];
    });
  });
}
