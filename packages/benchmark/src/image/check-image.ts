import type { Fields } from "@bulwark/model";
import type { Check } from "../check.ts";
import { evaluateChecks, type ImageFact } from "../evaluate.ts";
import { expressionMap } from "../expression-map.ts";
import { referenceParts } from "../image-reference.ts";
import { isSecretName, secretShape } from "../secret-shape.ts";
import { baseName } from "../shell/scan.ts";
import { readHistoryStep } from "./history.ts";
import { cacheKind, isHostKey, toolKind } from "./interesting-paths.ts";
import type { ImageSubject, SubjectFile } from "./subject.ts";

const MAX_TEXT = 500;
/** History entries, files and variables beyond these are not judged; real images have a few hundred at most. */
const MAX_ENTRIES = 2_000;
const MAX_FILES = 200_000;
/** Characters of the history's entries that are read as scripts, all together. */
const MAX_SCRIPT_LENGTH = 512 * 1024;
const MAX_COMMANDS = 20_000;
/** Names of programs or files that a message lists. */
const MAX_NAMES = 12;

export interface ImageCheckResult {
  readonly facts: readonly ImageFact[];
  /** What could not be judged, as sentences. */
  readonly problems: readonly string[];
}

/**
 * Judges an image's configuration, history and files by the checks for images; others in the list are left out.
 *
 * @example checkImage({ ...EMPTY_IMAGE, config: { ...EMPTY_IMAGE.config, user: "0" } }, checks).facts[0]?.id; // "image-root-user"
 */
export function checkImage(subject: ImageSubject, checks: readonly Check[]): ImageCheckResult {
  const own = checks.filter((check) => check.subject === "image");
  const { hits, problems } = evaluateChecks(own, imageFields(subject));
  const scriptLength = subject.history.reduce((sum, { createdBy }) => sum + createdBy.length, 0);
  const tooMany =
    scriptLength > MAX_SCRIPT_LENGTH ||
    subject.history.length > MAX_ENTRIES ||
    subject.files.length > MAX_FILES ||
    subject.config.env.length > MAX_ENTRIES;
  const cut = tooMany ? ["the image's history, files or variables are too many; not all were judged"] : [];
  return { facts: hits.map(({ fact }) => fact), problems: [...cut, ...problems] };
}

/** The lists and maps that expressions speak of; docs/configuration-checks.md lists them. */
function imageFields(subject: ImageSubject): Fields {
  const { config } = subject;
  const files = subject.files.slice(0, MAX_FILES);
  const steps = stepsOf(subject);
  return {
    config: {
      user: config.user,
      rootUser: /^(root|0+)(:|$)/i.test(config.user.trim()),
      numericUser: /^\d+(:\d+)?$/.test(config.user.trim()),
      healthcheck:
        config.healthcheck === undefined || config.healthcheck.length === 0
          ? "missing"
          : config.healthcheck[0] === "NONE"
            ? "none"
            : "set",
      entrypoint: config.entrypoint,
      cmd: config.cmd,
      start: [...config.entrypoint, ...config.cmd].map(baseName),
      labels: expressionMap(Object.entries(config.labels)),
      author: config.author,
      stopSignal: config.stopSignal,
      windows: config.os === "windows",
    },
    reference: namedParts(subject.reference, "", subject.registries),
    base: namedParts(subject.base?.reference ?? "", subject.base?.digest ?? "", subject.registries),
    env: config.env.slice(0, MAX_ENTRIES).map(variable),
    ports: config.exposedPorts.slice(0, MAX_ENTRIES).map(port),
    volumes: config.volumes.slice(0, MAX_ENTRIES).map((path) => ({ name: path.replace(/(.)\/+$/, "$1") })),
    history: steps,
    commands: steps.flatMap((step) => step.commands as readonly Fields[]).slice(0, MAX_COMMANDS),
    arguments: steps.flatMap((step) => step.arguments as readonly Fields[]),
    packages: subject.packages.map(({ name, type, path, layer }) => ({ name, type, path, layer })),
    files: files.map(fileFields),
    tools: grouped(files, ({ path }) => toolKind(path)),
    caches: grouped(files, ({ path }) => cacheKind(path)),
    layers: subject.layers.map(({ index, sizeBytes, removedBytes }) => ({
      name: String(index),
      layer: index,
      sizeBytes,
      removedBytes,
      removedMegabytes: Math.round(removedBytes / 1_000_000),
    })),
  };
}

