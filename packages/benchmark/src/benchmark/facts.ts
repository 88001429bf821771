import type { Fields } from "@bulwark/model";

/** What a sensor gathered on a node; what could not be read says so. */
export interface GatheredFacts {
  readonly files: readonly GatheredFile[];
  readonly sysctls: readonly {
    readonly name: string;
    readonly value: string;
    readonly state: ReadState;
    readonly why: string;
  }[];
  readonly processes: readonly GatheredProcess[];
  readonly mounts: readonly { readonly path: string; readonly type: string; readonly options: readonly string[] }[];
  /** Names of loaded kernel modules. */
  readonly modules: readonly string[];
  readonly kernelArguments: string;
  readonly vulnerabilities: Readonly<Record<string, string>>;
  readonly sockets: readonly { readonly protocol: string; readonly address: string; readonly port: number }[];
  readonly probes: readonly {
    readonly id: string;
    readonly state: "closed" | "refused" | "answered" | "unread";
    readonly status: number;
    readonly why: string;
    readonly exposed: boolean;
  }[];
  readonly packages: readonly GatheredPackage[];
  readonly builds: readonly {
    readonly program: string;
    readonly path: string;
    readonly module: string;
    readonly version: string;
  }[];
  /** Kinds of facts that could not be read, such as `mounts`, and why. */
  readonly unread: Readonly<Record<string, string>>;
}

export type ReadState = "present" | "absent" | "unread";

export interface GatheredFile {
  readonly path: string;
  /** The pattern that it was asked for by; empty: by its own path. */
  readonly pattern: string;
  readonly state: ReadState;
  readonly why: string;
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Text without secrets; empty where none was asked for. */
  readonly content: string;
  readonly cutBytes: number;
  readonly contentWhy: string;
  /** Of a file that a program's flag names. */
  readonly program: string;
  readonly flag: string;
  /** Where links led to; empty: nowhere else. */
  readonly actual: string;
}

export interface GatheredProcess {
  readonly program: string;
  readonly exe: string;
  readonly uid: number;
  readonly arguments: readonly string[];
  readonly argumentsCut: number;
  /** Empty on the host. */
  readonly containerId: string;
  readonly namespace: string;
  /** `NAME=value` of variables that are settings of the program, all of them where `environmentRead` says so. */
  readonly environment: readonly string[];
  readonly environmentRead: boolean;
}

export interface GatheredPackage {
  readonly manager: string;
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly sourceVersion: string;
}

/** Facts of which nothing was gathered yet. */
export const NO_FACTS: GatheredFacts = {
  files: [],
  sysctls: [],
  processes: [],
  mounts: [],
  modules: [],
  kernelArguments: "",
  vulnerabilities: {},
  sockets: [],
  probes: [],
  packages: [],
  builds: [],
  unread: {},
};

/** Containers of a node as its sensor sees them. */
export interface ContainerFacts {
  readonly containers: readonly Fields[];
}

/**
 * Objects of a cluster by list; a list that is not there was not read. Entries of `workloads` are pods and what makes pods:
 * `{ kind, namespace, name, labels, annotations, spec, containers }` with the pod's spec and all its containers.
 */
export type ClusterFacts = Readonly<Partial<Record<ClusterList, readonly Fields[]>>>;

export const CLUSTER_LISTS = [
  "workloads",
  "namespaces",
  "serviceAccounts",
  "roles",
  "bindings",
  "networkPolicies",
  "services",
  "ingresses",
  "nodes",
  "webhooks",
  "peerAuthentications",
  "authorizationPolicies",
  "requestAuthentications",
  "gateways",
  "destinationRules",
  "serviceEntries",
] as const;
export type ClusterList = (typeof CLUSTER_LISTS)[number];
