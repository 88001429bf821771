import type { Finding, Image } from "@bulwark/model";
import type { FoundPackage } from "../found-package.ts";
import { isOneEditAway, type PopularNames, popularNames } from "./names.ts";

const FOUND_BY = { foundBy: "look-alike", version: "1" } as const;
const HOSTS = ["docker.io", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io", "mcr.microsoft.com", "public.ecr.aws"];
const OFFICIAL = "library";

/** Names that look-alikes imitate: packages by type (`npm`, `pypi`), images under `images`. */
export interface KnownNames {
  readonly popular: Readonly<Record<string, readonly string[]>>;
  /** `type:name` of honest neighbours. */
  readonly honest: readonly string[];
}

/** Reads a list of names: words apart by white space, lines that begin with # left out. */
export function readNames(text: string): readonly string[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith("#") ? [] : line.split(/\s+/).filter((word) => word !== "")));
}

/** Packages whose names may be mistaken for popular ones: what typosquatters count on. */
export function findLookAlikes(packages: readonly FoundPackage[], names: KnownNames, image: Image): readonly Finding[] {
  const byType = new Map<string, PopularNames>();
  return packages.flatMap((found) => {
    const { type, namespace } = found.fact;
    const popular = names.popular[type];
    // A scope or group belongs to somebody: nobody else can publish in it.
    if (popular === undefined || namespace !== "") return [];
    const known = byType.get(type) ?? popularNames(popular, honestOf(names, type));
    byType.set(type, known);
    const imitated = known.resembles(found.name.toLowerCase());
    return imitated === undefined ? [] : [packageFinding(found, imitated, image)];
  });
}

function honestOf({ honest }: KnownNames, type: string): ReadonlySet<string> {
  const prefix = `${type}:`;
  return new Set(honest.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)));
}

function packageFinding(found: FoundPackage, imitated: string, image: Image): Finding {
  const { purl, name, version, path, layer } = found;
  return {
    kind: "misconfiguration",
    id: "look-alike-package",
    severity: "medium",
    title: `The name ${name} may be mistaken for ${imitated}`,
    package: { purl, name, version },
    path,
    layer,
    origin: image.layers[layer]?.origin ?? "own",
    evidence: FOUND_BY,
    advice: `Make sure that ${name} is what was meant, and not ${imitated}.`,
  };
}

/** Image references (the image's own and its base's) that imitate well-known ones. */
export function findImitations(references: readonly string[], names: KnownNames, image: Image): readonly Finding[] {
  const known = popularNames(names.popular.images ?? [], honestOf(names, "images"));
  return references.flatMap((reference) => {
    const imitated = imitationOf(reference, known);
    return imitated === undefined ? [] : [imageFinding(reference, imitated, image)];
  });
}

function imageFinding(reference: string, imitated: string, image: Image): Finding {
  return {
    kind: "misconfiguration",
    id: "look-alike-image",
    severity: "medium",
    title: `The name of the image ${reference} may be mistaken for ${imitated}`,
    layer: 0,
    origin: image.layers[0]?.origin ?? "own",
    evidence: FOUND_BY,
    advice: `Make sure who publishes it; ${imitated} is the well-known one.`,
  };
}

/** What a reference may be mistaken for: a registry, the namespace of official images, or a well-known image. */
function imitationOf(reference: string, known: PopularNames): string | undefined {
  const [host = "", ...path] = (reference.split("@")[0] ?? "").replace(/:[^/:]*$/, "").split("/");
  if (path.length === 0) return undefined;
  const registry = HOSTS.find((each) => isOneEditAway(host, each));
  if (registry !== undefined) return registry;
  if (host !== "docker.io") return undefined;
  const [namespace = "", name = ""] = path.length === 1 ? [OFFICIAL, path[0]] : path;
  if (isOneEditAway(namespace, OFFICIAL)) return `docker.io/${OFFICIAL}/${name}`;
  const imitated = known.resembles(name);
  return imitated === undefined ? undefined : `docker.io/${OFFICIAL}/${imitated}`;
}