function namedParts(reference: string, digest: string, registries: readonly string[]): Fields {
  const parts = referenceParts(reference);
  const name = `${parts.registry}/${parts.repository}`;
  const allowed =
    registries.length === 0 ||
    registries.some((entry) => name === entry || name.startsWith(entry.endsWith("/") ? entry : `${entry}/`));
  return {
    known: reference !== "",
    text: reference,
    ...parts,
    digest: digest === "" ? parts.digest : digest,
    allowed: reference === "" || allowed,
  };
}

function variable(entry: string): Fields {
  const equals = entry.indexOf("=");
  const name = equals < 0 ? entry : entry.slice(0, equals);
  const value = equals < 0 ? "" : entry.slice(equals + 1);
  const secret = secretShape(name, value);
  // A secret's value goes no further than this line.
  return { name, value: secret === "" && !isSecretName(name) ? value.slice(0, MAX_TEXT) : "", secret };
}

function port(text: string): Fields {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?(?:\/([a-z]+))?$/i.exec(text);
  const first = match === null ? -1 : Number(match[1]);
  return {
    name: text.slice(0, MAX_TEXT),
    first,
    end: match?.[2] === undefined ? first : Number(match[2]),
    protocol: (match?.[3] ?? "tcp").toLowerCase(),
  };
}

function stepsOf(subject: ImageSubject): readonly Fields[] {
  let layer = -1;
  let length = 0;
  return subject.history.slice(0, MAX_ENTRIES).map(({ createdBy, emptyLayer }) => {
    if (!emptyLayer) layer++;
    const { keyword, text, arguments: found, commands } = readHistoryStep(length > MAX_SCRIPT_LENGTH ? "" : createdBy);
    length += createdBy.length;
    const place = emptyLayer ? {} : { layer };
    return {
      name: keyword,
      // Scripts and variables may hold secrets; what checks need of them stands in commands, env and arguments.
      text: ["RUN", "ENV", "ARG", ""].includes(keyword) ? "" : text.slice(0, MAX_TEXT),
      emptyLayer,
      ...place,
      remote: keyword === "ADD" && /(^|\s)(https?|ftp):\/\//i.test(text),
      directory: keyword === "ADD" && /^dir:/.test(text),
      archive: /\.(tar|tgz|tbz2?|txz|tar\.\w+|gz|bz2|xz|zst)(\s|$)/i.test(text),
      classic: /^(file|dir|multi):[0-9a-f]{64}\s+in\s/.test(text),
      commands: commands.map((command) => ({ ...command, ...place })),
      arguments: found.map((entry) => ({ ...variable(entry), ...place })),
    };
  });
}

function fileFields({ path, mode, sizeBytes, layer, owned }: SubjectFile): Fields {
  return {
    name: baseName(path),
    path,
    layer,
    owned,
    sizeBytes,
    setUid: (mode & 0o4000) !== 0,
    setGid: (mode & 0o2000) !== 0 && (mode & 0o010) !== 0,
    worldWritable: (mode & 0o002) !== 0,
    hostKey: isHostKey(path),
    git: /(^|\/)\.git\/HEAD$/.test(path),
    tool: toolKind(path) ?? "",
  };
}

/** One entry for each kind and layer, so that ten thousand cached files are one finding. */
function grouped(files: readonly SubjectFile[], kindOf: (file: SubjectFile) => string | undefined): readonly Fields[] {
  const groups = new Map<
    string,
    {
      readonly name: string;
      readonly layer: number;
      readonly path: string;
      readonly names: Set<string>;
      count: number;
      sizeBytes: number;
      owned: boolean;
    }
  >();
  for (const file of files) {
    const kind = kindOf(file);
    if (kind === undefined) continue;
    const key = `${kind} ${file.layer}`;
    const group = groups.get(key) ?? {
      name: kind,
      layer: file.layer,
      path: file.path,
      names: new Set<string>(),
      count: 0,
      sizeBytes: 0,
      owned: true,
    };
    groups.set(key, group);
    if (group.names.size < MAX_NAMES) group.names.add(baseName(file.path));
    group.count++;
    group.sizeBytes += file.sizeBytes;
    group.owned &&= file.owned;
  }
  return [...groups.values()].map((group) => ({
    ...group,
    names: [...group.names].sort(),
    megabytes: Math.round(group.sizeBytes / 1_000_000),
  }));
}
