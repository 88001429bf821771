import { createHash } from "node:crypto";
import { type Check, checkImage, type ImageSubject, wantsPath } from "@bulwark/benchmark/image";
import type { ImageConfig, OpenedImage } from "@bulwark/image";
import type { ContentFact, Finding, Image, Problem } from "@bulwark/model";
import type { FoundPackage } from "./found-package.ts";
import type { ConfigReports } from "./layer-cache.ts";
import type { MergedImage } from "./merge-layers.ts";
import type { ConfigSecretScan } from "./secrets/index.ts";

/** What an image's configuration is held against. */
export interface ImageInspection {
  /** Checks of the image; others in the list are left out. */
  readonly checks?: readonly Check[];
  /** Registries that images may come from; empty for any. */
  readonly registries?: readonly string[];
  readonly secrets?: {
    /** Covers the rules. */
    readonly version: string;
    /** Called when the cache has no answer. */
    load(): ConfigSecretScan;
  };
}

/** What an image's configuration told. */
export interface Inspected {
  readonly findings: readonly Finding[];
  readonly problems: readonly Problem[];
  /** The instruction of each layer, without the secrets that were found. */
  readonly createdBy: readonly string[];
  /** The image's labels, without them too. */
  readonly labels: Readonly<Record<string, string>>;
}

const SECRET_CHECKS: ReadonlySet<string> = new Set(["image-secret-in-env", "image-secret-in-build-argument"]);
const SECRETS = "secrets";
const CHECKS = "image-config";
/** Raised when what is kept of a configuration takes another form. */
const KEPT_VERSION = 2;

/** Looks for secrets in the configuration and the history of an image, and judges it by the checks of images. */
export function inspectImage(
  opened: OpenedImage,
  merged: MergedImage,
  packages: readonly FoundPackage[],
  image: Image,
  inspection: ImageInspection,
  cache: ConfigReports | undefined,
): Inspected {
  const secrets = configSecrets(opened, image, inspection, cache);
  const { checks } = inspection;
  const checked =
    checks === undefined || opened.digest === ""
      ? { facts: [], problems: [] }
      : checkImage(subjectOf(opened, merged, packages, image, inspection), checks);
  // Where secrets are looked for, the rules say which kind of secret a variable holds.
  const told =
    inspection.secrets === undefined ? checked.facts : checked.facts.filter(({ id }) => !SECRET_CHECKS.has(id));
  const findings = told.map((fact) => {
    // What no layer brought is a setting of the image as it was finished.
    const { layer = Math.max(0, image.layers.length - 1), path } = fact;
    return findingOf(fact, layer, image, CHECKS, path);
  });
  const problems = [...secrets.problems, ...checked.problems].map((what) => ({ path: "", layer: -1, what }));
  return {
    findings: [...secrets.findings, ...findings],
    problems,
    createdBy: secrets.createdBy,
    labels: secrets.labels,
  };
}

interface KeptSecrets {
  readonly facts: readonly ContentFact[];
  readonly problems: readonly string[];
  readonly createdBy: readonly string[];
  readonly labels: readonly (readonly [string, string])[];
}

function configSecrets(
  opened: OpenedImage,
  image: Image,
  { secrets }: ImageInspection,
  cache: ConfigReports | undefined,
): Omit<Inspected, "problems"> & { readonly problems: readonly string[] } {
  const instructions = opened.layers.map(({ createdBy }) => createdBy);
  if (secrets === undefined)
    return { findings: [], problems: [], createdBy: instructions, labels: opened.config.labels };
  const content = createHash("sha256")
    .update(JSON.stringify([opened.config, instructions]))
    .digest("hex");
  const key = `${KEPT_VERSION} ${content} ${secrets.version}`;
  const cached = cache?.getConfig(key);
  const kept: KeptSecrets =
    cached === undefined ? readSecrets(opened.config, instructions, secrets.load()) : JSON.parse(cached);
  if (cached === undefined) cache?.putConfig(key, JSON.stringify(kept));
  const findings = kept.facts.map((fact) => findingOf(fact, layerOf(fact, opened.config, image), image, SECRETS));
  return { findings, problems: kept.problems, createdBy: kept.createdBy, labels: Object.fromEntries(kept.labels) };
}

function readSecrets(config: ImageConfig, instructions: readonly string[], scan: ConfigSecretScan): KeptSecrets {
  const { facts, problems, redact } = scan(config);
  const labels = Object.entries(config.labels).map(([name, value]) => [redact(name), redact(value)] as const);
  return { facts, problems, createdBy: instructions.map(redact), labels };
}

/** The layer whose instruction tells the secret, or that came last before it was told. */
function layerOf({ detail = "" }: ContentFact, { history }: ImageConfig, image: Image): number {
  const told = /^history (\d+)/.exec(detail)?.[1];
  const variable = /^(?:ENV|LABEL) ([\w.-]+)=/.exec(detail)?.[1];
  const place =
    told === undefined
      ? history.findIndex(({ createdBy }) => variable !== undefined && createdBy.includes(`${variable}=`))
      : Number(told) - 1;
  const before = (place < 0 ? history : history.slice(0, place + 1)).filter(({ emptyLayer }) => !emptyLayer).length;
  return Math.min(Math.max(0, before - 1), Math.max(0, image.layers.length - 1));
}

function findingOf(fact: ContentFact, layer: number, image: Image, foundBy: string, path?: string): Finding {
  const { kind, id, severity, title, advice, detail, fingerprint, references } = fact;
  return {
    kind,
    id,
    severity,
    title,
    ...(path === undefined ? {} : { path: `/${path}` }),
    layer,
    origin: image.layers[layer]?.origin ?? "own",
    evidence: {
      foundBy,
      version: "1",
      ...(detail === undefined ? {} : { detail }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(references === undefined ? {} : { references }),
    },
    advice,
  };
}

function subjectOf(
  opened: OpenedImage,
  { files, hiddenBytes }: MergedImage,
  packages: readonly FoundPackage[],
  image: Image,
  { registries = [] }: ImageInspection,
): ImageSubject {
  const { config } = opened;
  const { base } = image;
  return {
    reference: image.reference,
    config: { ...config, healthcheck: config.healthcheck?.test },
    history: config.history,
    ...(base === null ? {} : { base: { reference: base.reference, digest: base.digest } }),
    packages: packages.map(({ name, fact, path, layer }) => ({ name, type: fact.type, path, layer })),
    files: files.filter(({ path, mode }) => wantsPath(path, mode)),
    layers: image.layers.map(({ index, size }) => ({
      index,
      sizeBytes: size,
      removedBytes: hiddenBytes.get(index) ?? 0,
    })),
    registries,
  };
}
