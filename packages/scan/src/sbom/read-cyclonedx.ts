import type { OperatingSystem, PackageFact } from "@bulwark/model";
import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { readBase, readLayers } from "./read-image.ts";
import type { Sbom, SbomPackage } from "./sbom.ts";

const MAX_COMPONENTS = 1_000_000;
const MAX_DEPTH = 32;
const PREFIX = "bulwark:";
const SKIPPED_TYPES: ReadonlySet<string> = new Set([
  "operating-system",
  "file",
  "data",
  "cryptographic-asset",
  "container",
]);
const EVIDENCE: readonly PackageFact["evidence"][] = ["installed", "locked", "embedded"];

/** Reads CycloneDX JSON, 1.4 or later: components at every depth that have a package URL. */
export function readCycloneDx(document: Fields): Sbom {
  const components = collectComponents(document.components);
  const subject = fieldsOf(fieldsOf(document.metadata).component);
  const own = propertiesOf(subject);
  const layers = readLayers(own.get("layers"));
  const base = readBase(own.get("base"));
  const packages: SbomPackage[] = [];
  let unnamed = 0;
  for (const component of components.list) {
    const purl = textOf(component.purl);
    if (purl !== "") packages.push(packageOf(component, purl));
    else if (!SKIPPED_TYPES.has(textOf(component.type))) unnamed++;
  }
  const problems = [
    ...(unnamed > 0 ? [`${unnamed} components have no package URL and were not judged`] : []),
    ...(components.cut
      ? [`components beyond ${MAX_COMPONENTS}, or nested deeper than ${MAX_DEPTH}, were not read`]
      : []),
  ];
  return {
    image: {
      digest: /^sha256:[0-9a-f]{64}$/.test(textOf(subject.version)) ? textOf(subject.version) : "",
      platform: own.get("platform") ?? "",
      created: own.get("created") ?? "",
      ...(layers === undefined ? {} : { layers }),
      ...(base === undefined ? {} : { base }),
    },
    os: osOf(components.list),
    packages,
    problems,
  };
}

function collectComponents(value: unknown): { readonly list: readonly Fields[]; readonly cut: boolean } {
  const list: Fields[] = [];
  let cut = false;
  const walk = (components: readonly unknown[], depth: number) => {
    for (const entry of components) {
      if (list.length >= MAX_COMPONENTS || depth > MAX_DEPTH) {
        cut = true;
        return;
      }
      const component = fieldsOf(entry);
      list.push(component);
      walk(listOf(component.components), depth + 1);
    }
  };
  walk(listOf(value), 0);
  return { list, cut };
}

function packageOf(component: Fields, purl: string): SbomPackage {
  const own = propertiesOf(component);
  const occurrence = fieldsOf(listOf(fieldsOf(component.evidence).occurrences)[0]);
  const layer = Number(own.get("layer") ?? 0);
  return {
    purl,
    name: textOf(component.name),
    version: textOf(component.version),
    path: textOf(occurrence.location),
    inner: own.get("inner") ?? "",
    layer: Number.isSafeInteger(layer) && layer >= 0 ? layer : 0,
    evidence: EVIDENCE.find((word) => word === own.get("evidence")) ?? "installed",
  };
}

function propertiesOf(component: Fields): ReadonlyMap<string, string> {
  const own = new Map<string, string>();
  for (const property of listOf(component.properties).map(fieldsOf)) {
    const name = textOf(property.name);
    if (name.startsWith(PREFIX)) own.set(name.slice(PREFIX.length), textOf(property.value));
  }
  return own;
}

function osOf(components: readonly Fields[]): OperatingSystem | undefined {
  const component = components.find((candidate) => candidate.type === "operating-system");
  if (component === undefined) return undefined;
  const own = propertiesOf(component);
  const id = textOf(component.name).toLowerCase();
  const versionId = textOf(component.version);
  const idLike = own.get("os:idLike")?.split(" ");
  const codename = own.get("os:codename");
  return {
    id,
    versionId,
    name: textOf(component.description) || `${id} ${versionId}`.trim(),
    ...(idLike === undefined ? {} : { idLike }),
    ...(codename === undefined ? {} : { codename }),
  };
}
