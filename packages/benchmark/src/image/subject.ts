/** What the checks on images need to know; the caller fills in what it has and leaves the lists empty where it has nothing. */
export interface ImageSubject {
  /** The reference the image was asked for by; empty: unknown. */
  readonly reference: string;
  readonly config: ImageConfig;
  readonly history: readonly HistoryEntry[];
  /** The image it was built upon, as far as it is known. */
  readonly base?: BaseReference;
  readonly packages: readonly SubjectPackage[];
  /** The live files that `wantsPath` asked for. */
  readonly files: readonly SubjectFile[];
  readonly layers: readonly SubjectLayer[];
  /** Registries that images may come from, as hosts or `host/path` beginnings; empty: any. */
  readonly registries: readonly string[];
}

/** Parts of the OCI image configuration (image-spec, config.md), absent ones as empty values. */
export interface ImageConfig {
  readonly user: string;
  /** `NAME=value`, as in the configuration. Values are never shown. */
  readonly env: readonly string[];
  /** `8080/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Docker's `Healthcheck.Test`; undefined: none is configured. */
  readonly healthcheck: readonly string[] | undefined;
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string;
  readonly author: string;
  /** `linux`, `windows`. */
  readonly os: string;
}

export interface HistoryEntry {
  readonly createdBy: string;
  readonly emptyLayer: boolean;
}

export interface BaseReference {
  readonly reference: string;
  /** `sha256:…` where the build named it; empty: only a tag was named, or nobody knows. */
  readonly digest: string;
}

export interface SubjectPackage {
  readonly name: string;
  /** `deb`, `apk`, `rpm`, `npm`, … */
  readonly type: string;
  readonly path: string;
  readonly layer: number;
}

export interface SubjectFile {
  /** Relative to the root of the image, without a leading slash. */
  readonly path: string;
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly layer: number;
  /** An OS package put it there. */
  readonly owned: boolean;
}

export interface SubjectLayer {
  readonly index: number;
  readonly sizeBytes: number;
  /** Bytes of its files that later layers delete or replace. */
  readonly removedBytes: number;
}

/** A subject with nothing in it, to be filled with spread. */
export const EMPTY_IMAGE: ImageSubject = {
  reference: "",
  config: {
    user: "",
    env: [],
    exposedPorts: [],
    entrypoint: [],
    cmd: [],
    healthcheck: undefined,
    volumes: [],
    labels: {},
    stopSignal: "",
    author: "",
    os: "linux",
  },
  history: [],
  packages: [],
  files: [],
  layers: [],
  registries: [],
};
