import { type Fields, fieldsOf } from "@bulwark/model";
import { type BenchmarkCheck, factKindOf } from "./check.ts";
import { compileFactRequest } from "./fact-request.ts";
import {
  CLUSTER_LISTS,
  type ClusterFacts,
  type GatheredFacts,
  type GatheredFile,
  NO_FACTS,
  type ReadState,
} from "./facts.ts";
import { flagValues } from "./flags.ts";
import type { BenchmarkFacts } from "./judge.ts";

/** Where a kubelet's flag leads in samples that do not say otherwise. */
const KUBELET_CONFIG = "/var/lib/kubelet/config.yaml";

/**
 * Facts out of the short form of a sample: what a check asks for and the sample does not name is not there. A file is its
 * content, or its fields; a process its arguments; a kubelet is given its usual file where the sample has that.
 */
export function factsOfSample(check: BenchmarkCheck, sample: Fields): BenchmarkFacts {
  switch (factKindOf(check.subject)) {
    case "container":
      return { containers: { containers: listOf(sample, "containers") } };
    case "cluster":
      return { cluster: Object.fromEntries(CLUSTER_LISTS.map((name) => [name, listOf(sample, name)])) as ClusterFacts };
    case "node":
      return { node: nodeOf(check, sample) };
  }
}

function listOf(sample: Fields, name: string): readonly Fields[] {
  const value = sample[name];
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function nodeOf(check: BenchmarkCheck, sample: Fields): GatheredFacts {
  const request = compileFactRequest([check]);
  const files = fieldsOf(sample.files);
  const sysctls = fieldsOf(sample.sysctls);
  const programs: Record<string, unknown> = {
    ...(check.program === "" ? {} : { [check.program]: [] }),
    ...fieldsOf(sample.processes),
  };
  if (programs.kubelet !== undefined && files[KUBELET_CONFIG] !== undefined) {
    const words = argumentsOf("kubelet", programs).slice(1);
    if (flagValues("kubelet", ["", ...words], "--config").length === 0)
      programs.kubelet = [...words, `--config=${KUBELET_CONFIG}`];
  }
  const variables = fieldsOf(sample.variables);
  const asked = request.files.flatMap((wanted): readonly GatheredFile[] => {
    if (wanted.program !== "") {
      const by = { program: wanted.program, flag: wanted.flag };
      const given = fieldsOf(sample.flagFiles)[`${wanted.program} ${wanted.flag}`];
      if (given !== undefined) return [{ ...fileOf("/by-flag", given), ...by }];
      // The value of the flag is the path of a file of the sample, or of the folder of some.
      const path = flagValues(wanted.program, argumentsOf(wanted.program, programs), wanted.flag).at(-1);
      if (path === undefined) return [];
      if (wanted.path === "") return [{ ...fileOf(path, files[path]), ...by }];
      const inside = Object.keys(files).filter((each) => each.startsWith(`${path}/`));
      return inside.sort().map((each) => ({ ...fileOf(each, files[each]), ...by, pattern: wanted.path }));
    }
    if (!wanted.path.includes("*")) return [fileOf(wanted.path, files[wanted.path])];
    const test = new RegExp(`^${wanted.path.replaceAll(/[.+]/g, "\\$&").replaceAll("*", "[^/]*")}$`);
    const found = Object.keys(files).filter((path) => test.test(path));
    if (found.length === 0) return [{ ...fileOf("", undefined), pattern: wanted.path }];
    return found.map((path) => ({ ...fileOf(path, files[path]), pattern: wanted.path }));
  });
  return {
    ...NO_FACTS,
    files: asked,
    sysctls: request.sysctls.map((name) => {
      const state: ReadState = sysctls[name] === undefined ? "absent" : "present";
      return { name, value: String(sysctls[name] ?? ""), state, why: "" };
    }),
    processes: Object.keys(programs).map((program) => ({
      ...{ program, exe: `/usr/bin/${program}`, uid: 0, argumentsCut: 0, containerId: "", namespace: "" },
      arguments: argumentsOf(program, programs),
      environment: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      environmentRead: true,
    })),
    mounts: Object.entries(fieldsOf(sample.mounts)).map(([path, options]) => ({
      path,
      type: "ext4",
      options: String(options).split(","),
    })),
    modules: Array.isArray(sample.modules) ? sample.modules.map(String) : [],
    kernelArguments: String(sample.kernel ?? ""),
    vulnerabilities: fieldsOf(sample.vulnerabilities) as Readonly<Record<string, string>>,
    sockets: Object.entries(fieldsOf(sample.listens)).map(([port, address]) => ({
      protocol: "tcp",
      address: String(address),
      port: Number(port),
    })),
    probes: request.probes.map(({ id }) => {
      const status = fieldsOf(sample.probes)[id];
      const known = { id, why: "", exposed: fieldsOf(sample.exposed)[id] !== false };
      if (status === undefined) return { ...known, state: "closed", status: 0 };
      return { ...known, state: status === "refused" ? "refused" : "answered", status: Number(status) || 0 };
    }),
  };
}

function argumentsOf(program: string, programs: Fields): readonly string[] {
  const words = programs[program];
  return [program, ...(Array.isArray(words) ? words.map(String) : [])];
}

function fileOf(path: string, given: unknown): GatheredFile {
  const { content = "", mode = "0644", ...rest } = typeof given === "string" ? { content: given } : fieldsOf(given);
  return {
    ...{ path, pattern: "", state: given === undefined ? "absent" : "present", why: "", kind: "file", uid: 0, gid: 0 },
    ...{ size: 0, cutBytes: 0, contentWhy: "", program: "", flag: "", actual: "" },
    ...rest,
    mode: Number.parseInt(String(mode), 8),
    content: String(content),
  };
}
