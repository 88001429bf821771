import { purlOf } from "@bulwark/ecosystems";
import type { OperatingSystem, Package, PackageFact } from "@bulwark/model";
import type { MergedPackage } from "./merge-layers.ts";

/** A package of the report together with all that its analyzer told. */
export interface FoundPackage extends Package {
  readonly fact: PackageFact;
}

/** Names the packages of an image by purl and absolute path, sorted, each once. */
export function namePackages(merged: readonly MergedPackage[], os: OperatingSystem | null): readonly FoundPackage[] {
  const found = new Map<string, FoundPackage>();
  for (const { fact, path, layer } of merged) {
    const purl = purlOf(fact, os ?? undefined);
    const place = fact.inner === undefined ? `/${path}` : `/${path}!/${fact.inner}`;
    const key = `${purl}\0${place}`;
    if (!found.has(key))
      found.set(key, { purl, name: fullName(fact), version: fact.version, path: place, layer, fact });
  }
  return [...found.values()].sort(
    (a, b) => a.layer - b.layer || compareText(a.purl, b.purl) || compareText(a.path, b.path),
  );
}

/** The name as people of the ecosystem write it: `@babel/core`, `org.apache.logging.log4j:log4j-core`. */
export function fullName(fact: PackageFact): string {
  if (fact.namespace === "") return fact.name;
  return `${fact.namespace}${fact.type === "maven" ? ":" : "/"}${fact.name}`;
}

/** Order by code unit: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
