import type { FileFacts, PackageFact, PackageType } from "@bulwark/model";
import { isPlainWord } from "./text.ts";

/** Lock files of the largest monorepos hold some 20,000. */
const MAX_PACKAGES = 100_000;
const MAX_WORD_LENGTH = 512;

/** Gathers the packages of one file, each once. */
export interface FactList {
  /** Takes a package when name and version are plausible words. */
  add(namespace: string, name: string, version: string, more?: Partial<PackageFact>): void;
  /** What was gathered; problems tell when the file holds more than is read. */
  facts(): FileFacts;
}

/** @param evidence of all packages that do not say otherwise */
export function factList(type: PackageType, evidence: PackageFact["evidence"]): FactList {
  const found = new Map<string, PackageFact>();
  let isFull = false;
  return {
    add(namespace, name, version, more = {}) {
      if (![name, version].every((word) => isPlainWord(word) && word.length <= MAX_WORD_LENGTH)) return;
      if (namespace !== "" && !(isPlainWord(namespace) && namespace.length <= MAX_WORD_LENGTH)) return;
      const key = `${namespace}\0${name}\0${version}\0${more.inner ?? ""}`;
      if (found.has(key)) return;
      if (found.size >= MAX_PACKAGES) isFull = true;
      else found.set(key, { type, namespace, name, version, evidence, ...more });
    },
    facts: () => ({
      packages: [...found.values()],
      ...(isFull ? { problems: [`more than ${MAX_PACKAGES} packages, the rest was not read`] } : {}),
    }),
  };
}
