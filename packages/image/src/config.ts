import { isDigest } from "./digest.ts";
import { imageError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { invalidDocument, objectAt, parseJsonObject, stringMap, text } from "./manifest.ts";

export interface HistoryEntry {
  readonly created: string;
  /** As the builder wrote it. {@link tidyInstruction} makes a Dockerfile instruction of it. */
  readonly createdBy: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

export interface Healthcheck {
  /** `["CMD", …]`, `["CMD-SHELL", …]` or `["NONE"]`. */
  readonly test: readonly string[];
}

/** An image's configuration (OCI image specification, "Image Configuration"). Empty where nothing is said. */
export interface ImageConfig {
  readonly created: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant: string;
  readonly history: readonly HistoryEntry[];
  readonly user: string;
  readonly env: readonly string[];
  readonly cmd: readonly string[];
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly healthcheck: Healthcheck | null;
  readonly workingDir: string;
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly author: string;
}

/** Configuration of a source that has none. */
export const EMPTY_CONFIG: ImageConfig = {
  created: "",
  architecture: "",
  os: "",
  variant: "",
  history: [],
  user: "",
  env: [],
  cmd: [],
  entrypoint: [],
  labels: {},
  exposedPorts: [],
  healthcheck: null,
  workingDir: "",
  volumes: [],
  stopSignal: "",
  author: "",
};

const MAX_HISTORY = 10_000;
const MAX_INSTRUCTION_LENGTH = 4_096;

function strings(object: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/**
 * Reads a configuration.
 *
 * @returns the configuration, and the digests of its layers' tars from the lowest up
 * @throws MANIFEST_INVALID, LAYER_LIMIT
 */
export function parseConfig(
  what: string,
  bytes: Uint8Array,
  limits: Limits,
): { readonly config: ImageConfig; readonly diffIds: readonly string[] } {
  const json = parseJsonObject(what, bytes);
  const diffIds = objectAt(json, "rootfs").diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
    throw invalidDocument(what, "lists layers that are no digests");
  if (diffIds.length > limits.maxLayers) {
    throw imageError("LAYER_LIMIT", `${what} lists ${diffIds.length} layers (limit maxLayers ${limits.maxLayers})`);
  }
  const run = objectAt(json, "config");
  const healthcheck = objectAt(run, "Healthcheck");
  return {
    diffIds,
    config: {
      created: text(json, "created"),
      architecture: text(json, "architecture"),
      os: text(json, "os"),
      variant: text(json, "variant"),
      history: parseHistory(json.history),
      user: text(run, "User"),
      env: strings(run, "Env"),
      cmd: strings(run, "Cmd"),
      entrypoint: strings(run, "Entrypoint"),
      labels: stringMap(run, "Labels"),
      exposedPorts: Object.keys(objectAt(run, "ExposedPorts")).sort(),
      healthcheck: Array.isArray(healthcheck.Test) ? { test: strings(healthcheck, "Test") } : null,
      workingDir: text(run, "WorkingDir"),
      volumes: Object.keys(objectAt(run, "Volumes")).sort(),
      stopSignal: text(run, "StopSignal"),
      author: text(json, "author"),
    },
  };
}

function parseHistory(value: unknown): readonly HistoryEntry[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_HISTORY).map((item: unknown) => {
    const entry = typeof item === "object" && item !== null ? (item as Record<string, unknown>) : {};
    return {
      created: text(entry, "created"),
      createdBy: text(entry, "created_by"),
      comment: text(entry, "comment"),
      emptyLayer: entry.empty_layer === true,
    };
  });
}

/**
 * The Dockerfile instruction of a history entry.
 *
 * @example tidyInstruction("|1 V=3 /bin/sh -c apk add x # buildkit") // "RUN apk add x"
 * @example tidyInstruction("/bin/sh -c #(nop) ADD file:… in / ") // "ADD file:… in /"
 */
export function tidyInstruction(createdBy: string): string {
  const line = createdBy
    .slice(0, MAX_INSTRUCTION_LENGTH)
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/ # buildkit$/, "");
  const nop = line.indexOf("#(nop)");
  if (nop >= 0) return line.slice(nop + 6).trim();
  // Build arguments come before the shell: `|2 A=1 B=2 /bin/sh -c …`. They may be secret and are no part of the instruction.
  const withoutArguments = line.replace(/^(RUN )?\|\d+ .*?(?=\/bin\/(?:ba)?sh -c )/, "$1");
  const command = /^(?:RUN )?\/bin\/(?:ba)?sh -c (.*)$/.exec(withoutArguments)?.[1];
  return command === undefined ? withoutArguments : `RUN ${command}`;
}

/** One instruction for each layer, from the history entries that made a layer. */
export function instructionsOf(config: ImageConfig, layers: number): readonly string[] {
  const made = config.history.filter((entry) => !entry.emptyLayer);
  return Array.from({ length: layers }, (_, index) => tidyInstruction(made[index]?.createdBy ?? ""));
}
